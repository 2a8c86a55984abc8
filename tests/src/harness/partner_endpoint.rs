//! What tests of the partners' endpoint ask of the functions in this process: signed requests, and
//! the customers that partners send.

use super::partner_requests::{MASTER, PartnerRequest, token};
use super::{InProcess, TestHarness, shop};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId, Reference, ReferralCode};
use domain::money::{Currency, Money};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::payment::snapshot::{PaymentSnapshot, SourceKind};
use domain::person::Profile;
use domain::record::Entry;
use jiff::Timestamp;
use local_shop::shop::Shop;
use providers::{PersonKey, Secret};
use runtime::http::answer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::items::{JOURNAL, customer_partition};
use store::partners::{DatedProgram, PartnerRow, put_new};
use store::port::query_all;
use store::{Item, Key};

/// The first second of March 2026.
pub const START_SECOND: i64 = 1_772_323_200;

/// What the endpoint answered.
#[derive(Debug, PartialEq)]
pub struct EndpointAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, read.
    pub body: Value,
}

impl EndpointAnswer {
    /// The status and the one word of an accepted report.
    pub fn verdict(&self) -> (u16, &str) {
        (self.status, self.body["verdict"].as_str().unwrap_or("-"))
    }

    /// How a referral stands, with its reason: `refused another_partner`.
    pub fn status_text(&self) -> String {
        let word = |name: &str| self.body[name].as_str().map(str::to_owned);
        let words = [word("state"), word("reason")].into_iter().flatten();
        words.collect::<Vec<_>>().join(" ")
    }
}

impl TestHarness<InProcess> {
    /// The partners' endpoint, with two partners that earn 20 % for life, and one without a
    /// program.
    pub async fn with_partner_endpoint() -> Self {
        let shop = Shop {
            master: MASTER.into(),
            ..shop()
        };
        let harness = TestHarness::in_process().shop(shop).open();
        for name in ["acme", "zest", "bare"] {
            let mut row = PartnerRow::new(PartnerId::parse(name).unwrap());
            if name != "bare" {
                row.identity = PartnerIdentity::of(&format!("ann@{name}.example"));
                let since = Timestamp::UNIX_EPOCH;
                row.programs
                    .push(DatedProgram::new(since, program().into(), 0));
            }
            put_new(&harness.table, row).await.unwrap();
        }
        harness
    }

    /// Sends a request as API Gateway hands it on.
    pub async fn send(&self, request: &PartnerRequest) -> EndpointAnswer {
        let (path, query) = request
            .address
            .split_once('?')
            .unwrap_or((&request.address, ""));
        let mut parts = path.trim_start_matches("/partners/").splitn(3, '/');
        let mut parameters = json!({ "partner": parts.next() });
        if parts.next() == Some("referrals") {
            parameters["referral"] = json!(parts.next().unwrap().replace("%2F", "/"));
        }
        let headers: BTreeMap<_, _> = request.headers.iter().cloned().collect();
        let event = json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "pathParameters": parameters,
            "body": request.body,
            "requestContext": {
                "requestId": format!("r{}", REQUESTS.fetch_add(1, Ordering::Relaxed)),
                "http": { "method": request.method, "path": path },
            },
        });
        let answered = answer(self.functions().referral(), event.to_string().as_bytes()).await;
        let answered: Value = serde_json::from_slice(&answered).unwrap();
        EndpointAnswer {
            status: answered["statusCode"].as_u64().unwrap().try_into().unwrap(),
            body: serde_json::from_str(answered["body"].as_str().unwrap()).unwrap(),
        }
    }

    /// A report as a partner signs it, under this `webhook-id`.
    pub async fn report(&self, partner: &str, id: &str, report: &Value) -> EndpointAnswer {
        self.send(&PartnerRequest::report(
            partner,
            id,
            &report.to_string(),
            self.now(),
        ))
        .await
    }

    /// A postback with the partner's token.
    pub async fn postback(&self, partner: &str, query: &str) -> EndpointAnswer {
        let token = token(partner);
        let query = format!("{query}&token={}", token.reveal());
        self.send(&PartnerRequest::postback(partner, &query)).await
    }

    /// How a referral stands.
    pub async fn ask_status(&self, partner: &str, referral: &str) -> EndpointAnswer {
        self.send(&PartnerRequest::question(partner, referral, self.now()))
            .await
    }

    /// A customer's provider reports an address and a payment.
    pub async fn add_paying_customer(&self, customer: &str, email: &str) {
        self.ingest_customer_event(customer, email, true).await;
    }

    /// A customer's provider reports an address.
    pub async fn add_customer(&self, customer: &str, email: &str) {
        self.ingest_customer_event(customer, email, false).await;
    }

    /// A customer shows a code and pays.
    pub async fn add_customer_with_code(&self, customer: &str, code: &str) {
        let facts = vec![
            Fact::ReferralCode {
                code: ReferralCode::parse(code).unwrap(),
            },
            Fact::Payment(payment(customer, self.now())),
        ];
        let code = Reference::code(code).unwrap();
        self.ingest_facts(customer, facts, vec![code]).await;
    }

    async fn ingest_customer_event(&self, customer: &str, email: &str, pays: bool) {
        let profile = Profile {
            complete: true,
            email: Some(email.into()),
            ..Profile::default()
        };
        let keys = PersonKey::derive(&Secret::new(MASTER).unwrap()).unwrap();
        let mut facts = vec![Fact::Profile(profile)];
        if pays {
            facts.push(Fact::Payment(payment(customer, self.now())));
        }
        let person = Reference::person(&keys.hash(email));
        self.ingest_facts(customer, facts, vec![person]).await;
    }

    async fn ingest_facts(&self, customer: &str, facts: Vec<Fact>, references: Vec<Reference>) {
        let (now, kinds) = (self.now(), facts.len());
        let event = NormalizedEvent {
            id: EventId::parse(format!(
                "stripe/test/evt_{customer}_{kinds}_{}",
                now.as_second()
            ))
            .unwrap(),
            kind: "made.up".into(),
            occurred_at: now,
            rank: 9,
            about: About::Customer(self::customer(customer)),
            facts,
            references,
        };
        let raw: Arc<[u8]> = event.id.as_str().as_bytes().into();
        let entry = Arc::new(Entry::new(event, raw, 1, now, "provider".into()));
        self.ingest(&entry).await;
    }

    /// The types of events in a customer's journal, and their raw items.
    pub async fn journal(&self, customer: &str) -> Vec<(String, String)> {
        let partition = customer_partition(&self::customer(customer));
        let items = query_all(&self.table, &partition, JOURNAL).await.unwrap();
        let summaries = items.into_iter().filter_map(|item| {
            let Item::Entry(_, entry) = item else {
                return None;
            };
            let raw = String::from_utf8(entry.raw.bytes().to_vec()).unwrap();
            Some((entry.event.kind.to_string(), raw))
        });
        summaries.collect()
    }

    /// What stands in the table, by its stream.
    pub fn items(&self) -> Vec<Item> {
        let written = self.table.changes(0).into_iter();
        let written = written.filter_map(|change| change.item.unwrap());
        let by_key: BTreeMap<Key, Item> = written.map(|item| (item.key(), item)).collect();
        by_key.into_values().collect()
    }
}

fn customer(name: &str) -> CustomerKey {
    CustomerKey::parse(format!("stripe/test/{name}")).unwrap()
}

fn payment(customer: &str, at: Timestamp) -> PaymentSnapshot {
    PaymentSnapshot {
        ids: vec![ObjectId::parse(format!("pi_{customer}_{}", at.as_second())).unwrap()],
        source_kind: SourceKind::Intent,
        paid: Money {
            minor: 1_000,
            currency: Currency::parse("eur").unwrap(),
            exponent: 2,
        },
        tax_minor: None,
        paid_at: at,
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    }
}

fn program() -> Program {
    Program {
        reward: Reward::BasisPoints(2_000),
        duration: CommissionDuration::Life,
        hold_days: 30,
        window_days: 60,
        attribution_model: AttributionModel::First,
    }
}

/// No two deliveries have one id.
static REQUESTS: AtomicU32 = AtomicU32::new(0);
