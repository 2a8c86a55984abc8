//! The overview: what has arrived, what became of it, and what waits.

use crate::activity::ActivityEntry;
use crate::console::Console;
use crate::display_prefs::DisplayPrefs;
use crate::index::IndexCounts;
use crate::page_result::PageResult;
use crate::render::values;
use axum::extract::State;
use minijinja::value::Value;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) async fn page(State(console): State<Console>, display: DisplayPrefs) -> PageResult {
    let values = console.overview()?;
    console.page(&display, "overview.html", values)
}

/// The part of it that changes, alone.
pub(crate) async fn live(State(console): State<Console>, display: DisplayPrefs) -> PageResult {
    let values = console.overview()?;
    console.page(&display, "live.html", values)
}

/// A verdict and how often it was given.
#[derive(Serialize)]
struct CountTile {
    name: &'static str,
    count: u64,
}

impl Console {
    fn overview(&self) -> anyhow::Result<Value> {
        let (counts, (parked, waiting), latest): (IndexCounts, _, Vec<ActivityEntry>) = {
            let index = self.index.current();
            let latest = index.latest_activity.iter().rev().take(MAX_SHOWN).cloned();
            (index.counts.clone(), index.parked(), latest.collect())
        };
        let state = &self.endpoints.state;
        let answered = count_verdicts(&state.answers()?);
        let of = |name: &str| answered.get(name).copied().unwrap_or(0);
        let tile = |name, count| CountTile { name, count };
        let verdicts = vec![
            tile("applied", counts.applied),
            tile("out_of_order", counts.out_of_order),
            tile("quarantined", counts.quarantined),
            tile("ambiguous", counts.ambiguous),
            tile("parked", parked),
            tile("waiting", waiting),
            tile("pending", counts.pending),
        ];
        let gateway = vec![
            tile("repeated", of("repeated")),
            tile("ignored", of("ignored")),
            tile("wrong_mode", of("wrong_mode")),
            tile("refused", state.refused_count()?.into()),
        ];
        let secret = local_shop::shop::local_secret("stripe");
        let empty = counts.events == 0 && latest.is_empty();
        Ok(values! {
            counts, verdicts, gateway, latest, empty,
            given_secret => self.shop.secrets.contains_key("stripe"),
            secret => secret,
            gateway_url => self.endpoints.gateway_url,
        })
    }
}

/// What endpoints answered, summed by word: `{"applied":1,"repeated":0,…}` each.
fn count_verdicts(answers: &[(String, u32)]) -> BTreeMap<String, u64> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (answer, times) in answers {
        // A provider that wants 204 for what is of no use to us leaves no room for words.
        if answer.is_empty() {
            let sum = sums.entry("ignored".to_owned()).or_default();
            *sum = sum.saturating_add(u64::from(*times));
        }
        let answer: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(answer).unwrap_or_default();
        // A partner endpoint says one word: `{"verdict":"applied","id":…}`.
        if let Some(word) = answer.get("verdict").and_then(|word| word.as_str()) {
            let sum = sums.entry(word.to_owned()).or_default();
            *sum = sum.saturating_add(u64::from(*times));
        }
        for (word, count) in answer {
            let count = count
                .as_u64()
                .unwrap_or(0)
                .saturating_mul(u64::from(*times));
            let sum = sums.entry(word).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    sums
}

const MAX_SHOWN: usize = 30;
