//! Shops' files, and what is said to wrong ones.

use super::{Mailbox, ShopColor, ShopSettings};
use crate::letter::Letter;

const WHOLE: &str = r##"
name = "Grove"
time_zone = "Europe/Paris"
locale = "fr"
country = "FR"
markets = ["FR", "BE"]
catalog = "catalog.toml"

[mail]
from = "Élodie de Grove <hello@grove.example>"
reply_to = "help@grove.example"
logo = "https://grove.example/logo.png"
color = "#2e7d32"

[links]
account = "https://grove.example/account"
preferences = "https://grove.example/letters"
terms = "https://grove.example/terms"
privacy = "https://grove.example/privacy"

[legal]
name = "Grove SAS"
address = "1 rue du Verger, 75001 Paris"
register = "RCS Paris 123 456 789"

[emails.welcome.fr]
subject = "Bienvenue chez {shop}"
text = """
Votre {plan} pousse déjà.

À bientôt."""
"##;

#[test]
fn a_whole_file_says_what_it_says() {
    let shop = ShopSettings::parse(WHOLE).unwrap();
    assert_eq!(shop.name, "Grove");
    assert_eq!(
        shop.from,
        Mailbox {
            name: Some("Élodie de Grove".into()),
            address: "hello@grove.example".into(),
        }
    );
    assert_eq!(shop.color.map(ShopColor::css).as_deref(), Some("#2e7d32"));
    assert_eq!(shop.markets, ["FR", "BE"]);
    let zone = shop.time_zone.unwrap();
    assert_eq!(zone.iana_name(), Some("Europe/Paris"));
    let welcome = &shop.letters[&(Letter::Welcome, "fr".to_owned())];
    let known = |word: &str| Some(format!("<{word}>"));
    let subject = welcome.subject.as_ref().unwrap();
    assert_eq!(subject.fill(known).unwrap(), "Bienvenue chez <shop>");
    let text = welcome.text.as_ref().unwrap();
    assert_eq!(
        text.fill(known).unwrap(),
        "Votre <plan> pousse déjà.\n\nÀ bientôt."
    );
    assert_eq!(
        text.fill(|_| None),
        None,
        "a word that is not known was left out"
    );
}

#[test]
fn the_least_that_a_file_says_is_a_name_and_a_sender() {
    let least = "name = \"Grove\"\nmail.from = \"hello@grove.example\"\n";
    let shop = ShopSettings::parse(least).unwrap();
    assert_eq!(shop.from.name, None);
    assert_eq!(shop.time_zone, None);
}

/// What is wrong, in place of a line of the whole file, and what is said to it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "name = \"Grove\"",
        "",
        "`name`: it is missing; write name = \"…\"",
    ),
    (
        "name = \"Grove\"",
        "name = 7",
        "line 2, column 8: `name`: here stands a number; write a text",
    ),
    ("name = \"Grove\"", "name = \"\"", "`name`: it is empty"),
    (
        "name = \"Grove\"",
        "name = \"a\\u202eb\"",
        "that is not seen",
    ),
    (
        "name = \"Grove\"",
        "name = Grove",
        "line 2, column 8: this is not TOML",
    ),
    (
        "locale = \"fr\"",
        "local = \"fr\"",
        "line 4, column 1: `local`: there is no such key; did you mean `locale`?",
    ),
    (
        "locale = \"fr\"",
        "zzz = \"fr\"",
        "there are: name, time_zone, locale, country",
    ),
    (
        "locale = \"fr\"",
        "locale = \"french\"",
        "write \"fr\" or \"fr-FR\"",
    ),
    (
        "time_zone = \"Europe/Paris\"",
        "time_zone = \"Paris\"",
        "there is no such time zone",
    ),
    (
        "markets = [\"FR\", \"BE\"]",
        "markets = [\"FR\", \"Belgium\"]",
        "line 6, column 18: `markets`: it is no country",
    ),
    (
        "markets = [\"FR\", \"BE\"]",
        "markets = \"FR\"",
        "here stands a text; write a list",
    ),
    (
        "from = \"Élodie de Grove <hello@grove.example>\"",
        "from = \"Grove\"",
        "`mail.from`: it is no sender",
    ),
    (
        "reply_to = \"help@grove.example\"",
        "reply_to = \"a@b.example, c@d.example\"",
        "write one alone",
    ),
    (
        "color = \"#2e7d32\"",
        "color = \"green\"",
        "write # and six hex digits",
    ),
    (
        "logo = \"https://grove.example/logo.png\"",
        "logo = \"http://grove.example/logo.png\"",
        "begins with https://",
    ),
    (
        "logo = \"https://grove.example/logo.png\"",
        "logo = \"https://x.example/\\\"><script>\"",
        "begins with https://",
    ),
    (
        "[links]",
        "[link]",
        "`link`: there is no such key; did you mean `links`?",
    ),
    (
        "[legal]",
        "[[legal]]",
        "`legal`: here stands a list; write a section, as in [legal]",
    ),
    (
        "[emails.welcome.fr]",
        "[emails.welcom.fr]",
        "`emails.welcom`: there is no such key; did you mean `welcome`?",
    ),
    (
        "[emails.welcome.fr]",
        "[emails.welcome.french]",
        "it is no language",
    ),
    (
        "subject = \"Bienvenue chez {shop}\"",
        "subject = \"{{ 7 * 7 }}\"",
        "no template runs here",
    ),
    (
        "subject = \"Bienvenue chez {shop}\"",
        "subject = \"{% include 'x' %}\"",
        "words in braces are {shop}, {name}, {plan}, {trial_end}",
    ),
    (
        "subject = \"Bienvenue chez {shop}\"",
        "subject = \"{amount}\"",
        "no word `amount` in this e-mail",
    ),
    (
        "subject = \"Bienvenue chez {shop}\"",
        "subject = \"{shop\"",
        "a brace is not closed",
    ),
    (
        "subject = \"Bienvenue chez {shop}\"",
        "subject = \"shop}\"",
        "no template runs here",
    ),
    (
        "subject = \"Bienvenue chez {shop}\"",
        "subject = \"a\\nBcc: b@c.example\"",
        "a subject is one line",
    ),
    (
        "[emails.welcome.fr]",
        "[emails.trial_ending.fr]",
        "must say {trial_end}",
    ),
];

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_write() {
    for (line, wrong, said) in WRONG {
        assert!(WHOLE.contains(line), "{line}");
        let text = WHOLE.replacen(line, wrong, 1);
        let problems = ShopSettings::parse(&text).unwrap_err().to_string();
        assert!(problems.contains(said), "{wrong}: {problems}");
    }
}

#[test]
fn every_problem_is_said_at_once_and_of_too_many_how_many_more() {
    let two = WHOLE
        .replace("\"FR\"\n", "\"France\"\n")
        .replace("#2e", "2e");
    let invalid = ShopSettings::parse(&two).unwrap_err();
    assert_eq!(invalid.problems.len(), 2, "{invalid}");
    assert!(invalid.problems[0].line < invalid.problems[1].line);
    let many: String = (0..10_000).map(|n| format!("k{n} = {n}\n")).collect();
    let invalid = ShopSettings::parse(&many).unwrap_err();
    assert_eq!((invalid.problems.len(), invalid.more > 9_000), (20, true));
    let long = "# nothing\n".repeat(100_000);
    let invalid = ShopSettings::parse(&long).unwrap_err().to_string();
    assert!(
        invalid.contains("1000000 bytes, and 262144 are allowed"),
        "{invalid}"
    );
}

#[test]
fn text_on_a_color_is_black_or_white_and_can_be_read() {
    let text_on = |color| ShopColor::parse(color).unwrap().text_css();
    assert_eq!(text_on("#b45309"), "#ffffff");
    assert_eq!(text_on("#2e7d32"), "#ffffff");
    assert_eq!(text_on("#fdba74"), "#000000");
    assert_eq!(text_on("#ffff00"), "#000000");
}

#[test]
fn a_name_stands_in_quotes_or_encoded_and_can_not_add_an_address() {
    let text = |name: &str| {
        let mailbox = Mailbox {
            name: Some(name.into()),
            address: "a@grove.example".into(),
        };
        mailbox.header_text()
    };
    assert_eq!(text("Grove"), "\"Grove\" <a@grove.example>");
    assert_eq!(
        text("Élodie, Grove"),
        "=?UTF-8?Q?=C3=89lodie=2C=20Grove?= <a@grove.example>"
    );
    assert_eq!(
        text("x\" <b@evil.example>,"),
        "\"x\\\" <b@evil.example>,\" <a@grove.example>"
    );
    let long = text(&"é".repeat(40));
    assert!(long.split(' ').all(|word| word.len() <= 75), "{long}");
}
