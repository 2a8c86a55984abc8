//! Every letter in every language, made from sample data.

use super::checks::{self, Check, checks};
use super::look::Look;
use super::mailbox::{Light, View, Width, shut_in, source};
use super::render::values;
use super::{Console, Fault, Page};
use crate::stack::mail::{Mail, Named};
use anyhow::Context;
use axum::extract::{Query, State};
use domain::fold::fold;
use domain::ids::Mode;
use domain::letters::Letter;
use domain::plan::plan;
use domain::record::Record;
use engagement_email::render::{self, Language};
use jiff::Timestamp;
use providers::{Endpoint, Outcome, PROVIDERS, PersonKey, Request, Secret};
use serde::{Deserialize, Serialize};
use store::letters::{LetterRow, LetterState};

/// A letter in a language, and how it does.
#[derive(Serialize)]
struct Row {
    letter: &'static str,
    language: &'static str,
    subject: String,
    checks: Vec<Check>,
}

pub(crate) async fn list(State(console): State<Console>, look: Look) -> Page {
    let mut rows = Vec::new();
    for letter in Letter::ALL {
        for language in Language::ALL {
            let mail = console.sample(letter, language)?;
            rows.push(Row {
                letter: letter.as_str(),
                language: language.as_str(),
                checks: checked(letter, &mail),
                subject: mail.subject,
            });
        }
    }
    console.page(&look, "gallery.html", values! { rows })
}

#[derive(Deserialize)]
pub(crate) struct Which {
    letter: String,
    language: String,
    #[serde(default)]
    view: View,
    #[serde(default)]
    width: Width,
    #[serde(default)]
    light: Light,
}

impl Which {
    fn found(&self) -> Result<(Letter, Language), Fault> {
        let letter = Letter::parse(&self.letter);
        let mut languages = Language::ALL.into_iter();
        let language = languages.find(|language| language.as_str() == self.language);
        let found = letter.zip(language);
        found.ok_or_else(|| {
            Fault::NotThere(format!("no letter {} in {}", self.letter, self.language))
        })
    }
}

pub(crate) async fn one(
    State(console): State<Console>,
    look: Look,
    Query(which): Query<Which>,
) -> Page {
    let (letter, language) = which.found()?;
    let mail = console.sample(letter, language)?;
    let query = format!("letter={}&language={}", letter.as_str(), language.as_str());
    let values = values! {
        checks => checked(letter, &mail),
        source => source(&mail),
        customer => None::<String>,
        body => format!("/gallery/body?{query}"),
        this => format!("/gallery/one?{query}"),
        view => which.view, width => which.width, light => which.light,
        mail,
    };
    console.page(&look, "mail.html", values)
}

pub(crate) async fn body(State(console): State<Console>, Query(which): Query<Which>) -> Page {
    let (letter, language) = which.found()?;
    Ok(shut_in(console.sample(letter, language)?.html))
}

fn checked(letter: Letter, mail: &Mail) -> Vec<Check> {
    checks(&checks::Letter {
        name: letter.as_str(),
        subject: &mail.subject,
        text: &mail.text,
        html: &mail.html,
        unsubscribe: mail
            .headers
            .iter()
            .any(|h| h.name.eq_ignore_ascii_case("list-unsubscribe")),
    })
}

impl Console {
    fn sample(&self, letter: Letter, language: Language) -> anyhow::Result<Mail> {
        let record = record(language)?;
        let state = &record.folded.state;
        let begun = state
            .subscriptions
            .values()
            .map(|known| known.started_at)
            .max();
        let at = begun.unwrap_or(Timestamp::UNIX_EPOCH);
        let due = plan(state, at)
            .due
            .into_iter()
            .find(|due| due.letter == letter);
        let subscription = state.subscriptions.keys().next();
        let cause = match (&due, subscription) {
            (Some(due), _) => due.cause.clone(),
            (None, Some(id)) => id.as_str().into(),
            (None, None) => "sub_sample".into(),
        };
        let row = LetterRow {
            customer: record.customer.clone(),
            letter,
            cause,
            caused_at: at,
            owed_at: at,
            version: 1,
            state: LetterState::Owed,
        };
        let mail = render::mail(&row, &record, &self.shop.catalog, &self.shop.sender)?;
        let tags = mail.tags.into_iter();
        Ok(Mail {
            id: letter.as_str().into(),
            at: at.to_string(),
            from: mail.from,
            to: vec![mail.to],
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            tags: tags
                .map(|(name, value)| Named {
                    name: name.into(),
                    value,
                })
                .collect(),
            ..Mail::default()
        })
    }
}

/// A customer of the samples who reads this language: every sample of the first provider that
/// tells of one, read as the door would read it.
fn record(language: Language) -> anyhow::Result<Record> {
    let provider = PROVIDERS.first().copied().context("no provider")?;
    let text = crate::wiring::local_secret(provider.name());
    let (secrets, secret) = (provider.secrets([text.as_str()])?, Secret::new(&text)?);
    let keys = PersonKey::derive(&secret)?;
    let endpoint = Endpoint::new(Mode::Test);
    let now = Timestamp::UNIX_EPOCH;
    let mut readings = Vec::new();
    for (name, body) in provider.samples() {
        let begins = BEGINNING.iter().any(|prefix| name == prefix);
        let Some(signed) = begins
            .then(|| provider.sign(body.as_bytes(), &secret, now))
            .flatten()
        else {
            continue;
        };
        let headers = providers::Headers::new(signed)?;
        let request = Request {
            method: "POST",
            path: "/",
            url: None,
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        };
        for received in providers::receive(provider, &endpoint, &request, &secrets, &keys, now)? {
            if let Outcome::Reading(reading) = received.outcome {
                readings.push(reading);
            }
        }
    }
    let customer = provider.account(Mode::Test).customer("cus_Valencia01");
    let mut record = Record::new(customer);
    record.folded.state = fold(&readings);
    if let Some(stated) = &mut record.folded.state.person.stated {
        stated.locale = Some(language.as_str().into());
    }
    Ok(record)
}

/// What tells of a customer whose subscription runs.
const BEGINNING: [&str; 4] = [
    "customer.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    "invoice.paid",
];
