//! Letters as their readers get them: whole, legible, in their language, and nobody else's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod page;

mod checks;
mod from_events;
mod hostile;
mod language;
mod snapshots;

use engagement_email::mailer::RenderedLetter;
use engagement_email::render::Language;
use local_shop::sample_cases::{SAMPLE_CASES, SampleNames};
use local_shop::sample_letters::sample;

/// Every letter in every language, by name.
fn letters(words: &SampleNames) -> Vec<(String, Language, RenderedLetter)> {
    let mut letters = Vec::new();
    for occasion in SAMPLE_CASES {
        for language in Language::ALL {
            let name = format!("{}.{}", occasion.name, language.as_str());
            letters.push((name, language, sample(occasion, language, words).unwrap()));
        }
    }
    letters
}
