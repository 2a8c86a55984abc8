//! What a partner, or whoever has its token, can't do to customers and to other partners.

use domain::ids::PartnerId;
use domain::partner::attribution::MAX_REFERRALS;
use jiff::SignedDuration;
use serde_json::json;
use store::Item;
use store::operator_decisions::{GrantOutcome, grant};
use store::partners::read;
use store::reports::MAX_REPORTS;
use tests::harness::partner_requests::created_report;
use tests::harness::{InProcess, TestHarness};

/// Commission rows there are, as partner and customer.
fn commissions(endpoint: &TestHarness<InProcess>) -> Vec<String> {
    let items = endpoint.items().into_iter();
    let rows = items.filter_map(|item| match item {
        Item::Commission(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        let signal = row
            .self_referral_signal
            .map_or("due", |signal| signal.as_str());
        format!("{} {signal} {}", row.partner, row.customer)
    })
    .collect()
}

#[tokio::test]
async fn a_code_that_is_not_the_partners_earns_on_nobody_who_shows_it() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    for n in 0..20 {
        endpoint
            .add_customer_with_code(&format!("cus_{n:02}"), "SPRING")
            .await;
    }
    endpoint.advance(SignedDuration::from_secs(60));
    let report = json!({
        "type": "referral.created",
        "data": { "referral_id": "r-1", "code": "SPRING" },
    });
    let answer = endpoint.report("zest", "msg_1", &report).await;
    assert_eq!(
        answer.verdict(),
        (202, "accepted"),
        "it learns nothing by the answer"
    );
    assert!(commissions(&endpoint).is_empty());
    assert_eq!(
        endpoint.ask_status("zest", "r-1").await.status_text(),
        "waiting"
    );
    // The partner who is given the code earns on those who show it from then on.
    let acme = PartnerId::parse("acme").unwrap();
    let row = read(&endpoint.table, &acme).await.unwrap().unwrap();
    let code = domain::ids::ReferralCode::parse("SPRING").unwrap();
    let given = grant(&endpoint.table, &row, &code, endpoint.now()).await;
    assert_eq!(given, Ok(GrantOutcome::Granted));
    // Nobody had to wait for those who had shown it: they are many.
    assert_eq!(fanned_out(&endpoint).await, 20 + 20);
    endpoint.advance(SignedDuration::from_secs(60));
    endpoint.add_customer_with_code("cus_new", "SPRING").await;
    assert_eq!(commissions(&endpoint), ["acme due stripe/test/cus_new"]);
    // By its report of the code the others wait for a person.
    endpoint.report("acme", "msg_1", &report).await;
    assert_eq!(fanned_out(&endpoint).await, 21);
    let held = commissions(&endpoint);
    let held = held
        .iter()
        .filter(|row| row.starts_with("acme shared_code"));
    assert_eq!(held.count(), 20);
    assert_eq!(
        endpoint.ask_status("acme", "r-1").await.status_text(),
        "held shared_code"
    );
}

/// To how many customers the minute's scan hands what many are to get.
async fn fanned_out(endpoint: &TestHarness<InProcess>) -> u64 {
    let scanned = store::due_scan::scan_due(&endpoint.table, 250, endpoint.now()).await;
    scanned.unwrap().fanned_out
}

#[tokio::test]
async fn four_hundred_reports_of_one_customer_are_kept_up_to_a_bound_and_then_refused() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    endpoint
        .add_paying_customer("cus_nell", "nell@example.com")
        .await;
    let mut answers = std::collections::BTreeMap::new();
    for n in 0..400 {
        endpoint.advance(SignedDuration::from_secs(1));
        let answer = if n % 2 == 0 {
            let report = created_report(&format!("r-{n:03}"), "nell@example.com");
            endpoint.report("acme", &format!("msg_{n}"), &report).await
        } else {
            let query = format!("transaction_id=t-{n:03}&email=nell%40example.com");
            endpoint.postback("acme", &query).await
        };
        *answers.entry(answer.status).or_insert(0) += 1;
    }
    assert_eq!(
        answers,
        [(202, MAX_REPORTS), (409, 400 - MAX_REPORTS)].into()
    );
    let record = endpoint.items().into_iter().find_map(|item| match item {
        Item::Record(record) => Some(record),
        _ => None,
    });
    let record = record.unwrap();
    let bytes = serde_json::to_vec(&*record).unwrap().len();
    println!("400 reports of one customer: {answers:?}, {bytes} bytes of record");
    assert!(bytes < 16_000, "{bytes}");
    assert_eq!(record.folded.state.partners.referrals.len(), MAX_REFERRALS);
    assert_eq!(commissions(&endpoint), ["acme due stripe/test/cus_nell"]);
    // What was kept may be sent again; another partner has room of its own.
    let again = created_report("r-000", "nell@example.com");
    assert_eq!(
        endpoint.report("acme", "msg_0", &again).await.verdict(),
        (202, "repeated")
    );
    let other = created_report("r-1", "nell@example.com");
    assert_eq!(
        endpoint.report("zest", "msg_0", &other).await.verdict(),
        (202, "accepted")
    );
}

#[tokio::test]
async fn one_partners_flood_is_refused_without_a_request_and_starves_nobody() {
    let endpoint = TestHarness::with_partner_endpoint().await;
    let mut refused = 0;
    for n in 0..300 {
        let report = created_report("r-1", &format!("somebody-{n}@example.com"));
        let before = endpoint.items().len();
        let answer = endpoint.report("acme", &format!("msg_{n}"), &report).await;
        if answer.status == 429 {
            refused += 1;
            assert_eq!(endpoint.items().len(), before);
        }
    }
    assert_eq!(refused, 99);
    let other = created_report("r-1", "nell@example.com");
    assert_eq!(
        endpoint.report("zest", "msg_1", &other).await.verdict(),
        (202, "accepted")
    );
    endpoint.advance(SignedDuration::from_secs(5));
    assert_eq!(
        endpoint.report("acme", "msg_1", &other).await.status,
        409,
        "its own limit is over"
    );
}
