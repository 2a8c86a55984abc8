//! What each function asks of the table, request by request: its order of steps, its conditions
//! and its pages, as they stand in `snapshots`. The laws of the seams say what must come of them;
//! this says that nobody changes them without reading the difference.
//!
//! Three ways for each actor of a seam: nobody in between; the answer of a request lost; another
//! actor from beginning to end before a request. Of the latter two only the names of the requests
//! stand there that are made from then on, and only where they are not those of the first.

use crate::alone::{run_alone, with_short_pages};
use crate::ends::says_in_short;
use crate::seam::{Actor, Answer, Seam};
use crate::table::functions;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::task::{Context, Poll, Waker};
use store::memory::{SteppedTable, TableAnswer, TableRequest, TableState};
use store::{Item, Key, PutOutcome, StoreError, TransactWrite, WriteCondition};

/// What happens at one request of an actor.
#[derive(Clone, Copy)]
enum Disturbance<'a> {
    None,
    AnswerLost(usize),
    Before(usize, &'a Actor),
}

/// What an actor asked and was answered, and how it ended.
struct Trace {
    requests: Vec<(TableRequest, TableAnswer)>,
    answer: Answer,
}

fn trace(actor: &Actor, mut table: TableState, disturbed: Disturbance<'_>) -> Trace {
    let stepped = SteppedTable::default();
    let mut process = (actor.run)(stepped.clone(), 0);
    let mut requests = Vec::new();
    loop {
        if let Poll::Ready(answer) = process
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return Trace { requests, answer };
        }
        let request = stepped.take_request().expect("it waits for the table");
        let number = requests.len();
        if let Disturbance::Before(at, other) = disturbed
            && at == number
        {
            table = run_alone(other, table, 0).0;
        }
        let mut answer = table.apply(request.clone());
        if let Disturbance::AnswerLost(at) = disturbed
            && at == number
        {
            answer = TableAnswer::Error(StoreError::NoAnswer("the answer was lost".into()));
        }
        requests.push((request, answer.clone()));
        stepped.answer(answer);
    }
}

/// Of long tables what matters stands in the beginning.
const MOST_DISTURBED: usize = 40;

fn traces_of(seam: &Seam) -> String {
    let base = with_short_pages(&seam.base);
    let mut text = format!("## {}\n", seam.case);
    for (number, actor) in seam.actors.iter().enumerate() {
        let alone = trace(actor, base.clone(), Disturbance::None);
        let _ = writeln!(text, "{}", actor.what);
        for (request, answer) in &alone.requests {
            let _ = writeln!(text, "  {}", line(request, answer));
        }
        let _ = writeln!(text, "  = {}", ended(&alone.answer));
        let others = seam.actors.iter().enumerate();
        let others = others.filter(|(other, _)| *other != number);
        let mut ends_at_once = Vec::new();
        for at in 0..alone.requests.len().min(MOST_DISTURBED) {
            let mut disturbances = vec![("lost".to_owned(), Disturbance::AnswerLost(at))];
            for (_, other) in others.clone() {
                let name = format!("after {}", other.what);
                disturbances.push((name, Disturbance::Before(at, other)));
            }
            for (name, disturbance) in disturbances {
                let disturbed = trace(actor, base.clone(), disturbance);
                let rest = names(disturbed.requests.get(at..).unwrap_or_default());
                if matches!(disturbance, Disturbance::AnswerLost(_))
                    && rest.len() == 1
                    && disturbed.answer.is_err()
                {
                    ends_at_once.push(at.to_string());
                    continue;
                }
                let undisturbed = names(&alone.requests[at..]);
                if rest != undisturbed || disturbed.answer != alone.answer {
                    let end = ended(&disturbed.answer);
                    let _ = writeln!(text, "  {at} {name}: {} = {end}", in_runs(&rest));
                }
            }
        }
        let _ = writeln!(
            text,
            "  lost, and an error at once: {}",
            ends_at_once.join(" ")
        );
    }
    text
}

fn names(requests: &[(TableRequest, TableAnswer)]) -> Vec<String> {
    let name = |(request, answer): &(TableRequest, TableAnswer)| {
        let refused = matches!(
            answer,
            TableAnswer::Put(PutOutcome::Refused(_)) | TableAnswer::Transacted(false)
        );
        [request.name(), if refused { "-refused" } else { "" }].concat()
    };
    requests.iter().map(name).collect()
}

/// `get, get, get` as `3 get`.
fn in_runs(names: &[String]) -> String {
    let runs = names.chunk_by(|one, other| one == other);
    let runs = runs.map(|run| match run {
        [one] => one.clone(),
        run => format!("{} {}", run.len(), run[0]),
    });
    runs.collect::<Vec<_>>().join(", ")
}

fn ended(answer: &Answer) -> String {
    match answer {
        Ok(answer) => answer.chars().take(90).collect(),
        Err(error) if error.contains("the answer was lost") => "error".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

fn line(request: &TableRequest, answer: &TableAnswer) -> String {
    let asked = match request {
        TableRequest::Get(key) => format!("get {key}"),
        TableRequest::Put(item, when) => put(item, *when),
        TableRequest::Delete(key) => format!("delete {key}"),
        TableRequest::Query(partition, prefix, after) => {
            format!("query {partition} / {prefix}*{}", behind(after.as_ref()))
        }
        TableRequest::Scan(after, limit) => format!("scan {limit}{}", behind(after.as_ref())),
        TableRequest::Due(shard, until, most) => format!("due {shard} until {until}, {most}"),
        TableRequest::Transact(writes) => {
            let parts = writes.iter().map(|write| match write {
                TransactWrite::Put(item, when) => put(item, *when),
                TransactWrite::Check(key, when) => format!("check {key} {}", condition(*when)),
            });
            format!("transact {}", parts.collect::<Vec<_>>().join(" and "))
        }
    };
    let answered = match answer {
        TableAnswer::Item(None) => "none".to_owned(),
        TableAnswer::Item(Some(_)) => "there".to_owned(),
        TableAnswer::Put(PutOutcome::Done) | TableAnswer::Deleted => String::new(),
        TableAnswer::Put(PutOutcome::Refused(_)) | TableAnswer::Transacted(false) => {
            "refused".to_owned()
        }
        TableAnswer::Transacted(true) => String::new(),
        TableAnswer::Page(page) => page.items.len().to_string(),
        TableAnswer::Due(keys) => keys.len().to_string(),
        TableAnswer::Error(error) => error.to_string(),
    };
    match &*answered {
        "" => asked,
        answered => format!("{asked}: {answered}"),
    }
}

fn put(item: &Item, when: WriteCondition) -> String {
    let says = says_in_short(item);
    format!("put {}{says} {}", item.key(), condition(when))
}

fn condition(when: WriteCondition) -> String {
    match when {
        WriteCondition::Absent => "if absent".to_owned(),
        WriteCondition::Version(version) => format!("over version {version}"),
    }
}

fn behind(after: Option<&Key>) -> String {
    after.map_or_else(String::new, |after| format!(" behind {after}"))
}

#[test]
fn no_function_is_kept_that_is_none() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seams/snapshots");
    let there = fs::read_dir(folder).unwrap();
    let there: BTreeSet<String> = there
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let functions = functions().into_iter();
    let kept = functions.map(|(function, _)| format!("{}.snap", function.replace(' ', "-")));
    assert_eq!(there, kept.collect());
}

fn assert_asks_what_it_asked_before(function: &str) {
    let mut all = functions().into_iter();
    let (_, seams) = all.find(|(name, _)| *name == function).expect("a function");
    let text: Vec<String> = seams().iter().map(traces_of).collect();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = function.replace(' ', "-");
    settings.bind(|| insta::assert_snapshot!(name, text.join("\n")));
}

/// A test for each function, so that a change of one says so.
macro_rules! asks_what_it_asked_before {
    ($($test:ident: $function:literal),* $(,)?) => {$(
        #[test]
        fn $test() {
            assert_asks_what_it_asked_before($function);
        }
    )*};
}

asks_what_it_asked_before! {
    ingest_asks_what_it_asked_before: "ingest",
    hand_over_asks_what_it_asked_before: "hand over",
    retry_parked_asks_what_it_asked_before: "retry parked",
    effects_asks_what_it_asked_before: "effects",
    claim_asks_what_it_asked_before: "claim",
    outcome_asks_what_it_asked_before: "outcome",
    decision_asks_what_it_asked_before: "decision",
    grant_asks_what_it_asked_before: "grant",
    payout_asks_what_it_asked_before: "payout",
    notice_asks_what_it_asked_before: "notice",
    endpoint_asks_what_it_asked_before: "endpoint",
    tiers_asks_what_it_asked_before: "tiers",
    audit_asks_what_it_asked_before: "audit",
    due_scan_asks_what_it_asked_before: "due scan",
    fan_out_asks_what_it_asked_before: "fan out",
    waiting_asks_what_it_asked_before: "waiting",
    long_journals_asks_what_it_asked_before: "long journals",
    first_payment_asks_what_it_asked_before: "first payment",
    report_asks_what_it_asked_before: "report",
    shop_key_asks_what_it_asked_before: "shop key",
    reading_asks_what_it_asked_before: "reading",
}
