//! S1 in every order and repetition: one record, one payment, one welcome.

use crate::stories::assert_one_of_each;
use crate::support::story_test::StoryTest;
use domain::record::Entry;
use local_shop::delivery::Delivery;
use local_shop::shop::Shop;
use local_shop::shop::signers;
use local_shop::story::Story;
use serde_json::Value;
use std::sync::Arc;
use std::time::Instant;
use tests::harness::entries::entry;
use tests::harness::{TestHarness, start_time};

/// The four events by which S1 is told.
const S1: [&str; 4] = [
    "checkout.session.completed-subscription",
    "customer.subscription.created",
    "invoice.paid",
    "customer.subscription.updated",
];

#[test]
fn every_order_and_repetition_of_s1_ends_in_one_record_one_payment_one_welcome() {
    let entries: Vec<_> = events()
        .into_iter()
        .filter(|(name, _)| S1.contains(&&**name))
        .collect();
    assert_eq!(entries.len(), S1.len());
    let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
    let mut counts = Vec::new();
    for doubled in 0..16_u32 {
        let times = |place: usize| 1 + ((doubled >> place) & 1);
        counts.push((0..S1.len()).map(times).collect::<Vec<_>>());
    }
    let (orders, delivered) = all_orders(&entries, &counts);
    println!("S1: {orders} orders of each event once or twice, {delivered} deliveries");
    assert_eq!(orders, 24 + 4 * 60 + 6 * 180 + 4 * 630 + 2520);
}

#[test]
fn every_order_of_all_who_tell_of_a_checkout_ends_in_the_same_record() {
    // Of the three that say the same of one invoice one stands for all.
    let entries: Vec<_> = events()
        .into_iter()
        .filter(|(name, _)| name != "invoice.payment_succeeded" && name != "charge.succeeded")
        .map(|(_, entry)| entry)
        .collect();
    let once = vec![vec![1; entries.len()]];
    let (orders, delivered) = all_orders(&entries, &once);
    println!(
        "a checkout: {orders} orders of {} events, {delivered} deliveries",
        entries.len()
    );
    assert_eq!(orders, 5040);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sampled_orders_through_http_sdk_and_engine_end_alike() {
    let harness = TestHarness::open().await;
    let mut dice = SplitMixRng(2026);
    let mut first: Option<Value> = None;
    let (mut orders, mut sent) = (0, 0);
    for number in 0..CUSTOMERS {
        let name = format!("olive{number:02}");
        let mut deliveries = renamed(&name)
            .deliveries(&harness.signers(), start_time())
            .unwrap();
        dice.shuffle(&mut deliveries);
        harness.send_all(&deliveries).await;
        (orders, sent) = (orders + 1, sent + deliveries.len());
    }
    harness.settle().await;
    for number in 0..CUSTOMERS {
        let name = format!("olive{number:02}");
        let view = harness.view(&format!("stripe/test/cus_{name}")).await;
        assert_one_of_each(&view);
        let mut view: Value =
            serde_json::from_str(&view.to_string().replace(&name, "olive")).unwrap();
        without_arrival(&mut view);
        let first = first.get_or_insert_with(|| view.clone());
        assert_eq!(&view, first, "{name}");
    }
    assert_eq!(harness.mails().len(), CUSTOMERS);
    println!("the whole stack: {orders} customers, each in an order of its own, {sent} requests");
}

/// Customers whose checkouts go through the whole stack.
const CUSTOMERS: usize = 12;

/// The checkout's story as another customer's.
fn renamed(name: &str) -> Story {
    let path = crate::support::expect::stories_folder().join("checkout.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let ids = format!("\"Grove0\" = \"{name}-\"");
    let text = text
        .replace("olive", name)
        .replace("\"Grove0\" = \"Olive0\"", &ids);
    let text = text.replace(&format!("customer = \"stripe/test/cus_{name}\"\n"), "");
    Story::parse(&text.replace("snapshot = \"before the money\"\n", "")).unwrap()
}

/// The events of a checkout, each once, as journal entries.
fn events() -> Vec<(String, Arc<Entry>)> {
    let signers = signers(&Shop::default()).unwrap();
    let mut deliveries: Vec<Delivery> = StoryTest::read("checkout").deliveries(&signers);
    deliveries.dedup_by(|a, b| a.body == b.body);
    assert_eq!(deliveries.len(), 9);
    deliveries
        .iter()
        .map(|delivered| (delivered.name.clone(), entry(delivered)))
        .collect()
}

/// Tells these in every order, each as often as each of the counts says, and compares all that
/// can be seen. Gives the orders and the deliveries.
fn all_orders(entries: &[Arc<Entry>], counts: &[Vec<u32>]) -> (usize, usize) {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut first: Option<Value> = None;
    let (mut orders, mut delivered) = (0, 0);
    for counts in counts {
        let mut left = counts.clone();
        let mut order = Vec::new();
        each_order(&mut left, &mut order, &mut |order| {
            let view = runtime.block_on(ingest_in_order(entries, order));
            let first = first.get_or_insert_with(|| {
                assert_one_of_each(&view);
                view.clone()
            });
            assert_eq!(&view, first, "told in the order {order:?}");
            (orders, delivered) = (orders + 1, delivered + order.len());
        });
    }
    println!("{orders} orders in {:.1} s", began.elapsed().as_secs_f32());
    (orders, delivered)
}

async fn ingest_in_order(entries: &[Arc<Entry>], order: &[usize]) -> Value {
    let harness = TestHarness::in_process().without_attributes().open();
    for place in order {
        harness.ingest(&entries[*place]).await;
    }
    harness.settle().await;
    assert_eq!(
        harness.mailer().sent_count(),
        1,
        "told in the order {order:?}"
    );
    let mut view = harness.view("stripe/test/cus_olive").await;
    without_arrival(&mut view);
    view
}

/// Every order of places, each as often as is left of it.
pub(crate) fn each_order(
    left: &mut Vec<u32>,
    order: &mut Vec<usize>,
    tell: &mut impl FnMut(&[usize]),
) {
    if left.iter().all(|left| *left == 0) {
        return tell(order);
    }
    for place in 0..left.len() {
        if left[place] > 0 {
            left[place] -= 1;
            order.push(place);
            each_order(left, order, tell);
            order.pop();
            left[place] += 1;
        }
    }
}

/// `applied` or `late` tells in which order events came, and that is what differs here.
fn without_arrival(view: &mut Value) {
    for event in view["events"].as_array_mut().unwrap() {
        let verdict = event["verdict"].as_str().unwrap();
        assert!(["applied", "out_of_order"].contains(&verdict), "{event}");
        event["verdict"] = "applied or late".into();
    }
}

/// SplitMix64: the same orders in every run.
pub(crate) struct SplitMixRng(pub(crate) u64);

impl SplitMixRng {
    pub(crate) fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next_number() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            let other = self.below(end + 1);
            list.swap(end, other);
        }
    }
}
