//! What a letter must have, checked on what went out: ticks beside each letter.

use crate::linear::contrast;
use serde::Serialize;

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, in figures or names.
    pub found: String,
}

/// What is checked.
#[derive(Clone, Copy, Debug)]
pub struct CheckedLetter<'a> {
    /// Which letter, where it is one of ours.
    pub name: &'a str,
    /// Subject.
    pub subject: &'a str,
    /// Plain text.
    pub text: &'a str,
    /// HTML.
    pub html: &'a str,
    /// Whether a `List-Unsubscribe` header is there.
    pub unsubscribe: bool,
}

/// All checks of a letter.
pub fn checks(letter: &CheckedLetter<'_>) -> Vec<Check> {
    let CheckedLetter { html, subject, .. } = *letter;
    let check = |name, passed, found: String| Check {
        name,
        passed,
        found,
    };
    let both = !letter.text.trim().is_empty() && !html.trim().is_empty();
    let long = subject.chars().count();
    let valid = (1..=MAX_SUBJECT).contains(&long) && !subject.contains(['\r', '\n']);
    let preheader = preheader(html);
    let due = MARKETING.contains(&letter.name);
    let unsubscribe = if due { "due" } else { "not due" };
    let pictures = pictures(html);
    let weakest = weakest_contrast(html);
    let language = attribute(html, "<html", "lang");
    vec![
        check(
            "both_bodies",
            both,
            format!("{} / {} B", letter.text.len(), html.len()),
        ),
        check("subject", valid, format!("{long} / {MAX_SUBJECT}")),
        check(
            "preheader",
            preheader.is_some(),
            preheader.unwrap_or_default(),
        ),
        check(
            "size",
            html.len() < MAX_SIZE,
            format!("{} / {MAX_SIZE} B", html.len()),
        ),
        check(
            "unsubscribe",
            letter.unsubscribe || !due,
            unsubscribe.into(),
        ),
        check("contrast", weakest >= MIN_CONTRAST, ratio(weakest)),
        check(
            "alt",
            pictures.iter().all(|has_alt| *has_alt),
            format!("{} img", pictures.len()),
        ),
        check(
            "lang",
            language.is_some_and(|tag| !tag.is_empty()),
            language.unwrap_or("–").into(),
        ),
    ]
}

/// The words shown beside the subject: hidden at the top of the body.
fn preheader(html: &str) -> Option<String> {
    let (_, body) = html.split_once("<body")?;
    let mut rest = body;
    while let Some((_, after)) = rest.split_once("display:none") {
        let inner = after.split_once('>').map_or("", |(_, inner)| inner);
        let text = inner.split('<').next().unwrap_or_default().trim();
        if !text.is_empty() {
            return Some(text.chars().take(MAX_SUBJECT).collect());
        }
        rest = after;
    }
    None
}

/// For each picture, whether it has a text.
fn pictures(html: &str) -> Vec<bool> {
    html.match_indices("<img")
        .map(|(at, _)| {
            let tag = html.get(at..).and_then(|rest| rest.split('>').next());
            tag.is_some_and(|tag| tag.contains(" alt=\""))
        })
        .collect()
}

fn attribute<'a>(html: &'a str, tag: &str, name: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(tag)?;
    let inside = rest.split('>').next()?;
    let (_, value) = inside.split_once(&format!(" {name}=\""))?;
    value.split('"').next()
}

type Color = [u8; 3];

/// The weakest contrast of any text with what is behind it, by inline styles: which is all that
/// a letter may rest on.
fn weakest_contrast(html: &str) -> u64 {
    let mut weakest = u64::MAX;
    let mut open: Vec<(String, Color, Color)> = Vec::new();
    let mut rest = html.split_once("<body").map_or(html, |(_, rest)| rest);
    let mut tag = "body".to_owned();
    let mut first = true;
    loop {
        let (inside, after) = if first {
            rest.split_once('>').unwrap_or((rest, ""))
        } else {
            let Some((text, after)) = rest.split_once('<') else {
                break;
            };
            let hidden = open
                .iter()
                .any(|(name, ..)| matches!(&**name, "hidden" | "style"));
            if let Some((_, ink, paper)) = open.last()
                && !text.trim().is_empty()
                && !hidden
            {
                weakest = weakest.min(contrast(*ink, *paper));
            }
            let Some((inside, after)) = after.split_once('>') else {
                break;
            };
            tag = inside
                .split(|c: char| c.is_whitespace() || c == '/')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            (inside, after)
        };
        rest = after;
        first = false;
        if inside.starts_with('/') {
            open.pop();
        } else if !inside.starts_with('!')
            && !VOID_ELEMENTS.contains(&tag.as_str())
            && !inside.ends_with('/')
        {
            let ink = open.last().map_or(BLACK, |(_, ink, _)| *ink);
            let ink = style(inside, "color").unwrap_or(ink);
            let paper = style(inside, "background").or(style(inside, "background-color"));
            let hidden = inside.contains("display:none");
            let name = if hidden {
                "hidden".to_owned()
            } else {
                tag.clone()
            };
            let fallback = attribute(&format!("<t {inside}>"), "<t", "bgcolor").and_then(color);
            open.push((name, ink, paper.or(fallback).unwrap_or(open_paper(&open))));
        }
    }
    weakest
}

fn open_paper(open: &[(String, Color, Color)]) -> Color {
    open.last().map_or(WHITE, |(_, _, paper)| *paper)
}

/// The color that an inline style sets.
fn style(inside: &str, property: &str) -> Option<Color> {
    let (_, style) = inside.split_once("style=\"")?;
    style.split('"').next()?.split(';').find_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        (name.trim() == property).then(|| color(value.split_whitespace().next()?))?
    })
}

fn color(text: &str) -> Option<Color> {
    let hex = match text.trim() {
        "white" => "ffffff",
        "black" => "000000",
        other => other.strip_prefix('#')?,
    };
    let pair = |from: usize| {
        let to = from.saturating_add(2);
        hex.get(from..to)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let single = |at: usize| {
        let digit = hex.get(at..at.saturating_add(1))?;
        u8::from_str_radix(&digit.repeat(2), 16).ok()
    };
    match hex.len() {
        6 => Some([pair(0)?, pair(2)?, pair(4)?]),
        3 => Some([single(0)?, single(1)?, single(2)?]),
        _ => None,
    }
}

fn ratio(hundredths: u64) -> String {
    if hundredths == u64::MAX {
        return "–".into();
    }
    let (whole, rest) = (hundredths.checked_div(100), hundredths.checked_rem(100));
    format!("{}.{:02} : 1", whole.unwrap_or(0), rest.unwrap_or(0))
}

const BLACK: Color = [0, 0, 0];
const WHITE: Color = [255, 255, 255];
const VOID_ELEMENTS: [&str; 6] = ["br", "img", "hr", "meta", "link", "input"];
/// Beyond it Gmail cuts a letter off.
const MAX_SIZE: usize = 102 * 1024;
const MAX_SUBJECT: usize = 78;
/// WCAG AA for text, in hundredths.
const MIN_CONTRAST: u64 = 450;
/// Letters that one may refuse: all others tell of a contract the reader has.
const MARKETING: [&str; 2] = ["win_back", "upgrade_offer"];
