//! A root of keys leaked: what README.md of `infra` says is done, step by step.

use domain::ids::PartnerId;
use partner_referral::PartnerReferral;
use providers::partner::postback::PostbackToken;
use providers::{Secret, notice_secret, partner_secret, standard};
use runtime::http::answer;
use runtime::secrets::{KeyPurpose, SecretSource};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use store::memory::MemoryTable;
use store::partners::{MAX_TOKENS, PartnerRow, change};
use tests::harness::partner_requests::created_report;
use tests::harness::{InProcess, TestHarness, start_time};

const LEAKED: &str = "the-root-that-somebody-else-has-too";
const NEXT: &str = "the-root-that-comes-in-its-place";
const OTHER: &str = "the-root-of-every-other-purpose";

/// The endpoint, in a process that started while these roots were in force for this purpose.
fn endpoint(
    harness: &TestHarness<InProcess>,
    purpose: KeyPurpose,
    roots: &'static [&'static str],
) -> PartnerReferral<MemoryTable> {
    let source = move |asked: KeyPurpose| {
        let texts: &[&str] = if asked == purpose { roots } else { &[OTHER] };
        SecretSource::Given(texts.iter().copied().map(Into::into).collect())
    };
    let now = harness.now();
    let clock = runtime::Clock::new(move || now);
    PartnerReferral::new(source, harness.table.clone(), clock)
}

fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
}

fn root(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

async fn status(endpoint: &PartnerReferral<MemoryTable>, mut event: Value) -> u64 {
    static REQUESTS: AtomicU32 = AtomicU32::new(0);
    let id = format!("leak-{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
    event["version"] = "2.0".into();
    event["pathParameters"] = json!({ "partner": "acme" });
    event["requestContext"]["requestId"] = id.into();
    let answered = answer(endpoint, event.to_string().as_bytes()).await;
    let answered: Value = serde_json::from_slice(&answered).unwrap();
    answered["statusCode"].as_u64().unwrap()
}

/// What a report is answered that is signed with the secret of this root and version.
async fn report(endpoint: &PartnerReferral<MemoryTable>, of: &str, version: u32) -> u64 {
    let secret = partner_secret(&root(of), &acme(), version).unwrap();
    let body = created_report("r-1", "nell@example.com").to_string();
    let headers = standard::sign("msg_1", body.as_bytes(), &secret, start_time());
    let headers: BTreeMap<_, _> = headers.into_iter().collect();
    let path = "/partners/acme/events";
    let http = json!({ "http": { "method": "POST", "path": path } });
    let event =
        json!({ "rawPath": path, "headers": headers, "body": body, "requestContext": http });
    status(endpoint, event).await
}

/// What a postback is answered that carries the token of this root.
async fn postback(endpoint: &PartnerReferral<MemoryTable>, of: &str) -> u64 {
    postback_of(endpoint, of, 1).await
}

async fn postback_of(endpoint: &PartnerReferral<MemoryTable>, of: &str, version: u32) -> u64 {
    let token = PostbackToken::derive(&root(of), &acme(), version).unwrap();
    let query = format!("transaction_id=t-1&code=c&token={}", token.reveal());
    let path = "/partners/acme/postback";
    let http = json!({ "http": { "method": "GET", "path": path } });
    let event = json!({ "rawPath": path, "rawQueryString": query, "requestContext": http });
    status(endpoint, event).await
}

#[tokio::test]
async fn a_leaked_root_of_partners_is_replaced_without_a_gap_and_then_opens_nothing() {
    let harness = TestHarness::with_partner_endpoint().await;
    let partners = KeyPurpose::Partners;
    let before = endpoint(&harness, partners, &[LEAKED]);
    assert_eq!(report(&before, LEAKED, 1).await, 202);
    assert_eq!(report(&before, NEXT, 1).await, 401);
    // 1. A new one above it: both are believed.
    let between = endpoint(&harness, partners, &[NEXT, LEAKED]);
    assert_eq!(report(&between, LEAKED, 1).await, 202);
    assert_eq!(report(&between, NEXT, 1).await, 202);
    // 3. The old one is taken out: whatever was derived from it is nothing, in every version.
    let after = endpoint(&harness, partners, &[NEXT]);
    assert_eq!(report(&after, NEXT, 1).await, 202);
    for version in 1..=store::partners::MAX_KEYS {
        assert_eq!(report(&after, LEAKED, version).await, 401);
    }
    // Tokens of postbacks are none of it.
    for endpoint in [&before, &between, &after] {
        assert_eq!(postback(endpoint, OTHER).await, 202);
        assert_eq!(postback(endpoint, LEAKED).await, 401);
        assert_eq!(postback(endpoint, NEXT).await, 401);
    }
}

#[tokio::test]
async fn all_tokens_of_postbacks_are_revoked_by_themselves() {
    let harness = TestHarness::with_partner_endpoint().await;
    let postbacks = KeyPurpose::Postbacks;
    let between = endpoint(&harness, postbacks, &[NEXT, LEAKED]);
    let after = endpoint(&harness, postbacks, &[NEXT]);
    assert_eq!(postback(&between, LEAKED).await, 202);
    assert_eq!(postback(&between, NEXT).await, 202);
    assert_eq!(postback(&after, LEAKED).await, 401);
    assert_eq!(postback(&after, NEXT).await, 202);
    // Secrets are none of it, and a token's root signs nothing.
    for endpoint in [&between, &after] {
        assert_eq!(report(endpoint, OTHER, 1).await, 202);
        assert_eq!(report(endpoint, NEXT, 1).await, 401);
    }
}

#[tokio::test]
async fn one_partners_token_is_revoked_by_itself() {
    let harness = TestHarness::with_partner_endpoint().await;
    let endpoint = || endpoint(&harness, KeyPurpose::Partners, &[OTHER]);
    assert_eq!(postback_of(&endpoint(), OTHER, 1).await, 202);
    assert_eq!(postback_of(&endpoint(), OTHER, 2).await, 401);
    for next in 2..=MAX_TOKENS {
        let revoked = change(&harness.table, &acme(), PartnerRow::revoke_tokens).await;
        let row = revoked.unwrap().unwrap().unwrap();
        assert_eq!(row.newest_token(), Some(next));
        // A process that read the partner before knows within a minute; one that did not, at once.
        let endpoint = endpoint();
        assert_eq!(postback_of(&endpoint, OTHER, next).await, 202);
        assert_eq!(postback_of(&endpoint, OTHER, next - 1).await, 401);
        assert_eq!(
            report(&endpoint, OTHER, 1).await,
            202,
            "its secret is none of it"
        );
    }
    let all_given = change(&harness.table, &acme(), PartnerRow::revoke_tokens).await;
    assert!(all_given.unwrap().unwrap().is_err());
    // Whose keys are all out of force has no token either.
    let shut_out = |row: &mut PartnerRow| -> Result<(), Infallible> {
        row.keys.clear();
        Ok(())
    };
    change(&harness.table, &acme(), shut_out).await.unwrap();
    assert_eq!(postback_of(&endpoint(), OTHER, MAX_TOKENS).await, 401);
}

#[test]
fn a_secret_of_one_purpose_is_none_of_another_even_under_one_root() {
    let one = root(NEXT);
    let secrets = [
        partner_secret(&one, &acme(), 1).unwrap().reveal_standard(),
        notice_secret(&one, &acme(), 1).unwrap().reveal_standard(),
        PostbackToken::derive(&one, &acme(), 1)
            .unwrap()
            .reveal()
            .to_owned(),
    ];
    assert!(
        secrets
            .iter()
            .enumerate()
            .all(|(at, one)| !secrets[..at].contains(one))
    );
}
