//! What is only read: all of it, however long the pages are and wherever one is empty.

use crate::actors::{actor, after, heard, now, seam, settled};
use crate::seam::{Actor, Answer, Seam, explore};
use crate::support::{about, acme, at, at_once, customer, empty, entry, naming, paid, report};
use domain::event::NormalizedEvent;
use domain::ids::{EventId, PartnerId, Reference};
use std::future::Future;
use std::sync::Arc;
use store::Item;
use store::lookup::find_customers;
use store::memory::{MemoryTable, SteppedTable, TableState};
use store::operator_decisions::{ReferralRef, referred_customers};
use store::partners::{PartnerRow, list, put_new};
use store::public_key_cache::PublicKeyCache;
use store::reports::{
    MAX_REPORTS, StoredReport, has_room, read_referral, read_statuses, record_report,
};

pub(crate) fn seams() -> Vec<Seam> {
    vec![
        reads("partners", |table| async move { heard(list(&table).await) }),
        reads("a partner with a public key", |table| async move {
            let cache = PublicKeyCache::default();
            let zest = PartnerId::parse("zest").unwrap();
            heard(cache.read(&table, &zest, now()).await)
        }),
        reads("keys", |table| async move {
            heard(store::shop_keys::list(&table).await)
        }),
        reads("who showed a code", |table| async move {
            heard(find_customers(&table, "code/spring", &[]).await)
        }),
        reads("whom a code reaches", |table| async move {
            let named = ReferralRef::new(acme(), "code/spring");
            heard(referred_customers(&table, &named).await)
        }),
        reads("whether a name has room", |table| async move {
            heard(has_room(&table, &acme(), &one_more()).await)
        }),
        reads("what is told of referrals", |table| async move {
            heard(read_statuses(&table, &acme()).await)
        }),
        reads("what was heard of a referral", |table| async move {
            heard(read_referral(&table, &acme(), "r-1").await)
        }),
    ]
}

fn reads<F: Future<Output = Answer> + Send + 'static>(
    what: &'static str,
    read: impl Fn(SteppedTable) -> F + Send + Sync + 'static,
) -> Seam {
    let reader: Actor = actor("reads", move |table, _| read(table));
    Seam {
        compares_answers: true,
        ..seam(what, base(), vec![reader])
    }
}

fn spring() -> Reference {
    Reference::code("spring").unwrap()
}

/// Several of each kind, and as many reports under one name as it has room for.
fn base() -> TableState {
    let shows = |n| naming(paid(n, n), &[&spring()]);
    let base = after(&[report(1), report(2), shows(1), shows(2), shows(3)]);
    let table = MemoryTable::new(base);
    for name in ["acme", "mint", "zest"] {
        let mut row = PartnerRow::new(PartnerId::parse(name).unwrap());
        row.public_keys.push(name.into());
        at_once(put_new(&table, row)).unwrap();
        let scope = domain::shop_key::KeyScope::Read;
        at_once(store::shop_keys::create(
            &table,
            &name.parse().unwrap(),
            scope,
            at(1),
        ))
        .unwrap();
    }
    for message in ["m1", "m2", "m3"] {
        let report = StoredReport {
            partner: acme(),
            message: message.into(),
            kind: "referral.created".into(),
            referral: "r-1".into(),
            references: Vec::new(),
            sub_ids: Default::default(),
            digest: message.into(),
            signed_at: at(1),
            received_at: at(1),
            content: None,
        };
        at_once(record_report(&table, report, b"{}")).unwrap();
    }
    for n in 0..MAX_REPORTS {
        let parked = entry(named(&format!("partner/acme/r-{n:02}")), "parked");
        table.plant(Item::Parked(person(), Arc::clone(&parked)));
    }
    assert!(
        at_once(store::folding::read_record(&table, &customer(1)))
            .unwrap()
            .is_some()
    );
    settled(&table)
}

fn person() -> Reference {
    let hash = domain::ids::PersonHash::parse("nell").unwrap();
    Reference::person(&hash)
}

fn named(id: &str) -> NormalizedEvent {
    NormalizedEvent {
        id: EventId::parse(id).unwrap(),
        ..about(empty(9, 1), &[&person()])
    }
}

fn one_more() -> NormalizedEvent {
    named("partner/acme/s-1")
}

#[test]
fn what_is_read_is_read_to_its_end() {
    explore("reading", &seams());
}
