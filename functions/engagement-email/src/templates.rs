//! Templates: one folder a letter, parsed when first needed, and the way from MJML to HTML.

use crate::reader::Language;
use domain::letter::Letter;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, value::Value};
use mrml::prelude::render::RenderOptions;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Why a letter has no text: a bug of ours. No value stands in it.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template can't be rendered.
    #[error("template {name} can't be rendered: {kind}")]
    Template {
        /// Its name: folder, language and part.
        name: String,
        /// What is wrong.
        kind: minijinja::ErrorKind,
    },
    /// What it gives is not MJML.
    #[error("template {0} does not give MJML")]
    Mjml(String),
    /// The record lost what the letter is about.
    #[error("what it is about is not in the record")]
    Subject,
}

/// The part of a letter that a file of its folder makes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LetterPart {
    /// `subject.txt`
    Subject,
    /// `txt`
    Text,
    /// `mjml`
    Mjml,
}

/// Renders one part of a letter.
pub(crate) fn render(
    letter: Letter,
    language: Language,
    part: LetterPart,
    values: &Value,
) -> Result<String, RenderError> {
    let name = template_name(letter, language, part);
    render_named(name, language, part, values)
}

/// Renders a letter's body in the shop's own wording: its frame and its reason to write stay.
pub(crate) fn render_own(
    letter: Letter,
    language: Language,
    part: LetterPart,
    values: &Value,
) -> Result<String, RenderError> {
    let frame = template_name(letter, language, part);
    let values = context! { frame, ..values.clone() };
    let own = match part {
        LetterPart::Subject | LetterPart::Text => "own_text.txt",
        LetterPart::Mjml => "own_text.mjml",
    };
    render_named(own.to_owned(), language, part, &values)
}

fn template_name(letter: Letter, language: Language, part: LetterPart) -> String {
    let end = match part {
        LetterPart::Subject => "subject.txt",
        LetterPart::Text => "txt",
        LetterPart::Mjml => "mjml",
    };
    format!("{}/{}.{end}", letter.as_str(), language.as_str())
}

fn render_named(
    name: String,
    language: Language,
    part: LetterPart,
    values: &Value,
) -> Result<String, RenderError> {
    let rendered = TEMPLATES
        .get_template(&name)
        .and_then(|template| template.render(values));
    let rendered = rendered.map_err(|error| RenderError::Template {
        name: name.clone(),
        kind: error.kind(),
    })?;
    match part {
        LetterPart::Subject => Ok(rendered),
        LetterPart::Text => Ok(paragraphs(&rendered)),
        LetterPart::Mjml => html(&rendered, language).ok_or(RenderError::Mjml(name)),
    }
}

/// Values are escaped before they come here, and stay so: the text between tags is passed on
/// as it is.
fn html(mjml: &str, language: Language) -> Option<String> {
    let parsed = mrml::parse(mjml).ok()?;
    let options = RenderOptions {
        disable_comments: true,
        social_icon_origin: None,
        // No font is asked of anybody.
        fonts: HashMap::new(),
    };
    let html = parsed.element.render(&options).ok()?;
    // mrml tells the body's one child which language it is in, and forgets the preview's.
    let preview = "<div style=\"display:none;";
    let with_language = format!(
        "<div lang=\"{}\" dir=\"ltr\" style=\"display:none;",
        language.as_str()
    );
    Some(html.replacen(preview, &with_language, 1))
}

/// Paragraphs with one empty line between them, whatever blocks stood there.
fn paragraphs(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        tidy.push_str(line);
        tidy.push('\n');
    }
    tidy.truncate(tidy.trim_end().len());
    tidy.push('\n');
    tidy
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".mjml") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_loader(|name| {
        let found = FILES.iter().find(|(known, _)| *known == name);
        Ok(found.map(|(name, text)| with_french_spacing(name, text).into_owned()))
    });
    environment
});

/// French sets signs of two parts off by a space at which no line breaks. Templates are written
/// with an ordinary one, so that whoever writes them sees it.
fn with_french_spacing<'a>(name: &str, text: &'a str) -> Cow<'a, str> {
    let french = name
        .rsplit('/')
        .next()
        .is_some_and(|file| file.starts_with("fr."));
    if !french {
        return text.into();
    }
    [';', ':', '!', '?']
        .iter()
        .fold(text.to_owned(), |text, sign| {
            text.replace(&format!(" {sign}"), &format!("\u{202f}{sign}"))
        })
        .replace("« ", "«\u{a0}")
        .replace(" »", "\u{a0}»")
        .into()
}

macro_rules! files {
    ($($name:literal),* $(,)? ; $($letter:literal),* $(,)?) => {
        &[
            $(($name, include_str!(concat!("../letters/", $name))),)*
            $(
                files!(@ $letter "/en.subject.txt"),
                files!(@ $letter "/en.mjml"),
                files!(@ $letter "/en.txt"),
                files!(@ $letter "/fr.subject.txt"),
                files!(@ $letter "/fr.mjml"),
                files!(@ $letter "/fr.txt"),
            )*
        ]
    };
    (@ $letter:literal $end:literal) => {
        (
            concat!($letter, $end),
            include_str!(concat!("../letters/", $letter, $end)),
        )
    };
}

/// Every file, under the name templates know it by.
static FILES: &[(&str, &str)] = files!(
    "layout.mjml",
    "layout.txt",
    "own_text.mjml",
    "own_text.txt",
    "parts.mjml";
    "welcome",
    "payment_failed",
    "payment_recovered",
    "cancellation_confirmed",
    "trial_ending",
);
