//! Which names a letter greets with. A name is what its bearer typed, and a letter carries it to
//! any address that they typed too: what could lead or tempt a reader anywhere is not used.

/// This name, if it looks like one. What carries a link, an address or a number to call, or reads
/// like a sentence, does not; then the letter greets without a name.
pub(crate) fn greeted(name: &str) -> Option<&str> {
    let letters = name.chars().any(char::is_alphabetic);
    let plain = name.chars().count() <= MAX_CHARS && !name.contains(is_never_in_names);
    let few_digits = name.chars().filter(|c| c.is_numeric()).count() <= MAX_DIGITS;
    let is_name = letters && plain && few_digits && !has_link(name) && !is_sentence(name);
    is_name.then_some(name)
}

/// Signs of links, addresses, offers and sentences. What is not on the list are the signs of
/// names: letters, marks, spaces, `.`, `,`, `'`, `-`, `&`, `(`, `)`.
fn is_never_in_names(c: char) -> bool {
    let is_name_sign = matches!(
        c,
        ' ' | '.' | ',' | '\'' | '’' | 'ʼ' | '-' | '‐' | '&' | '(' | ')'
    );
    let is_mark =
        c.is_alphanumeric() || is_combining(c) || matches!(c, '·' | '\u{200c}' | '\u{200d}');
    !(is_name_sign || is_mark)
}

/// Vowel signs and accents that some scripts write as characters of their own.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}')
}

/// A point within a word, as in `evil.com`, which mail programs make a link of. Initials have one
/// letter after a point: `J.R.R. Tolkien`.
fn has_link(name: &str) -> bool {
    name.split([' ', ',', '(', ')']).any(|word| {
        let mut parts = word.split('.').skip(1);
        word.to_ascii_lowercase().starts_with("www.")
            || parts.any(|part| part.chars().take_while(|c| c.is_alphanumeric()).count() > 1)
    })
}

/// Many words, or some of which most are not written as names are.
fn is_sentence(name: &str) -> bool {
    let words: Vec<&str> = name.split(' ').filter(|word| !word.is_empty()).collect();
    let is_lower = |word: &&&str| word.chars().next().is_some_and(char::is_lowercase);
    let lower = words.iter().filter(is_lower).count();
    words.len() > MAX_WORDS || (words.len() > 3 && lower.saturating_mul(2) > words.len())
}

const MAX_CHARS: usize = 60;
const MAX_DIGITS: usize = 3;
const MAX_WORDS: usize = 7;

#[cfg(test)]
mod tests {
    use super::greeted;

    #[test]
    fn names_of_people_and_companies_are_greeted() {
        for name in [
            "Nell",
            "nell orange",
            "Zoé O’Neill-Müller, Jr.",
            "Dr. Anna B. Smith",
            "J.R.R. Tolkien",
            "María del Carmen de la Cruz",
            "Muster GmbH & Co. KG",
            "S.à r.l. Les Orangers",
            "Studio 54 (Paris)",
            "李雷",
            "Лев Толстой",
            "अनन्या शर्मा",
        ] {
            assert_eq!(greeted(name), Some(name));
        }
    }

    #[test]
    fn what_carries_a_link_or_reads_like_a_sentence_is_no_name() {
        for name in [
            "https://evil.example",
            "evil.com",
            "Nell t.co",
            "Nell (evil.example)",
            "www.evil",
            "nell@example.com",
            "evil。com",
            "Nell / evil",
            "You have won a prize",
            "Your account is locked! Call us",
            "Call 0800 123456",
            "Win €500",
            "1234",
            "",
            "One Two Three Four Five Six Seven Eight",
            "Nell\nBcc: x",
            "<b>Nell</b>",
            "Aaaaaaaaaa Aaaaaaaaaa Aaaaaaaaaa Aaaaaaaaaa Aaaaaaaaaa Aaaaaaaaaa",
        ] {
            assert_eq!(greeted(name), None, "{name}");
        }
    }
}
