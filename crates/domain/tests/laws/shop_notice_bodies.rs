//! The bodies of notices to the shop, and what a change of access comes to under a catalog.

use crate::scenarios::{at, new_event, paid, terms};
use crate::shop_notice_examples::subscription;
use crate::shop_notices::rows;
use domain::catalog::Catalog;
use domain::notice::shop::row::{ShopNoticeKind, ShopNoticeRow};
use domain::notice::{Addressee, Notice, of_shop_notice};
use domain::payment::snapshot::SourceKind;
use domain::subscription::terms::SubscriptionStatus::{Active, Canceled, PastDue};

const CATALOG: &str = r#"
[features.seats]
kind = "limit"
[features.export]
[plans.seed]
name = "Seed"
prices = ["price_1"]
features = { seats = 1 }
[plans.grove]
name = "Grove"
prices = ["price_2"]
features = { seats = 5, export = true }
"#;

/// What the shop is told, as `feature before>after`.
fn access_told(row: &ShopNoticeRow, catalog: &Catalog) -> Option<Vec<String>> {
    let notice = of_shop_notice(row).answered(catalog)?;
    let body = serde_json::to_value(notice.body(Addressee::Shop, "row")).unwrap();
    let changes = body["data"]["access"]["changes"]
        .as_array()
        .unwrap()
        .clone();
    let amount = |answer: &serde_json::Value| match answer["limit"].as_u64() {
        Some(limit) => limit.to_string(),
        None => answer["allowed"].to_string(),
    };
    let text = |change: &serde_json::Value| {
        let feature = change["feature"].as_str().unwrap();
        format!(
            "{feature} {}>{}",
            amount(&change["before"]),
            amount(&change["after"])
        )
    };
    Some(changes.iter().map(text).collect())
}

#[test]
fn access_is_answered_under_the_catalog_and_told_only_where_an_answer_is_another() {
    let catalog = Catalog::parse(CATALOG).unwrap();
    let life = [
        subscription("e1", 10, |_| ()),
        subscription("e2", 20, |s| s.terms = terms(Active, "price_2")),
        // A grace that the access policy keeps: the same may be used.
        subscription("e3", 30, |s| s.terms = terms(PastDue, "price_2")),
        subscription("e4", 40, |s| {
            s.terms = terms(Canceled, "price_2");
            s.ended_at = Some(at(40));
        }),
    ];
    let rows = rows(&life, at(40)).into_iter();
    let rows: Vec<_> = rows
        .filter(|row| row.kind == ShopNoticeKind::AccessChanged)
        .collect();
    let told = rows.iter().map(|row| access_told(row, &catalog));
    let told: Vec<Option<Vec<String>>> = told.collect();
    let texts = |changes: &[&str]| Some(changes.iter().map(|of| String::from(*of)).collect());
    assert_eq!(
        told,
        [
            texts(&["seats 0>1"]),
            texts(&["export false>true", "seats 1>5"]),
            None,
            texts(&["export true>false", "seats 5>0"]),
        ]
    );
    // A catalog without features has nothing to say.
    let nothing = rows.iter().map(|row| access_told(row, &Catalog::default()));
    assert_eq!(nothing.collect::<Vec<_>>(), [None, None, None, None]);
}

#[test]
fn what_decides_access_has_no_json_before_it_is_answered() {
    let rows = rows(&[subscription("e1", 10, |_| ())], at(20));
    let notices = rows.iter().map(of_shop_notice);
    let (access, others): (Vec<Notice>, Vec<Notice>) = notices.partition(Notice::needs_catalog);
    assert_eq!((access.len(), others.len()), (1, 1));
    let json = |notice: &Notice| serde_json::to_string(&notice.body(Addressee::Shop, "row"));
    assert!(json(&access[0]).is_err());
    assert!(json(&others[0]).is_ok());
}

#[test]
fn the_body_of_a_payment_is_what_a_shop_reads() {
    let come = new_event(
        "e1",
        1,
        1,
        vec![paid(SourceKind::Intent, &["pi_1", "ch_1"], 2880, 1)],
    );
    let row = rows(&[come], at(5)).remove(0);
    let notice = of_shop_notice(&row);
    let body = serde_json::to_value(notice.body(Addressee::Shop, "row")).unwrap();
    let id = body["data"]["id"].as_str().unwrap();
    assert!(id.starts_with("row_"), "{id}");
    assert_eq!(
        body,
        serde_json::json!({
            "type": "payment.received",
            "timestamp": "2026-01-01T00:00:01Z",
            "data": {
                "id": id,
                "customer": "stripe/test/cus_1",
                "sequence": 1,
                "payment": {
                    "id": "pi_1",
                    "ids": ["ch_1", "pi_1"],
                    "amount_minor": 2880,
                    "currency": "eur",
                    "exponent": 2,
                    "refunded_minor": 0,
                    "disputed_minor": 0,
                    "paid_at": "2026-01-01T00:00:01Z",
                },
            },
        })
    );
}

#[test]
fn ids_of_notices_to_the_shop_are_no_partners() {
    let row = rows(&[subscription("e1", 10, |_| ())], at(20)).remove(0);
    let notice = of_shop_notice(&row);
    let acme = domain::ids::PartnerId::parse("acme").unwrap();
    assert_ne!(notice.id(Addressee::Shop, "row"), notice.id(&acme, "row"));
}
