//! R5: when a customer looks like the partner itself, commissions wait for a person's decision.

use crate::model_table::{LedgerTable, day, money, new_event, paid, profile, program, report_of};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::PartnerId;
use domain::partner::identity::MailboxDigest;
use domain::partner::identity::PartnerIdentity;
use domain::partner::referral::Decision;
use domain::partner::statement::statement;

fn story(partner: &str, customer: &str) -> Vec<NormalizedEvent> {
    let mut identity = PartnerIdentity::of(partner);
    identity.fingerprints.insert("card-1".into());
    vec![
        report_of("acme", day(3, 1), day(3, 1), &program(), identity),
        profile(customer, day(3, 2)),
        paid("pi_1", day(3, 3), money(1_000, "eur")),
    ]
}

fn summary_in_both_orders(events: &[NormalizedEvent]) -> Vec<String> {
    let reversed: Vec<NormalizedEvent> = events.iter().rev().cloned().collect();
    let table = LedgerTable::after(events);
    assert_eq!(
        LedgerTable::after(&reversed).summary(),
        table.summary(),
        "and in the other order"
    );
    table.summary()
}

fn reviewed(decision: Decision) -> NormalizedEvent {
    let fact = Fact::Reviewed {
        partner: PartnerId::parse("acme").unwrap(),
        referral: "r-acme".into(),
        decision,
    };
    new_event(&format!("{decision:?}"), day(4, 1), vec![fact])
}

#[test]
fn each_likeness_holds_and_others_do_not() {
    for (partner, customer, held) in [
        ("a.nna@gmail.com", "An.Na+shop@googlemail.com", "same_email"),
        ("anna+x@agrumes.fr", "anna@agrumes.fr", "same_email"),
        ("anna@agrumes.fr", "berthe@AGRUMES.fr", "same_domain"),
        ("anna@gmail.com", "berthe@gmail.com", "due"),
        ("anna@agrumes.fr", "anna@oranges.fr", "due"),
        ("anna@agrumes.fr", "no address", "due"),
    ] {
        let expected = format!("acme/eur/{held}/pi_1 200");
        assert_eq!(
            summary_in_both_orders(&story(partner, customer)),
            [expected],
            "{partner} {customer}"
        );
    }
    let mut paid = story("anna@agrumes.fr", "berthe@oranges.fr");
    let fact = Fact::Fingerprint {
        fingerprint: "card-1".into(),
    };
    paid.push(new_event("card", day(3, 3), vec![fact]));
    assert_eq!(
        summary_in_both_orders(&paid),
        ["acme/eur/same_payment/pi_1 200"]
    );
    assert_eq!(MailboxDigest::of("no address"), None);
}

#[test]
fn held_rows_say_why_and_count_nowhere_else() {
    let table = LedgerTable::after(&story("anna@agrumes.fr", "berthe@agrumes.fr"));
    let shown = statement(&table.rows(), &[], day(6, 1));
    assert_eq!(shown.rows[0].state, "held");
    assert!(
        shown.rows[0]
            .text
            .ends_with("; held: the customer's address is at the partner's company")
    );
    let balance = &shown.balance[0];
    let sums = (
        balance.pending_minor,
        balance.released_minor,
        balance.held_minor,
    );
    assert_eq!(sums, (0, 0, 200));
}

#[test]
fn a_person_releases_or_voids_and_the_rows_follow() {
    let mut events = story("anna@agrumes.fr", "berthe@agrumes.fr");
    events.push(reviewed(Decision::Release));
    assert_eq!(summary_in_both_orders(&events), ["acme/eur/due/pi_1 200"]);
    assert_eq!(
        LedgerTable::after(&events).rows.len(),
        3,
        "held, not held, due"
    );
    events.pop();
    events.push(reviewed(Decision::Void));
    assert!(summary_in_both_orders(&events).is_empty());
}

#[test]
fn another_address_later_lifts_nothing() {
    let mut events = story("anna@agrumes.fr", "berthe@agrumes.fr");
    events.push(profile("berthe@oranges.fr", day(3, 9)));
    assert_eq!(
        summary_in_both_orders(&events),
        ["acme/eur/same_domain/pi_1 200"]
    );
}
