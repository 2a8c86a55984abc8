//! What the command prints. Much of it was typed by others, in names, ids, answers and reasons, and
//! must not steer the terminal of whoever reads it: everything goes out here.

use local_shop::visible_text::{is_hidden, visible};
use serde::Serialize;
use std::io::{self, IsTerminal, Stderr, Stdout, Write};

/// An output on which control characters are shown and do nothing.
pub struct Terminal<W>(W);

/// Standard output.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that opens it"
)]
pub fn stdout() -> Terminal<Stdout> {
    Terminal(io::stdout())
}

/// Standard error.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that opens it"
)]
pub fn stderr() -> Terminal<Stderr> {
    Terminal(io::stderr())
}

/// A color that a word may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextColor {
    /// All is well.
    Green,
    /// Somebody may want to look.
    Yellow,
    /// It was refused, or failed.
    Red,
    /// Beside the point.
    Gray,
}

impl TextColor {
    fn code(self) -> &'static str {
        match self {
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Red => "31",
            Self::Gray => "90",
        }
    }
}

#[cfg(test)]
impl<W> Terminal<W> {
    /// One over anything, for tests.
    pub(crate) fn for_tests(inner: W) -> Self {
        Self(inner)
    }

    /// What is below it.
    pub(crate) fn into_inner(self) -> W {
        self.0
    }
}

impl<W: IsTerminal> Terminal<W> {
    /// Whether colors are shown: a person looks, and has not said otherwise
    /// (<https://no-color.org>).
    pub(crate) fn takes_color(&self) -> bool {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.0.is_terminal()
            && !is_set("NO_COLOR")
            && std::env::var_os("TERM") != Some("dumb".into())
    }
}

impl<W: Write> Terminal<W> {
    /// A text in a color. The text can't steer the terminal; the color is ours.
    ///
    /// # Errors
    /// When nobody takes it.
    pub(crate) fn write_colored(&mut self, color: TextColor, text: &str) -> io::Result<()> {
        let text = visible(text);
        write!(self.0, "\u{1b}[{}m{text}\u{1b}[0m", color.code())
    }
}

impl<W: Write> Write for Terminal<W> {
    /// Takes whole characters, as formatting writes them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = visible(&String::from_utf8_lossy(bytes));
        self.0.write_all(text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Values as JSON for people and programs: what would be hidden in a text is escaped in it, so that
/// it is the same text to whoever reads it as JSON.
///
/// # Errors
/// When the value can't be JSON.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Line breaks are the layout's: in texts they are escaped already.
        if is_hidden(c) && c != '\n' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{Terminal, TextColor, json};
    use std::io::Write;

    #[test]
    fn a_colored_text_can_not_end_its_color_or_begin_another() {
        let mut screen = Terminal(Vec::new());
        screen
            .write_colored(TextColor::Red, "a\u{1b}[32mb")
            .unwrap();
        let seen = String::from_utf8(screen.0).unwrap();
        assert_eq!(seen, "\u{1b}[31ma‹U+001B›[32mb\u{1b}[0m");
    }

    #[test]
    fn a_name_can_neither_clear_a_screen_nor_be_another_name_in_json() {
        let name = "Ada\u{1b}[2J\u{9b}31m\u{202e}\u{e0041} é";
        let mut screen = Terminal(Vec::new());
        writeln!(screen, "{name}").unwrap();
        let seen = String::from_utf8(screen.0).unwrap();
        assert_eq!(seen, "Ada‹U+001B›[2J‹U+009B›31m‹U+202E›‹U+E0041› é\n");
        let text = json(&vec![name]).unwrap();
        assert!(text.is_ascii() || text.contains('é'), "{text}");
        assert!(
            !text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{e0041}']),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [name]);
    }
}
