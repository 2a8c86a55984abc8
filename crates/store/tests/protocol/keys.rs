//! Keys and partitions: each id comes out as it went in, and text that is no id does not.

use crate::support::{acme, customer, object};
use domain::ids::{CustomerKey, EventId, PartnerId, Reference};
use store::due_scan::{DUE_SHARDS, due_shard};
use store::items::{
    Key, customer_of, customer_partition, ledger_partition, partner_of, reference_of,
    reference_partition,
};

#[test]
fn a_partition_names_the_one_whose_it_is() {
    let customer = customer(1);
    assert_eq!(customer_of(&customer_partition(&customer)), Some(customer));
    assert_eq!(partner_of(&ledger_partition(&acme())), Some(acme()));
    for reference in [
        object("sub_1"),
        Reference::code("spring").unwrap(),
        Reference::shop("a/b#c").unwrap(),
    ] {
        let partition = reference_partition(&reference);
        assert_eq!(reference_of(&partition), Some(reference));
    }
}

#[test]
fn a_partition_of_one_kind_is_of_no_other() {
    let partitions = [
        customer_partition(&customer(1)),
        ledger_partition(&acme()),
        reference_partition(&object("sub_1")),
        "partners".to_owned(),
        "audit".to_owned(),
        String::new(),
    ];
    let kinds = partitions.map(|partition| {
        [
            customer_of(&partition).is_some(),
            partner_of(&partition).is_some(),
            reference_of(&partition).is_some(),
        ]
    });
    let none = [false; 3];
    assert_eq!(
        kinds[..3],
        [
            [true, false, false],
            [false, true, false],
            [false, false, true]
        ]
    );
    assert_eq!(kinds[3..], [none, none, none]);
}

#[test]
fn a_customers_partition_names_a_customer_only_if_its_text_can_be_one() {
    let too_long = "c".repeat(441);
    for text in ["", "stripe/test/cus\n1", too_long.as_str()] {
        assert_eq!(customer_of(&format!("customer#{text}")), None, "{text}");
    }
    for text in [
        "stripe/test/cus_1",
        "standard/live/a/b",
        "stripe/live/cus#1",
    ] {
        let expected = Some(CustomerKey::parse(text).unwrap());
        assert_eq!(customer_of(&format!("customer#{text}")), expected);
    }
}

#[test]
fn a_ledger_is_of_a_partner_whose_name_may_stand_in_an_address() {
    for text in ["", "Acme", "a/b", "a b", "é"] {
        assert_eq!(partner_of(&format!("ledger#{text}")), None, "{text}");
    }
    let expected = Some(PartnerId::parse("acme-2").unwrap());
    assert_eq!(partner_of("ledger#acme-2"), expected);
}

#[test]
fn a_references_partition_names_a_reference_only_if_its_text_can_be_one() {
    let too_long = "r".repeat(1_001);
    for text in ["", "code/a\tb", too_long.as_str()] {
        assert_eq!(reference_of(&format!("reference#{text}")), None, "{text}");
    }
}

#[test]
fn entries_of_one_journal_stand_under_keys_of_their_own() {
    let keys = ["a", "b"].map(|id| Key::entry(&customer(1), &EventId::parse(id).unwrap()));
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[0].partition, keys[1].partition);
    assert!(keys.iter().all(|key| key.sort.starts_with("journal#")));
    assert!(!Key::record(&customer(1)).sort.starts_with("journal#"));
}

#[test]
fn customers_are_spread_over_every_shard_and_stay_in_theirs() {
    let mut seen = [0_u32; DUE_SHARDS as usize];
    for n in 0..800 {
        let key = Key::record(&customer(n));
        assert_eq!(due_shard(&key), due_shard(&key));
        seen[due_shard(&key) as usize] += 1;
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}
