//! Texts that others typed, as pages and terminals may show them: what would not be seen, would
//! steer a terminal, or would turn the text around it, is shown as its code point.

/// A text whose lines and tabs stay.
pub fn visible(text: &str) -> String {
    shown(text, |c| is_hidden(c) && !"\n\t".contains(c))
}

/// A text that must not begin lines of its own.
pub fn visible_line(text: &str) -> String {
    shown(text, is_hidden)
}

/// Whether a character is not seen, or changes how others are shown. Line breaks are among them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

fn shown(text: &str, is_replaced: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_replaced(c) {
            out.push_str(&format!("\u{2039}U+{:04X}\u{203a}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_line};

    #[test]
    fn what_steers_a_terminal_or_turns_a_text_is_shown_as_its_code_point() {
        let typed = "a\u{1b}[2J\u{9b}1m\u{7f}\r\u{202e}b\u{e0041}\u{2028}é 🍊\n\tc";
        let seen = "a‹U+001B›[2J‹U+009B›1m‹U+007F›‹U+000D›‹U+202E›b‹U+E0041›‹U+2028›é 🍊";
        assert_eq!(visible(typed), format!("{seen}\n\tc"));
        assert_eq!(visible_line(typed), format!("{seen}‹U+000A›‹U+0009›c"));
    }
}
