//! The one harness of all tests: the whole local stack, or the real functions in this process over
//! a table in memory, and what stands around them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test's own machinery: a panic here is a failed test, which is what it is for"
)]

pub mod clock;
pub mod stack;
pub mod in_process;
pub mod functions;
pub mod queues;
pub mod scripted_api;
pub mod notices;
pub mod shop_actions;
pub mod partner_requests;
pub mod partner_endpoint;
pub mod shop_requests;
pub mod entries;
pub mod requests;
pub mod notice_receiver;
pub mod counting_proxy;
pub mod aws_recorder;
pub mod logs;

pub use clock::start_time;
pub use in_process::InProcess;
pub use stack::LocalStack;

use domain::catalog::Catalog;
use domain::ids::{CustomerKey, PartnerId};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::Program;
use jiff::Timestamp;
use local_shop::samples::CATALOG;
use local_shop::shop::Shop;
use serde_json::Value;
use std::convert::Infallible;
use store::Table;
use store::partners::{DatedProgram, change};

/// A shop and its functions on a platform: opened by [`TestHarness::local_stack`] or
/// [`TestHarness::in_process`], whose options say what differs.
pub struct TestHarness<P: Platform = LocalStack> {
    /// Whose functions these are.
    pub shop: Shop,
    /// The table as a reader beside the functions has it: nothing fails here, nothing is counted.
    pub table: P::Table,
    platform: P,
}

/// Where functions run.
pub trait Platform {
    /// The table they share.
    type Table: Table;

    /// The time by their clock.
    fn now(&self) -> Timestamp;
}

impl<P: Platform> TestHarness<P> {
    /// The time by the functions' clock.
    pub fn now(&self) -> Timestamp {
        self.platform.now()
    }

    /// Adds a partner without a program.
    pub async fn add_partner(&self, name: &str) {
        let partner = PartnerId::parse(name).unwrap();
        store::partners::add(&self.table, &partner).await.unwrap();
    }

    /// Sets a partner's program from a moment on, and what identifies the partner itself.
    pub async fn agree_program(
        &self,
        partner: &str,
        since: Timestamp,
        program: Program,
        own: PartnerIdentity,
    ) {
        let partner = PartnerId::parse(partner).unwrap();
        let changed = change(&self.table, &partner, |row| {
            let program = program.clone();
            row.programs
                .push(DatedProgram::new(since, program.into(), 0));
            row.identity = own.clone();
            Ok::<(), Infallible>(())
        });
        assert!(changed.await.unwrap().is_some());
    }

    /// Has a partner's notices sent to this address from now on.
    pub async fn set_endpoint(&self, partner: &str, url: &str) {
        let partner = PartnerId::parse(partner).unwrap();
        let set = store::notice_endpoints::set(&self.table, &partner, url, self.now());
        assert!(set.await.unwrap().is_some());
    }

    /// The whole view of a customer, but for the moments of our own clock.
    pub async fn view(&self, customer: &str) -> Value {
        let customer = CustomerKey::parse(customer).unwrap();
        let view = orangery::customer::view(&self.table, &customer, &self.shop.catalog).await;
        let mut value = serde_json::to_value(view.unwrap()).unwrap();
        remove_clock_times(&mut value);
        value
    }
}

/// A shop with the sample catalog.
pub fn shop() -> Shop {
    Shop {
        catalog: Catalog::parse(CATALOG).unwrap(),
        ..Shop::default()
    }
}

/// Takes out when letters became due: that is by our clock, which ticks while a test runs.
pub fn remove_clock_times(view: &mut Value) {
    for letter in view["letters"].as_array_mut().unwrap() {
        letter["due_at"] = "(our clock)".into();
    }
}
