//! From a letter's row and its customer's record to a mail: one folder of templates a letter,
//! one language a reader.

use crate::Sender;
use crate::mailer::Mail;
use domain::catalog::Catalog;
use domain::letters::Letter;
use domain::record::Record;
use domain::state::{Person, State};
use minijinja::{Environment, Error, context, value::Value};
use store::letters::LetterRow;

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

    /// What the person reads: by locale, else by country, else English.
    pub fn of(person: &Person) -> Self {
        let french = match (person.locale(), person.country()) {
            (Some(locale), _) => locale.to_ascii_lowercase().starts_with("fr"),
            (None, Some(country)) => matches!(country, "FR" | "MC"),
            (None, None) => false,
        };
        if french { Self::Fr } else { Self::En }
    }
}

/// The mail of a claimed letter.
///
/// # Errors
/// When a template can't be rendered: a bug, kept as the letter's reason.
pub fn mail(
    row: &LetterRow,
    record: &Record,
    catalog: &Catalog,
    sender: &Sender,
) -> Result<Mail, Error> {
    let state = &record.folded.state;
    let language = Language::of(&state.person);
    let values = values(row, state, catalog, sender, language);
    let environment = environment()?;
    let part = |name: &str| {
        let template = format!("{}/{}.{name}", row.letter.as_str(), language.as_str());
        environment.get_template(&template)?.render(&values)
    };
    Ok(Mail {
        from: sender.from.clone(),
        to: state.person.email().unwrap_or_default().to_owned(),
        subject: one_line(&part("subject.txt")?),
        html: part("html")?,
        text: part("txt")?,
        tags: vec![
            ("letter", row.letter.as_str().into()),
            ("cause", tag(&row.cause)),
        ],
    })
}

fn values(
    row: &LetterRow,
    state: &State,
    catalog: &Catalog,
    sender: &Sender,
    language: Language,
) -> Value {
    match row.letter {
        Letter::Welcome => {
            let subscription = state
                .subscriptions
                .iter()
                .find(|(id, _)| id.as_str() == &*row.cause);
            let plan = subscription
                .and_then(|(_, subscription)| catalog.base(&subscription.terms.items))
                .and_then(|item| catalog.product(&item.price))
                .map(|(_, _, product)| product.name_in(language.as_str()).to_owned());
            context! {
                language => language.as_str(),
                shop => one_line(&sender.shop),
                name => state.person.name().map(one_line),
                plan => plan,
            }
        }
    }
}

macro_rules! templates {
    ($environment:ident: $($letter:literal $name:literal),* $(,)?) => {
        $($environment.add_template(
            concat!($letter, "/", $name),
            include_str!(concat!("../letters/", $letter, "/", $name)),
        )?;)*
    };
}

/// Templates escape by file name: `.html` does, `.txt` does not.
fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.add_template("layout.html", include_str!("../letters/layout.html"))?;
    templates!(environment:
        "welcome" "en.subject.txt",
        "welcome" "en.txt",
        "welcome" "en.html",
        "welcome" "fr.subject.txt",
        "welcome" "fr.txt",
        "welcome" "fr.html",
    );
    Ok(environment)
}

/// A value in one line: a name with a line end in it must not become a header.
fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
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
