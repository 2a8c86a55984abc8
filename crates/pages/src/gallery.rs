//! Every letter in every language, made from sample data.

use crate::checks::Check;
use crate::console::Console;
use crate::display_prefs::DisplayPrefs;
use crate::mailbox::{MailViewQuery, run_checks, sandboxed};
use crate::page_result::{PageError, PageResult};
use crate::render::values;
use anyhow::Context;
use axum::extract::{Query, State};
use domain::letter::Letter;
use engagement_email::Sender;
use engagement_email::render::Language;
use local_cloud::mail::CapturedMail;
use local_cloud::name_value::NameValue;
use local_shop::sample_cases::{SAMPLE_CASES, SENT_AT, SampleNames};
use local_shop::sample_letters::sample_of;
use serde::{Deserialize, Serialize};

/// A letter in a language, and how it does.
#[derive(Serialize)]
struct GalleryRow {
    letter: &'static str,
    language: &'static str,
    subject: String,
    checks: Vec<Check>,
}

pub(crate) async fn list(State(console): State<Console>, display: DisplayPrefs) -> PageResult {
    let mut rows = Vec::new();
    let (sender, problem) = console.gallery_sender();
    for letter in Letter::ALL {
        for language in Language::ALL {
            let mail = console.sample(letter, language, &sender)?;
            rows.push(GalleryRow {
                letter: letter.as_str(),
                language: language.as_str(),
                checks: run_checks(&mail),
                subject: mail.subject,
            });
        }
    }
    console.page(&display, "gallery.html", values! { rows, problem })
}

#[derive(Deserialize)]
pub(crate) struct GalleryQuery {
    letter: String,
    language: String,
}

impl GalleryQuery {
    fn parse(&self) -> Result<(Letter, Language), PageError> {
        let letter = Letter::parse(&self.letter);
        let mut languages = Language::ALL.into_iter();
        let language = languages.find(|language| language.as_str() == self.language);
        let found = letter.zip(language);
        found.ok_or_else(|| {
            PageError::NotFound(format!("no letter {} in {}", self.letter, self.language))
        })
    }
}

pub(crate) async fn one(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(which): Query<GalleryQuery>,
    Query(shown): Query<MailViewQuery>,
) -> PageResult {
    let (letter, language) = which.parse()?;
    let mail = console.sample(letter, language, &console.gallery_sender().0)?;
    let query = format!("letter={}&language={}", letter.as_str(), language.as_str());
    let at = (
        format!("/gallery/one?{query}"),
        format!("/gallery/body?{query}"),
    );
    console.letter(&display, &mail, None, at, &shown)
}

pub(crate) async fn body(
    State(console): State<Console>,
    Query(which): Query<GalleryQuery>,
) -> PageResult {
    let (letter, language) = which.parse()?;
    let sender = console.gallery_sender().0;
    Ok(sandboxed(console.sample(letter, language, &sender)?.html))
}

impl Console {
    /// Who writes now; and, where the shop's file can't be used, why, and who writes without it.
    fn gallery_sender(&self) -> (Sender, Option<String>) {
        let by_default = || Sender {
            reply_to: Some("hello@grove.example.com".into()),
            preferences_url: Some("https://grove.example.com/letters".into()),
            ..self.shop.sender.clone()
        };
        match self.shop.settings_file {
            None => (by_default(), None),
            Some(_) => match self.shop.sender_now() {
                Ok(sender) => (sender, None),
                Err(problem) => (by_default(), Some(problem)),
            },
        }
    }

    fn sample(
        &self,
        letter: Letter,
        language: Language,
        sender: &Sender,
    ) -> anyhow::Result<CapturedMail> {
        let case = SAMPLE_CASES
            .into_iter()
            .find(|case| case.letter == letter)
            .with_context(|| format!("{} has no sample", letter.as_str()))?;
        let words = SampleNames {
            shop: sender.shop.clone(),
            ..SampleNames::default()
        };
        let mail = sample_of(case, language, &words, sender)?;
        let tags = mail.tags.into_iter();
        Ok(CapturedMail {
            id: letter.as_str().into(),
            at: SENT_AT.into(),
            from: mail.from,
            to: vec![mail.to],
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            tags: tags
                .map(|(name, value)| NameValue {
                    name: name.into(),
                    value,
                })
                .collect(),
            headers: mail
                .headers
                .into_iter()
                .map(|(name, value)| NameValue {
                    name: name.into(),
                    value,
                })
                .collect(),
            ..CapturedMail::default()
        })
    }
}
