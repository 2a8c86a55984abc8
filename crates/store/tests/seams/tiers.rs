//! Tiers: who passed a border gets its next terms once, and its codes on those terms.

use crate::actors::{actor, after, heard, seam, settled};
use crate::fallbacks::Net;
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{acme, at, at_once, program};
use domain::ids::ReferralCode;
use domain::partner::tiers::ProgramTerms;
use std::collections::BTreeMap;
use std::convert::Infallible;
use store::memory::{MemoryTable, TableState};
use store::operator_decisions::grant;
use store::partners::{PartnerRow, change, put_new};
use store::tiers::reconcile_tiers;

const NETS: [(Net, Holds); 1] = [(Net::Sender, Holds::Whole)];

pub(crate) fn seams() -> Vec<Seam> {
    let reached = |case, actors| Seam {
        nets: NETS.to_vec(),
        together: NETS.to_vec(),
        ..seam(case, tiered(), actors)
    };
    vec![
        reached(
            "two rounds of the audit",
            vec![counts("one"), counts("other")],
        ),
        reached(
            "a round while a key is added to the partner",
            vec![counts("one"), adds_key()],
        ),
    ]
}

fn counts(what: &'static str) -> Actor {
    actor(what, |table, _| async move {
        let active = BTreeMap::from([(acme(), 2)]);
        heard(reconcile_tiers(&table, &active, at(1)).await).map(|_| "counted".into())
    })
}

fn adds_key() -> Actor {
    actor("adds a key", |table, _| async move {
        let partner = acme();
        let added = change(&table, &partner, |row: &mut PartnerRow| {
            if !row.keys.contains(&2) {
                row.keys.push(2);
                row.last_key = 2;
            }
            Ok::<(), Infallible>(())
        });
        heard(added.await).map(|_| "added".into())
    })
}

/// 20 %, and 25 % from two active customers, with two codes.
fn tiered() -> TableState {
    let table = MemoryTable::new(after(&[]));
    let offer = ProgramTerms {
        program: program(),
        tiers: vec!["2:25%".parse().unwrap()],
    };
    let mut row = PartnerRow::new(acme());
    row.set_terms(&offer, 0, at(0));
    for code in ["autumn", "spring"] {
        let code = ReferralCode::parse(code).unwrap();
        at_once(grant(&table, &row, &code, at(0))).unwrap();
        row.codes.insert(code);
    }
    at_once(put_new(&table, row)).unwrap();
    settled(&table)
}

#[test]
fn a_tier_is_chosen_once_and_reaches_every_code() {
    explore("tiers", &seams());
}
