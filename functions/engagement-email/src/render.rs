//! From a letter's row and its customer's record to a mail.

use crate::Sender;
use crate::letter_context::{LetterContext, one_line};
use crate::mailer::RenderedLetter;
pub use crate::reader::Language;
use crate::reader::Reader;
use crate::salutation::greeted;
use crate::templates::{LetterPart, RenderError, render, render_own};
use domain::catalog::Catalog;
use domain::letter::LetterClass;
use domain::record::Record;
use domain::shop_settings::ShopColor;
use domain::shop_settings::letter_text::LetterText;
use jiff::Timestamp;
use minijinja::context;
use minijinja::value::Value;
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
    let reader = Reader::of(&state.person, &sender.file);
    let language = reader.language;
    let preferences = sender.preferences_url.as_deref();
    let preferences = preferences.filter(|_| row.letter.class() == LetterClass::Engagement);
    let common = context! {
        language => language.as_str(),
        shop => one_line(&sender.shop),
        name => state.person.name().and_then(greeted).map(one_line),
        account_url => sender.account_url.as_deref(),
        preferences_url => preferences,
        ..looks(sender)
    };
    let own = LetterContext {
        state,
        catalog,
        reader: &reader,
        now,
    }
    .values(row)?;
    let values = context! { ..own, ..common };
    let own_words = (row.letter, language.as_str().to_owned());
    let own_words = sender.file.letters.get(&own_words);
    let filled =
        |text: Option<&LetterText>| text.and_then(|text| text.fill(|word| known(&values, word)));
    let subject = match filled(own_words.and_then(|own_words| own_words.subject.as_ref())) {
        Some(subject) => subject,
        None => render(row.letter, language, LetterPart::Subject, &values)?,
    };
    let subject = subject_line(&subject);
    let values = context! { subject => subject.as_str(), ..values.clone() };
    let own_text = filled(own_words.and_then(|own_words| own_words.text.as_ref()));
    let render_body = |part| match &own_text {
        Some(text) => render_own(row.letter, language, part, &own_values(text, &values)),
        None => render(row.letter, language, part, &values),
    };
    Ok(RenderedLetter {
        from: sender.from.clone(),
        to: state.person.email().unwrap_or_default().to_owned(),
        reply_to: sender.reply_to.clone(),
        subject,
        html: render_body(LetterPart::Mjml)?,
        text: render_body(LetterPart::Text)?,
        headers: preferences.map(unsubscribe).unwrap_or_default(),
        tags: vec![
            ("letter", row.letter.as_str().into()),
            ("cause", tag(&row.cause)),
        ],
    })
}

/// How every letter of the shop looks, and what stands at its foot.
fn looks(sender: &Sender) -> Value {
    let file = &sender.file;
    let legal = &file.legal;
    let legal = [&legal.name, &legal.address, &legal.register];
    let legal: Vec<String> = legal.into_iter().flatten().cloned().collect();
    context! {
        logo => file.logo.as_deref(),
        color => file.color.map(ShopColor::css),
        color_text => file.color.map(ShopColor::text_css),
        legal => legal,
        terms_url => file.links.terms.as_deref(),
        privacy_url => file.links.privacy.as_deref(),
    }
}

/// What a word of the shop's own own_words stands for, where it is known of this customer.
fn known(values: &Value, word: &str) -> Option<String> {
    let value = values.get_attr(word).ok()?;
    let text = value.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The values of a letter in the shop's own own_words: its paragraphs beside all others.
fn own_values(text: &str, values: &Value) -> Value {
    let paragraphs = text.split("\n\n").map(|part| part.trim().to_owned());
    let paragraphs: Vec<String> = paragraphs.filter(|part| !part.is_empty()).collect();
    context! { paragraphs, ..values.clone() }
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
