//! An e-mail in the shop's own wording: text with words in braces that stand for what this customer
//! has. No template runs: there are these words and nothing else.

use crate::letter::Letter;
use crate::shop_settings::section::Section;
use crate::shop_settings::values::is_unprintable;

/// What is worded otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterOverride {
    /// In place of its subject.
    pub subject: Option<LetterText>,
    /// In place of its paragraphs.
    pub text: Option<LetterText>,
}

/// Text with words in it that are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterText(Vec<TextPart>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum TextPart {
    Literal(String),
    Word(&'static str),
}

impl LetterText {
    /// The text for one customer; none where it needs a word that is not known of them.
    pub fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let parts = self.0.iter().map(|part| match part {
            TextPart::Literal(text) => Some(text.clone()),
            TextPart::Word(word) => value(word),
        });
        parts.collect()
    }

    fn parse(text: &str, letter: Letter) -> Result<Self, String> {
        let words = words(letter);
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(['{', '}']) {
            if after.starts_with(['{', '%', '#']) || !is_opened(rest) {
                return Err(format!("{NO_TEMPLATE} {}", in_braces(&words)));
            }
            let (word, behind) = after
                .split_once('}')
                .ok_or_else(|| format!("a brace is not closed; {}", in_braces(&words)))?;
            let known = words.iter().find(|known| **known == word);
            let known = known.ok_or_else(|| unknown(word, &words))?;
            parts.push(TextPart::Literal(before.to_owned()));
            parts.push(TextPart::Word(known));
            rest = behind;
        }
        parts.push(TextPart::Literal(rest.to_owned()));
        parts.retain(|part| *part != TextPart::Literal(String::new()));
        Ok(Self(parts))
    }

    fn has(&self, word: &str) -> bool {
        let is_it = |part: &TextPart| matches!(part, TextPart::Word(known) if *known == word);
        self.0.iter().any(is_it)
    }
}

/// Whether the first brace of a text opens.
fn is_opened(text: &str) -> bool {
    text.chars().find(|c| "{}".contains(*c)) == Some('{')
}

/// Reads `subject` and `text`.
pub(super) fn read_override(section: &mut Section<'_, '_>, letter: Letter) -> LetterOverride {
    let subject = section.optional("subject", |text| {
        bounded(text, MAX_SUBJECT)?;
        if text.chars().any(is_unprintable) {
            return Err("a subject is one line of letters and signs that are seen".to_owned());
        }
        LetterText::parse(text.trim(), letter)
    });
    let text = section.optional("text", |text| {
        bounded(text, MAX_TEXT)?;
        if text.chars().any(|c| is_unprintable(c) && c != '\n') {
            return Err("it has a character in it that is not seen".to_owned());
        }
        let parsed = LetterText::parse(text.trim(), letter)?;
        match needed(letter).filter(|word| !parsed.has(word)) {
            None => Ok(parsed),
            Some(word) => Err(format!(
                "this e-mail is about a contract and must say {{{word}}}; put it into the text"
            )),
        }
    });
    LetterOverride { subject, text }
}

/// The words that an e-mail of this kind has, besides those that all have.
fn words(letter: Letter) -> Vec<&'static str> {
    let own: &[&str] = match letter {
        Letter::Welcome => &["plan", "trial_end"],
        Letter::PaymentFailed => &["amount", "plan", "next_attempt"],
        Letter::PaymentRecovered => &["amount", "plan"],
        Letter::CancellationConfirmed => &["plan", "end", "asked"],
        Letter::TrialEnding => &["plan", "trial_end", "price"],
    };
    [&["shop", "name"], own].concat()
}

/// What an e-mail of this kind is sent for.
fn needed(letter: Letter) -> Option<&'static str> {
    match letter {
        Letter::Welcome | Letter::PaymentRecovered => None,
        Letter::PaymentFailed => Some("amount"),
        Letter::CancellationConfirmed => Some("end"),
        Letter::TrialEnding => Some("trial_end"),
    }
}

fn bounded(text: &str, most: usize) -> Result<(), String> {
    match text.trim().chars().count() {
        0 => Err("it is empty; write it, or leave the key out".to_owned()),
        n if n > most => Err(format!("it has {n} characters, and {most} are allowed")),
        _ => Ok(()),
    }
}

fn unknown(word: &str, words: &[&str]) -> String {
    let shown: String = word.chars().take(40).collect();
    format!(
        "there is no word `{shown}` in this e-mail; {}",
        in_braces(words)
    )
}

fn in_braces(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{{{word}}}")).collect();
    format!("words in braces are {}", words.join(", "))
}

const NO_TEMPLATE: &str = "no template runs here, and a brace stands for nothing but a word;";
const MAX_SUBJECT: usize = 150;
const MAX_TEXT: usize = 5_000;
