//! A long life told in parts says what folding it all again at each event says.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use crate::snapshots::snapshots;
use crate::timeline::{compare, effects, in_fold_order, new_letters, view_fields};
use domain::catalog::Catalog;
use domain::ids::{CustomerKey, Mode};
use domain::record::Entry;
use domain::state::CustomerState;
use domain::state::fold::fold_with_all_payments;
use domain::view::CustomerView;
use providers::{
    ApiResponses, EndpointConfig, FetchStep, Headers, InboundRequest, ItemOutcome, PersonKey,
    Request, Secret,
};
use std::sync::Arc;

/// Lives of one customer, one after the other: every sample there is, `at_once` of them told to
/// have happened in one second.
fn journal(lives: usize, at_once: usize) -> Vec<Arc<Entry>> {
    let provider = providers::provider("stripe").unwrap();
    let now = "2026-03-01T00:00:00Z".parse().unwrap();
    let keys = PersonKey::derive(&Secret::new("whsec_of_this_test_alone").unwrap()).unwrap();
    let secrets = provider.secrets([SECRET]).unwrap();
    let mut entries = Vec::new();
    let samples = provider.samples().iter();
    // Whom the provider deleted is written to no more.
    let samples: Vec<_> = samples
        .filter(|(name, _)| *name != "customer.deleted")
        .collect();
    for at in 0..lives * samples.len() {
        let (life, sample) = (at / samples.len(), at % samples.len());
        // Each life in an order of its own, the first begun by a subscription of nobody's yet.
        let first = samples
            .iter()
            .position(|(name, _)| name.starts_with("customer.subscription"));
        let (_, body) = samples[(first.unwrap() + sample * (2 * life + 1)) % samples.len()];
        let body = body.replace("Grove0", &format!("Grove{}x", life / 2));
        let mut value: serde_json::Value = serde_json::from_str(&body).unwrap();
        value["id"] = format!("evt_{at}").into();
        value["created"] = (1_767_225_600 + (at / at_once) * 600).into();
        let body = serde_json::to_vec(&value).unwrap();
        let signed = provider.sign(&body, &Secret::new(SECRET).unwrap(), now);
        let headers = Headers::new(signed.unwrap()).unwrap();
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body: &body,
        };
        let arrival = InboundRequest {
            request,
            endpoint: EndpointConfig::new(Mode::Test),
            secrets: &secrets,
            fetched: &ApiResponses::closed(),
            now,
        };
        let FetchStep::Done(all) = providers::receive(provider, &arrival, &keys).unwrap() else {
            panic!("nothing is asked");
        };
        for received in all {
            if let ItemOutcome::Event(reading) = received.outcome {
                let entry = Entry::new(reading, received.raw, 1, now, "test".into());
                entries.push(Arc::new(entry));
            }
        }
    }
    entries
}

#[test]
fn each_step_is_what_folding_everything_again_shows() {
    let catalog = Catalog::parse(local_shop::samples::CATALOG).unwrap();
    let customer = CustomerKey::parse("stripe/test/cus_Valencia01").unwrap();
    for at_once in [1, 2, 5] {
        let sorted = in_fold_order(&journal(3, at_once));
        let (moments, whole) = snapshots(&sorted);
        let readings = |upto: usize| sorted[..upto].iter().map(|entry| &entry.event);
        assert_eq!(whole, fold_with_all_payments(readings(sorted.len())));
        let shown = |state: &CustomerState| {
            view_fields(&CustomerView::new(&customer, state, &catalog, vec![], &[]))
        };
        let mut letters = 0;
        for part in [1, 7] {
            let begins = (0..sorted.len()).step_by(part);
            let steps = begins.flat_map(|begin| {
                let range = begin..(begin + part).min(sorted.len());
                effects(&customer, &sorted, &moments, range, &catalog)
            });
            let steps: Vec<_> = steps.collect();
            assert_eq!(steps.len(), sorted.len());
            let mut before = CustomerState::default();
            for (at, step) in steps.iter().enumerate() {
                let after = fold_with_all_payments(readings(at + 1));
                let changes = compare(&shown(&before), &shown(&after));
                assert_eq!(step.changes, changes, "{at} of {at_once} at once");
                let due = new_letters(&before, &after, &sorted[at]);
                assert_eq!(step.letters, due, "{at} of {at_once} at once");
                letters += due.len();
                before = after;
            }
        }
        assert!(
            letters > 4,
            "only {letters} letters: the lives are too dull"
        );
    }
}

const SECRET: &str = "whsec_of_this_test_alone";
