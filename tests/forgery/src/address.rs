//! What partners prove in an address: a question in its path, a postback in its query. Either
//! stands where a body stands elsewhere, so that what is done to bodies is done to it too.

use crate::types::{EndpointRequest, EndpointVerdict, T, Tenant, TestEndpoint, at, mac};
use domain::ids::PartnerId;
use providers::partner::postback::{PostbackQuery, PostbackToken};
use providers::partner::{FirstHeard, ReportError, VerifiedReport};
use providers::{
    ItemOutcome, ReceivedItem, Request, Secret, Secrets, VerificationError, partner, partner_secret,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was really asked, by name.
pub(crate) static QUESTIONS: &[(&str, &str)] = &[
    ("plain", "GET /partners/agrumes/referrals/r-1"),
    ("long", "GET /partners/agrumes/referrals/2026.01-r-17_b"),
    ("odd", "GET /partners/agrumes/referrals/r 1/{\"a\": 2}"),
];

/// What was really reported in queries, by name, without its proof.
pub(crate) static POSTBACKS: &[(&str, &str)] = &[
    (
        "email",
        "transaction_id=t-1&email=ada%40example.org&sub1=spring",
    ),
    (
        "code",
        "transaction_id=t-2&code=ADA-10&amount=12.50&currency=EUR",
    ),
    (
        "id",
        "sub2=a%26b&transaction_id=t-3&customer_id=c-9&sub1=x%3Dy",
    ),
];

/// The partner whose postbacks a tenant's endpoint believes: the third is ours under its next key.
const TENANTS: [(&str, u32, &str); 4] = [
    ("agrumes", 1, MASTER),
    ("limette", 1, MASTER),
    ("agrumes", 2, MASTER),
    ("agrumes", 1, "the-master-secret-of-other-money"),
];
const MASTER: &str = "the-master-secret-of-the-tests";

pub(crate) fn own_partner() -> PartnerId {
    PartnerId::parse("agrumes").expect("is a name")
}

/// A question is believed where it is signed; it tells that it was asked.
pub(crate) fn receive_question(
    request: &Request<'_>,
    secrets: &Secrets,
    now: i64,
) -> Result<EndpointVerdict, VerificationError> {
    let nowhere = VerificationError::Disproved {
        what: "there is no such address",
    };
    let text = std::str::from_utf8(request.body).ok();
    let rest = text.and_then(|text| text.strip_prefix("GET /partners/"));
    let parts = rest.and_then(|rest| rest.split_once("/referrals/"));
    let (name, referral) = parts.ok_or(nowhere.clone())?;
    let name = PartnerId::parse(name).map_err(|_| nowhere)?;
    let bodiless = Request {
        body: b"",
        ..*request
    };
    partner::verify_status_request(&name, referral, &bodiless, secrets, at(now))?;
    Ok(EndpointVerdict::Accepted(vec![ReceivedItem {
        raw: request.body.into(),
        outcome: ItemOutcome::Ignored {
            id: None,
            kind: Arc::from("question"),
        },
    }]))
}

/// A postback, tried under each key in force, as the partners' endpoint does.
pub(crate) fn receive_postback(
    endpoint: &TestEndpoint,
    knock: &EndpointRequest<'_>,
) -> Result<EndpointVerdict, VerificationError> {
    let unclear = VerificationError::Disproved {
        what: "nothing that can be read in one way",
    };
    let query = std::str::from_utf8(knock.body)
        .ok()
        .ok_or(unclear.clone())?;
    let postback = match PostbackQuery::read(query) {
        Ok(postback) => postback,
        Err(ReportError::Refused(refused)) => return Err(refused),
        Err(ReportError::Unreadable(_)) => return Err(unclear),
    };
    for number in in_force(endpoint, knock.secrets) {
        let (tenant, name) = (&endpoint.tenants[number], partner_of(number));
        let keys = (&tenant.secrets, &token(number));
        match postback.receive(&name, keys, &endpoint.person, at(knock.now)) {
            Ok(reported) => return Ok(EndpointVerdict::Accepted(vec![received(reported)])),
            Err(ReportError::Refused(VerificationError::SignatureMismatch)) => {}
            Err(ReportError::Refused(refused)) => return Err(refused),
            Err(ReportError::Unreadable(_)) => return Ok(EndpointVerdict::Unreadable),
        }
    }
    Err(VerificationError::SignatureMismatch)
}

/// A tenant of that number at an endpoint of postbacks.
pub(crate) fn tenant(number: usize) -> Tenant {
    let text = token(number).reveal().to_owned();
    let secrets = Secrets::new(vec![secret(number)]).expect("are strong");
    Tenant {
        key: text.clone().into_bytes(),
        text,
        secrets,
    }
}

/// Both keys of ours.
pub(crate) fn rolling() -> Secrets {
    Secrets::new(vec![secret(0), secret(2)]).expect("are strong")
}

/// The query with its proof, as the tenant of that number sends it.
pub(crate) fn with_proof(endpoint: &TestEndpoint, number: usize, query: &str) -> String {
    if endpoint.delivery_format.tolerances.is_none() {
        return format!("{query}&token={}", token(number).reveal());
    }
    let pairs = parse_query(query.as_bytes()).expect("is a query");
    let lines: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let (name, lines) = (partner_of(number), lines.join("\n"));
    let text = format!("GET /partners/{name}/postback\n{T}\n{lines}");
    format!("{query}&ts={T}&sig={}", signature(number, &text))
}

/// The MAC of a text under that tenant's secret, in hex.
pub(crate) fn signature(number: usize, text: &str) -> String {
    // Shown, it is the key in base64 behind a prefix.
    let shown = secret(number).reveal_standard();
    let encoded = shown.trim_start_matches("whsec_");
    let key = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded);
    hex::encode(mac(&key.expect("is base64"), text.as_bytes()))
}

/// Names and values of a query; none where it may be read in two ways.
pub(crate) fn parse_query(query: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for pair in std::str::from_utf8(query).ok()?.split('&') {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (decoded(name)?, decoded(value)?);
        if pairs.insert(name, value).is_some() {
            return None;
        }
    }
    Some(pairs)
}

fn decoded(part: &str) -> Option<String> {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next()?.replace('+', " ").into_bytes();
    for piece in pieces {
        bytes.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        bytes.extend(piece.get(2..)?.replace('+', " ").bytes());
    }
    String::from_utf8(bytes).ok()
}

pub(crate) fn in_force(endpoint: &TestEndpoint, secrets: &Secrets) -> Vec<usize> {
    if std::ptr::eq(secrets, &endpoint.rolling) {
        return vec![0, 2];
    }
    let tenants = endpoint.tenants.iter();
    let number = tenants.take_while(|tenant| !std::ptr::eq(&raw const tenant.secrets, secrets));
    Some(number.count())
        .filter(|number| *number < endpoint.tenants.len())
        .into_iter()
        .collect()
}

fn partner_of(number: usize) -> PartnerId {
    PartnerId::parse(TENANTS[number].0).expect("is a name")
}

fn secret(number: usize) -> Secret {
    let (_, version, master) = TENANTS[number];
    let master = Secret::new(master).expect("is strong");
    partner_secret(&master, &partner_of(number), version).expect("follows")
}

fn token(number: usize) -> PostbackToken {
    let (_, version, master) = TENANTS[number];
    let master = Secret::new(master).expect("is strong");
    PostbackToken::derive(&master, &partner_of(number), version).expect("follows")
}

/// A partner's report as what came of an item, heard when it was signed.
pub(crate) fn received(reported: VerifiedReport) -> ReceivedItem {
    let first = FirstHeard {
        signed_at: reported.signed_at,
        heard_at: reported.signed_at,
    };
    ReceivedItem {
        outcome: ItemOutcome::Event(reported.report.event(first)),
        raw: reported.raw,
    }
}
