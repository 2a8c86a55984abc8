//! Every letter in every language, made from sample data.

use super::checks::Check;
use super::look::Look;
use super::mailbox::{Shown, checked, shut_in};
use super::render::values;
use super::{Console, Fault, Page};
use crate::preview::{self, OCCASIONS, Words};
use crate::stack::mail::{Mail, Named};
use anyhow::Context;
use axum::extract::{Query, State};
use domain::letters::Letter;
use engagement_email::render::Language;
use serde::{Deserialize, Serialize};

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
                checks: checked(&mail),
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
    Query(shown): Query<Shown>,
) -> Page {
    let (letter, language) = which.found()?;
    let mail = console.sample(letter, language)?;
    let query = format!("letter={}&language={}", letter.as_str(), language.as_str());
    let at = (
        format!("/gallery/one?{query}"),
        format!("/gallery/body?{query}"),
    );
    console.letter(&look, &mail, None, at, &shown)
}

pub(crate) async fn body(State(console): State<Console>, Query(which): Query<Which>) -> Page {
    let (letter, language) = which.found()?;
    Ok(shut_in(console.sample(letter, language)?.html))
}

impl Console {
    fn sample(&self, letter: Letter, language: Language) -> anyhow::Result<Mail> {
        let occasion = OCCASIONS
            .into_iter()
            .find(|occasion| occasion.letter == letter)
            .with_context(|| format!("{} has no sample", letter.as_str()))?;
        let words = Words {
            shop: self.shop.sender.shop.clone(),
            ..Words::default()
        };
        let mail = preview::sample(occasion, language, &words)?;
        let tags = mail.tags.into_iter();
        Ok(Mail {
            id: letter.as_str().into(),
            at: preview::SENT_AT.into(),
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
            headers: mail
                .headers
                .into_iter()
                .map(|(name, value)| Named {
                    name: name.into(),
                    value,
                })
                .collect(),
            ..Mail::default()
        })
    }
}
