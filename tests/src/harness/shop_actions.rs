//! A shop with partners: what its customers do is reported as Stripe and the partners report it,
//! signed, at their endpoints.

use super::TestHarness;
use domain::ids::PartnerId;
use domain::partner::identity::PartnerIdentity;
use domain::partner::ledger::CommissionRow;
use domain::partner::payout::{Payout, PayoutRequest};
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::statement::Statement;
use domain::record::Entry;
use jiff::civil::date;
use jiff::{Timestamp, tz::TimeZone};
use local_shop::delivery::Delivery;
use local_shop::statement::read_statement;
use local_shop::story::Story;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::partners::ledger;
use store::payouts::{read_ledger_snapshot, run};
use store::{Item, Table};

/// What happens on a day.
#[derive(Clone, Copy)]
pub enum ShopAction {
    /// A partner reports the customer.
    Reported,
    /// So much is paid, as the n-th payment.
    Paid(u8, i64),
    /// So much of a payment has gone back in all.
    Refunded(u8, i64),
    /// So much of a payment is disputed.
    Disputed(u8, i64),
    /// So much of a payment was disputed, and the dispute is won.
    DisputeWon(u8, i64),
    /// The partner is paid out.
    PaidOut,
    /// Nothing.
    Nothing,
}

impl TestHarness {
    /// The local stack with these partners and their programs.
    pub async fn with_partners(partners: &[(&str, Program, PartnerIdentity)]) -> Self {
        let shop = Self::open().await;
        for (partner, program, own) in partners {
            shop.add_partner(partner).await;
            let since = at(1, 1, 0);
            shop.agree_program(partner, since, program.clone(), own.clone())
                .await;
        }
        shop
    }

    /// Moves the clock to a moment.
    pub async fn advance_to(&self, moment: Timestamp) {
        self.advance(moment.duration_since(self.now())).await;
    }

    /// What the partner's statement says now.
    pub async fn statement(&self, partner: &str) -> Statement {
        let (table, now) = (&self.table, self.now());
        read_statement(table, &PartnerId::parse(partner).unwrap(), now)
            .await
            .unwrap()
    }

    /// All that is reported of it, at the endpoint it is reported at.
    pub async fn perform(&self, customer: &str, happens: ShopAction) {
        match happens {
            ShopAction::Reported => self.report("acme", customer).await,
            ShopAction::Paid(n, minor) => self.pay(customer, n, minor).await,
            ShopAction::Refunded(n, minor) => {
                let refund = format!("\"data.object.amount\" = {minor}");
                self.deliver_sample(customer, n, "refund.created", &refund)
                    .await;
                let so_far = format!("\"data.object.amount_refunded\" = {minor}");
                self.deliver_sample(customer, n, "charge.refunded", &so_far)
                    .await;
                self.deliver_sample(customer, n, "refund.updated", &refund)
                    .await;
            }
            ShopAction::Disputed(n, minor) => {
                let dispute = format!("\"data.object.amount\" = {minor}");
                self.deliver_sample(customer, n, "charge.dispute.created", &dispute)
                    .await;
            }
            ShopAction::DisputeWon(n, minor) => {
                let won =
                    format!("\"data.object.amount\" = {minor}, \"data.object.status\" = \"won\"");
                self.deliver_sample(customer, n, "charge.dispute.closed", &won)
                    .await;
            }
            ShopAction::PaidOut => {
                // Twice: the second finds the first one's payout.
                self.pay_out().await;
                self.pay_out().await;
            }
            ShopAction::Nothing => {}
        }
    }

    /// A paid invoice: by its intent, its charge, what says that these are one, and itself.
    async fn pay(&self, customer: &str, n: u8, minor: i64) {
        if n == 1 {
            self.deliver_sample(customer, n, "customer.created", "")
                .await;
            self.deliver_sample(customer, n, "customer.subscription.created", "")
                .await;
        }
        let shop_id = format!("\"data.object.metadata.customer_id\" = \"shop-{customer}\"");
        let received = format!("\"data.object.amount_received\" = {minor}, {shop_id}");
        self.deliver_sample(customer, n, "payment_intent.succeeded", &received)
            .await;
        let captured = format!("\"data.object.amount_captured\" = {minor}");
        self.deliver_sample(customer, n, "charge.succeeded", &captured)
            .await;
        self.deliver_sample(customer, n, "invoice_payment.paid", "")
            .await;
        let paid = format!(
            "\"data.object.amount_paid\" = {minor}, \"data.object.amount_due\" = {minor}, \
             \"data.object.total\" = {minor}, \"data.object.total_excluding_tax\" = {minor}, \
             \"data.object.total_taxes\" = [], \
             \"data.object.status_transitions.paid_at\" = \"@+0s\""
        );
        self.deliver_sample(customer, n, "invoice.paid", &paid)
            .await;
    }

    async fn pay_out(&self) {
        let (table, now) = (&self.table, self.now());
        let order = PayoutRequest {
            date: now.to_zoned(TimeZone::UTC).date(),
            minimums: Vec::new(),
        };
        run(table, &PartnerId::parse("acme").unwrap(), &order, now)
            .await
            .unwrap();
    }

    /// The payouts of the partner `acme`.
    pub async fn payouts(&self) -> Vec<Payout> {
        let books = read_ledger_snapshot(&self.table, &PartnerId::parse("acme").unwrap()).await;
        books.unwrap().payouts
    }

    /// A partner reports a customer.
    pub async fn report(&self, partner: &str, customer: &str) {
        let set = format!(
            "\"data.customer\" = {{ id = \"shop-{customer}\" }}, \"data.occurred_at\" = \"@@-1h\""
        );
        let event = format!("sample = \"referral.created\"\npartner = \"{partner}\"");
        self.deliver_one(customer, 0, &event, &set).await;
    }

    /// One sample of Stripe's, about the n-th payment of a customer.
    pub async fn deliver_sample(&self, customer: &str, n: u8, sample: &str, set: &str) {
        let set = format!("\"created\" = \"@+0s\", \"data.object.created\" = \"@+0s\", {set}");
        let event = format!("sample = \"{sample}\"");
        let set = set.trim_end().trim_end_matches(',');
        self.deliver_one(customer, n, &event, set).await;
    }

    /// One event of the n-th payment of a customer.
    async fn deliver_one(&self, customer: &str, n: u8, event: &str, set: &str) {
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
            "title = \"t\"\nbegins = \"0s\"\n\n[[events]]\n{event}\n\
             rename = {{ {} }}\nset = {{ {set} }}\n",
            renames.join(", ")
        );
        let story = Story::parse(&text).unwrap();
        // As of the full hour: what is reported together happened at one moment.
        let now = self.now().as_second();
        let hour = Timestamp::from_second(now - now.rem_euclid(3_600)).unwrap();
        let deliveries: Vec<Delivery> = story.deliveries(&self.signers(), hour).unwrap();
        self.send_all(&deliveries).await;
        self.settle().await;
    }

    /// A partner's rows, as they were decided.
    pub async fn rows(&self, partner: &str) -> Vec<CommissionRow> {
        let mut rows = ledger(&self.table, &PartnerId::parse(partner).unwrap())
            .await
            .unwrap();
        rows.sort_by_key(|row| (row.at, row.n));
        rows
    }

    /// What the endpoints journaled, each event once.
    pub async fn entries(&self) -> Vec<Arc<Entry>> {
        let table = &self.table;
        let (mut entries, mut known, mut after) = (Vec::new(), BTreeSet::new(), None);
        loop {
            let page = table.scan(after, 100).await.unwrap();
            for item in page.items {
                if let Item::Entry(_, entry) | Item::Parked(_, entry) = item
                    && known.insert(entry.event.id.clone())
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

/// Model 4's program: 20 %, 12 months, hold 30 days, window 60 days.
pub fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        duration: CommissionDuration::Months(12),
        hold_days: 30,
        window_days: 60,
        attribution_model: AttributionModel::First,
    }
}

/// An hour of a day of 2026.
pub fn at(month: i8, day: i8, hour: i8) -> Timestamp {
    let moment = date(2026, month, day).at(hour, 0, 0, 0);
    moment.to_zoned(TimeZone::UTC).unwrap().timestamp()
}
