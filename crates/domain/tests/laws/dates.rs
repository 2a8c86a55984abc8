//! Events dated outside every sane time are kept, and order nothing.

use crate::scenarios::{at, id, new_event, subscription_fact, subscription_snapshot, terms};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::EventId;
use domain::record::Entry;
use domain::state::fold::fold;
use domain::subscription::terms::SubscriptionStatus::{Active, Canceled};
use jiff::{SignedDuration, Timestamp};

fn received(event: NormalizedEvent, received_at: Timestamp) -> NormalizedEvent {
    let raw = event.id.as_str().as_bytes().into();
    Entry::new(event, raw, 1, received_at, "receipt".into()).event
}

fn dated(at: Timestamp, mode: &str) -> NormalizedEvent {
    let active = subscription_snapshot("sub_1", terms(Active, "price_1"), None);
    NormalizedEvent {
        id: EventId::parse(format!("stripe/{mode}/evt_dated")).unwrap(),
        occurred_at: at,
        ..new_event("evt_dated", 0, 30, vec![subscription_fact(active)])
    }
}

#[test]
fn an_event_of_the_year_9999_freezes_nothing() {
    let far: Timestamp = "9999-12-01T00:00:00Z".parse().unwrap();
    for mode in ["live", "test"] {
        let kept = received(dated(far, mode), at(10));
        assert!(matches!(&kept.facts[..], [Fact::Unclear { .. }]));
        assert_eq!(kept.occurred_at, at(10));
        let ended = subscription_snapshot("sub_1", terms(Canceled, "price_1"), None);
        let ended = new_event("evt_ended", 20, 90, vec![subscription_fact(ended)]);
        let state = fold(&[kept, ended]);
        let subscription = &state.subscriptions[&id("sub_1")];
        assert_eq!(subscription.terms.status, Canceled);
        assert_eq!(state.unclear, 1);
    }
}

#[test]
fn what_a_clock_that_is_a_little_off_says_is_believed() {
    let hour = SignedDuration::from_hours(1);
    for (when, mode, believed) in [
        (at(10) + hour, "live", true),
        (at(10) + hour * 72, "live", false),
        // The clock of a provider's test mode may be put ahead.
        (at(10) + hour * 24 * 400, "test", true),
        ("2011-05-01T00:00:00Z".parse().unwrap(), "live", true),
        ("1970-01-01T00:00:00Z".parse().unwrap(), "live", false),
    ] {
        let kept = received(dated(when, mode), at(10));
        assert_eq!(!kept.is_unclear(), believed, "{when} {mode}");
        assert_eq!(kept.occurred_at == when, believed, "{when} {mode}");
    }
}
