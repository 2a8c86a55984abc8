//! Pages are sets: order, repetition and division make no difference.

use domain::ids::{MeterEventId, MeterName};
use domain::usage::meter_event::MeterEvent;
use domain::usage::page::{EntryStanding, PageEntry, UsagePage};
use domain::usage::page_place::PagePlace;
use domain::usage::quantity::Quantity;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) fn event(id: &str, millisecond: i64, quantity: &str) -> MeterEvent {
    MeterEvent {
        id: MeterEventId::parse(id).unwrap(),
        meter: MeterName::parse("requests").unwrap(),
        quantity: Some(quantity.parse().unwrap()),
        occurred_at: Timestamp::from_millisecond(millisecond).unwrap(),
        properties: [].into(),
    }
}

pub(crate) fn entry(event: &MeterEvent) -> PageEntry {
    PageEntry {
        millisecond: event.millisecond(),
        value: Some(event.amount()),
        content: event.content(),
    }
}

fn page_of(events: &[MeterEvent]) -> UsagePage {
    let mut page = UsagePage::default();
    for event in events {
        page.insert(event.hash(), entry(event));
    }
    page
}

fn total(page: &UsagePage) -> Option<Quantity> {
    Quantity::sum(page.counted().filter_map(|(_, entry)| entry.value))
}

#[test]
fn a_repetition_is_known_and_other_content_is_a_conflict_that_is_kept() {
    let mut page = UsagePage::default();
    let (first, other) = (event("a", 1000, "5"), event("a", 1000, "4.5"));
    let written_otherwise = event("a", 1000, "5.000");
    assert_eq!(page.insert(first.hash(), entry(&first)), EntryStanding::New);
    let again = page.insert(first.hash(), entry(&written_otherwise));
    assert_eq!(again, EntryStanding::Repeated);
    assert_eq!(total(&page), Some(Quantity::whole(5)));
    let conflicting = page.insert(other.hash(), entry(&other));
    assert_eq!(conflicting, EntryStanding::Conflicting);
    assert_eq!(
        (page.len(), page.all().count(), page.conflicts()),
        (1, 2, 1)
    );
    assert_eq!(
        total(&page),
        Some("4.5".parse().unwrap()),
        "the smaller one counts"
    );
    assert_eq!(
        page.insert(other.hash(), entry(&other)),
        EntryStanding::Repeated
    );
}

#[test]
fn an_event_told_later_under_the_same_id_counts_at_its_first_moment() {
    let (first, again) = (event("a", 1000, "5"), event("a", 2000, "5"));
    for order in [[&first, &again], [&again, &first]] {
        let page = page_of(&order.map(Clone::clone));
        let counted: Vec<i64> = page.counted().map(|(_, e)| e.millisecond).collect();
        assert_eq!((counted, page.conflicts()), (vec![1000], 1));
    }
}

#[test]
fn any_part_of_the_content_makes_it_another_one() {
    let base = event("a", 1_000, "5");
    let with = |name: &str, value: &str| MeterEvent {
        properties: [(name.into(), value.into())].into(),
        ..base.clone()
    };
    let contents = [
        base.content(),
        event("a", 1_001, "5").content(),
        event("a", 1_000, "6").content(),
        with("region", "eu").content(),
        with("region", "us").content(),
        with("regione", "u").content(),
        with("r", "egioneu").content(),
    ];
    assert_eq!(
        contents.iter().collect::<BTreeSet<_>>().len(),
        contents.len()
    );
    let finer = MeterEvent {
        occurred_at: Timestamp::from_microsecond(1_000_400).unwrap(),
        ..base.clone()
    };
    assert_eq!(finer.content(), base.content(), "finer than a millisecond");
}

#[test]
fn an_event_of_a_small_quantity_takes_24_bytes() {
    let events: Vec<MeterEvent> = (0..1000)
        .map(|n| event(&format!("evt-{n}"), 1_772_323_200_000 + n * 977, "17"))
        .collect();
    let bytes = page_of(&events).to_bytes().len();
    assert!((22_000..24_000).contains(&bytes), "{bytes}");
}

#[test]
fn bytes_that_are_no_page_are_refused() {
    let bytes = page_of(&[event("a", 1, "1"), event("b", 2, "-0.5")]).to_bytes();
    for end in 0..bytes.len() {
        assert!(
            UsagePage::from_bytes(&bytes[..end]).is_err(),
            "cut at {end}"
        );
    }
    assert!(UsagePage::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    assert!(UsagePage::from_bytes(&[2, 0, 0]).is_err());
    assert!(UsagePage::from_bytes(&[&[1][..], &[0xff; 40]].concat()).is_err());
}

#[test]
fn what_is_told_decides_in_which_pages_it_may_stand() {
    let one = event("a", 1_773_482_707_123, "1");
    let places: Vec<String> = (0..8)
        .map_while(|level| PagePlace::of(one.millisecond(), one.hash(), level))
        .map(|place| place.to_string())
        .collect();
    assert_eq!(
        places,
        [
            "2026-03",
            "2026-03-14",
            "2026-03-14T10",
            "2026-03-14T10:05",
            "2026-03-14T10:05:07",
            "2026-03-14T10:05:07#c",
            "2026-03-14T10:05:07#ca",
            "2026-03-14T10:05:07#ca9",
        ]
    );
    for place in &places {
        assert_eq!(PagePlace::parse(place).unwrap().as_str(), place);
        assert!(place.starts_with("2026-03"));
    }
    assert_eq!(PagePlace::of(0, one.hash(), 28).unwrap().as_str().len(), 44);
    assert_eq!(PagePlace::of(0, one.hash(), 29), None);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let months = PagePlace::months(at("2025-12-31T23:59:59Z"), at("2026-02-01T00:00:00Z"));
    assert_eq!(months, ["2025-12", "2026-01", "2026-02"]);
}

fn any_event() -> impl Strategy<Value = MeterEvent> {
    let quantity = prop_oneof![
        (-3_i64..9).prop_map(|n| n.to_string()),
        Just("0.25".to_owned())
    ];
    (0..12_u8, 0..3_i64, quantity)
        .prop_map(|(id, second, quantity)| event(&format!("e{id}"), second * 1000, &quantity))
}

fn any_entry() -> impl Strategy<Value = (MeterEvent, PageEntry)> {
    // Read by a meter that changed meanwhile: the same content, and another value.
    (any_event(), prop::option::of(0..2_u64)).prop_map(|(event, other)| {
        let value = other.map_or(Some(event.amount()), |n| {
            (n > 0).then_some(Quantity::whole(n))
        });
        let entry = PageEntry {
            value,
            ..entry(&event)
        };
        (event, entry)
    })
}

fn any_page() -> impl Strategy<Value = UsagePage> {
    prop::collection::vec(any_entry(), 0..20).prop_map(|entries| {
        let mut page = UsagePage::default();
        for (event, entry) in entries {
            page.insert(event.hash(), entry);
        }
        page
    })
}

fn merged(pages: &[&UsagePage]) -> UsagePage {
    let mut all = UsagePage::default();
    for page in pages {
        all.merge(page);
    }
    all
}

proptest! {
    #[test]
    fn merging_is_idempotent_commutative_and_associative(
        one in any_page(), other in any_page(), third in any_page(),
    ) {
        prop_assert_eq!(&merged(&[&one, &one]), &one);
        prop_assert_eq!(merged(&[&one, &other]), merged(&[&other, &one]));
        let left = merged(&[&merged(&[&one, &other]), &third]);
        let right = merged(&[&one, &merged(&[&other, &third])]);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn the_total_is_a_function_of_the_set(
        (events, shuffled) in prop::collection::vec(any_event(), 0..40).prop_flat_map(|events| {
            let again = [&events[..], &events[..events.len() / 2]].concat();
            (Just(events), Just(again).prop_shuffle())
        }),
        cut in 0..40_usize,
    ) {
        let all = page_of(&events);
        let cut = cut.min(shuffled.len());
        let parts = [page_of(&shuffled[..cut]), page_of(&shuffled[cut..])];
        let together = merged(&[&parts[0], &parts[1]]);
        prop_assert_eq!(&together, &all);
        prop_assert_eq!(together.to_bytes(), all.to_bytes());
        let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
        let expected = ids.into_iter().map(|id| {
            let of_id = events.iter().filter(|event| event.id.as_str() == id);
            of_id.map(|event| (event.millisecond(), event.amount())).min().unwrap().1
        });
        prop_assert_eq!(total(&together), Quantity::sum(expected));
    }

    #[test]
    fn a_page_is_read_as_it_was_written(page in any_page()) {
        prop_assert_eq!(UsagePage::from_bytes(&page.to_bytes()), Ok(page));
    }

    #[test]
    fn any_bytes_are_a_page_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = UsagePage::from_bytes(&bytes);
        let _ = UsagePage::from_bytes(&[&[1, 0, 2][..], &bytes].concat());
    }
}
