//! A running house: the local stack in this process, on ports of its own, and a sender at its
//! doors.

use super::counting_proxy::CountingProxy;
use super::logs;
use anyhow::Context;
use domain::catalog::Catalog;
use domain::ids::{CustomerKey, PartnerId};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::Program;
use jiff::{SignedDuration, Timestamp};
use local_cloud::mail::CapturedMail;
use local_cloud::{Stack, StackEndpoints, StackSettings, Wiring};
use local_shop::connection::dynamo_table;
use local_shop::delivery::{Delivery, DeliveryResponse, agent};
use local_shop::samples::CATALOG;
use local_shop::shop::Shop;
use local_shop::shop::signers;
use local_shop::story::Signers;
use orangery::customer::view;
use orangery::wiring::{wire, wire_with_table};
use serde_json::Value;
use std::convert::Infallible;
use store::dynamo::DynamoTable;
use store::partners::{DatedProgram, change};

/// The moment at which every house opens, and as of which stories are told.
pub fn start_time() -> Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

/// A shop with the sample catalog.
pub fn shop() -> Shop {
    Shop {
        catalog: Catalog::parse(CATALOG).unwrap(),
        ..Shop::default()
    }
}

/// A stack, its shop, and the functions behind its doors.
pub struct StackHarness {
    pub stack: Stack,
    pub shop: Shop,
    pub wiring: Wiring,
}

impl StackHarness {
    /// As `cargo run` wires it.
    pub async fn open() -> Self {
        Self::with_wiring(shop(), |endpoints, shop| wire(endpoints, shop).unwrap()).await
    }

    /// Wired otherwise.
    pub async fn with_wiring(
        shop: Shop,
        wiring: impl FnOnce(&StackEndpoints, &Shop) -> Wiring,
    ) -> Self {
        logs::capture();
        let settings = StackSettings {
            clock: Some(start_time()),
            ..StackSettings::default()
        };
        let mut kept = None;
        let stack = Stack::start(settings, |endpoints| {
            let wiring = wiring(endpoints, &shop);
            kept = Some(wiring.clone());
            wiring
        });
        let stack = stack.await.unwrap();
        let wiring = kept.unwrap();
        Self {
            stack,
            shop,
            wiring,
        }
    }

    /// A house whose doors reach the table through a wire that counts, and nobody else does.
    pub async fn with_proxy(shop: Shop) -> (Self, CountingProxy) {
        let mut kept = None;
        let house = Self::with_wiring(shop, |endpoints, shop| {
            let wire = CountingProxy::in_front_of(&endpoints.table_url);
            let mut through = endpoints.clone();
            through.table_url.clone_from(&wire.url);
            kept = Some(wire);
            let receivers = dynamo_table(&through).unwrap();
            wire_with_table(endpoints, shop, receivers, dynamo_table(endpoints).unwrap()).unwrap()
        });
        let house = house.await;
        (house, kept.unwrap())
    }

    pub fn signers(&self) -> Signers {
        signers(&self.shop).unwrap()
    }

    pub fn table(&self) -> DynamoTable {
        dynamo_table(self.stack.endpoints()).unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.stack.clock().now()
    }

    pub async fn add_partner(&self, name: &str) {
        let partner = PartnerId::parse(name).unwrap();
        store::partners::add(&self.table(), &partner).await.unwrap();
    }

    /// A partner's program from a moment on, and what the partner itself is known by.
    pub async fn agree_program(
        &self,
        partner: &str,
        since: Timestamp,
        program: Program,
        own: PartnerIdentity,
    ) {
        let (table, partner) = (self.table(), PartnerId::parse(partner).unwrap());
        let changed = change(&table, &partner, |row| {
            let program = program.clone();
            row.programs
                .push(DatedProgram::new(since, program.into(), 0));
            row.identity = own.clone();
            Ok::<(), Infallible>(())
        });
        assert!(changed.await.unwrap().is_some());
    }

    /// Delivers, signed just now.
    pub async fn send(&self, delivery: &Delivery) -> DeliveryResponse {
        let (delivery, now) = (delivery.clone(), self.now());
        let gateway = self.stack.gateway_url().to_owned();
        blocking(move || delivery.send(&gateway, now).unwrap()).await
    }

    /// Delivers all of them, each of which must be accepted.
    pub async fn send_all(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let answer = self.send(delivery).await;
            assert!(
                (200..300).contains(&answer.status),
                "{}: {answer:?}",
                delivery.name
            );
        }
    }

    /// Delivers bytes under these headers, whatever they are worth.
    pub async fn post(
        &self,
        method: &'static str,
        path: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> DeliveryResponse {
        let url = format!("{}{path}", self.stack.gateway_url());
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        blocking(move || call(method, &url, &headers, body).unwrap()).await
    }

    pub async fn settle(&self) {
        self.stack.settle().await.unwrap();
    }

    pub async fn advance(&self, by: SignedDuration) {
        self.stack.advance(by).await.unwrap();
    }

    pub fn mails(&self) -> Vec<CapturedMail> {
        self.stack.mailbox().mails().unwrap()
    }

    /// The whole view of a customer, but for the moments of our own clock.
    pub async fn view(&self, customer: &str) -> Value {
        let customer = CustomerKey::parse(customer).unwrap();
        let told = view(&self.table(), &customer, &self.shop.catalog).await;
        let mut value = serde_json::to_value(told.unwrap()).unwrap();
        remove_clock_times(&mut value);
        value
    }
}

/// Takes out when letters came to be owed: by our clock, which ticks while a test runs.
pub fn remove_clock_times(view: &mut Value) {
    for letter in view["letters"].as_array_mut().unwrap() {
        letter["due_at"] = "(our clock)".into();
    }
}

/// Runs what blocks where it may.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn call(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> anyhow::Result<DeliveryResponse> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let agent = agent(url);
    let request = agent
        .configure_request(request.body(body)?)
        .allow_non_standard_methods(true);
    let mut answer = agent.run(request.build()).context("nobody answers")?;
    let body = answer.body_mut().read_to_string().unwrap_or_default();
    Ok(DeliveryResponse {
        status: answer.status().as_u16(),
        body,
    })
}
