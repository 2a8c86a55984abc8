//! What the command prints. Much of it was typed by others, in names, ids, answers and reasons, and
//! must not steer the terminal of whoever reads it: everything goes out here.

use local_shop::visible_text::{is_hidden, visible};
use serde::Serialize;
use std::io::{self, Stderr, Stdout, Write};

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
    use super::{Terminal, json};
    use std::io::Write;

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
