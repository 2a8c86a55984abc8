//! What each kind of meter makes of a set of events.

use crate::pages::event;
use domain::subscription::terms::Period;
use domain::usage::meter::{BadMeterValue, Meter, MeterKind};
use domain::usage::meter_event::MeterEvent;
use domain::usage::page::UsagePage;
use domain::usage::quantity::Quantity;
use jiff::Timestamp;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;

fn period() -> Period {
    let at = |hour| Timestamp::from_millisecond(hour * HOUR).unwrap();
    Period {
        start: at(10),
        end: at(20),
    }
}

fn page(meter: &Meter, events: &[MeterEvent]) -> UsagePage {
    let mut page = UsagePage::default();
    for event in events {
        page.insert(event.hash(), meter.entry(event).unwrap());
    }
    page
}

fn used(meter: &Meter, events: &[MeterEvent]) -> (String, u64) {
    let usage = meter
        .usage(&page(meter, events), period(), period().end)
        .unwrap();
    (usage.quantity.to_string(), usage.events)
}

/// At 9:30, 10:00, 12:00 (two at once), 19:59:59.999 and 20:00.
fn events() -> Vec<MeterEvent> {
    vec![
        event("before", 9 * HOUR + HOUR / 2, "4"),
        event("first", 10 * HOUR, "7"),
        event("twin b", 12 * HOUR, "2.5"),
        event("twin a", 12 * HOUR, "3"),
        event("last", 20 * HOUR - 1, "5"),
        event("after", 20 * HOUR, "100"),
    ]
}

#[test]
fn each_kind_counts_what_is_in_the_period() {
    for (kind, expected) in [
        (MeterKind::Count, "4"),
        (MeterKind::Sum, "17.5"),
        (MeterKind::Max, "7"),
        (MeterKind::Last, "5"),
        (MeterKind::Unique, "4"),
        // 7 for two hours, then 3, whose id has the higher hash, for 8 hours less a millisecond; 5
        // for a millisecond.
        (MeterKind::Weighted, "38.000000555556"),
        // From 4 to 7, again to 2.5, to 3, to 5.
        (MeterKind::Counter, "8"),
    ] {
        let counted = used(&Meter::of_kind(kind), &events());
        assert_eq!(counted, (expected.to_owned(), 4), "{kind:?}");
    }
}

#[test]
fn a_counter_that_begins_again_never_bills_less_than_nothing() {
    let counter = Meter::of_kind(MeterKind::Counter);
    let readings = [
        ("a", 11, "100"),
        ("b", 12, "130"),
        ("c", 13, "5"),
        ("d", 14, "9"),
    ];
    let events: Vec<MeterEvent> = readings
        .iter()
        .map(|(id, hour, reading)| event(id, hour * HOUR, reading))
        .collect();
    // The first reading is where it stood; 30 more, 5 after the restart, 4 more.
    assert_eq!(used(&counter, &events).0, "39");
    let with_one_before = [&[event("z", 9 * HOUR, "90")], &events[..]].concat();
    assert_eq!(used(&counter, &with_one_before).0, "49");
}

#[test]
fn a_level_lasts_until_the_next_and_is_counted_to_now() {
    let seats = Meter::of_kind(MeterKind::Weighted);
    let page = page(
        &seats,
        &[event("a", 5 * HOUR, "3"), event("b", 12 * HOUR, "4")],
    );
    let until = |hour: i64| {
        let until = Timestamp::from_millisecond(hour * HOUR).unwrap();
        seats.usage(&page, period(), until).unwrap().quantity
    };
    assert_eq!(until(10), Quantity::ZERO);
    assert_eq!(until(12), Quantity::whole(6));
    assert_eq!(until(15), Quantity::whole(18));
    assert_eq!(until(99), Quantity::whole(38));
}

#[test]
fn what_was_used_before_the_meter_began_is_not_counted() {
    let began = Meter {
        starts_at: Some(Timestamp::from_millisecond(12 * HOUR).unwrap()),
        ..Meter::of_kind(MeterKind::Sum)
    };
    assert_eq!(used(&began, &events()), ("10.5".to_owned(), 3));
}

#[test]
fn filters_and_properties_say_what_counts() {
    let with = |id: &str, region: &str, tokens: &str| MeterEvent {
        properties: [
            ("region".into(), region.into()),
            ("tokens".into(), tokens.into()),
        ]
        .into(),
        ..event(id, 11 * HOUR, "1")
    };
    let events = [
        with("a", "eu", "10"),
        with("b", "us", "20"),
        with("c", "eu", "10"),
    ];
    let eu = [("region".into(), ["eu".into()].into())];
    let tokens = Meter {
        value: Some("tokens".into()),
        ..Meter::of_kind(MeterKind::Sum)
    };
    assert_eq!(used(&tokens, &events), ("40".to_owned(), 3));
    let in_eu = Meter {
        filters: eu.into(),
        ..tokens.clone()
    };
    assert_eq!(used(&in_eu, &events), ("20".to_owned(), 2));
    let different = Meter {
        kind: MeterKind::Unique,
        ..tokens.clone()
    };
    assert_eq!(used(&different, &events), ("2".to_owned(), 3));
    let read = |meter: &Meter, text: &str| meter.entry(&with("d", "eu", text)).map(|_| ());
    assert_eq!(read(&tokens, "-1"), Err(BadMeterValue::Negative));
    assert_eq!(
        read(
            &Meter {
                negative: true,
                ..tokens.clone()
            },
            "-1"
        ),
        Ok(())
    );
    assert!(matches!(
        read(&tokens, "NaN"),
        Err(BadMeterValue::Unreadable(_))
    ));
    assert_eq!(read(&tokens, "999999999999999999.9"), Ok(()));
    assert_eq!(
        read(&tokens, "1000000000000000000"),
        Err(BadMeterValue::TooLarge)
    );
    assert_eq!(
        tokens.entry(&event("e", 0, "1")),
        Err(BadMeterValue::Missing)
    );
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_changes_what_any_meter_counts(
        (told, shuffled) in prop::collection::vec((0..9_u8, 8..22_i64, 0..5_u8), 0..30)
            .prop_flat_map(|told| {
                let again = [&told[..], &told[..told.len() / 2]].concat();
                (Just(told), Just(again).prop_shuffle())
            }),
    ) {
        let events = |told: &[(u8, i64, u8)]| -> Vec<MeterEvent> {
            let event = |(id, hour, n): &(u8, i64, u8)| {
                event(&format!("e{id}"), hour * HOUR, &n.to_string())
            };
            told.iter().map(event).collect()
        };
        for kind in [
            MeterKind::Count, MeterKind::Sum, MeterKind::Max, MeterKind::Last,
            MeterKind::Unique, MeterKind::Weighted, MeterKind::Counter,
        ] {
            let meter = Meter::of_kind(kind);
            let usage = used(&meter, &events(&told));
            prop_assert_eq!(&used(&meter, &events(&shuffled)), &usage);
            prop_assert!(!usage.0.starts_with('-'));
        }
    }
}
