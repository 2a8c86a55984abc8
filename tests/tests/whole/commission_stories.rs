//! Model 4 and the stories R2 to R7: Stripe's payloads and partners' reports, signed, through
//! the doors, into the ledger and its statement, day by day on the stack's clock. Then what the
//! doors made of it, in every order.

use crate::orders::{Dice, each_order};
use crate::support::house::{House, blocking};
use crate::support::memory::Memory;
use domain::ids::PartnerId;
use domain::ledger::{Ledger, Row};
use domain::payout::{Order, Payout};
use domain::program::{Claim, Own, Program, Reward, Span};
use domain::record::Entry;
use domain::statement::balances;
use jiff::civil::date;
use jiff::{Timestamp, tz::TimeZone};
use orangery::delivery::Delivery;
use orangery::story::Story;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::accept::receive;
use store::partners::ledger;
use store::payouts::{books, run};
use store::{Item, Table};

/// What happens on a day.
#[derive(Clone, Copy)]
enum Happens {
    Reported,
    /// So much is paid, as the n-th payment.
    Paid(u8, i64),
    /// So much of a payment has gone back in all.
    Refunded(u8, i64),
    Disputed(u8, i64),
    Won(u8, i64),
    PaidOut,
    Nothing,
}

/// Month and day, what happens, the rows it makes, then pending, released and paid that evening.
type Line = ((i8, i8), Happens, &'static [i64], (i64, i64, i64));

const MODEL_4: [Line; 12] = [
    ((3, 1), Happens::Reported, &[], (0, 0, 0)),
    ((3, 3), Happens::Paid(1, 1_000), &[200], (200, 0, 0)),
    ((3, 10), Happens::Paid(2, 1_400), &[280], (480, 0, 0)),
    ((3, 20), Happens::Refunded(2, 400), &[-80], (400, 0, 0)),
    ((4, 3), Happens::Paid(3, 3_000), &[600], (800, 200, 0)),
    ((4, 5), Happens::PaidOut, &[], (800, 0, 200)),
    (
        (4, 8),
        Happens::Refunded(1, 1_000),
        &[-200],
        (800, -200, 200),
    ),
    ((4, 9), Happens::Nothing, &[], (600, 0, 200)),
    ((5, 3), Happens::Nothing, &[], (0, 600, 200)),
    ((5, 5), Happens::PaidOut, &[], (0, 0, 800)),
    (
        (5, 20),
        Happens::Disputed(3, 3_000),
        &[-600],
        (0, -600, 800),
    ),
    ((5, 30), Happens::Won(3, 3_000), &[600], (0, 0, 800)),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_4_through_the_doors_is_its_table_row_by_row_and_in_every_order_its_sums() {
    let shop = Shop::open(&[("acme", program(), Own::default())]).await;
    let mut seen = 0;
    for ((month, day), happens, made, balance) in MODEL_4 {
        shop.wait_for(at(month, day, 9)).await;
        shop.send("c", happens).await;
        let rows = shop.rows("acme").await;
        let new: Vec<i64> = rows[seen..].iter().map(|row| row.amount.minor).collect();
        assert_eq!(new, made, "{month}-{day}");
        seen = rows.len();
        let evening = sums_of(&rows, &shop.payouts().await, at(month, day, 18));
        assert_eq!(evening, balance, "{month}-{day}");
    }
    let payouts = shop.payouts().await;
    assert_eq!(payouts.len(), 2, "each was run twice");
    assert_eq!(
        totals(&shop.rows("acme").await),
        [("pi_c_2", 200), ("pi_c_3", 600)]
    );
    let entries = shop.entries().await;
    blocking(move || every_order(&entries, &payouts)).await;
}

/// R2: what the doors journaled, told to an empty table in other orders.
fn every_order(entries: &[Arc<Entry>], payouts: &[Payout]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let told = |order: &[&Arc<Entry>]| {
        let rows = runtime.block_on(hear(order));
        let totals = totals(&rows).into_iter();
        let totals: Vec<_> = totals.map(|(id, sum)| (id.to_owned(), sum)).collect();
        (totals, sums_of(&rows, payouts, at(6, 1, 0)))
    };
    // Without the dispute's end, so that it is open when all is told.
    let kinds = [
        "referral.created",
        "payment_intent.succeeded",
        "charge.refunded",
    ];
    let few: Vec<&Arc<Entry>> = entries
        .iter()
        .filter(|entry| {
            let kind = &*entry.reading.kind;
            kinds.contains(&kind) || kind == "charge.dispute.created"
        })
        .collect();
    assert_eq!(few.len(), 7);
    let mut orders = 0;
    each_order(&mut vec![1; few.len()], &mut Vec::new(), &mut |order| {
        let order: Vec<_> = order.iter().map(|place| few[*place]).collect();
        let end = (vec![("pi_c_2".to_owned(), 200)], (0, -600, 800));
        assert_eq!(told(&order), end);
        orders += 1;
    });
    assert_eq!(orders, 5_040);
    let mut dice = Dice(7);
    for _ in 0..SAMPLES {
        let mut order: Vec<&Arc<Entry>> = entries.iter().collect();
        for _ in 0..dice.below(6) {
            order.push(&entries[dice.below(entries.len())]);
        }
        dice.shuffle(&mut order);
        let sums = [("pi_c_2".to_owned(), 200), ("pi_c_3".to_owned(), 600)];
        assert_eq!(told(&order), (sums.to_vec(), (0, 0, 800)));
    }
    println!(
        "model 4: {orders} orders of 7 of its events, {SAMPLES} of all {} with repetitions",
        entries.len()
    );
}

const SAMPLES: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_a_late_report_earns_on_what_was_paid_inside_the_window_alone() {
    let shop = Shop::open(&[("acme", program(), Own::default())]).await;
    shop.wait_for(at(3, 3, 9)).await;
    shop.send("in", Happens::Paid(1, 1_000)).await;
    shop.send("out", Happens::Paid(1, 1_000)).await;
    shop.wait_for(at(4, 20, 9)).await;
    shop.send("in", Happens::Reported).await;
    assert_eq!(totals(&shop.rows("acme").await), [("pi_in_1", 200)]);
    shop.wait_for(at(5, 3, 9)).await;
    shop.send("out", Happens::Reported).await;
    assert_eq!(totals(&shop.rows("acme").await), [("pi_in_1", 200)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r4_of_two_partners_the_first_signed_report_earns_or_the_last_click() {
    for (claim, winner, other) in [
        (Claim::First, "zest", "acme"),
        (Claim::Last, "acme", "zest"),
    ] {
        let program = Program { claim, ..program() };
        let own = Own::default;
        let shop = Shop::open(&[("acme", program.clone(), own()), ("zest", program, own())]).await;
        shop.wait_for(at(3, 2, 9)).await;
        shop.report("zest", "c").await;
        shop.wait_for(at(3, 4, 9)).await;
        shop.report("acme", "c").await;
        shop.wait_for(at(3, 5, 9)).await;
        shop.send("c", Happens::Paid(1, 1_000)).await;
        assert_eq!(
            totals(&shop.rows(winner).await),
            [("pi_c_1", 200)],
            "{claim:?}"
        );
        assert!(shop.rows(other).await.is_empty(), "{claim:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_who_looks_like_the_partner_is_held_with_the_reason_and_not_refused() {
    let mut own = Own::of("ow.ner@agrumes.fr");
    own.fingerprints.insert("CardOfTheOwner01".into());
    let shop = Shop::open(&[("acme", program(), own)]).await;
    shop.wait_for(at(3, 3, 9)).await;
    for (customer, email, card) in [
        ("mail", "owner+shop@agrumes.fr", "CardOfSomebody01"),
        ("firm", "berthe@agrumes.fr", "CardOfSomebody02"),
        ("card", "berthe@oranges.fr", "CardOfTheOwner01"),
        ("else", "anna@oranges.fr", "CardOfSomebody03"),
    ] {
        shop.send(customer, Happens::Reported).await;
        let email = format!("\"data.object.email\" = \"{email}\"");
        shop.tell(customer, 1, "customer.created", &email).await;
        let fingerprint = "data.object.payment_method_details.card.fingerprint";
        let paid = format!("\"{fingerprint}\" = \"{card}\"");
        shop.tell(customer, 1, "charge.succeeded", &paid).await;
    }
    let rows = shop.rows("acme").await;
    let lines = Ledger::recalled(&rows).lines;
    let mut held: Vec<(&str, &str, i64)> = Vec::new();
    for (account, line) in lines.iter().filter(|(_, line)| line.total() != 0) {
        let why = account
            .suspicion
            .map_or("due", domain::program::Suspicion::as_str);
        held.push((account.payment.as_str(), why, line.total()));
    }
    held.sort_unstable();
    let expected = [
        ("pi_card_1", "same_payment", 576),
        ("pi_else_1", "due", 576),
        ("pi_firm_1", "same_domain", 576),
        ("pi_mail_1", "same_email", 576),
    ];
    assert_eq!(held, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_a_lower_rate_touches_only_those_who_are_sent_after_it() {
    let shop = Shop::open(&[("acme", program(), Own::default())]).await;
    shop.send("old", Happens::Reported).await;
    shop.wait_for(at(3, 3, 9)).await;
    shop.send("old", Happens::Paid(1, 1_000)).await;
    shop.wait_for(at(5, 31, 9)).await;
    let lower = Program {
        reward: Reward::BasisPoints(1_500),
        ..program()
    };
    let house = &shop.0;
    house
        .agree("acme", at(6, 1, 0), lower, Own::default())
        .await;
    shop.wait_for(at(6, 3, 9)).await;
    shop.send("new", Happens::Reported).await;
    shop.send("new", Happens::Paid(1, 1_000)).await;
    // Also when the old one is reported again.
    shop.send("old", Happens::Reported).await;
    shop.send("old", Happens::Paid(2, 1_000)).await;
    let expected = [("pi_new_1", 150), ("pi_old_1", 200), ("pi_old_2", 200)];
    assert_eq!(totals(&shop.rows("acme").await), expected);
}

/// A house with partners.
struct Shop(House);

impl Shop {
    async fn open(partners: &[(&str, Program, Own)]) -> Self {
        let shop = Self(House::open().await);
        for (partner, program, own) in partners {
            shop.0.partner(partner).await;
            let since = at(1, 1, 0);
            shop.0
                .agree(partner, since, program.clone(), own.clone())
                .await;
        }
        shop
    }

    async fn wait_for(&self, moment: Timestamp) {
        self.0.advance(moment.duration_since(self.0.now())).await;
    }

    /// All that is told of it, at the door it is told at.
    async fn send(&self, customer: &str, happens: Happens) {
        match happens {
            Happens::Reported => self.report("acme", customer).await,
            Happens::Paid(n, minor) => self.pay(customer, n, minor).await,
            Happens::Refunded(n, minor) => {
                let refund = format!("\"data.object.amount\" = {minor}");
                self.tell(customer, n, "refund.created", &refund).await;
                let so_far = format!("\"data.object.amount_refunded\" = {minor}");
                self.tell(customer, n, "charge.refunded", &so_far).await;
                self.tell(customer, n, "refund.updated", &refund).await;
            }
            Happens::Disputed(n, minor) => {
                let dispute = format!("\"data.object.amount\" = {minor}");
                self.tell(customer, n, "charge.dispute.created", &dispute)
                    .await;
            }
            Happens::Won(n, minor) => {
                let won =
                    format!("\"data.object.amount\" = {minor}, \"data.object.status\" = \"won\"");
                self.tell(customer, n, "charge.dispute.closed", &won).await;
            }
            Happens::PaidOut => {
                // Twice: the second finds the first one's payout.
                self.pay_out().await;
                self.pay_out().await;
            }
            Happens::Nothing => {}
        }
    }

    /// A paid invoice: by its intent, its charge, what says that these are one, and itself.
    async fn pay(&self, customer: &str, n: u8, minor: i64) {
        if n == 1 {
            self.tell(customer, n, "customer.created", "").await;
            self.tell(customer, n, "customer.subscription.created", "")
                .await;
        }
        let shop_id = format!("\"data.object.metadata.customer_id\" = \"shop-{customer}\"");
        let received = format!("\"data.object.amount_received\" = {minor}, {shop_id}");
        self.tell(customer, n, "payment_intent.succeeded", &received)
            .await;
        let captured = format!("\"data.object.amount_captured\" = {minor}");
        self.tell(customer, n, "charge.succeeded", &captured).await;
        self.tell(customer, n, "invoice_payment.paid", "").await;
        let paid = format!(
            "\"data.object.amount_paid\" = {minor}, \"data.object.total_taxes\" = [], \
             \"data.object.status_transitions.paid_at\" = \"@+0s\""
        );
        self.tell(customer, n, "invoice.paid", &paid).await;
    }

    async fn pay_out(&self) {
        let (table, now) = (self.0.table(), self.0.now());
        let order = Order {
            date: now.to_zoned(TimeZone::UTC).date(),
            least: Vec::new(),
        };
        run(&table, &PartnerId::new("acme"), &order, now)
            .await
            .unwrap();
    }

    async fn payouts(&self) -> Vec<Payout> {
        let books = books(&self.0.table(), &PartnerId::new("acme")).await;
        books.unwrap().payouts
    }

    async fn report(&self, partner: &str, customer: &str) {
        let set = format!(
            "\"data.customer\" = {{ id = \"shop-{customer}\" }}, \"data.occurred_at\" = \"@@-1h\""
        );
        let told = format!("sample = \"referral.created\"\npartner = \"{partner}\"");
        self.deliver(customer, 0, &told, &set).await;
    }

    async fn tell(&self, customer: &str, n: u8, sample: &str, set: &str) {
        let set = format!("\"created\" = \"@+0s\", \"data.object.created\" = \"@+0s\", {set}");
        let told = format!("sample = \"{sample}\"");
        let set = set.trim_end().trim_end_matches(',');
        self.deliver(customer, n, &told, set).await;
    }

    /// One event of the n-th payment of a customer.
    async fn deliver(&self, customer: &str, n: u8, told: &str, set: &str) {
        let mut renames = vec![
            ("evt_Grove0".to_owned(), format!("evt_{customer}_{n}_")),
            ("sub_Grove01".to_owned(), format!("sub_{customer}")),
            ("Valencia01".to_owned(), customer.to_owned()),
            (
                "nell@example.com".to_owned(),
                format!("{customer}@example.com"),
            ),
            ("1207".to_owned(), customer.to_owned()),
            ("r-2207".to_owned(), format!("r-{customer}")),
        ];
        for object in ["in", "inpay", "pi", "ch", "re", "du"] {
            renames.push((
                format!("{object}_Grove01"),
                format!("{object}_{customer}_{n}"),
            ));
        }
        let renames: Vec<String> = renames
            .iter()
            .map(|(from, to)| format!("\"{from}\" = \"{to}\""))
            .collect();
        let text = format!(
            "title = \"t\"\nbegins = \"0s\"\n\n[[told]]\n{told}\nrename = {{ {} }}\nset = {{ {set} }}\n",
            renames.join(", ")
        );
        let story = Story::parse(&text).unwrap();
        // As of the full hour: what is told together happened at one moment.
        let now = self.0.now().as_second();
        let hour = Timestamp::from_second(now - now.rem_euclid(3_600)).unwrap();
        let deliveries: Vec<Delivery> = story.deliveries(&self.0.signers(), hour).unwrap();
        self.0.send_all(&deliveries).await;
        self.0.settle().await;
    }

    /// A partner's rows, as they were decided.
    async fn rows(&self, partner: &str) -> Vec<Row> {
        let mut rows = ledger(&self.0.table(), &PartnerId::new(partner))
            .await
            .unwrap();
        rows.sort_by_key(|row| (row.at, row.n));
        rows
    }

    /// What the doors journaled, each event once.
    async fn entries(&self) -> Vec<Arc<Entry>> {
        let table = self.0.table();
        let (mut entries, mut known, mut after) = (Vec::new(), BTreeSet::new(), None);
        loop {
            let page = table.scan(after, 100).await.unwrap();
            for item in page.items {
                if let Item::Entry(_, entry) | Item::Parked(_, entry) = item
                    && known.insert(entry.reading.id.clone())
                {
                    entries.push(entry);
                }
            }
            after = page.next;
            if after.is_none() {
                return entries;
            }
        }
    }
}

/// The rows of an empty table that hears these.
async fn hear(order: &[&Arc<Entry>]) -> Vec<Row> {
    let table = Memory::default();
    for entry in order {
        let one = std::slice::from_ref(*entry);
        receive(&table, one, at(3, 1, 0)).await.unwrap();
    }
    ledger(&table, &PartnerId::new("acme")).await.unwrap()
}

/// Model 4's program: 20 %, 12 months, hold 30 days, window 60 days.
fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        span: Span::Months(12),
        hold_days: 30,
        window_days: 60,
        claim: Claim::First,
    }
}

fn at(month: i8, day: i8, hour: i8) -> Timestamp {
    let moment = date(2026, month, day).at(hour, 0, 0, 0);
    moment.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// Pending, released and paid.
fn sums_of(rows: &[Row], payouts: &[Payout], now: Timestamp) -> (i64, i64, i64) {
    let balance = balances(rows, payouts, now).pop();
    balance.map_or((0, 0, 0), |sums| {
        (sums.pending_minor, sums.released_minor, sums.paid_minor)
    })
}

/// What the rows of each payment come to, where it is anything.
fn totals(rows: &[Row]) -> Vec<(&str, i64)> {
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows {
        *totals.entry(row.payment.as_str()).or_default() += row.amount.minor;
    }
    totals
        .into_iter()
        .filter(|(_, total)| *total != 0)
        .collect()
}
