//! A letter with sample data in it, rendered as a customer would get it.

use crate::sample_cases::{SENT_AT, SampleCase, SampleNames, row_and_record};
use crate::samples::CATALOG;
use domain::catalog::Catalog;
use engagement_email::Sender;
use engagement_email::mailer::RenderedLetter;
use engagement_email::render::{Language, render_letter};

/// How the sample shop's catalog names the plan that letters are about.
const PLAN: &str = "{ en = \"Grove\", fr = \"Verger\" }";

/// A letter as a sample customer of the sample shop would get it.
///
/// # Errors
/// When it can't be rendered.
pub fn sample(
    case: SampleCase,
    language: Language,
    words: &SampleNames,
) -> anyhow::Result<RenderedLetter> {
    let sender = Sender {
        shop: words.shop.clone(),
        from: "grove@example.com".into(),
        reply_to: Some("hello@grove.example.com".into()),
        account_url: Some("https://grove.example.com/account".into()),
        preferences_url: Some("https://grove.example.com/letters".into()),
        ..Sender::default()
    };
    sample_of(case, language, words, &sender)
}

/// The same as a customer of this shop would get it.
///
/// # Errors
/// When it can't be rendered.
pub fn sample_of(
    case: SampleCase,
    language: Language,
    words: &SampleNames,
    sender: &Sender,
) -> anyhow::Result<RenderedLetter> {
    let (row, record) = row_and_record(case, language, words)?;
    let plan = toml::Value::from(&*words.plan).to_string();
    let catalog = CATALOG.replacen(PLAN, &plan, 1);
    Ok(render_letter(
        &row,
        &record,
        &Catalog::parse(&catalog)?,
        sender,
        SENT_AT.parse()?,
    )?)
}
