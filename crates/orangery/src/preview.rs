//! `orangery mail preview`: every letter in every language, with sample data, as files to look
//! at. The samples serve the letters' own tests and whoever shows a gallery.

use crate::dev::CATALOG;
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use domain::billing::InvoiceState;
use domain::catalog::Catalog;
use domain::ids::{CustomerKey, ObjectId, PriceId};
use domain::letters::Letter;
use domain::money::{Currency, Money};
use domain::reading::Profile;
use domain::record::Record;
use domain::state::{Invoice, Subscription};
use domain::terms::{Item, Period, SubscriptionStatus, Terms};
use engagement_email::Sender;
use engagement_email::mailer::Mail;
use engagement_email::render::{Language, mail};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use store::letters::{LetterRow, LetterState};

/// Letters to look at.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Writes every letter as HTML, text and mail, with a page that leads to them.
    Preview(Preview),
}

/// What is to be written, and where.
#[derive(Debug, Args)]
pub struct Preview {
    /// The folder; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// This letter alone: welcome, payment_failed, …
    #[arg(long, value_parser = letter)]
    pub letter: Option<Letter>,
    /// This language alone: en, fr.
    #[arg(long, value_parser = language)]
    pub language: Option<Language>,
}

impl MailCommand {
    /// Does it, and says what was written.
    ///
    /// # Errors
    /// When the folder can't be written, or a letter can't be rendered.
    pub fn run(&self) -> anyhow::Result<()> {
        let Self::Preview(preview) = self;
        let count = run(preview)?;
        let page = preview.out.join("index.html");
        writeln!(std::io::stdout(), "{count} letters: {}", page.display())?;
        Ok(())
    }
}

/// One occasion for a letter; a letter that says different things has several.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// Its name: the letter's, and what makes it another.
    pub name: &'static str,
    /// The letter.
    pub letter: Letter,
    change: fn(&mut Subscription, &mut Invoice),
}

/// Whom a sample is about, and what by: everything a stranger may have written.
#[derive(Clone, Debug)]
pub struct Words {
    /// The customer's name.
    pub name: String,
    /// The plan's name.
    pub plan: String,
    /// The shop's name.
    pub shop: String,
}

/// The moment at which sample letters are sent: shortly after their occasion.
pub const SENT_AT: &str = "2026-01-12T09:00:00Z";

/// Every occasion, letter by letter.
pub const OCCASIONS: [Occasion; 9] = [
    occasion("welcome", Letter::Welcome, |_, _| ()),
    occasion("welcome-trial", Letter::Welcome, |subscription, _| {
        subscription.terms.status = SubscriptionStatus::Trialing;
        subscription.terms.trial = Some(days(0, 14));
    }),
    occasion("payment_failed", Letter::PaymentFailed, |_, _| ()),
    occasion(
        "payment_failed-last",
        Letter::PaymentFailed,
        |_, invoice| {
            invoice.next_attempt_at = None;
        },
    ),
    occasion(
        "payment_failed-confirm",
        Letter::PaymentFailed,
        |_, invoice| {
            invoice.state = InvoiceState::ActionRequired;
        },
    ),
    occasion(
        "payment_recovered",
        Letter::PaymentRecovered,
        |_, invoice| {
            invoice.state = InvoiceState::Paid;
            invoice.settled_at = Some(day(11));
        },
    ),
    occasion(
        "cancellation_confirmed",
        Letter::CancellationConfirmed,
        |subscription, _| {
            subscription.canceled_at = Some(day(11));
            subscription.terms.cancel_at = Some(day(31));
        },
    ),
    occasion(
        "cancellation_confirmed-ended",
        Letter::CancellationConfirmed,
        |subscription, _| {
            subscription.canceled_at = Some(day(11));
            subscription.ended_at = Some(day(11));
            subscription.terms.status = SubscriptionStatus::Canceled;
        },
    ),
    occasion("trial_ending", Letter::TrialEnding, |subscription, _| {
        subscription.terms.status = SubscriptionStatus::Trialing;
        subscription.terms.trial = Some(days(0, 14));
    }),
];

/// Writes them, and a page that leads to all.
///
/// # Errors
/// When the folder can't be written, or a letter can't be rendered.
pub fn run(preview: &Preview) -> anyhow::Result<usize> {
    std::fs::create_dir_all(&preview.out)
        .with_context(|| format!("the folder {} can't be made", preview.out.display()))?;
    let words = Words::default();
    let mut names = Vec::new();
    for occasion in OCCASIONS {
        if preview
            .letter
            .is_some_and(|letter| letter != occasion.letter)
        {
            continue;
        }
        for language in Language::ALL {
            if preview.language.is_some_and(|only| only != language) {
                continue;
            }
            let mail = sample(occasion, language, &words)?;
            let name = format!("{}.{}", occasion.name, language.as_str());
            write(&preview.out, &format!("{name}.html"), &mail.html)?;
            write(&preview.out, &format!("{name}.txt"), &mail.text)?;
            write(&preview.out, &format!("{name}.eml"), &eml(&mail)?)?;
            names.push((name, mail.subject));
        }
    }
    write(&preview.out, "index.html", &index(&names))?;
    Ok(names.len())
}

/// A letter as a sample customer of the sample shop would get it.
///
/// # Errors
/// When it can't be rendered.
pub fn sample(occasion: Occasion, language: Language, words: &Words) -> anyhow::Result<Mail> {
    let sender = Sender {
        shop: words.shop.clone(),
        from: "grove@example.com".into(),
        reply_to: Some("hello@grove.example.com".into()),
        account_url: Some("https://grove.example.com/account".into()),
        preferences_url: Some("https://grove.example.com/letters".into()),
    };
    let (row, record) = told(occasion, language, words)?;
    let catalog = CATALOG.replacen("\"Grove\"", &toml::Value::from(&*words.plan).to_string(), 1);
    Ok(mail(&row, &record, &Catalog::parse(&catalog)?, &sender)?)
}

impl Default for Words {
    fn default() -> Self {
        Self {
            name: "Nell Orange".into(),
            plan: "Grove".into(),
            shop: "Grove & Sons".into(),
        }
    }
}

/// The letter's row and the record it is rendered from.
fn told(
    occasion: Occasion,
    language: Language,
    words: &Words,
) -> anyhow::Result<(LetterRow, Record)> {
    let (mut subscription, mut invoice) = (subscription()?, invoice()?);
    (occasion.change)(&mut subscription, &mut invoice);
    let customer = CustomerKey::new("stripe/test/cus_Valencia01");
    let mut record = Record::new(customer.clone());
    let state = &mut record.folded.state;
    state.person.stated = Some(Profile {
        email: Some("nell@example.com".into()),
        name: Some(words.name.as_str().into()),
        locale: Some(language.as_str().into()),
        ..Profile::default()
    });
    state
        .subscriptions
        .insert(ObjectId::new("sub_Grove01"), subscription);
    state.invoices.insert(ObjectId::new("in_Grove02"), invoice);
    let now: Timestamp = SENT_AT.parse()?;
    let plan = domain::plan::plan(state, now);
    let Some(due) = plan
        .due
        .into_iter()
        .find(|due| due.letter == occasion.letter)
    else {
        bail!("the sample of {} asks for no letter", occasion.name)
    };
    let row = LetterRow {
        state: LetterState::Owed,
        ..LetterRow::owed(customer, &due, now)
    };
    Ok((row, record))
}

fn subscription() -> anyhow::Result<Subscription> {
    let started_at = day(8);
    Ok(Subscription {
        started_at,
        currency: Some(Currency::parse("eur")?),
        terms: Terms {
            status: SubscriptionStatus::Active,
            items: vec![Item {
                id: ObjectId::new("si_Grove01"),
                price: PriceId::new("price_grove_monthly"),
                metered: false,
                quantity: Some(1),
                unit_minor: Some(2400),
                period: None,
            }],
            period: Some(days(0, 31)),
            trial: None,
            cancel_at: None,
            cancel_at_period_end: false,
            pause: None,
        },
        canceled_at: None,
        ended_at: None,
        activated_at: Some(started_at),
        as_of: started_at,
        ambiguous: false,
    })
}

fn invoice() -> anyhow::Result<Invoice> {
    Ok(Invoice {
        state: InvoiceState::Failed,
        subscription: Some(ObjectId::new("sub_Grove01")),
        due: Money {
            minor: 2880,
            currency: Currency::parse("eur")?,
            exponent: 2,
        },
        failed_at: day(11),
        attempts: 1,
        next_attempt_at: Some(day(14)),
        settled_at: None,
    })
}

const fn occasion(
    name: &'static str,
    letter: Letter,
    change: fn(&mut Subscription, &mut Invoice),
) -> Occasion {
    Occasion {
        name,
        letter,
        change,
    }
}

/// So many days after the sample shop's first: 1 January 2026.
fn day(number: i64) -> Timestamp {
    let first = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let later = SignedDuration::from_hours(number.saturating_mul(24));
    first.checked_add(later).unwrap_or(first)
}

fn days(start: i64, end: i64) -> Period {
    Period {
        start: day(start),
        end: day(end),
    }
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("{} can't be written", path.display()))
}

/// The mail as mail programs open it: two bodies, the better one last.
fn eml(mail: &Mail) -> anyhow::Result<String> {
    let mut eml = String::new();
    let mut header = |name: &str, value: &str| write!(eml, "{name}: {value}\r\n");
    header("From", &mail.from)?;
    header("To", &mail.to)?;
    if let Some(reply_to) = &mail.reply_to {
        header("Reply-To", reply_to)?;
    }
    header("Subject", &encoded(&mail.subject))?;
    header("Date", "Mon, 12 Jan 2026 09:00:00 +0000")?;
    for (name, value) in &mail.headers {
        header(name, value)?;
    }
    header("MIME-Version", "1.0")?;
    header(
        "Content-Type",
        &format!("multipart/alternative; boundary=\"{BOUNDARY}\""),
    )?;
    for (kind, body) in [("plain", &mail.text), ("html", &mail.html)] {
        write!(
            eml,
            "\r\n--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n"
        )?;
        for line in STANDARD.encode(body).as_bytes().chunks(76) {
            write!(eml, "{}\r\n", String::from_utf8_lossy(line))?;
        }
    }
    write!(eml, "--{BOUNDARY}--\r\n")?;
    Ok(eml)
}

/// A header's value by RFC 2047: words of at most 75 signs, each whole in itself.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for c in text.chars() {
        let full = words.last().is_some_and(|word| word.len() >= 39);
        if full {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words: Vec<_> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)))
        .collect();
    words.join("\r\n ")
}

fn index(names: &[(String, String)]) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Letters</title>\n\
         <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
         padding:0 1rem}td{padding:.25rem 1rem .25rem 0}</style>\n<h1>Letters</h1>\n<table>\n",
    );
    for (name, subject) in names {
        let subject = escaped(subject);
        page.push_str(&format!(
            "<tr><td><a href=\"{name}.html\">{name}</a><td>{subject}\
             <td><a href=\"{name}.txt\">text</a><td><a href=\"{name}.eml\">mail</a>\n"
        ));
    }
    page.push_str("</table>\n");
    page
}

fn letter(name: &str) -> Result<Letter, String> {
    let names = || Letter::ALL.map(Letter::as_str).join(", ");
    Letter::parse(name).ok_or_else(|| format!("there are: {}", names()))
}

fn language(name: &str) -> Result<Language, String> {
    let names = || Language::ALL.map(Language::as_str).join(", ");
    Language::parse(name).ok_or_else(|| format!("there are: {}", names()))
}

const BOUNDARY: &str = "orangery-letter-preview";
