//! The reader: which language a letter is written in, and how dates and amounts look in it.

use crate::amounts;
use domain::money::Money;
use domain::person::Person;
use domain::shop_settings::ShopSettings;
use domain::subscription::pricing::{BillingInterval, IntervalUnit};
use icu_calendar::Gregorian;
use icu_datetime::FixedCalendarDateTimeFormatter;
use icu_datetime::fieldsets::YMD;
use icu_datetime::input::Date;
use icu_locale_core::{LanguageIdentifier, Locale, langid};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A language letters are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Fr];

    /// As it stands in file names and in `lang`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// The language of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == name)
    }

    /// What the person reads: by locale, else by country, else by what the shop says of those of
    /// whom nothing is known, else English.
    pub fn of(person: &Person, shop: &ShopSettings) -> Self {
        let of_locale = |locale: &str| locale.to_ascii_lowercase().starts_with("fr");
        let of_country = |country: &str| matches!(country, "FR" | "MC");
        let french = match (person.locale(), person.country()) {
            (Some(locale), _) => of_locale(locale),
            (None, Some(country)) => of_country(country),
            (None, None) => match (&shop.locale, &shop.country) {
                (Some(locale), _) => of_locale(locale),
                (None, Some(country)) => of_country(country),
                (None, None) => false,
            },
        };
        if french { Self::Fr } else { Self::En }
    }
}

/// Somebody who reads a language as it is written in their country.
#[derive(Clone, Debug)]
pub struct Reader {
    /// What letters to them are written in.
    pub language: Language,
    locale: Locale,
    time_zone: TimeZone,
}

impl Reader {
    /// The person as a reader.
    pub fn of(person: &Person, shop: &ShopSettings) -> Self {
        let known = person.locale().or(shop.locale.as_deref());
        Self {
            time_zone: shop.time_zone.clone().unwrap_or(TimeZone::UTC),
            ..Self::new(Language::of(person, shop), known)
        }
    }

    /// A reader of this language; of a locale in that language the region counts too, and
    /// nothing else: no calendar or digits of its own.
    pub fn new(language: Language, locale: Option<&str>) -> Self {
        let plain = match language {
            Language::En => langid!("en"),
            Language::Fr => langid!("fr"),
        };
        let own = locale.and_then(|tag| LanguageIdentifier::try_from_str(&hyphens(tag)).ok());
        let own = own.filter(|own| own.language == plain.language);
        let locale = LanguageIdentifier {
            region: own.and_then(|own| own.region),
            ..plain
        };
        Self {
            language,
            locale: locale.into(),
            time_zone: TimeZone::UTC,
        }
    }

    /// An amount: `€28.80`, `28,80 €`.
    pub fn amount(&self, money: Money) -> String {
        amounts::amount(money, &self.locale)
    }

    /// What is charged, and how often: `€240.00 every year and €5.00 every month`,
    /// `240,00 € par an et 5,00 € par mois`.
    pub fn sums(&self, sums: &[(Option<BillingInterval>, Money)]) -> String {
        let and = match self.language {
            Language::En => " and ",
            Language::Fr => " et ",
        };
        let sums = sums.iter().map(|(interval, money)| {
            let amount = self.amount(*money);
            format!("{amount} {}", self.every(*interval))
        });
        sums.collect::<Vec<_>>().join(and)
    }

    fn every(&self, interval: Option<BillingInterval>) -> String {
        let Some(BillingInterval { unit, count }) = interval else {
            return match self.language {
                Language::En => "for each billing period".to_owned(),
                Language::Fr => "par période de facturation".to_owned(),
            };
        };
        let (english, french, all) = match unit {
            IntervalUnit::Day => ("day", "jour", "tous les"),
            IntervalUnit::Week => ("week", "semaine", "toutes les"),
            IntervalUnit::Month => ("month", "mois", "tous les"),
            IntervalUnit::Year => ("year", "an", "tous les"),
        };
        match (self.language, count) {
            (Language::En, 1) => format!("every {english}"),
            (Language::En, count) => format!("every {count}\u{a0}{english}s"),
            (Language::Fr, 1) => format!("par {french}"),
            (Language::Fr, count) => {
                let plural = if french.ends_with('s') { "" } else { "s" };
                format!("{all} {count}\u{a0}{french}{plural}")
            }
        }
    }

    /// The day of a moment where the shop is: `January 15, 2026`, `15 janvier 2026`.
    pub fn date(&self, moment: Timestamp) -> String {
        let day = moment.to_zoned(self.time_zone.clone()).date();
        let plain = || day.to_string();
        let (Ok(month), Ok(of_month)) = (u8::try_from(day.month()), u8::try_from(day.day())) else {
            return plain();
        };
        let Ok(date) = Date::try_new_gregorian(i32::from(day.year()), month, of_month) else {
            return plain();
        };
        type Days = FixedCalendarDateTimeFormatter<Gregorian, YMD>;
        let Ok(formatter) = Days::try_new((&self.locale).into(), YMD::long()) else {
            return plain();
        };
        let text = formatter.format(&date).to_string();
        let text = match (self.language, text.strip_prefix("1 ")) {
            // The first of a month is an ordinal in French, which icu leaves to its reader.
            (Language::Fr, Some(rest)) => format!("1er {rest}"),
            (Language::Fr | Language::En, _) => text,
        };
        // No line ends between a day and its month.
        text.replacen(' ', "\u{a0}", 1)
    }
}

fn hyphens(tag: &str) -> String {
    tag.replace('_', "-")
}
