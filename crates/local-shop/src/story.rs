//! Stories: lives of customers told by their events, as data; see `crates/local-shop/samples`.

use crate::delivery::{Delivery, Signer, sample, set, shift_times};
use anyhow::{Context, bail};
use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use providers::{Provider, partner};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One story, as its file tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// One line for people.
    title: Title,
    /// How long before now the samples' first day, 1 January 2026, is put.
    begins: String,
    /// Words replaced in every sample: ids, names, addresses.
    #[serde(default)]
    rename: BTreeMap<String, String>,
    /// What is told, in the order of delivery.
    events: Vec<StoryEntry>,
}

/// A title, in one language or in those of the pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Title {
    Plain(String),
    Translated { en: String, fr: String },
}

/// One event of a story.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoryEntry {
    /// The sample it is made from.
    sample: String,
    /// The partner that reports it; without one it is the provider's.
    partner: Option<String>,
    /// Further words replaced.
    #[serde(default)]
    rename: BTreeMap<String, String>,
    /// Fields set, by dotted path.
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    /// How often it is delivered.
    #[serde(default = "once")]
    times: u8,
}

/// The samples' first day: 2026-01-01.
const FIRST_DAY: i64 = 1_767_225_600;

/// What signing a story needs.
#[derive(Clone, Debug)]
pub struct Signers {
    /// The provider.
    pub provider: &'static Provider,
    /// Its secret.
    pub secret: String,
    /// From which partners' secrets are derived.
    pub master: String,
}

impl Story {
    /// Reads a story's file.
    ///
    /// # Errors
    /// When it is not of the shape of a story.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        toml::from_str(text).context("the story can't be read")
    }

    /// What it tells, in one line: in `fr` if that is asked for and there, else in English.
    pub fn title(&self, language: &str) -> &str {
        match &self.title {
            Title::Translated { fr, .. } if language == "fr" => fr,
            Title::Translated { en, .. } => en,
            Title::Plain(title) => title,
        }
    }

    /// Partners that speak in it.
    pub fn partners(&self) -> Vec<PartnerId> {
        self.events
            .iter()
            .filter_map(|entry| PartnerId::parse(entry.partner.as_deref()?).ok())
            .collect()
    }

    /// Its deliveries, in order.
    ///
    /// # Errors
    /// When a sample is missing or a field can't be set.
    pub fn deliveries(&self, signers: &Signers, now: Timestamp) -> anyhow::Result<Vec<Delivery>> {
        let before = local_cloud::clock::parse_amount(&self.begins)
            .with_context(|| format!("`begins = \"{}\"` is no length of time", self.begins))?;
        let mut deliveries = Vec::new();
        for entry in &self.events {
            let delivery = self
                .delivery(entry, signers, now, before)
                .with_context(|| format!("in the telling of `{}`", entry.sample))?;
            for _ in 0..entry.times {
                deliveries.push(delivery.clone());
            }
        }
        Ok(deliveries)
    }

    fn delivery(
        &self,
        entry: &StoryEntry,
        signers: &Signers,
        now: Timestamp,
        before: SignedDuration,
    ) -> anyhow::Result<Delivery> {
        let begin = now.checked_sub(before)?;
        let samples = match entry.partner {
            Some(_) => partner::samples(),
            None => signers.provider.samples(),
        };
        let mut text = sample(samples, &entry.sample)?;
        for (from, to) in entry.rename.iter().chain(&self.rename) {
            text = text.replace(from.as_str(), to);
        }
        let mut body: Value = serde_json::from_str(&text)?;
        shift_times(&mut body, begin.as_second().saturating_sub(FIRST_DAY));
        for (path, value) in &entry.set {
            set(&mut body, path, relative(value, now)?)?;
        }
        let (path, signer) = match &entry.partner {
            None => (
                format!("/webhooks/{}", signers.provider.name()),
                Signer::provider(signers.provider, &signers.secret)?,
            ),
            Some(name) => {
                let Ok(partner) = PartnerId::parse(name.as_str()) else {
                    bail!("`{name}` can't be a partner: lower-case letters, digits and dashes")
                };
                let signer = Signer::partner(&signers.master, &partner)?;
                (format!("/partners/{partner}/events"), signer)
            }
        };
        let body = serde_json::to_vec(&body)?;
        Ok(Delivery {
            name: entry.sample.clone(),
            path,
            body,
            signer,
        })
    }
}

/// A value of a story: `"@-3d"` is the Unix time three days before now, `"@@-3d"` the same in
/// RFC 3339; anything else is itself.
fn relative(value: &toml::Value, now: Timestamp) -> anyhow::Result<Value> {
    let moment = |text: &str| -> anyhow::Result<Timestamp> {
        let (sign, amount) = match text.strip_prefix('-') {
            Some(amount) => (-1, amount),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let amount = local_cloud::clock::parse_amount(amount)?.saturating_mul(sign);
        Ok(now.checked_add(amount)?)
    };
    Ok(match value.as_str() {
        Some(text) if text.starts_with("@@") => {
            moment(text.trim_start_matches('@'))?.to_string().into()
        }
        Some(text) if text.starts_with('@') => {
            moment(text.trim_start_matches('@'))?.as_second().into()
        }
        Some(_) | None => serde_json::to_value(value)?,
    })
}

fn once() -> u8 {
    1
}
