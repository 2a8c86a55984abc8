//! Single values of the shop's file: what each may be, and what to write instead.

use crate::letter::address::is_address;
use jiff::tz::TimeZone;

/// Who an e-mail is from: an address, and the name that people see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The name, where there is one.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

impl Mailbox {
    /// As a mail's header writes it: `"Grove" <hello@grove.example>`, by RFC 5322; a name in other
    /// letters than ASCII's by RFC 2047.
    pub fn header_text(&self) -> String {
        let address = &self.address;
        let Some(name) = &self.name else {
            return address.clone();
        };
        if name.is_ascii() {
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            return format!("\"{quoted}\" <{address}>");
        }
        let mut words = vec![String::new()];
        for c in name.chars() {
            let mut bytes = [0; 4];
            let encoded: String = match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_string(),
                _ => c
                    .encode_utf8(&mut bytes)
                    .bytes()
                    .map(|byte| format!("={byte:02X}"))
                    .collect(),
            };
            // An encoded word has at most 75 characters, and no character is torn apart.
            if words
                .last()
                .is_none_or(|word| word.len().saturating_add(encoded.len()) > MAX_WORD)
            {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push_str(&encoded);
            }
        }
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("=?UTF-8?Q?{word}?="))
            .collect();
        format!("{} <{address}>", words.join(" "))
    }
}

/// A color: red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShopColor([u8; 3]);

impl ShopColor {
    /// From `#2e7d32`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] = number
            .ok_or("it is no color; write # and six hex digits, as in \"#2e7d32\"")?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// As pages and e-mails write it.
    pub fn css(self) -> String {
        let Self([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// The color of text on it: black or white, whichever is read more easily.
    pub fn text_css(self) -> &'static str {
        // Light as eyes see it, with gamma taken as 2: weights of WCAG 2.1, in ten-thousandths.
        let light = self
            .0
            .iter()
            .zip([2126_u64, 7152, 722])
            .map(|(part, weight)| {
                let part = u64::from(*part);
                part.saturating_mul(part).saturating_mul(weight)
            });
        if light.sum::<u64>() > DARK {
            "#000000"
        } else {
            "#ffffff"
        }
    }
}

/// Where black is read as easily as white: the gray #767676.
const DARK: u64 = 118 * 118 * 10_000;

pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let wrong = "it is no sender; write an address, or \"Grove <hello@grove.example>\"";
    let (name, address) = match text.trim().strip_suffix('>') {
        None => (None, text.trim()),
        Some(rest) => {
            let (name, address) = rest.split_once('<').ok_or(wrong)?;
            let name = name.trim().trim_matches('"').trim();
            (Some(line(name)?), address)
        }
    };
    match is_address(address) {
        true => Ok(Mailbox {
            name,
            address: address.to_owned(),
        }),
        false => Err(wrong.to_owned()),
    }
}

pub(super) fn plain_address(text: &str) -> Result<String, String> {
    match is_address(text) {
        true => Ok(text.to_owned()),
        false => Err("it is no e-mail address; write one alone, without a name".to_owned()),
    }
}

pub(super) fn line(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("it is empty; write it, or leave the key out".to_owned()),
        n if n > MAX_LINE => Err(format!("it has {n} characters, and {MAX_LINE} are allowed")),
        _ if text.chars().any(is_unprintable) => {
            Err("it has a line end or another character that is not seen in it".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

/// What is not seen, or turns the text around it.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

pub(super) fn web_address(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '{' | '}');
    let host = text.strip_prefix("https://");
    let has_host = host.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
    match has_host && text.len() <= MAX_URL && text.chars().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("it is no web address; write one that begins with https://".to_owned()),
    }
}

pub(super) fn country(text: &str) -> Result<String, String> {
    match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        true => Ok(text.to_owned()),
        false => Err("it is no country; write two capital letters, as in \"FR\"".to_owned()),
    }
}

pub(super) fn language(text: &str) -> Result<(), String> {
    match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => Ok(()),
        false => Err("it is no language; write two small letters, as in \"fr\"".to_owned()),
    }
}

pub(super) fn locale(text: &str) -> Result<String, String> {
    let (name, region) = text
        .split_once('-')
        .map_or((text, None), |(a, b)| (a, Some(b)));
    match (language(name), region.map_or(Ok(String::new()), country)) {
        (Ok(()), Ok(_)) => Ok(text.to_owned()),
        _ => Err("it is no locale; write \"fr\" or \"fr-FR\"".to_owned()),
    }
}

pub(super) fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| {
        "there is no such time zone; write one of IANA's names, as in \"Europe/Paris\"".to_owned()
    })
}

pub(super) fn path(text: &str) -> Result<String, String> {
    match text.trim().is_empty() || text.chars().any(is_unprintable) {
        true => Err("it names no file; write a path from where this file lies".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// As long as anything in one line may be.
const MAX_LINE: usize = 200;
const MAX_URL: usize = 2_000;
const MAX_WORD: usize = 60;
