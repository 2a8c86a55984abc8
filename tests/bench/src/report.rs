//! What was measured, as a table: medians, and the spread from the tenth to the ninetieth.

use crate::subject::{ProcessRun, Subject};
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// One program's figures.
pub(crate) struct Measurement {
    name: &'static str,
    pub(crate) to_next: Vec<Duration>,
    pub(crate) to_answer: Vec<Duration>,
    pub(crate) after_next: Vec<Duration>,
    pub(crate) cold_cpu: Vec<Duration>,
    /// From the first event to its answer, with the share of 128 MB.
    pub(crate) small: Vec<Duration>,
    /// Calls a second with that share.
    pub(crate) small_rate: Option<f64>,
    pub(crate) instructions: Option<i64>,
    warm_cpu: Duration,
    peak_kb: u64,
    log_bytes: usize,
    requests: BTreeMap<String, u64>,
    calls: usize,
    size: u64,
    zipped: u64,
}

impl Measurement {
    pub(crate) fn of(subject: &Subject) -> Self {
        let sizes = subject.files.iter().map(|file| {
            let size = std::fs::metadata(file).map_or(0, |file| file.len());
            (size, zipped(file).unwrap_or_default())
        });
        let (size, zipped) = sizes.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        Self {
            name: subject.name,
            to_next: Vec::new(),
            to_answer: Vec::new(),
            after_next: Vec::new(),
            cold_cpu: Vec::new(),
            small: Vec::new(),
            small_rate: None,
            instructions: None,
            warm_cpu: Duration::ZERO,
            peak_kb: 0,
            log_bytes: 0,
            requests: BTreeMap::new(),
            calls: 1,
            size,
            zipped,
        }
    }

    pub(crate) fn warm(&mut self, run: &ProcessRun, calls: usize) {
        self.warm_cpu = run.warm_cpu;
        self.peak_kb = run.peak_kb;
        self.log_bytes = run.log_bytes;
        self.requests.clone_from(&run.requests);
        self.calls = calls;
    }

    /// What can be held against a limit on any machine.
    pub(crate) fn counts(&self) -> Vec<(&'static str, Option<i64>)> {
        let whole = |count: u64| i64::try_from(count).ok();
        let requests: u64 = self.writes().chain(self.reads()).sum();
        let calls = self.calls as u64;
        vec![
            ("instructions_to_first_answer", self.instructions),
            ("size_bytes", whole(self.size)),
            ("zipped_bytes", whole(self.zipped)),
            ("log_bytes_a_call", whole(self.log_bytes as u64 / calls)),
            ("requests_in_200_calls", whole(requests)),
            ("peak_kilobytes", whole(self.peak_kb)),
        ]
    }

    fn writes(&self) -> impl Iterator<Item = u64> {
        self.named(&["PutItem", "UpdateItem", "DeleteItem"])
    }

    fn reads(&self) -> impl Iterator<Item = u64> {
        self.named(&["GetItem", "Query"])
    }

    fn named<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = u64> + 'a {
        names
            .iter()
            .filter_map(|name| self.requests.get(*name).copied())
    }

    fn row(&self) -> Vec<String> {
        let calls = self.calls as f64;
        let each = |sum: u64| format!("{:.2}", sum as f64 / calls);
        vec![
            self.name.to_owned(),
            spread(&self.to_next),
            spread(&self.after_next),
            spread(&self.small),
            self.small_rate
                .map_or_else(|| "-".to_owned(), |rate| format!("{rate:.0}")),
            spread(&self.to_answer),
            spread(&self.cold_cpu),
            self.instructions
                .map_or_else(|| "-".to_owned(), |n| format!("{:.2}", n as f64 / 1e6)),
            format!(
                "{:.0}",
                self.warm_cpu.as_micros() as f64 / (calls - 1.0).max(1.0)
            ),
            format!("{:.1}", self.peak_kb as f64 / 1024.0),
            format!("{:.2}", self.size as f64 / 1e6),
            format!("{:.2}", self.zipped as f64 / 1e6),
            format!(
                "{} + {}",
                each(self.reads().sum()),
                each(self.writes().sum())
            ),
            format!("{:.0}", self.log_bytes as f64 / calls),
        ]
    }
}

/// The table, in Markdown.
pub(crate) fn table(rows: &[Measurement]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header([
        "program",
        "exec to first `next`, ms",
        "to first answer from there, ms",
        "the same at 128 MB, ms",
        "calls a second at 128 MB",
        "exec to first answer, ms",
        "CPU of it, ms",
        "million instructions of it",
        "warm CPU a call, µs",
        "peak memory, MiB",
        "size, MB",
        "zipped, MB",
        "reads + writes a call",
        "log bytes a call",
    ]);
    for row in rows {
        table.add_row(row.row());
    }
    table
}

fn spread(times: &[Duration]) -> String {
    let mut millis: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    millis.sort_by(f64::total_cmp);
    let at = |tenth: usize| {
        let place = (millis.len() * tenth / 10).min(millis.len().saturating_sub(1));
        millis.get(place).copied().unwrap_or_default()
    };
    format!("{:.1} ({:.1} to {:.1})", at(5), at(1), at(9))
}

/// How large it is as an upload. `None` where gzip is not here.
fn zipped(file: &std::path::Path) -> Option<u64> {
    let bytes = std::fs::read(file).ok()?;
    let mut child = Command::new("gzip")
        .args(["-6", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let feeding = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().ok()?;
    feeding.join().ok()?.ok()?;
    u64::try_from(output.stdout.len()).ok()
}
