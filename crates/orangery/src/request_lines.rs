//! A line of what came, as a person reads it in a terminal.

use crate::request_log::RequestLine;
use crate::terminal::{Terminal, TextColor};
use local_shop::visible_text::visible_line;
use std::io::{self, Write};

/// Writes one, in color where colors are taken: time, sender, event, verdict, customer, and why it
/// was refused.
pub(crate) fn write_line<W: Write>(
    out: &mut Terminal<W>,
    line: &RequestLine,
    in_color: bool,
) -> io::Result<()> {
    let time = line.at.strftime("%H:%M:%S").to_string();
    let event = line.event.as_deref().unwrap_or("–");
    let words = format!(
        "  {:<10} {:<36} ",
        visible_line(&line.sender),
        visible_line(event)
    );
    let verdict = format!("{:<12}", line.verdict);
    if in_color {
        out.write_colored(TextColor::Gray, &time)?;
        write!(out, "{words}")?;
        out.write_colored(color_of(line), &verdict)?;
    } else {
        write!(out, "{time}{words}{verdict}")?;
    }
    if let Some(customer) = &line.customer {
        write!(out, " {}", visible_line(customer))?;
    }
    if let Some(cause) = &line.cause {
        write!(out, " {} {}", line.status, visible_line(cause))?;
    }
    writeln!(out)
}

fn color_of(line: &RequestLine) -> TextColor {
    match line.verdict.as_str() {
        _ if line.status >= 400 => TextColor::Red,
        "quarantined" | "parked" | "waiting" | "wrong_mode" | "other_account" => TextColor::Yellow,
        "repeated" | "ignored" => TextColor::Gray,
        _ => TextColor::Green,
    }
}

#[cfg(test)]
mod tests {
    use super::write_line;
    use crate::request_log::RequestLine;
    use crate::terminal::Terminal;

    fn line(event: &str, verdict: &str, cause: Option<&str>) -> RequestLine {
        RequestLine {
            number: 1,
            at: "2026-03-01T10:15:00Z".parse().unwrap(),
            sender: "standard".into(),
            event: Some(event.into()),
            verdict: verdict.into(),
            customer: Some("standard/test/c_1".into()),
            cause: cause.map(str::to_owned),
            status: if cause.is_some() { 401 } else { 200 },
        }
    }

    fn written(line: &RequestLine, in_color: bool) -> String {
        let mut out = Terminal::for_tests(Vec::new());
        write_line(&mut out, line, in_color).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn a_line_says_when_who_what_and_what_became_of_it() {
        let plain = written(&line("invoice.paid", "applied", None), false);
        assert_eq!(
            plain,
            "10:15:00  standard   invoice.paid                         applied      \
             standard/test/c_1\n"
        );
    }

    #[test]
    fn what_others_wrote_gives_no_color_and_begins_no_line() {
        let hostile = line(
            "a\u{1b}[31mb\nrefused",
            "refused",
            Some("no\u{1b}]0;x\u{7}\r\nyes"),
        );
        for in_color in [false, true] {
            let text = written(&hostile, in_color);
            assert_eq!(text.lines().count(), 1, "{text:?}");
            let ours = if in_color { 4 } else { 0 };
            assert_eq!(text.matches('\u{1b}').count(), ours, "{text:?}");
        }
    }
}
