//! How a referral stands, as its partner may know it.

use domain::ids::PartnerId;
use domain::partner::referral::Decision;
use jiff::SignedDuration;
use store::operator_decisions::{ReferralRef, review};
use tests::harness::partner_requests::{PartnerRequest, created_report, with_type};
use tests::harness::{InProcess, TestHarness};

#[tokio::test]
async fn before_the_first_payment_nobody_learns_who_is_a_customer() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    endpoint
        .add_customer("cus_known", "known@example.com")
        .await;
    endpoint.advance(SignedDuration::from_secs(60));
    let mut answers = Vec::new();
    for name in ["known", "unknown"] {
        let email = format!("{name}@example.com");
        let answer = endpoint
            .report(
                "acme",
                &format!("msg_{name}"),
                &created_report(name, &email),
            )
            .await;
        let asked = endpoint.ask_status("acme", name).await;
        let canceled = with_type("referral.canceled", &created_report(name, &email));
        endpoint
            .report("acme", &format!("cancel_{name}"), &canceled)
            .await;
        let after = endpoint.ask_status("acme", name).await;
        assert_eq!(
            (&*asked.status_text(), &*after.status_text()),
            ("waiting", "refused canceled")
        );
        let all = format!("{answer:?} {asked:?} {after:?}");
        answers.push(all.replace(name, "somebody"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(
        endpoint.ask_status("acme", "never-reported").await.status,
        404
    );
}

#[tokio::test]
async fn each_state_has_its_reason() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    report_new(&endpoint, "acme", "m1", ("first", "nell@example.com")).await;
    endpoint.advance(SignedDuration::from_secs(60));
    report_new(&endpoint, "acme", "m2", ("second", "nell@example.com")).await;
    report_new(&endpoint, "zest", "m1", ("theirs", "nell@example.com")).await;
    report_new(&endpoint, "acme", "m3", ("self", "ann+tag@acme.example")).await;
    report_new(&endpoint, "bare", "m1", ("unpaid", "nell@example.com")).await;
    endpoint.advance(SignedDuration::from_secs(60));
    endpoint
        .add_paying_customer("cus_nell", "nell@example.com")
        .await;
    endpoint
        .add_paying_customer("cus_ann", "ann+tag@acme.example")
        .await;
    let states = [
        ("acme", "first", "attributed"),
        ("acme", "second", "refused another_report"),
        ("zest", "theirs", "refused another_partner"),
        ("acme", "self", "held same_email"),
        // It has no program, so nothing is ever owed to it.
        ("bare", "unpaid", "waiting"),
    ];
    assert_states(&endpoint, &states).await;
    let named = ReferralRef::new(PartnerId::parse("acme").unwrap(), "self");
    let ann = domain::ids::CustomerKey::parse("stripe/test/cus_ann").unwrap();
    review(
        &endpoint.table,
        &ann,
        &named,
        Decision::Void,
        endpoint.now(),
    )
    .await
    .unwrap();
    assert_states(&endpoint, &[("acme", "self", "refused void")]).await;
    let canceled = with_type(
        "referral.canceled",
        &created_report("first", "nell@example.com"),
    );
    endpoint.report("acme", "m4", &canceled).await;
    let states = [
        ("acme", "first", "refused canceled"),
        ("acme", "second", "attributed"),
        ("zest", "theirs", "refused another_partner"),
    ];
    assert_states(&endpoint, &states).await;
    endpoint.advance(SignedDuration::from_secs(61 * 86_400));
    report_new(&endpoint, "zest", "m5", ("late", "ann+tag@acme.example")).await;
    assert_states(&endpoint, &[("zest", "late", "refused outside_window")]).await;
}

/// Reports a referral by the address of the customer.
async fn report_new(
    endpoint: &TestHarness<InProcess>,
    partner: &str,
    message: &str,
    (referral, email): (&str, &str),
) {
    let report = created_report(referral, email);
    endpoint.report(partner, message, &report).await;
}

/// How referrals stand: partner, referral, state with its reason.
async fn assert_states(endpoint: &TestHarness<InProcess>, expected: &[(&str, &str, &str)]) {
    for (partner, referral, state) in expected {
        let status = endpoint.ask_status(partner, referral).await.status_text();
        assert_eq!(status, *state, "{referral}");
    }
}

#[tokio::test]
async fn a_partner_asks_of_its_own_referrals_alone_and_names_them_as_it_likes() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    for referral in ["r#1", "r", "a/b", "r%231", "\u{e9}t\u{e9} 1"] {
        let id = format!("m{}", endpoint.items().len());
        let answer = endpoint
            .report("acme", &id, &created_report(referral, "nell@example.com"))
            .await;
        assert_eq!(answer.status, 202, "{referral}: {answer:?}");
        assert_eq!(
            endpoint.ask_status("zest", referral).await.status,
            404,
            "{referral}"
        );
        let asked = endpoint.ask_status("acme", referral).await;
        assert_eq!(asked.body["referral_id"], referral);
    }
    // What one id begins with is not another.
    assert_eq!(endpoint.ask_status("acme", "r#").await.status, 404);
    let mut other = PartnerRequest::question("acme", "r", endpoint.now());
    other.address = "/partners/acme/referrals/a%2Fb".into();
    assert_eq!(endpoint.send(&other).await.status, 401);
    let mut stale = PartnerRequest::question("acme", "r", endpoint.now());
    endpoint.advance(SignedDuration::from_secs(301));
    assert_eq!(endpoint.send(&stale).await.status, 401);
    stale.headers.clear();
    assert_eq!(endpoint.send(&stale).await.status, 401);
}
