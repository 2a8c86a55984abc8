//! Partners that sign with keys of their own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::PartnerId;
use jiff::SignedDuration;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::convert::Infallible;
use store::memory::Crash;
use store::partners::change;
use tests::harness::partner_requests::{PartnerRequest, created_report};
use tests::harness::{InProcess, TestHarness};

fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

async fn give(endpoint: &TestHarness<InProcess>, partner: &str, keys: &[&Ed25519KeyPair]) {
    let text = |key: &&Ed25519KeyPair| {
        let text = STANDARD.encode(key.public_key().as_ref());
        format!("whpk_{text}").into()
    };
    let put = |row: &mut store::partners::PartnerRow| -> Result<(), Infallible> {
        row.public_keys = keys.iter().map(text).collect();
        Ok(())
    };
    let changed = change(&endpoint.table, &PartnerId::parse(partner).unwrap(), put).await;
    assert!(changed.unwrap().is_some(), "{partner} is not there");
}

/// The request with a signature of this key alone.
fn signed(mut knock: PartnerRequest, text: &str, key: &Ed25519KeyPair) -> PartnerRequest {
    let value = |name: &str| {
        let header = knock.headers.iter().find(|(known, _)| known == name);
        header.unwrap().1.clone()
    };
    let bytes = format!(
        "{}.{}.{text}",
        value("webhook-id"),
        value("webhook-timestamp")
    );
    let signature = STANDARD.encode(key.sign(bytes.as_bytes()));
    let header = knock
        .headers
        .iter_mut()
        .find(|(name, _)| name == "webhook-signature");
    header.unwrap().1 = format!("v1a,{signature}");
    knock
}

fn report(
    endpoint: &TestHarness<InProcess>,
    partner: &str,
    key: &Ed25519KeyPair,
) -> PartnerRequest {
    let body = created_report("r-1", "nell@example.com").to_string();
    signed(
        PartnerRequest::report(partner, "msg_1", &body, endpoint.now()),
        &body,
        key,
    )
}

#[tokio::test]
async fn a_partner_may_sign_with_any_public_key_it_gave() {
    let (endpoint, own) = (TestHarness::with_partner_endpoint().await, key(1));
    assert_eq!(
        endpoint.send(&report(&endpoint, "acme", &own)).await.status,
        401
    );
    give(&endpoint, "acme", &[&key(2), &own]).await;
    endpoint.advance(SignedDuration::from_secs(61));
    assert_eq!(
        endpoint
            .send(&report(&endpoint, "acme", &own))
            .await
            .verdict(),
        (202, "accepted")
    );
    let ask = PartnerRequest::question("acme", "r-1", endpoint.now());
    let asked = signed(ask, "GET /partners/acme/referrals/r-1", &own);
    assert_eq!(endpoint.send(&asked).await.status, 200);
    // Another partner's, another key's, another question's, and one from long ago.
    assert_eq!(
        endpoint.send(&report(&endpoint, "zest", &own)).await.status,
        401
    );
    assert_eq!(
        endpoint
            .send(&report(&endpoint, "acme", &key(3)))
            .await
            .status,
        401
    );
    let other = signed(
        PartnerRequest::question("acme", "r-1", endpoint.now()),
        "GET /partners/acme/referrals/r-2",
        &own,
    );
    assert_eq!(endpoint.send(&other).await.status, 401);
    let stale = report(&endpoint, "acme", &own);
    endpoint.advance(SignedDuration::from_secs(301));
    assert_eq!(endpoint.send(&stale).await.status, 401);
    give(&endpoint, "acme", &[]).await;
    endpoint.advance(SignedDuration::from_secs(61));
    assert_eq!(
        endpoint.send(&report(&endpoint, "acme", &own)).await.status,
        401
    );
}

#[tokio::test]
async fn forgeries_under_whatever_names_cost_one_read_a_minute_together() {
    let (endpoint, own) = (TestHarness::with_partner_endpoint().await, key(1));
    give(&endpoint, "acme", &[&own]).await;
    assert_eq!(
        endpoint
            .send(&report(&endpoint, "ghost", &key(9)))
            .await
            .status,
        401
    );
    // From now on every request to the table would be a 503.
    endpoint.process_table().set_faults(
        Crash {
            after: 0,
            answer_lost: false,
        }
        .faults(),
    );
    for n in 0..50 {
        let name = ["acme".to_owned(), "zest".to_owned(), format!("ghost-{n}")];
        for name in name {
            let answer = endpoint.send(&report(&endpoint, &name, &key(9))).await;
            assert_eq!(answer.status, 401, "{name}: {answer:?}");
        }
    }
    endpoint.advance(SignedDuration::from_secs(60));
    assert_eq!(
        endpoint
            .send(&report(&endpoint, "ghost", &key(9)))
            .await
            .status,
        503
    );
    // Who offers no such signature never causes one.
    let unsigned = PartnerRequest {
        headers: Vec::new(),
        ..report(&endpoint, "acme", &own)
    };
    assert_eq!(endpoint.send(&unsigned).await.status, 401);
}
