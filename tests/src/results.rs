//! The file that says what each part of the proof last ended with.

use std::path::Path;
use std::time::Duration;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results.md");

const HEAD: &str = "# What the proof last ended with
Written by `prove -- --record`: a part replaces its own row.

| part | closing line | seed | seconds | cargo profile |
| --- | --- | --- | --- | --- |
";

/// Writes a part's row into `tests/results.md`, in place of its last one.
///
/// # Errors
/// When the file can't be read or written.
pub fn record(part: &str, closing: &str, seed: u64, took: Duration) -> std::io::Result<()> {
    let file = Path::new(FILE);
    let before = match file.exists() {
        true => std::fs::read_to_string(file)?,
        false => String::new(),
    };
    let (seconds, profile) = (took.as_secs(), cargo_profile());
    let row = format!("| {part} | {closing} | {seed} | {seconds} | {profile} |");
    std::fs::write(file, with_row(&before, part, &row))
}

fn with_row(before: &str, part: &str, row: &str) -> String {
    let own = format!("| {part} |");
    let rows = before.lines().skip_while(|line| !line.starts_with("| ---"));
    let others = rows.skip(1).filter(|line| !line.starts_with(&own));
    let mut rows: Vec<&str> = others.chain([row]).collect();
    rows.sort_unstable();
    format!("{HEAD}{}\n", rows.join("\n"))
}

/// The folder of `target` that the command was built into.
fn cargo_profile() -> String {
    let command = std::env::current_exe().ok();
    let folder = command.as_deref().and_then(Path::parent);
    let folder = folder.and_then(Path::parent).and_then(Path::file_name);
    match folder.and_then(|name| name.to_str()) {
        Some("debug") => "dev".into(),
        Some(name) => name.into(),
        None => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_row;

    #[test]
    fn a_part_replaces_its_own_row_and_leaves_the_others() {
        let one = with_row("", "kill", "| kill | a | 7 | 1 | prove |");
        let two = with_row(&one, "simulate", "| simulate | b | 7 | 1 | prove |");
        let three = with_row(&two, "kill", "| kill | c | 8 | 2 | dev |");
        let rows: Vec<&str> = three.lines().skip(5).collect();
        assert_eq!(
            rows,
            [
                "| kill | c | 8 | 2 | dev |",
                "| simulate | b | 7 | 1 | prove |"
            ]
        );
    }
}
