//! Codes that earlier versions stored as they were typed are one with their lower-case spelling.

use crate::support::{acme, at, event_of, ingest, naming, paid, program};
use domain::event::Fact;
use domain::ids::{Reference, ReferralCode};
use store::Item;
use store::audit::walk;
use store::memory::{MemoryTable, image_of_item, item_of_image};
use store::operator_decisions::{GrantOutcome, grant};
use store::partners::{PartnerRow, ledger};

#[tokio::test]
async fn what_was_stored_under_a_code_as_it_was_typed_counts_for_its_one_spelling() {
    let today = MemoryTable::default();
    let mut partner = PartnerRow::new(acme());
    partner.set_terms(&program().into(), 0, at(-1));
    let code = ReferralCode::parse("spring").unwrap();
    grant(&today, &partner, &code, at(-1)).await.unwrap();
    shows_and_pays(&today, 1).await;
    // The same, as an earlier version stored it.
    let table = MemoryTable::default();
    for item in today.items() {
        let image = image_of_item(&item).unwrap();
        let typed = image
            .replace("code/spring", "code/SPRING")
            .replace("\"spring\"", "\"SPRING\"");
        let mut typed: serde_json::Value = serde_json::from_str(&typed).unwrap();
        if typed["type"]["S"] == "record" {
            typed["format"]["N"] = "1".into();
            typed["fold_version"]["N"] = "1".into();
        }
        let item = item_of_image(&typed.to_string()).unwrap();
        assert!(!matches!(item, Item::Unreadable(_)), "{item:?}");
        table.plant(item);
    }
    let told = |table: &MemoryTable| {
        let items = table.items().into_iter();
        items
            .filter(|item| matches!(item, Item::ReferralStatus(_) | Item::Commission(_)))
            .count()
    };
    let before = told(&table);
    for _ in 0..2 {
        let audited = walk(&table, 9, at(2)).await.unwrap();
        assert_eq!(audited.passed_over.count, 0, "{:?}", audited.passed_over);
    }
    assert_eq!(told(&table), before, "nothing is told or owed again");
    let parked = table.items().into_iter().filter_map(|item| match item {
        Item::Parked(reference, _) => Some(reference.to_string()),
        _ => None,
    });
    assert_eq!(parked.collect::<Vec<_>>(), ["code/spring"]);
    let given = grant(&table, &partner, &code, at(2)).await;
    assert_eq!(given, Ok(GrantOutcome::AlreadyGranted));
    // Whoever paid before pays again, and another shows the code.
    ingest(&table, paid(1, 10)).await;
    shows_and_pays(&table, 2).await;
    let rows = ledger(&table, &acme()).await.unwrap();
    let mut earned: Vec<(String, i64)> = rows
        .iter()
        .map(|row| (row.payment.to_string(), row.amount.minor))
        .collect();
    earned.sort();
    let due = |id: &str| (id.to_owned(), 200);
    assert_eq!(earned, [due("pi_1"), due("pi_10"), due("pi_2")]);
}

async fn shows_and_pays(table: &MemoryTable, n: usize) {
    let code = ReferralCode::parse("Spring").unwrap();
    let reference = Reference::from(&code);
    let shown = Fact::ReferralCode { code };
    let shown = event_of(n, format!("stripe/test/evt_shown_{n}"), at(0), vec![shown]);
    ingest(table, naming(shown, &[&reference])).await;
    ingest(table, paid(n, n)).await;
}
