//! From a letter's row and its customer's record to a mail.

use crate::Sender;
use crate::mailer::RenderedLetter;
pub use crate::reader::Language;
use crate::reader::Reader;
use crate::templates::{LetterPart, RenderError, render};
use domain::catalog::Catalog;
use domain::ids::ObjectId;
use domain::letter::plan::subject;
use domain::letter::{Letter, LetterClass};
use domain::money::{Money, exponent};
use domain::payment::invoice::Invoice;
use domain::payment::snapshot::InvoiceState;
use domain::record::Record;
use domain::state::CustomerState;
use domain::subscription::state::Subscription;
use domain::subscription::terms::SubscriptionStatus;
use minijinja::context;
use minijinja::value::Value;
use std::collections::BTreeMap;
use store::letters::LetterRow;

/// The mail of a claimed letter.
///
/// # Errors
/// When it can't be rendered: a bug, kept as the letter's reason.
pub fn render_letter(
    row: &LetterRow,
    record: &Record,
    catalog: &Catalog,
    sender: &Sender,
) -> Result<RenderedLetter, RenderError> {
    let state = &record.folded.state;
    let reader = Reader::of(&state.person);
    let language = reader.language;
    let preferences = sender.preferences_url.as_deref();
    let preferences = preferences.filter(|_| row.letter.class() == LetterClass::Engagement);
    let common = context! {
        language => language.as_str(),
        shop => one_line(&sender.shop),
        name => state.person.name().map(one_line).filter(|name| !name.is_empty()),
        account_url => sender.account_url.as_deref(),
        preferences_url => preferences,
    };
    let own = LetterContext {
        state,
        catalog,
        reader: &reader,
    }
    .values(row)?;
    let values = context! { ..own, ..common };
    let subject = subject_line(&render(row.letter, language, LetterPart::Subject, &values)?);
    let values = context! { subject => subject.as_str(), ..values };
    Ok(RenderedLetter {
        from: sender.from.clone(),
        to: state.person.email().unwrap_or_default().to_owned(),
        reply_to: sender.reply_to.clone(),
        subject,
        html: render(row.letter, language, LetterPart::Mjml, &values)?,
        text: render(row.letter, language, LetterPart::Text, &values)?,
        headers: preferences.map(unsubscribe).unwrap_or_default(),
        tags: vec![
            ("letter", row.letter.as_str().into()),
            ("cause", tag(&row.cause)),
        ],
    })
}

/// What a letter is about, in words for this reader.
struct LetterContext<'a> {
    state: &'a CustomerState,
    catalog: &'a Catalog,
    reader: &'a Reader,
}

impl LetterContext<'_> {
    fn values(&self, row: &LetterRow) -> Result<Value, RenderError> {
        let id = subject(row.letter, &row.cause);
        let subscription = || find_by_id(&self.state.subscriptions, id).ok_or(RenderError::Subject);
        let invoice = || find_by_id(&self.state.invoices, id).ok_or(RenderError::Subject);
        Ok(match row.letter {
            Letter::Welcome => {
                let welcomed = subscription()?;
                let trial = welcomed
                    .terms
                    .trial
                    .filter(|_| welcomed.terms.status == SubscriptionStatus::Trialing);
                context! {
                    plan => self.plan(welcomed),
                    trial_end => trial.map(|trial| self.reader.date(trial.end)),
                    ends => welcomed.ends_at().is_some(),
                }
            }
            Letter::PaymentFailed => {
                let failed = invoice()?;
                let next = failed.next_attempt.time().map(|at| self.reader.date(at));
                context! {
                    next_attempt => next,
                    must_act => failed.state == InvoiceState::ActionRequired,
                    ..self.money(failed)
                }
            }
            Letter::PaymentRecovered => self.money(invoice()?),
            Letter::CancellationConfirmed => {
                let ending = subscription()?;
                context! {
                    plan => self.plan(ending),
                    ended => ending.terms.status.is_final(),
                    end => ending.ends_at().map(|at| self.reader.date(at)),
                    asked => self.reader.date(row.caused_at),
                }
            }
            Letter::TrialEnding => {
                let trying = subscription()?;
                let trial = trying.terms.trial.ok_or(RenderError::Subject)?;
                let usage = trying.terms.items.iter().any(|item| item.metered);
                context! {
                    plan => self.plan(trying),
                    trial_end => self.reader.date(trial.end),
                    price => self.price(trying, row).map(|price| self.reader.amount(price)),
                    usage => usage,
                }
            }
        })
    }

    fn money(&self, invoice: &Invoice) -> Value {
        let subscription = invoice.subscription.as_ref();
        let subscription = subscription.and_then(|id| self.state.subscriptions.get(id));
        context! {
            amount => self.reader.amount(invoice.due),
            plan => subscription.and_then(|known| self.plan(known)),
            running => subscription.is_some_and(|known| known.terms.status.is_running()),
        }
    }

    /// What a period costs by its items, before tax and discounts, which the record does not
    /// know. None where tiers decide, or where nobody says how the currency is counted.
    fn price(&self, subscription: &Subscription, row: &LetterRow) -> Option<Money> {
        let currency = subscription.currency?;
        let mut minor = 0_i64;
        for item in subscription.terms.items.iter().filter(|item| !item.metered) {
            let quantity = i64::try_from(item.quantity?).ok()?;
            minor = minor.checked_add(item.unit_minor?.checked_mul(quantity)?)?;
        }
        let (provider, _) = row.customer.account().split_once('/')?;
        let exponent = exponent(currency, providers::provider(provider)?.exponents());
        (minor > 0).then_some(Money {
            minor,
            currency,
            exponent,
        })
    }

    /// What the shop calls the plan in the reader's language.
    fn plan(&self, subscription: &Subscription) -> Option<String> {
        let item = self.catalog.base(&subscription.terms.items)?;
        let (_, _, product) = self.catalog.product(&item.price)?;
        Some(one_line(product.name_in(self.reader.language.as_str())))
    }
}

fn find_by_id<'a, T>(among: &'a BTreeMap<ObjectId, T>, id: &str) -> Option<&'a T> {
    among.get(&ObjectId::parse(id).ok()?)
}

/// One click, by RFC 8058; only for letters that may be refused.
fn unsubscribe(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("List-Unsubscribe", format!("<{url}>")),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
    ]
}

/// A value in one line of bounded length: a name with a line end in it must not become a
/// header, and one without end must not become the letter.
fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .filter(|c| !is_bidi_control(*c))
        .map(|c| {
            if c.is_control() || is_line_end(c) {
                ' '
            } else {
                c
            }
        })
        .take(MAX_CHARS)
        .collect();
    let words: Vec<_> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// A subject whose values are in one line already: only its own line end goes.
fn subject_line(text: &str) -> String {
    text.trim().replace('\n', " ")
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Signs that turn the direction of all that follows, beyond the value they stand in.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A tag's value: letters, digits, `_` and `-` are all that is allowed.
fn tag(text: &str) -> String {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    text.chars().take(200).map(allowed).collect()
}

/// Signs of a name that are written; subjects hold two names at most.
const MAX_CHARS: usize = 120;
