//! What people decide: a code that is given, a referral that is released or voided. Each is one
//! event, however often it is typed and whoever decides at the same time.

use crate::actors::{actor, after, heard, now, seam, sends, settled};
use crate::fallbacks::Net;
use crate::seam::{ALL_WHOLE, Actor, Holds, SENDER_KEEPS, Seam, explore};
use crate::support::{acme, at, at_once, customer, entry, naming, paid, program, report};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{PartnerId, PersonHash, Reference, ReferralCode};
use domain::partner::referral::Decision;
use store::Item;
use store::ingest::ingest_entries;
use store::memory::{MemoryTable, TableState};
use store::operator_decisions::{GrantOutcome, ReferralRef, grant, review, review_everywhere};
use store::partners::PartnerRow;
use store::reports::{StoredReport, record_report};

/// Of two who decide otherwise, one who types it again decides anew, and what the first time left
/// unfolded is the stream's.
const TOGETHER: [(Net, Holds); 3] = SENDER_KEEPS;

pub(crate) fn reviews() -> Vec<Seam> {
    let earned = || after(&[report(1), paid(1, 1), paid(1, 2)]);
    let decided = |case, base, actors| Seam {
        nets: ALL_WHOLE.to_vec(),
        together: TOGETHER.to_vec(),
        compares_answers: true,
        ..seam(case, base, actors)
    };
    vec![
        decided(
            "one voids and another releases",
            earned(),
            vec![
                reviews_one("voids", Decision::Void),
                reviews_one("releases", Decision::Release),
            ],
        ),
        decided(
            "two void",
            earned(),
            vec![
                reviews_one("voids", Decision::Void),
                reviews_one("voids too", Decision::Void),
            ],
        ),
        Seam {
            // Under some of the names it may wait before it waits under all of them.
            nets: vec![
                (Net::Sender, Holds::Whole),
                (Net::Stream, Holds::Settled),
                (Net::Audit, Holds::Settled),
            ],
            ..decided(
                "a void for whomever it reaches",
                reported(),
                vec![reviews_all("voids", Decision::Void)],
            )
        },
        Seam {
            nets: Vec::new(),
            compares_answers: false,
            together: vec![(Net::Stream, Holds::Settled), (Net::Audit, Holds::Settled)],
            ..decided(
                "a void for whomever it reaches, and one more of them",
                reported(),
                vec![
                    reviews_all("voids", Decision::Void),
                    sends("pays", &[naming(paid(2, 2), &[&person("nell")])]),
                ],
            )
        },
    ]
}

pub(crate) fn grants() -> Vec<Seam> {
    vec![
        Seam {
            nets: ALL_WHOLE.to_vec(),
            together: TOGETHER.to_vec(),
            law: one_owner,
            compares_answers: true,
            ..seam(
                "two partners want one code",
                after(&[]),
                vec![grants_code("acme"), grants_code("zest")],
            )
        },
        Seam {
            nets: SENDER_KEEPS.to_vec(),
            together: SENDER_KEEPS.to_vec(),
            law: one_owner,
            ..seam(
                "a code is given again while somebody shows it",
                granted(),
                vec![
                    grants_code("acme"),
                    sends("shows", &[naming(paid(1, 1), &[&spring()])]),
                ],
            )
        },
    ]
}

pub(crate) fn spring() -> Reference {
    Reference::code("spring").unwrap()
}

fn person(name: &str) -> Reference {
    Reference::person(&PersonHash::parse(name).unwrap())
}

fn named() -> ReferralRef {
    ReferralRef::new(acme(), "r-1")
}

fn reviews_one(what: &'static str, decision: Decision) -> Actor {
    actor(what, move |table, _| async move {
        heard(review(&table, &customer(1), &named(), decision, now()).await)
    })
}

fn reviews_all(what: &'static str, decision: Decision) -> Actor {
    actor(what, move |table, _| async move {
        heard(review_everywhere(&table, &named(), decision, now()).await)
    })
}

pub(crate) fn partner(name: &str) -> PartnerRow {
    let mut row = PartnerRow::new(PartnerId::parse(name).unwrap());
    row.set_terms(&program().into(), 0, at(0));
    row
}

pub(crate) fn spring_code() -> ReferralCode {
    ReferralCode::parse("spring").unwrap()
}

fn grants_code(name: &'static str) -> Actor {
    actor(name, move |table, _| async move {
        let given = grant(&table, &partner(name), &spring_code(), now()).await;
        match given {
            Ok(GrantOutcome::NoProgram) => Err("it has a program".into()),
            given => heard(given),
        }
    })
}

/// Given twice before, on other terms each time.
fn granted() -> TableState {
    let table = MemoryTable::without_attributes();
    for (hour, hold_days) in [(0, 14), (1, 21)] {
        let mut row = PartnerRow::new(acme());
        let mut terms = program();
        terms.hold_days = hold_days;
        row.set_terms(&terms.into(), 0, at(hour));
        at_once(grant(&table, &row, &spring_code(), at(hour))).unwrap();
    }
    settled(&table)
}

/// Two reports of one referral, each of another person, of whom one has paid; voided and released
/// before.
fn reported() -> TableState {
    let table = MemoryTable::without_attributes();
    for (message, name) in [("m1", "kim"), ("m2", "nell")] {
        let note = StoredReport {
            partner: acme(),
            message: message.into(),
            kind: "referral.created".into(),
            referral: "r-1".into(),
            references: vec![person(name)],
            sub_ids: Default::default(),
            digest: message.into(),
            signed_at: at(0),
            received_at: at(0),
            content: None,
        };
        at_once(record_report(&table, note, b"{}")).unwrap();
    }
    let mut parked = report(1);
    parked.about = About::ByReference(vec![person("nell")]);
    let first = naming(paid(1, 1), &[&person("nell")]);
    for event in [parked, first] {
        let entries = [entry(event, "before")];
        at_once(ingest_entries(&table, &entries, at(1))).unwrap();
    }
    for (decision, hour) in [(Decision::Void, 1), (Decision::Release, 2)] {
        at_once(review_everywhere(&table, &named(), decision, at(hour))).unwrap();
    }
    settled(&table)
}

/// Whoever was first given a code owns it.
fn one_owner(_: &TableState, table: &TableState) -> Result<(), String> {
    let mut owners: Vec<PartnerId> = table
        .items()
        .filter_map(|item| match item {
            Item::Parked(_, entry) => Some(&entry.event),
            _ => None,
        })
        .flat_map(grants_of)
        .collect();
    owners.sort();
    owners.dedup();
    match owners.len() {
        0 | 1 => Ok(()),
        _ => Err(format!("the code is {owners:?}'s")),
    }
}

fn grants_of(event: &NormalizedEvent) -> Vec<PartnerId> {
    let facts = event.facts.iter().filter_map(|fact| match fact {
        Fact::CodeGranted(granted) => Some(granted.partner.clone()),
        _ => None,
    });
    facts.collect()
}

#[test]
fn a_decision_is_one_event_and_the_last_one_stands() {
    explore("decision", &reviews());
}

#[test]
fn a_code_has_one_owner() {
    explore("grant", &grants());
}
