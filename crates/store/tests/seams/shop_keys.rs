//! Keys of the shop's own code: each version is given out once, and one that was revoked never.

use crate::actors::{actor, after, heard, now, seam, settled};
use crate::fallbacks::Net;
use crate::history::replay;
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{at, at_once};
use domain::shop_key::{KeyName, KeyScope};
use store::Item;
use store::memory::{MemoryTable, TableState};
use store::shop_keys::{create, revoke};

const NETS: [(Net, Holds); 1] = [(Net::Sender, Holds::Whole)];

/// Who is not answered and asks again may give out one more, behind a revocation.
const TOGETHER: [(Net, Holds); 1] = [(Net::Sender, Holds::Kept)];

pub(crate) fn seams() -> Vec<Seam> {
    let asked = |case, base, actors| Seam {
        nets: NETS.to_vec(),
        together: TOGETHER.to_vec(),
        law: each_version_once,
        compares_answers: true,
        ..seam(case, base, actors)
    };
    vec![
        asked(
            "two who create one",
            after(&[]),
            vec![
                creates("reads", KeyScope::Read),
                creates("writes", KeyScope::Write),
            ],
        ),
        asked(
            "one that is revoked twice and created again",
            in_force(),
            vec![
                revokes("revokes"),
                revokes("revokes too"),
                creates("writes", KeyScope::Write),
            ],
        ),
    ]
}

fn name() -> KeyName {
    "backend".parse().unwrap()
}

fn creates(what: &'static str, scope: KeyScope) -> Actor {
    actor(what, move |table, _| async move {
        heard(create(&table, &name(), scope, now()).await)
    })
}

fn revokes(what: &'static str) -> Actor {
    actor(what, |table, _| async move {
        heard(revoke(&table, &name(), now()).await)
    })
}

/// One that was given out twice before.
fn in_force() -> TableState {
    let table = MemoryTable::new(after(&[]));
    at_once(create(&table, &name(), KeyScope::Read, at(0))).unwrap();
    at_once(revoke(&table, &name(), at(0))).unwrap();
    at_once(create(&table, &name(), KeyScope::Read, at(1))).unwrap();
    settled(&table)
}

fn each_version_once(base: &TableState, table: &TableState) -> Result<(), String> {
    replay(base, table, |standing, key, new| {
        let (Some(Item::ShopKey(before)), Some(Item::ShopKey(now))) = (standing.get(key), new)
        else {
            return Ok(());
        };
        let is_revoked = now.key == before.key
            && now.scope == before.scope
            && before.revoked_at.is_none()
            && now.revoked_at.is_some();
        let is_next = now.key == before.key + 1 && before.revoked_at.is_some();
        match is_revoked || is_next {
            true => Ok(()),
            false => Err(format!("{now:?} after {before:?}")),
        }
    })
}

#[test]
fn each_version_of_a_key_is_given_out_once() {
    explore("shop key", &seams());
}
