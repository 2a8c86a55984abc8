//! A partner's other two addresses: postbacks and questions.

use super::{T, at, master, person_key};
use crate::partner::postback::{PostbackQuery, PostbackToken, sign_query};
use crate::partner::{self, FirstHeard, ReportError, UnreadableReport, VerifiedReport};
use crate::{Headers, Secret, Secrets, VerificationError, partner_secret, standard};
use domain::event::{About, Fact};
use domain::ids::PartnerId;

fn acme() -> PartnerId {
    PartnerId::parse("acme").unwrap()
}

fn secret() -> Secret {
    partner_secret(&master(), &acme(), 1).expect("follows")
}

fn token() -> PostbackToken {
    PostbackToken::derive(&master(), &acme(), 1).expect("follows")
}

fn receive_postback(query: &str, now: i64) -> Result<VerifiedReport, ReportError> {
    let secrets = Secrets::new(vec![secret()]).expect("is one");
    PostbackQuery::read(query)?.receive(&acme(), (&secrets, &token()), &person_key(), at(now))
}

fn by_token(query: &str) -> Result<VerifiedReport, ReportError> {
    receive_postback(&format!("{query}&token={}", token().reveal()), T)
}

const VALID_QUERY: &str = "transaction_id=t-1&email=Nell%40Example.com&sub1=spring&amount=12.50";

#[test]
fn a_token_and_a_signature_prove_the_same_report() {
    let signed = sign_query(VALID_QUERY, &acme(), &secret(), at(T)).expect("can be signed");
    let [by_token, by_signature] =
        [by_token(VALID_QUERY), receive_postback(&signed, T)].map(|r| r.expect("is right"));
    assert_eq!(by_token, by_signature);
    let raw = std::str::from_utf8(&by_token.raw).expect("is text");
    assert_eq!(
        raw,
        "amount=12.50\nemail=Nell@Example.com\nsub1=spring\ntransaction_id=t-1"
    );
    assert!(!raw.contains(token().reveal()));
    let first = FirstHeard {
        signed_at: by_token.signed_at,
        heard_at: at(T),
    };
    let reading = by_token.report.event(first);
    assert_eq!(reading.id.as_str(), "partner/acme/postback/t-1");
    assert_eq!(&*by_token.message_id, "postback/t-1");
    let About::ByReference(references) = &reading.about else {
        panic!("it names nobody's customer key");
    };
    assert!(references[0].as_str().starts_with("person/"));
    assert!(matches!(&reading.facts[..], [Fact::Referral(seen)] if &*seen.referral == "t-1"));
    assert_eq!(
        by_token.report.sub_ids().get("sub1").map(|text| &**text),
        Some("spring")
    );
}

#[test]
fn the_order_of_parameters_and_how_they_are_encoded_change_nothing() {
    let other = "sub1=s%70ring&amount=12.50&email=Nell@Example.com&transaction_id=%74-1";
    let (one, other) = (
        by_token(VALID_QUERY).expect("is right"),
        by_token(other).expect("is right"),
    );
    assert_eq!(one, other);
}

#[test]
fn a_postback_that_proves_nothing_is_refused() {
    let good = sign_query(VALID_QUERY, &acme(), &secret(), at(T)).expect("can be signed");
    let (head, mac) = good.split_at(good.len() - 64);
    let other =
        PostbackToken::derive(&master(), &PartnerId::parse("acme-2").unwrap(), 1).expect("follows");
    let newer = PostbackToken::derive(&master(), &acme(), 2).expect("follows");
    let with = |token: &str| format!("{VALID_QUERY}&token={token}");
    let mismatch = [
        with(""),
        with(other.reveal()),
        with(newer.reveal()),
        with(token().reveal().get(..63).expect("is ASCII")),
        with(&token().reveal().to_uppercase()),
        with(&secret().reveal_standard()),
        good.replace("12.50", "99.50"),
        good.replace("t-1", "t-2"),
        good.replace("&sub1=spring", ""),
        good.replace("ts=", "sub2=x&ts="),
        good.replace(&format!("ts={T}"), &format!("ts={}", T + 1)),
        format!("{head}{}", mac.chars().rev().collect::<String>()),
    ];
    for query in mismatch {
        assert_eq!(
            receive_postback(&query, T),
            Err(VerificationError::SignatureMismatch.into()),
            "{query}"
        );
    }
    for query in [
        VALID_QUERY.to_owned(),
        format!("{good}&token={}", token().reveal()),
        good.split("&sig").next().expect("is cut").to_owned(),
        format!("{head}{}", mac.to_uppercase()),
        format!("{VALID_QUERY}&ts=+1&sig={mac}"),
    ] {
        let refused = receive_postback(&query, T);
        let expected = matches!(
            refused,
            Err(ReportError::Refused(VerificationError::Disproved { .. }))
        );
        assert!(expected, "{query}: {refused:?}");
    }
    for (now, refused) in [
        (T + 301, VerificationError::TooOld { seconds: 301 }),
        (T - 301, VerificationError::TooNew { seconds: 301 }),
    ] {
        assert_eq!(receive_postback(&good, now), Err(refused.into()));
    }
    assert!(receive_postback(&good, T + 300).is_ok() && receive_postback(&good, T - 300).is_ok());
}

#[test]
fn a_query_is_read_in_one_way_or_not_at_all() {
    let long = format!("transaction_id={}", "t".repeat(4096));
    let many: String = (0..33).map(|n| format!("a{n}=b&")).collect();
    for query in [
        "transaction_id=t-1&transaction_id=t-1",
        "transaction_id=t-1&transaction%5fid=t-2",
        "transaction_id=t-1&code=%zz",
        "transaction_id=t-1&code=%+1",
        "transaction_id=t-1&code=%4",
        "transaction_id=t-1&code=%ff",
        "transaction_id=t-1&code=a%0ab",
        "transaction_id=t-1&code=a b",
        "transaction_id=t-1&code=\u{e9}",
        "transaction_id=t-1&&code=a",
        "transaction_id",
        "=t-1",
        "n%61me%20=t",
        &long,
        many.trim_end_matches('&'),
        "transaction_id=t-1&code=c&colour=red",
    ] {
        let refused = by_token(query);
        let expected = matches!(
            refused,
            Err(ReportError::Unreadable(UnreadableReport::Query { .. }))
        );
        assert!(expected, "{query}: {refused:?}");
        assert_eq!(refused.expect_err("is refused").status(), 400);
    }
}

#[test]
fn what_a_postback_says_is_checked_field_by_field() {
    for (query, field) in [
        ("code=c", "transaction_id"),
        ("transaction_id=t-1", "email"),
        ("transaction_id=t-1&email=nell", "email"),
        ("transaction_id=t-1&code=c&amount=-5", "amount"),
        ("transaction_id=t-1&code=c&amount=1e9", "amount"),
        ("transaction_id=t-1&code=c&amount=1.", "amount"),
        ("transaction_id=&code=c", "transaction_id"),
    ] {
        let Err(ReportError::Unreadable(UnreadableReport::Field { field: named, .. })) =
            by_token(query)
        else {
            panic!("{query} is taken");
        };
        assert_eq!(named, field, "{query}");
    }
    let long = format!("transaction_id=t-1&code=c&sub5={}", "x".repeat(255));
    assert_eq!(by_token(&long).expect_err("is too long").status(), 422);
    assert!(by_token("transaction_id=t-1&code=c&sub1=&amount=10,5&currency=eur").is_ok());
}

#[test]
fn a_question_is_signed_for_one_referral_of_one_partner() {
    let ask = |text: &str, referral: &str, now| {
        let headers = standard::sign("msg_1", text.as_bytes(), &secret(), at(T));
        let headers = Headers::new(headers).expect("are few");
        let request = super::post(&headers, b"");
        let secrets = Secrets::new(vec![secret()]).expect("is one");
        partner::verify_status_request(&acme(), referral, &request, &secrets, at(now))
    };
    let text = partner::status_request_text(&acme(), "r 1/\u{e9}");
    assert_eq!(text, "GET /partners/acme/referrals/r 1/\u{e9}");
    assert_eq!(ask(&text, "r 1/\u{e9}", T), Ok(()));
    assert_eq!(
        ask(&text, "r 2", T),
        Err(VerificationError::SignatureMismatch)
    );
    assert_eq!(ask("", "r 1", T), Err(VerificationError::SignatureMismatch));
    let other = partner::status_request_text(&PartnerId::parse("acme-2").unwrap(), "r 1");
    assert_eq!(
        ask(&other, "r 1", T),
        Err(VerificationError::SignatureMismatch)
    );
    let stale = ask(&partner::status_request_text(&acme(), "r"), "r", T + 301);
    assert_eq!(stale, Err(VerificationError::TooOld { seconds: 301 }));
}
