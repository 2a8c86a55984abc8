//! Events of made-up customers, and how they are delivered.

use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId, Reference};
use domain::money::{Currency, Money, StatedAmount};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::referral::AttributionTerms;
use domain::partner::referral::ReferralSnapshot;
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, RefundSnapshot, RefundState, SourceKind,
};
use domain::person::Profile;
use domain::record::{Entry, Record};
use domain::subscription::terms::{
    Period, SubscriptionSnapshot, SubscriptionStatus, SubscriptionTerms,
};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use store::Table;
use store::folding::read_record;
use store::ingest::ingest_entries;
use store::items::JournalEntry;
use store::memory::{MemoryTable, image_of_item, item_of_image};
use store::{Item, Key};

/// One delivery of an event, with a receipt of its own.
pub(crate) async fn ingest(table: &impl Table, event: NormalizedEvent) {
    static DELIVERIES: AtomicU32 = AtomicU32::new(0);
    let (now, raw) = (at(1), event.id.as_str().as_bytes().into());
    let receipt = DELIVERIES.fetch_add(1, Relaxed).to_string();
    let entry = Arc::new(Entry::new(event, raw, 1, now, receipt.into()));
    ingest_entries(table, &[entry], now).await.unwrap();
}

pub(crate) fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
}

pub(crate) fn customer(n: usize) -> CustomerKey {
    CustomerKey::parse(format!("stripe/test/cus_{n}")).unwrap()
}

pub(crate) fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + 3_600 * hour).unwrap()
}

pub(crate) fn event_of(
    customer_n: usize,
    id: String,
    at: Timestamp,
    facts: Vec<Fact>,
) -> NormalizedEvent {
    NormalizedEvent {
        id: EventId::parse(id).unwrap(),
        kind: "made.up".into(),
        occurred_at: at,
        rank: 1,
        about: About::Customer(customer(customer_n)),
        facts,
        references: Vec::<Reference>::new(),
    }
}

/// A partner sent a customer.
pub(crate) fn report(n: usize) -> NormalizedEvent {
    let referral: Arc<str> = format!("r-{n}").into();
    let seen = ReferralSnapshot {
        partner: acme(),
        referral: referral.clone(),
        referred_at: at(0),
        reported_at: Some(at(0)),
        names: Vec::new(),
        sub_ids: Default::default(),
    };
    let pinned = AttributionTerms {
        partner: acme(),
        referral,
        reported_at: at(0),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let facts = vec![
        Fact::Referral(seen),
        Fact::AttributionTerms(Box::new(pinned)),
    ];
    event_of(n, format!("partner/acme/{n}"), at(0), facts)
}

/// The n-th payment there is, by this customer: 1,000 each, a second apart.
pub(crate) fn paid(customer: usize, n: usize) -> NormalizedEvent {
    let paid_at = Timestamp::from_second(at(0).as_second() + 1 + n as i64).unwrap();
    let seen = PaymentSnapshot {
        ids: vec![ObjectId::parse(format!("pi_{n}")).unwrap()],
        source_kind: SourceKind::Intent,
        paid: Money {
            minor: 1_000,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        tax_minor: None,
        paid_at,
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    };
    let id = format!("stripe/test/evt_{n}");
    event_of(customer, id, paid_at, vec![Fact::Payment(seen)])
}

pub(crate) fn disputed(customer: usize, n: usize, state: DisputeState) -> NormalizedEvent {
    let id = format!("stripe/test/evt_dp_{n}_{state:?}");
    let seen = DisputeSnapshot {
        id: ObjectId::parse(format!("dp_{n}")).unwrap(),
        payment: vec![ObjectId::parse(format!("pi_{n}")).unwrap()],
        amount: StatedAmount::in_currency_of_payment(1_000),
        state,
    };
    let when = at(2 + i64::from(state != DisputeState::Open));
    event_of(customer, id, when, vec![Fact::Dispute(seen)])
}

pub(crate) fn refunded(customer: usize, n: usize, minor: i64) -> NormalizedEvent {
    let seen = RefundSnapshot {
        id: ObjectId::parse(format!("re_{n}")).unwrap(),
        payment: vec![ObjectId::parse(format!("pi_{n}")).unwrap()],
        amount: StatedAmount::in_currency_of_payment(minor),
        tax_minor: None,
        state: RefundState::Succeeded,
        created_at: at(1),
    };
    let id = format!("stripe/test/evt_re_{n}");
    event_of(customer, id, at(1), vec![Fact::Refund(seen)])
}

/// 20 % for a year, held for 30 days.
pub(crate) fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        duration: CommissionDuration::Months(12),
        hold_days: 30,
        window_days: 60,
        attribution_model: AttributionModel::First,
    }
}

/// An entry as an endpoint makes it.
pub(crate) fn entry(event: NormalizedEvent, receipt: &str) -> Arc<Entry> {
    let raw = event.id.as_str().as_bytes().into();
    Arc::new(Entry::new(event, raw, 1, at(1), receipt.into()))
}

/// An event about a customer that says nothing, n hours after the first.
pub(crate) fn empty(customer: usize, n: i64) -> NormalizedEvent {
    event_of(
        customer,
        format!("stripe/test/evt_empty_{n}"),
        at(n),
        vec![],
    )
}

/// The same event, naming these besides its customer.
pub(crate) fn naming(event: NormalizedEvent, references: &[&Reference]) -> NormalizedEvent {
    NormalizedEvent {
        references: references.iter().map(|r| (*r).clone()).collect(),
        ..event
    }
}

/// The same event, about whoever these lead to.
pub(crate) fn about(event: NormalizedEvent, references: &[&Reference]) -> NormalizedEvent {
    NormalizedEvent {
        about: About::ByReference(references.iter().map(|r| (*r).clone()).collect()),
        ..event
    }
}

/// An object of the provider's.
pub(crate) fn object(id: &str) -> Reference {
    Reference::parse(format!("stripe/test/{id}")).unwrap()
}

/// A customer with an address and a subscription that runs: a welcome is due.
pub(crate) fn subscribed(n: usize) -> NormalizedEvent {
    let id = format!("stripe/test/evt_sub_{n}");
    let facts = vec![
        profile(n),
        subscription(n, SubscriptionStatus::Active, None),
    ];
    event_of(n, id, at(0), facts)
}

/// A customer in a trial that ends in thirty days.
pub(crate) fn on_trial(n: usize) -> NormalizedEvent {
    let id = format!("stripe/test/evt_sub_{n}");
    let trial = Some(Period {
        start: at(0),
        end: at(30 * 24),
    });
    let facts = vec![
        profile(n),
        subscription(n, SubscriptionStatus::Trialing, trial),
    ];
    event_of(n, id, at(0), facts)
}

/// The subscription of a customer has ended.
pub(crate) fn ended(n: usize) -> NormalizedEvent {
    let id = format!("stripe/test/evt_ended_{n}");
    let facts = vec![subscription(n, SubscriptionStatus::Canceled, None)];
    event_of(n, id, at(1), facts)
}

fn profile(n: usize) -> Fact {
    Fact::Profile(Profile {
        email: Some(format!("ann+{n}@example.com").into()),
        ..Profile::default()
    })
}

fn subscription(n: usize, status: SubscriptionStatus, trial: Option<Period>) -> Fact {
    Fact::Subscription(Box::new(SubscriptionSnapshot {
        id: ObjectId::parse(format!("sub_{n}")).unwrap(),
        started_at: at(0),
        currency: None,
        terms: SubscriptionTerms {
            status,
            items: vec![],
            period: None,
            trial,
            trial_fallback: None,
            cancel_at: None,
            cancel_at_period_end: false,
            items_partial: false,
            pause: None,
        },
        canceled_at: None,
        end_requested: false,
        end_reason: None,
        ended_at: (status == SubscriptionStatus::Canceled).then(|| at(1)),
        previous_attributes: None,
    }))
}

/// The record of a customer.
pub(crate) async fn record(table: &MemoryTable, n: usize) -> Arc<Record> {
    let record = read_record(table, &customer(n)).await.unwrap();
    record.expect("a record")
}

/// Runs a future that never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// What stands under a key, as DynamoDB's JSON.
pub(crate) fn image(table: &MemoryTable, key: &Key) -> Value {
    let state = table.state();
    let image = image_of_item(state.peek(key).expect("an item")).unwrap();
    serde_json::from_str(&image).unwrap()
}

/// Changes what stands under a key as another version would have written it.
pub(crate) fn reshape(table: &MemoryTable, key: &Key, change: impl FnOnce(&mut Value)) {
    table.plant(reshaped(image(table, key), change));
}

/// Puts an entry as another version would have written it.
pub(crate) fn plant_entry(
    table: &MemoryTable,
    event: NormalizedEvent,
    change: impl FnOnce(&mut Value),
) {
    let About::Customer(customer) = event.about.clone() else {
        panic!("an event of a customer")
    };
    let row = JournalEntry {
        customer,
        entry: entry(event, "other"),
    };
    let image = image_of_item(&row.into()).unwrap();
    table.plant(reshaped(serde_json::from_str(&image).unwrap(), change));
}

fn reshaped(mut image: Value, change: impl FnOnce(&mut Value)) -> Item {
    change(&mut image);
    item_of_image(&image.to_string()).unwrap()
}
