//! Reports in a query.

use domain::ids::PartnerId;
use jiff::SignedDuration;
use providers::partner::postback::sign_query;
use tests::harness::TestHarness;
use tests::harness::partner_requests::{PartnerRequest, key, token};

const VALID_QUERY: &str = "transaction_id=t-1&email=nell%40example.com&sub1=spring&amount=12.50";

#[tokio::test]
async fn r6_a_postback_replayed_is_a_repetition_and_with_another_amount_a_conflict() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    assert_eq!(
        endpoint.postback("acme", VALID_QUERY).await.verdict(),
        (202, "accepted")
    );
    endpoint.advance(SignedDuration::from_secs(86_400));
    assert_eq!(
        endpoint.postback("acme", VALID_QUERY).await.verdict(),
        (202, "repeated")
    );
    let otherwise = "amount=12.50&sub1=spring&transaction_id=t-1&email=nell@example.com";
    assert_eq!(
        endpoint.postback("acme", otherwise).await.verdict(),
        (202, "repeated")
    );
    let signed = sign_query(
        VALID_QUERY,
        &PartnerId::parse("acme").unwrap(),
        &key("acme"),
        endpoint.now(),
    )
    .unwrap();
    let signed = endpoint
        .send(&PartnerRequest::postback("acme", &signed))
        .await;
    assert_eq!(signed.verdict(), (202, "repeated"));
    let before = endpoint.items();
    for changed in [
        VALID_QUERY.replace("12.50", "99.50"),
        VALID_QUERY.replace("nell", "ada"),
        VALID_QUERY.replace("&sub1=spring", ""),
    ] {
        let answer = endpoint.postback("acme", &changed).await;
        assert_eq!(answer.status, 409, "{changed}: {answer:?}");
    }
    let after = endpoint.items();
    assert!(
        before.iter().all(|item| after.contains(item)),
        "nothing is overwritten"
    );
    assert_eq!(after.len(), before.len() + 3);
    let asked = endpoint.ask_status("acme", "t-1").await;
    assert_eq!(asked.status_text(), "waiting");
    assert_eq!(asked.body["sub_ids"]["sub1"], "spring");
}

#[tokio::test]
async fn a_postback_earns_like_a_report_and_its_amount_and_token_count_for_nothing() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    endpoint
        .postback("acme", &VALID_QUERY.replace("12.50", "99999999"))
        .await;
    endpoint.advance(SignedDuration::from_secs(60));
    endpoint
        .add_paying_customer("cus_nell", "nell@example.com")
        .await;
    assert_eq!(
        endpoint.ask_status("acme", "t-1").await.status_text(),
        "attributed"
    );
    let rows = store::partners::ledger(&endpoint.table, &PartnerId::parse("acme").unwrap())
        .await
        .unwrap();
    let owed: Vec<i64> = rows.iter().map(|row| row.amount.minor).collect();
    assert_eq!(owed, [200], "20 % of what was paid");
    let journal = endpoint.journal("cus_nell").await;
    let raw = &journal
        .iter()
        .find(|(kind, _)| kind == "postback")
        .unwrap()
        .1;
    assert_eq!(
        raw,
        "amount=99999999\nemail=nell@example.com\nsub1=spring\ntransaction_id=t-1"
    );
    let token = token("acme");
    let everything = format!("{:?}", endpoint.items());
    assert!(
        !everything.contains(token.reveal()),
        "the token is in the table"
    );
}

#[tokio::test]
async fn a_webhook_id_and_a_transaction_never_meet() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    endpoint
        .postback("acme", "transaction_id=msg_1&code=c")
        .await;
    let report = tests::harness::partner_requests::created_report("r-1", "nell@example.com");
    assert_eq!(
        endpoint.report("acme", "msg_1", &report).await.verdict(),
        (202, "accepted")
    );
}

#[tokio::test]
async fn a_token_opens_its_own_address_and_no_other_partners() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    let token = token("acme");
    let query = format!("{VALID_QUERY}&token={}", token.reveal());
    for (partner, status) in [("acme", 202), ("zest", 401), ("ghost", 401)] {
        let answer = endpoint
            .send(&PartnerRequest::postback(partner, &query))
            .await;
        assert_eq!(answer.status, status, "{partner}: {answer:?}");
        assert!(!answer.body.to_string().contains(token.reveal()));
    }
    let ask = format!("/partners/acme/referrals/t-1?token={}", token.reveal());
    let knock = PartnerRequest {
        address: ask,
        ..PartnerRequest::postback("acme", "")
    };
    assert_eq!(endpoint.send(&knock).await.status, 401);
}
