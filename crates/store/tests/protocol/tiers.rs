//! Tiers: a partner of whom enough customers are active earns more on those it sends next, and on
//! nobody whom it sent before.

use crate::support::{acme, at, event_of, paid, program, reshape};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{PartnerId, ReferralCode};
use domain::partner::program::{Program, Reward};
use domain::partner::referral::ReferralSnapshot;
use domain::partner::tiers::ProgramTerms;
use domain::record::Entry;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::audit::walk;
use store::ingest::ingest_entries;
use store::memory::{Crash, MemoryTable};
use store::operator_decisions::{GrantOutcome, grant};
use store::partners::{PartnerRow, ledger, put_new, read};
use store::tiers::{TierReport, reconcile_tiers};
use store::{Key, StoreError};

/// Ten minutes after it was counted a tier counts.
const LATER: i64 = 1;

#[tokio::test]
async fn a_tier_counts_for_those_sent_after_it_was_reached_and_for_nobody_before() {
    let table = MemoryTable::default();
    add_tiered_partner(&table, &[]).await;
    for n in 0..2 {
        report(&table, n, at(0)).await;
        ingest(&table, paid(n, n)).await;
    }
    let tier = async |now| {
        (
            count_active(&table, now).await,
            row(&table).await.program(at(99)),
        )
    };
    assert_eq!(tier(at(1)).await, (1, Some(earning(2_500))));
    // Looked at again it is as it was.
    assert_eq!(tier(at(1)).await, (0, Some(earning(2_500))));
    // Whoever was sent before it counts, and whoever was sent before it was reached.
    report(&table, 2, at(1)).await;
    report(&table, 3, at(1 + LATER)).await;
    for (customer, n) in [(0, 4), (2, 5), (3, 6)] {
        ingest(&table, paid(customer, n)).await;
    }
    let earned = earned(&table).await;
    assert_eq!(earned["pi_4"], 200);
    assert_eq!(earned["pi_5"], 200);
    assert_eq!(earned["pi_6"], 250);
    // Four are active now; of them none a year later.
    assert_eq!(tier(at(3)).await, (1, Some(earning(3_000))));
    assert_eq!(tier(at(3 + 24 * 366)).await.0, 1);
    let row = row(&table).await;
    assert_eq!(row.program(at(9_999)), Some(earning(2_000)));
    assert_eq!(row.programs.len(), 4, "each tier is dated, and stays");
}

#[tokio::test]
async fn whoever_dies_while_tiers_are_chosen_leaves_nothing_undone() {
    let (active, now) = (BTreeMap::from([(acme(), 2)]), at(1));
    let reached = async |table: &MemoryTable| {
        let row = row(table).await;
        let code = ReferralCode::parse("spring").unwrap();
        let granted = grant(table, &row, &code, at(1 + LATER)).await.unwrap();
        (row.programs.clone(), row.program(at(99)), granted)
    };
    let living = MemoryTable::default();
    add_tiered_partner(&living, &["spring"]).await;
    assert_eq!(changed(&living, &active, now).await, 1);
    let whole = reached(&living).await;
    assert_eq!(whole.1, Some(earning(2_500)));
    assert_eq!(
        whole.2,
        GrantOutcome::AlreadyGranted,
        "codes were given on the new terms"
    );
    let mut deaths = 0;
    for after in 0.. {
        let mut survived = false;
        for lost in [false, true] {
            let table = MemoryTable::default();
            add_tiered_partner(&table, &["spring"]).await;
            let mortal = table.process();
            mortal.set_faults(
                Crash {
                    after,
                    answer_lost: lost,
                }
                .faults(),
            );
            let died: Result<TierReport, StoreError> = reconcile_tiers(&mortal, &active, now).await;
            survived |= died.is_ok();
            deaths += u32::from(died.is_err());
            reconcile_tiers(&table, &active, now).await.unwrap();
            assert_eq!(reached(&table).await, whole, "{after} {lost}");
        }
        if survived {
            break;
        }
    }
    println!("{deaths} deaths, the same terms after each");
    assert!(deaths >= 10);
}

#[tokio::test]
async fn each_customer_is_counted_once_however_many_runs_the_audit_takes() {
    let table = MemoryTable::default();
    add_tiered_partner(&table, &[]).await;
    for n in 0..260 {
        report(&table, n, at(0)).await;
        ingest(&table, paid(n, n)).await;
    }
    // Two who do not count: sent and not paid, paid and not sent.
    report(&table, 300, at(0)).await;
    ingest(&table, paid(301, 301)).await;
    for _ in 0..2 {
        let mut runs = 1;
        let active = loop {
            match walk(&table, 1, at(1)).await.unwrap().active {
                Some(active) => break active,
                None => runs += 1,
            }
        };
        assert!(runs > 1, "a round was to take several runs");
        assert_eq!(active, BTreeMap::from([(acme(), 260)]));
    }
}

#[tokio::test]
async fn a_partner_without_tiers_is_left_alone() {
    let table = MemoryTable::default();
    let zest = PartnerId::parse("zest").unwrap();
    let mut row = PartnerRow::new(zest.clone());
    row.set_terms(&earning(2_000).into(), 0, at(0));
    put_new(&table, row.clone()).await.unwrap();
    let active = BTreeMap::from([(zest.clone(), 1_000)]);
    assert_eq!(changed(&table, &active, at(1)).await, 0);
    assert_eq!(*read(&table, &zest).await.unwrap().unwrap(), row);
}

#[tokio::test]
async fn a_partner_that_cannot_be_read_stops_no_other_partners_tier() {
    let table = MemoryTable::default();
    add_tiered_partner(&table, &["spring"]).await;
    for name in ["abel", "zest"] {
        let row = PartnerRow::new(PartnerId::parse(name).unwrap());
        put_new(&table, row.clone()).await.unwrap();
        let key = Key::partner(&row.partner);
        reshape(&table, &key, |image| image["keys"] = json!({ "S": "none" }));
    }
    let active = BTreeMap::from([(acme(), 2)]);
    let report = reconcile_tiers(&table, &active, at(1)).await.unwrap();
    assert_eq!((report.changed, report.passed_over.count), (1, 2));
    let named = report.passed_over.named.iter().map(|one| one.name.as_str());
    let named: Vec<&str> = named.collect();
    assert_eq!(named, ["partners / abel", "partners / zest"]);
    assert_eq!(row(&table).await.program(at(99)), Some(earning(2_500)));
}

/// 20 %, 25 % from two active customers, 30 % from four.
async fn add_tiered_partner(table: &MemoryTable, codes: &[&str]) {
    let tiers = ["2:25%", "4:30%"].map(|tier| tier.parse().unwrap());
    let offer = ProgramTerms {
        program: program(),
        tiers: tiers.to_vec(),
    };
    let mut row = PartnerRow::new(acme());
    row.set_terms(&offer, 0, at(0));
    for code in codes {
        let code = ReferralCode::parse(code).unwrap();
        let granted = grant(table, &row, &code, at(0)).await.unwrap();
        assert_eq!(granted, GrantOutcome::Granted);
        row.codes.insert(code);
    }
    put_new(table, row).await.unwrap();
}

fn earning(points: u16) -> Program {
    Program {
        reward: Reward::BasisPoints(points),
        ..program()
    }
}

/// A whole round of the audit, and what follows for tiers.
async fn count_active(table: &MemoryTable, now: Timestamp) -> u64 {
    let active = walk(table, 9, now).await.unwrap().active.unwrap();
    changed(table, &active, now).await
}

/// How many partners have another tier; none was passed over.
async fn changed(table: &MemoryTable, active: &BTreeMap<PartnerId, u32>, now: Timestamp) -> u64 {
    let report = reconcile_tiers(table, active, now).await.unwrap();
    assert_eq!(report.passed_over.count, 0, "{:?}", report.passed_over);
    report.changed
}

async fn row(table: &MemoryTable) -> Arc<PartnerRow> {
    read(table, &acme()).await.unwrap().unwrap()
}

/// As the endpoint takes a report in: with the program in force when it was signed.
async fn report(table: &MemoryTable, n: usize, signed_at: Timestamp) {
    let seen = ReferralSnapshot {
        partner: acme(),
        referral: format!("r-{n}").into(),
        referred_at: at(0),
        reported_at: Some(signed_at),
        names: Vec::new(),
        sub_ids: Default::default(),
    };
    let id = format!("partner/acme/{n}");
    let mut reading = event_of(n, id, signed_at, vec![Fact::Referral(seen)]);
    row(table)
        .await
        .add_attribution_terms(&mut reading, signed_at);
    ingest(table, reading).await;
}

async fn ingest(table: &MemoryTable, reading: NormalizedEvent) {
    let (now, raw) = (at(1), reading.id.as_str().as_bytes().into());
    let receipt = reading.id.to_string().into();
    let entry = Arc::new(Entry::new(reading, raw, 1, now, receipt));
    ingest_entries(table, &[entry], now).await.unwrap();
}

/// What each payment earned.
async fn earned(table: &MemoryTable) -> BTreeMap<String, i64> {
    let rows = ledger(table, &acme()).await.unwrap();
    let each = rows
        .iter()
        .map(|row| (row.payment.to_string(), row.amount.minor));
    each.collect()
}
