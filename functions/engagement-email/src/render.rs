//! From a letter's row and its customer's record to a mail.

use crate::Sender;
use crate::letter_context::{LetterContext, one_line};
use crate::mailer::RenderedLetter;
pub use crate::reader::Language;
use crate::reader::Reader;
use crate::salutation::greeted;
use crate::templates::{LetterPart, RenderError, render};
use domain::catalog::Catalog;
use domain::letter::LetterClass;
use domain::record::Record;
use jiff::Timestamp;
use minijinja::context;
use store::letters::LetterRow;

/// The mail of a claimed letter, as it is sent at the moment `now`.
///
/// # Errors
/// When it can't be rendered: a bug, kept as the letter's reason.
pub fn render_letter(
    row: &LetterRow,
    record: &Record,
    catalog: &Catalog,
    sender: &Sender,
    now: Timestamp,
) -> Result<RenderedLetter, RenderError> {
    let state = &record.folded.state;
    let reader = Reader::of(&state.person);
    let language = reader.language;
    let preferences = sender.preferences_url.as_deref();
    let preferences = preferences.filter(|_| row.letter.class() == LetterClass::Engagement);
    let common = context! {
        language => language.as_str(),
        shop => one_line(&sender.shop),
        name => state.person.name().and_then(greeted).map(one_line),
        account_url => sender.account_url.as_deref(),
        preferences_url => preferences,
    };
    let own = LetterContext {
        state,
        catalog,
        reader: &reader,
        now,
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

/// One click, by RFC 8058; only for letters that may be refused.
fn unsubscribe(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("List-Unsubscribe", format!("<{url}>")),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()),
    ]
}

/// A subject whose values are in one line already: only its own line end goes.
fn subject_line(text: &str) -> String {
    text.trim().replace('\n', " ")
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
