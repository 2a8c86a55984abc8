//! A code is one however it is spelled: events as they were stored, in any spelling, come to the
//! same record and the same rows.

use crate::model_table::{LedgerTable, day, new_event, program};
use crate::rules::pays;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{PartnerId, Reference, ReferralCode};
use domain::partner::identity::PartnerIdentity;
use domain::partner::referral::{AttributionTerms, CodeGranted, Decision, ReferralSnapshot};
use proptest::prelude::*;
use serde_json::Value;

/// A report by the code alone, the code given, shown and paid with, and what a person decides of
/// either referral.
fn story() -> [NormalizedEvent; 6] {
    let [acme, zest] = ["acme", "zest"].map(|name| PartnerId::parse(name).unwrap());
    let code = ReferralCode::parse("spring-20").unwrap();
    let named = vec![Reference::from(&code)];
    let terms = AttributionTerms {
        partner: acme.clone(),
        referral: "r-1".into(),
        reported_at: day(2, 3),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let snapshot = ReferralSnapshot {
        partner: acme.clone(),
        referral: "r-1".into(),
        referred_at: day(2, 3),
        reported_at: Some(day(2, 3)),
        names: named.clone(),
        sub_ids: Default::default(),
    };
    let granted = CodeGranted {
        code: code.clone(),
        partner: acme.clone(),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let decided = |partner, decision| Fact::Reviewed {
        partner,
        referral: code.referral_id(),
        decision,
    };
    let by_code = |event| NormalizedEvent {
        about: About::ByReference(named.clone()),
        ..event
    };
    [
        by_code(new_event(
            "granted",
            day(2, 1),
            vec![Fact::CodeGranted(Box::new(granted))],
        )),
        by_code(new_event(
            "reported",
            day(2, 3),
            vec![
                Fact::Referral(snapshot),
                Fact::AttributionTerms(Box::new(terms)),
            ],
        )),
        NormalizedEvent {
            references: named.clone(),
            ..new_event(
                "shown",
                day(3, 1),
                vec![Fact::ReferralCode { code: code.clone() }],
            )
        },
        pays("pi_1", 3, 3, 1_000),
        new_event("not acme's", day(3, 4), vec![decided(zest, Decision::Void)]),
        new_event("acme's", day(3, 5), vec![decided(acme, Decision::Void)]),
    ]
}

/// The event as a version would have stored it that kept codes as they were typed: each mention in
/// the next of these spellings.
fn spelled(event: &NormalizedEvent, spellings: &mut impl Iterator<Item = String>) -> Value {
    fn respell(value: &mut Value, spellings: &mut impl Iterator<Item = String>) {
        match value {
            Value::String(text) if text.ends_with("spring-20") => {
                *text = text.replace("spring-20", &spellings.next().unwrap());
            }
            Value::Array(values) => values.iter_mut().for_each(|one| respell(one, spellings)),
            Value::Object(fields) => fields.values_mut().for_each(|one| respell(one, spellings)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut stored = serde_json::to_value(event).unwrap();
    respell(&mut stored, spellings);
    stored
}

fn any_spelling() -> impl Strategy<Value = String> {
    let letter = |letter: char| {
        let upper = letter.to_ascii_uppercase();
        prop_oneof![Just(letter), Just(upper)]
    };
    let letters: Vec<_> = "spring-20".chars().map(letter).collect();
    let space = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\u{a0}")];
    (space.clone(), letters, space).prop_map(|(before, letters, after)| {
        let text: String = letters.into_iter().collect();
        format!("{before}{text}{after}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(300)
    })]

    #[test]
    fn any_spelling_of_a_code_ends_in_the_same_record_and_the_same_rows(
        spellings in prop::collection::vec(any_spelling(), 1..6),
        told in 1..6_usize,
    ) {
        let story = story();
        let story = story.get(..=told).unwrap();
        let mut spellings = spellings.into_iter().cycle();
        let typed = story.iter().map(|event| {
            serde_json::from_value(spelled(event, &mut spellings)).unwrap()
        });
        let typed: Vec<NormalizedEvent> = typed.collect();
        let (one, other) = (LedgerTable::after(story), LedgerTable::after(&typed));
        prop_assert_eq!(&one.record.folded.state, &other.record.folded.state);
        prop_assert_eq!(one.rows, other.rows);
        prop_assert_eq!(one.status_rows, other.status_rows);
    }
}

#[test]
fn the_story_earns_by_the_code_until_a_person_voids_that() {
    let story = story();
    let earns = |told| LedgerTable::after(&story[..told]).summary();
    let due = ["acme/eur/due/pi_1 200"];
    assert_eq!(earns(4), due);
    assert_eq!(earns(5), due);
    assert_eq!(earns(6), ["acme/eur/shared_code/pi_1 200"]);
}
