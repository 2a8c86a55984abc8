//! An event whose provider's API is silent waits, and ends as if it had answered: whoever asks
//! again, dies over it, or is told once more.

use crate::event_orders::SplitMixRng;
use calendar::DueScanSummary;
use domain::event::{About, Fact};
use domain::ids::{CustomerKey, Mode};
use domain::record::{Entry, Folded};
use jiff::SignedDuration;
use local_shop::delivery::{Delivery, Signer};
use local_shop::shop::local_secret;
use providers::{ApiResponses, Provider, ReceivedItem, provider};
use std::sync::Arc;
use store::audit::walk;
use store::folding::read_record;
use store::ingest::ingest_entries;
use store::memory::Crash;
use store::waiting::read_waiting;
use tests::harness::entries::{journal_entry, receive_recorded, unnormalized_entry};
use tests::harness::scripted_api::ApiMode;
use tests::harness::{InProcess, TestHarness, start_time};

/// One event of each whose API is asked for what its events mean.
const REFERENCE_ONLY_SAMPLES: [(&str, &str); 4] = [
    ("gocardless", "payments.confirmed"),
    ("gocardless", "subscriptions.created"),
    ("mollie", "sales-invoice.paid-simple"),
    ("paypal", "PAYMENT.SALE.COMPLETED"),
];

/// What may happen to one such event.
#[derive(Clone, Copy, Debug)]
enum WaitingStep {
    /// It is delivered while the API is silent.
    DeliveredWhileSilent,
    /// It is delivered while the API answers.
    Delivered,
    /// Calendar asks, and is answered.
    CompletionAnswered,
    /// Calendar asks, and nobody answers.
    CompletionUnanswered,
    /// Calendar asks, is answered, and dies.
    CompletionCrashed(Crash),
    /// The audit walks.
    Audited,
}

fn all_steps() -> Vec<WaitingStep> {
    let mut all = vec![
        WaitingStep::DeliveredWhileSilent,
        WaitingStep::Delivered,
        WaitingStep::CompletionAnswered,
        WaitingStep::CompletionUnanswered,
        WaitingStep::Audited,
    ];
    for after in 0..7 {
        all.extend([true, false].map(|lost| {
            WaitingStep::CompletionCrashed(Crash {
                after,
                answer_lost: lost,
            })
        }));
    }
    all
}

#[test]
fn whatever_happens_to_an_event_that_waits_its_record_is_as_if_the_api_had_answered() {
    let all = all_steps();
    let mut worlds = 0;
    for (name, sample) in REFERENCE_ONLY_SAMPLES {
        let thin = ReferenceOnlyEvent::new(name, sample);
        let expected = thin.record_after(&[WaitingStep::Delivered]);
        for second in &all {
            for third in &all {
                let lived = [WaitingStep::DeliveredWhileSilent, *second, *third];
                assert_eq!(
                    thin.record_after(&lived),
                    expected,
                    "{name} {sample}: {lived:?}"
                );
                worlds += 1;
            }
        }
        let mut dice = SplitMixRng(7);
        for _ in 0..SAMPLES {
            let mut lived = vec![WaitingStep::DeliveredWhileSilent];
            lived.extend((0..8).map(|_| all[dice.below(all.len())]));
            assert_eq!(
                thin.record_after(&lived),
                expected,
                "{name} {sample}: {lived:?}"
            );
            worlds += 1;
        }
    }
    println!("{worlds} worlds in which an event waited, was told again, or met a death");
}

const SAMPLES: usize = 200;

#[tokio::test]
async fn while_the_api_is_silent_it_stays_and_its_age_is_known() {
    let thin = ReferenceOnlyEvent::new("gocardless", "payments.confirmed");
    let harness = thin.harness();
    ingest(&harness, thin.provider, thin.silent.clone()).await;
    harness.advance(SignedDuration::from_hours(2));
    let looked = complete_waiting(&harness, ApiMode::Nothing).await;
    assert_eq!((looked.waiting, looked.waiting_age), (1, 2 * 60 * 60));
    assert_eq!(looked.completed, 0);
    let looked = complete_waiting(&harness, ApiMode::Known).await;
    assert_eq!((looked.completed, looked.waiting), (1, 0));
    let nothing = DueScanSummary {
        complete: true,
        ..DueScanSummary::default()
    };
    assert_eq!(complete_waiting(&harness, ApiMode::Known).await, nothing);
}

#[tokio::test]
async fn what_the_api_knows_no_more_is_quarantined_and_waits_no_longer() {
    // A sale stands for itself: agreements of old are no subscriptions that the API knows.
    for ((name, sample), quarantined) in REFERENCE_ONLY_SAMPLES.into_iter().zip([1, 1, 1, 0]) {
        let thin = ReferenceOnlyEvent::new(name, sample);
        let harness = thin.harness();
        ingest(&harness, thin.provider, thin.silent.clone()).await;
        let looked = complete_waiting(&harness, ApiMode::Unknown).await;
        assert_eq!((looked.completed, looked.waiting), (1, 0), "{name}");
        let report = walk(&harness.table, 10, start_time()).await.unwrap();
        assert_eq!(
            report.quarantined, quarantined,
            "{name} {sample}: {report:?}"
        );
    }
}

#[tokio::test]
async fn what_turns_out_not_to_concern_us_is_let_go() {
    let of_no_concern = "{\"id\":\"EV1\",\"created_at\":\"2026-02-28T00:00:00Z\",\
                         \"resource_type\":\"payouts\",\"action\":\"paid\"}";
    let provider = provider("gocardless").unwrap();
    let harness = harness(ApiResponses::closed());
    let account = provider.account(Mode::Test);
    let mut waits = unnormalized_entry(provider, of_no_concern.as_bytes());
    waits.event.about = About::ByReference(vec![account.waiting_reference()]);
    let what = "payment".into();
    waits.event.facts = vec![Fact::Waiting { what }];
    ingest_entries(&harness.table, &[Arc::new(waits)], start_time())
        .await
        .unwrap();
    let looked = complete_waiting(&harness, ApiMode::Nothing).await;
    assert_eq!((looked.completed, looked.waiting), (1, 0));
    assert!(waiting_entries(&harness, provider).await.is_empty());
    let changes = harness.table.changes(0);
    let written = changes
        .iter()
        .filter(|change| matches!(change.item, Ok(Some(_))));
    assert_eq!(written.count(), 1, "nothing else was written");
}

#[tokio::test]
async fn a_long_list_is_worked_off_whatever_is_never_answered_at_its_head() {
    let thin = ReferenceOnlyEvent::new("gocardless", "payments.confirmed");
    let options = TestHarness::in_process().without_attributes();
    let harness = options.whole_pages().api(thin.known.clone()).open();
    for number in 0..500 {
        let other = thin.renamed(&format!("EV{number:03}"), "PM000Grove01");
        ingest(
            &harness,
            thin.provider,
            receive_recorded(&other, &ApiResponses::closed()),
        )
        .await;
    }
    let looked = complete_waiting(&harness, ApiMode::Known).await;
    assert_eq!(looked.completed, 200, "five batches of forty");
    // These come first, and are about a payment of which the API never says anything.
    for number in 0..100 {
        let stuck = thin.renamed(&format!("EV-{number:03}"), "PM000Never01");
        ingest(
            &harness,
            thin.provider,
            receive_recorded(&stuck, &ApiResponses::closed()),
        )
        .await;
    }
    let mut runs = 1;
    let mut left = 500 - looked.completed;
    while left > 0 {
        left -= complete_waiting(&harness, ApiMode::Known).await.completed;
        runs += 1;
        assert!(runs < 20, "{left} left");
    }
    assert_eq!(waiting_entries(&harness, thin.provider).await.len(), 100);
    println!("500 events beside 100 that are never answered took {runs} runs");
}

/// One event, and what its provider's API knows of it.
struct ReferenceOnlyEvent {
    provider: &'static Provider,
    delivery: Delivery,
    known: ApiResponses,
    /// What it tells while its API is silent, and while it answers.
    silent: Vec<ReceivedItem>,
    complete: Vec<ReceivedItem>,
}

impl ReferenceOnlyEvent {
    fn new(name: &str, sample: &str) -> Self {
        let provider = provider(name).unwrap();
        let samples = provider.samples().iter();
        let (_, body) = samples
            .copied()
            .find(|(known, _)| *known == sample)
            .unwrap();
        let delivery = Delivery {
            name: sample.to_owned(),
            path: format!("/webhooks/{name}"),
            body: body.as_bytes().to_vec(),
            signer: Signer::provider(provider, &local_secret(name)).unwrap(),
        };
        let known = ApiResponses::recorded(provider.recorded_responses(sample)).unwrap();
        Self {
            provider,
            silent: receive_recorded(&delivery, &ApiResponses::closed()),
            complete: receive_recorded(&delivery, &known),
            delivery,
            known,
        }
    }

    fn harness(&self) -> TestHarness<InProcess> {
        harness(self.known.clone())
    }

    /// The same event under another id, of another payment.
    fn renamed(&self, id: &str, payment: &str) -> Delivery {
        let body = String::from_utf8(self.delivery.body.clone()).unwrap();
        let body = body.replace("EV000000001011", id);
        let body = body.replace("PM000Grove01", payment).into_bytes();
        Delivery {
            body,
            ..self.delivery.clone()
        }
    }

    /// What its customer's record says once all this has happened and the API answers at last.
    fn record_after(&self, lived: &[WaitingStep]) -> Folded {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut harness = self.harness();
            for happens in lived {
                apply(&mut harness, self, *happens).await;
            }
            complete_waiting(&harness, ApiMode::Known).await;
            assert!(
                waiting_entries(&harness, self.provider).await.is_empty(),
                "{lived:?}"
            );
            let record = read_record(&harness.table, &self.customer()).await.unwrap();
            let record = record.unwrap_or_else(|| panic!("{lived:?}: no record"));
            assert_eq!(record.folded.count, 1, "{lived:?}");
            record.folded.clone()
        })
    }

    fn customer(&self) -> CustomerKey {
        let entry = journal_entry(self.provider, self.complete[0].clone(), "r").unwrap();
        match &entry.event.about {
            About::Customer(customer) => customer.clone(),
            About::ByReference(references) => panic!("is behind {references:?}"),
        }
    }
}

/// The functions in this process, and the API that the calendar asks.
fn harness(known: ApiResponses) -> TestHarness<InProcess> {
    let options = TestHarness::in_process().without_attributes();
    options.api(known).open()
}

async fn apply(
    harness: &mut TestHarness<InProcess>,
    event: &ReferenceOnlyEvent,
    step: WaitingStep,
) {
    match step {
        WaitingStep::DeliveredWhileSilent => {
            ingest(harness, event.provider, event.silent.clone()).await;
        }
        WaitingStep::Delivered => ingest(harness, event.provider, event.complete.clone()).await,
        WaitingStep::CompletionAnswered => _ = complete_waiting(harness, ApiMode::Known).await,
        WaitingStep::CompletionUnanswered => _ = complete_waiting(harness, ApiMode::Nothing).await,
        WaitingStep::Audited => _ = walk(&harness.table, 10, start_time()).await.unwrap(),
        WaitingStep::CompletionCrashed(crash) => {
            harness.process_table().set_faults(crash.faults());
            let _ = harness.scan_with_api(ApiMode::Known).await;
            harness.process_table().clear_faults();
            harness.restart();
        }
    }
}

/// What an endpoint does, in a request of its own.
async fn ingest(
    harness: &TestHarness<InProcess>,
    provider: &Provider,
    received: Vec<ReceivedItem>,
) {
    let receipt = harness.table.changes(0).len().to_string();
    let entries = received.into_iter();
    let entries = entries.filter_map(|one| journal_entry(provider, one, &receipt));
    let entries: Vec<_> = entries.collect();
    ingest_entries(&harness.table, &entries, start_time())
        .await
        .unwrap();
}

async fn complete_waiting(harness: &TestHarness<InProcess>, mode: ApiMode) -> DueScanSummary {
    harness.scan_with_api(mode).await.unwrap()
}

async fn waiting_entries(harness: &TestHarness<InProcess>, provider: &Provider) -> Vec<Arc<Entry>> {
    let reference = provider.account(Mode::Test).waiting_reference();
    let batch = read_waiting(&harness.table, &reference, None, 1000).await;
    batch.unwrap().entries
}
