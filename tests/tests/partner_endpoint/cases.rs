//! What may come to each of the partners' addresses, and what is answered.

use domain::ids::PartnerId;
use jiff::{SignedDuration, Timestamp};
use providers::{Secret, partner_secret, standard};
use serde_json::Value;
use tests::harness::partner_endpoint::START_SECOND;
use tests::harness::partner_requests::{MASTER, PartnerRequest, created_report, token};

/// Status, words of the answer, whether the table answers, and the request. Where the table does
/// not, the answer came without a request to it.
pub(crate) type PartnerRequestCase = (u16, &'static str, bool, PartnerRequest);

fn now() -> Timestamp {
    Timestamp::from_second(START_SECOND).unwrap()
}

pub(crate) fn events() -> Vec<PartnerRequestCase> {
    let report = |email: &str| created_report("r-1", email).to_string();
    let good = PartnerRequest::report("acme", "msg_1", &report("nell@example.com"), now());
    let of = |body: &str| PartnerRequest::report("acme", "msg_1", body, now());
    let at = |seconds: i64| {
        let at = now() + SignedDuration::from_secs(seconds);
        PartnerRequest::report("acme", "msg_1", &report("nell@example.com"), at)
    };
    let big = format!("{}{}", report("nell@example.com"), " ".repeat(2 << 20));
    let sub_ids = |count: usize| {
        let mut report = created_report("r-1", "nell@example.com");
        let ids = (0..count).map(|n| (format!("s{n}"), "x".into()));
        report["data"]["sub_ids"] = Value::Object(ids.collect());
        of(&report.to_string())
    };
    let mut cases = vec![
        (202, "accepted", true, good.clone()),
        (413, "4 kB", false, sub_ids(1_000)),
        (422, "`data.sub_ids`", false, sub_ids(40)),
        (
            422,
            "`referral.created`",
            false,
            of(r#"{"type":"referral.create","data":{}}"#),
        ),
        (409, "another content", true, {
            PartnerRequest::report("acme", "known", &report("ada@example.com"), now())
        }),
        (400, "JSON", false, of("{nell")),
        (400, "JSON", false, of(r#"{"type":1,"type":2}"#)),
        (400, "empty", false, of("")),
        (401, "600 s ago", false, at(-600)),
        (401, "600 s ahead", false, at(600)),
        (413, "4 kB", false, of(&big)),
        (422, "`data.customer.email`", false, of(&report("nell"))),
        (503, "again later", false, good.clone()),
        (401, "no longer in force", true, {
            PartnerRequest::report("ghost", "msg_1", &report("nell@example.com"), now())
        }),
        (401, "no longer in force", true, by_key(2, &good)),
        (401, "no signature fits", false, by_key(9, &good)),
    ];
    cases.extend(signed_refusals(&good));
    cases
}

pub(crate) fn questions() -> Vec<PartnerRequestCase> {
    let good = PartnerRequest::question("acme", "r-1", now());
    let mut cases = vec![
        (200, "waiting", true, good.clone()),
        (
            404,
            "no referral",
            true,
            PartnerRequest::question("acme", "r-2", now()),
        ),
        (
            401,
            "no longer in force",
            true,
            PartnerRequest::question("ghost", "r-1", now()),
        ),
        (401, "601 s ago", false, {
            PartnerRequest::question("acme", "r-1", now() - SignedDuration::from_secs(601))
        }),
        (503, "again later", false, good.clone()),
    ];
    cases.extend(signed_refusals(&good));
    cases
}

pub(crate) fn postbacks() -> Vec<PartnerRequestCase> {
    let token = token("acme");
    let with = |query: &str| {
        PartnerRequest::postback("acme", &format!("{query}&token={}", token.reveal()))
    };
    let good = with("transaction_id=t-1&email=nell%40example.com&amount=12.50");
    let headers = PartnerRequest {
        headers: many_headers(),
        ..good.clone()
    };
    let shout = PartnerRequest {
        address: good.address.replace("acme", "ACME"),
        ..good.clone()
    };
    vec![
        (202, "accepted", true, good.clone()),
        (
            409,
            "another content",
            true,
            with("transaction_id=known&code=c&amount=1"),
        ),
        (
            400,
            "a name twice",
            false,
            with("transaction_id=t-1&code=c&code=c"),
        ),
        (
            400,
            "does not know",
            false,
            with("transaction_id=t-1&code=c&colour=red"),
        ),
        (
            401,
            "neither `token`",
            false,
            PartnerRequest::postback("acme", "transaction_id=t-1&code=c"),
        ),
        (
            401,
            "no signature fits",
            false,
            PartnerRequest::postback("acme", "transaction_id=t-1&token=x"),
        ),
        (
            422,
            "`amount`",
            false,
            with("transaction_id=t-1&code=c&amount=-5"),
        ),
        (422, "`email`", false, with("transaction_id=t-1&email=nell")),
        (422, "`transaction_id`", false, with("code=c")),
        (431, "headers", false, headers),
        (404, "no address", false, shout),
        (503, "again later", false, good),
    ]
}

/// What both signed addresses refuse alike.
fn signed_refusals(good: &PartnerRequest) -> Vec<PartnerRequestCase> {
    let without = |name: &str| {
        let mut knock = good.clone();
        knock.headers.retain(|(known, _)| known != name);
        knock
    };
    let with = |name: &str, value: &str| {
        let mut knock = without(name);
        knock.headers.push((name.to_owned(), value.to_owned()));
        knock
    };
    let shout = PartnerRequest {
        address: good.address.replace("acme", "ACME"),
        ..good.clone()
    };
    vec![
        (401, "`webhook-id` is missing", false, without("webhook-id")),
        (
            401,
            "`webhook-signature` is missing",
            false,
            without("webhook-signature"),
        ),
        (
            400,
            "plain seconds",
            false,
            with("webhook-timestamp", "soon"),
        ),
        (
            400,
            "letters, digits",
            false,
            with("webhook-id", "nell@example.com"),
        ),
        (
            401,
            "no signature fits",
            false,
            with("webhook-id", "msg_other"),
        ),
        (
            431,
            "headers",
            false,
            PartnerRequest {
                headers: many_headers(),
                ..good.clone()
            },
        ),
        (404, "no address", false, shout),
    ]
}

/// Signed by that version of the partner's key.
fn by_key(version: u32, knock: &PartnerRequest) -> PartnerRequest {
    let master = Secret::new(MASTER).unwrap();
    let secret = partner_secret(&master, &PartnerId::parse("acme").unwrap(), version).unwrap();
    let headers = standard::sign("msg_1", knock.body.as_bytes(), &secret, now());
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    PartnerRequest {
        headers: headers.collect(),
        ..knock.clone()
    }
}

fn many_headers() -> Vec<(String, String)> {
    (0..129)
        .map(|n| (format!("x-{n}"), String::new()))
        .collect()
}
