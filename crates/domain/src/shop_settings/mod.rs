//! The shop's own words and looks, as its file `shop.toml` says them: who writes, how e-mails look,
//! what the law wants at their foot, and the wording of single e-mails. Text in, settings or every
//! problem with its line and column out.

pub mod problem;
pub mod letter_text;
mod section;
mod values;

pub use values::{Mailbox, ShopColor};

use crate::letter::Letter;
use crate::shop_settings::letter_text::{LetterOverride, read_override};
use crate::shop_settings::problem::{InvalidShopSettings, Problems};
use crate::shop_settings::section::Section;
use crate::shop_settings::values::{
    country, language, line, locale, mailbox, path, plain_address, time_zone, web_address,
};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShopSettings {
    /// The shop's name, in e-mails.
    pub name: String,
    /// Who e-mails are from.
    pub from: Mailbox,
    /// Where answers go, if not there.
    pub reply_to: Option<String>,
    /// A picture in place of the name above every e-mail: `https`.
    pub logo: Option<String>,
    /// The color of buttons and rules.
    pub color: Option<ShopColor>,
    /// Pages of the shop's own.
    pub links: ShopLinks,
    /// What the law wants at the foot of every e-mail.
    pub legal: LegalFooter,
    /// Whose days e-mails name; UTC where the file says none.
    pub time_zone: Option<TimeZone>,
    /// The locale of customers of whom nothing is known.
    pub locale: Option<String>,
    /// Their country, as ISO 3166 in capitals.
    pub country: Option<String>,
    /// The countries that the shop sells to, as ISO 3166 in capitals.
    pub markets: Vec<String>,
    /// The catalog file, from where this file lies.
    pub catalog: Option<String>,
    /// E-mails in the shop's own wording, by kind and language.
    pub letters: BTreeMap<(Letter, String), LetterOverride>,
}

/// Pages of the shop's own, each `https`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShopLinks {
    /// Where customers see and change what they have.
    pub account: Option<String>,
    /// Where somebody says what they do not want to be written.
    pub preferences: Option<String>,
    /// Terms of sale.
    pub terms: Option<String>,
    /// The privacy policy.
    pub privacy: Option<String>,
}

/// Who the shop is by law.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegalFooter {
    /// The company's name.
    pub name: Option<String>,
    /// Its address, in one line.
    pub address: Option<String>,
    /// Where it is registered, and under which number.
    pub register: Option<String>,
}

impl ShopSettings {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`InvalidShopSettings`]: every problem that was found.
    pub fn parse(text: &str) -> Result<Self, InvalidShopSettings> {
        let problems = Problems::new(text);
        let settings = read(text, &problems);
        match (settings, problems.into_invalid()) {
            (Some(settings), None) => Ok(settings),
            (_, Some(invalid)) => Err(invalid),
            (None, None) => Err(InvalidShopSettings::default()),
        }
    }
}

fn read<'t>(text: &'t str, problems: &Problems<'t>) -> Option<ShopSettings> {
    let mut file = Section::parse(text, problems)?;
    let mut settings = ShopSettings {
        name: file.required("name", line).unwrap_or_default(),
        time_zone: file.optional("time_zone", time_zone),
        locale: file.optional("locale", locale),
        country: file.optional("country", country),
        markets: file.list("markets", country),
        catalog: file.optional("catalog", path),
        ..ShopSettings::default()
    };
    if let Some(mut mail) = file.section("mail") {
        settings.from = mail.required("from", mailbox).unwrap_or_default();
        settings.reply_to = mail.optional("reply_to", plain_address);
        settings.logo = mail.optional("logo", web_address);
        settings.color = mail.optional("color", ShopColor::parse);
        mail.close();
    }
    if let Some(mut links) = file.optional_section("links") {
        settings.links = ShopLinks {
            account: links.optional("account", web_address),
            preferences: links.optional("preferences", web_address),
            terms: links.optional("terms", web_address),
            privacy: links.optional("privacy", web_address),
        };
        links.close();
    }
    if let Some(mut legal) = file.optional_section("legal") {
        settings.legal = LegalFooter {
            name: legal.optional("name", line),
            address: legal.optional("address", line),
            register: legal.optional("register", line),
        };
        legal.close();
    }
    if let Some(emails) = file.optional_section("emails") {
        settings.letters = letters(emails);
    }
    file.close();
    Some(settings)
}

/// `[emails.welcome.fr]` and its like.
fn letters(mut emails: Section<'_, '_>) -> BTreeMap<(Letter, String), LetterOverride> {
    let mut overrides = BTreeMap::new();
    for letter in Letter::ALL {
        let Some(mut by_language) = emails.optional_section(letter.as_str()) else {
            continue;
        };
        for (name, mut own_words) in by_language.all_sections() {
            if let Err(what) = language(&name) {
                own_words.complain(what);
                continue;
            }
            let read = read_override(&mut own_words, letter);
            own_words.close();
            overrides.insert((letter, name), read);
        }
    }
    emails.close();
    overrides
}

#[cfg(test)]
mod tests;
