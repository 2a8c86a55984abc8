//! The whole local stack in this process, on ports of its own, and a sender at its gateway.

use super::aws_recorder::AwsRecorder;
use super::counting_proxy::CountingProxy;
use super::requests::{blocking, call};
use super::{Platform, TestHarness, logs, shop, start_time};
use jiff::{SignedDuration, Timestamp};
use local_cloud::mail::CapturedMail;
use local_cloud::{Stack, StackEndpoints, StackSettings, Wiring};
use local_shop::connection::dynamo_table;
use local_shop::delivery::{Delivery, DeliveryResponse};
use local_shop::shop::{Shop, signers};
use local_shop::story::Signers;
use orangery::wiring::{wire, wire_with_table};
use store::dynamo::DynamoTable;

/// A stack and the functions that are wired into it.
pub struct LocalStack {
    stack: Stack,
    wiring: Wiring,
    proxy: Option<CountingProxy>,
    recorder: Option<AwsRecorder>,
}

impl Platform for LocalStack {
    type Table = DynamoTable;

    fn now(&self) -> Timestamp {
        self.stack.clock().now()
    }
}

/// What may differ among harnesses of a stack.
pub struct StackOptions<W> {
    shop: Shop,
    wire: W,
    counted: bool,
    recorded: Option<Vec<(String, String)>>,
}

impl<W: FnOnce(&StackEndpoints, &Shop) -> Wiring> StackOptions<W> {
    /// Of another shop than the one with the sample catalog.
    pub fn shop(self, shop: Shop) -> Self {
        Self { shop, ..self }
    }

    /// Wired otherwise than `cargo run` does it.
    pub fn wired<V>(self, wire: V) -> StackOptions<V>
    where
        V: FnOnce(&StackEndpoints, &Shop) -> Wiring,
    {
        StackOptions {
            shop: self.shop,
            wire,
            counted: self.counted,
            recorded: self.recorded,
        }
    }

    /// Has the endpoints, and nobody else, reach the table through a proxy that counts. They are
    /// wired as `cargo run` does it.
    pub fn counted(self) -> Self {
        Self {
            counted: true,
            ..self
        }
    }

    /// Has all functions reach AWS through a recorder, which keeps these secrets by the names of
    /// their parameters.
    pub fn recorded(self, secrets: Vec<(String, String)>) -> Self {
        Self {
            recorded: Some(secrets),
            ..self
        }
    }

    /// Opens it.
    pub async fn open(self) -> TestHarness {
        logs::capture();
        let settings = StackSettings {
            clock: Some(start_time()),
            ..StackSettings::default()
        };
        let (mut proxy, mut recorder, mut kept) = (None, None, None);
        let shop = self.shop;
        let stack = Stack::start(settings, |endpoints| {
            let wiring = match (self.counted, self.recorded) {
                (true, _) => {
                    let counting = CountingProxy::in_front_of(&endpoints.table_url);
                    let wiring = counted_wiring(endpoints, &shop, &counting);
                    proxy = Some(counting);
                    wiring
                }
                (false, Some(secrets)) => {
                    let recording = AwsRecorder::in_front_of(endpoints, secrets);
                    let through = recording.recorded_endpoints(endpoints);
                    recorder = Some(recording);
                    (self.wire)(&through, &shop)
                }
                (false, None) => (self.wire)(endpoints, &shop),
            };
            kept = Some(wiring.clone());
            wiring
        });
        let stack = stack.await.unwrap();
        TestHarness {
            table: dynamo_table(stack.endpoints()).unwrap(),
            shop,
            platform: LocalStack {
                stack,
                wiring: kept.unwrap(),
                proxy,
                recorder,
            },
        }
    }
}

impl TestHarness {
    /// The whole local stack, as `cargo run` wires it, of the shop with the sample catalog; unless
    /// told otherwise.
    pub fn local_stack() -> StackOptions<impl FnOnce(&StackEndpoints, &Shop) -> Wiring> {
        StackOptions {
            shop: shop(),
            wire: |endpoints: &StackEndpoints, shop: &Shop| wire(endpoints, shop).unwrap(),
            counted: false,
            recorded: None,
        }
    }

    /// That stack, opened.
    pub async fn open() -> Self {
        Self::local_stack().open().await
    }

    /// The stack.
    pub fn stack(&self) -> &Stack {
        &self.platform.stack
    }

    /// The functions and what calls them.
    pub fn wiring(&self) -> &Wiring {
        &self.platform.wiring
    }

    /// What counts the endpoints' requests to the table, where that was asked for.
    pub fn proxy(&self) -> &CountingProxy {
        self.platform.proxy.as_ref().unwrap()
    }

    /// What records the calls of AWS, where that was asked for.
    pub fn recorder(&self) -> &AwsRecorder {
        self.platform.recorder.as_ref().unwrap()
    }

    /// Who signs deliveries.
    pub fn signers(&self) -> Signers {
        signers(&self.shop).unwrap()
    }

    /// Delivers, signed just now.
    pub async fn send(&self, delivery: &Delivery) -> DeliveryResponse {
        let (delivery, now) = (delivery.clone(), self.now());
        let gateway = self.stack().gateway_url().to_owned();
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
        let url = format!("{}{path}", self.stack().gateway_url());
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        blocking(move || call(method, &url, &headers, body).unwrap()).await
    }

    /// Lets all that is under way come to its end.
    pub async fn settle(&self) {
        self.stack().settle().await.unwrap();
    }

    /// Moves the clock, and lets happen what falls due.
    pub async fn advance(&self, by: SignedDuration) {
        self.stack().advance(by).await.unwrap();
    }

    /// The letters that were sent.
    pub fn mails(&self) -> Vec<CapturedMail> {
        self.stack().mailbox().mails().unwrap()
    }
}

fn counted_wiring(endpoints: &StackEndpoints, shop: &Shop, proxy: &CountingProxy) -> Wiring {
    let mut through = endpoints.clone();
    through.table_url.clone_from(&proxy.url);
    let receivers = dynamo_table(&through).unwrap();
    wire_with_table(endpoints, shop, receivers, dynamo_table(endpoints).unwrap()).unwrap()
}
