//! Items as they stand in tables, kept in `tests/images` by format and kind. `format-0` is what
//! was written before items had a format.
//!
//! An image of a released format is never changed. A version that writes another shape raises the
//! kind's format and adds its own image: `UPDATE_EXPECT=1` writes those that are missing. Images
//! with more in their name than a kind are made up, so that each attribute and each word that may
//! stand in a table stands in one of them.

use crate::support::{
    about, acme, at, disputed, empty, event_of, ingest, naming, object, on_trial, paid, program,
    record, refunded, report, subscribed,
};
use domain::event::Fact;
use domain::ids::{EventId, ObjectId, Reference, ReferralCode};
use domain::money::{Currency, Money};
use domain::partner::bank_account::BankAccount;
use domain::partner::identity::PartnerIdentity;
use domain::partner::payout::PayoutRequest;
use domain::partner::referral::{CodeGranted, Decision};
use domain::payment::snapshot::DisputeState;
use domain::record::checkpoint::Checkpoint;
use domain::root_fingerprint::RootFingerprint;
use domain::shop_key::{KeyName, KeyScope};
use jiff::civil::date;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Item;
use store::audit::walk;
use store::items::{ClosedBucket, FanOut, FirstPaymentRow};
use store::memory::{MemoryTable, image_of_item, item_of_image};
use store::notice_endpoints::set;
use store::partners::{PartnerRow, put_new};
use store::payouts::{Transfer, run, save_transfer_batches, set_bank};
use store::reports::{StoredReport, record_report};
use store::roots::claim_root;
use store::shop_keys::{create, revoke};

/// What older formats have and this version has left behind: kind and path.
const RETIRED: &[(&str, &str)] = &[];

#[tokio::test]
async fn every_kind_of_item_has_an_image_of_the_format_that_is_written_now() {
    let written = written_now().await;
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    for ((kind, format), image) in &written {
        let path = images().join(format!("format-{format}/{kind}.json"));
        if update && !path.exists() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("{image:#}\n")).unwrap();
        }
        assert!(
            path.exists(),
            "{} is missing; UPDATE_EXPECT=1 writes it",
            path.display()
        );
        let stored = read(&path);
        let same = paths(&stored) == paths(image);
        assert!(
            same,
            "{kind} is written in another shape than {}: raise its format in `StoredItem::format`, \
             or remove the image if no release has written it",
            path.display()
        );
        // Digests, hashes, shards and keys are worked out from the same events as ever.
        assert_eq!(lasting(image), lasting(&stored), "{}", path.display());
    }
    let kinds: Vec<&str> = written.keys().map(|(kind, _)| kind.as_str()).collect();
    let all = [
        "alias",
        "bank",
        "checkpoint",
        "closed_bucket",
        "commission",
        "conflict",
        "cursor",
        "delivery_state",
        "entry",
        "fan_out",
        "first_payment",
        "letter",
        "notice_endpoint",
        "parked",
        "partner",
        "payout",
        "record",
        "referral",
        "referral_status",
        "report",
        "root",
        "shop_key",
        "transfer_batch",
    ];
    assert_eq!(kinds, all);
}

#[test]
fn every_image_is_read_and_loses_nothing_when_it_is_written_again() {
    let mut formats = 0;
    for folder in fs::read_dir(images()).unwrap() {
        formats += 1;
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let stored = read(&path);
            let item = item_of_image(&stored.to_string()).unwrap();
            if let Item::Unreadable(item) = &item {
                panic!("{}: {}", path.display(), item.error());
            }
            let kind = stored["type"]["S"].as_str().unwrap();
            let written: Value = serde_json::from_str(&image_of_item(&item).unwrap()).unwrap();
            let mut lost = paths(&stored);
            let kept = paths(&written);
            lost.retain(|path| !kept.contains(path) && !RETIRED.contains(&(kind, path)));
            assert!(lost.is_empty(), "{} loses {lost:?}", path.display());
            for name in ["pk", "sk", "type"] {
                assert_eq!(written[name], stored[name], "{}", path.display());
            }
            if written["format"] == stored["format"] {
                // Whatever stands in a table today: each name, each word and each number.
                assert_eq!(written, stored, "{}", path.display());
            }
        }
    }
    assert!(formats >= 2, "what was written before formats, and since");
}

/// An image without what is another one each time, and without what a library packs.
fn lasting(image: &Value) -> Value {
    let mut image = image.clone();
    for name in ["receipt", "raw"] {
        image.as_object_mut().unwrap().remove(name);
    }
    image
}

fn images() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images")
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The paths of all attributes, those of lists without their places.
fn paths(image: &Value) -> Vec<String> {
    fn collect(value: &Value, path: &str, all: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(name, value)| collect(value, &format!("{path}/{name}"), all)),
            Value::Array(parts) => parts.iter().for_each(|part| collect(part, path, all)),
            _ => all.push(path.to_owned()),
        }
    }
    let mut all = Vec::new();
    collect(image, "", &mut all);
    all.sort();
    all.dedup();
    all
}

/// The largest item of each kind and format that a small shop has.
async fn written_now() -> BTreeMap<(String, String), Value> {
    let mut largest: BTreeMap<(String, String), (usize, Value)> = BTreeMap::new();
    for item in items_of_a_shop().await {
        let image: Value = serde_json::from_str(&image_of_item(&item).unwrap()).unwrap();
        let kind = image["type"]["S"].as_str().unwrap().to_owned();
        let format = image["format"]["N"].as_str().unwrap().to_owned();
        let size = paths(&image).len();
        let there = largest.entry((kind, format)).or_default();
        if size > there.0 {
            *there = (size, image);
        }
    }
    largest
        .into_iter()
        .map(|(key, (_, image))| (key, image))
        .collect()
}

async fn items_of_a_shop() -> Vec<Item> {
    let table = MemoryTable::default();
    let mut partner = PartnerRow::new(acme());
    partner.set_terms(&program().into(), 0, at(0));
    partner.codes.insert(ReferralCode::parse("spring").unwrap());
    put_new(&table, partner).await.unwrap();
    for digest in ["d1", "d2"] {
        record_report(&table, heard(digest), b"{}").await.unwrap();
    }
    ingest(&table, report(1)).await;
    ingest(&table, subscribed(1)).await;
    ingest(&table, naming(paid(1, 1), &[&object("in_1")])).await;
    ingest(&table, refunded(1, 1, 400)).await;
    ingest(&table, disputed(1, 1, DisputeState::Open)).await;
    ingest(&table, on_trial(2)).await;
    ingest(&table, everything_else(3)).await;
    ingest(&table, about(empty(9, 1), &[&object("in_9")])).await;
    ingest(&table, report(4)).await;
    ingest(&table, paid(4, 4)).await;
    set(&table, &acme(), "https://acme.example/", at(0))
        .await
        .unwrap();
    pay(&table).await;
    let backend: KeyName = "backend".parse().unwrap();
    create(&table, &backend, KeyScope::Read, at(1))
        .await
        .unwrap();
    revoke(&table, &backend, at(2)).await.unwrap();
    let root = RootFingerprint::from_bytes([7; 8]);
    claim_root(&table, "shop", &root, at(1)).await.unwrap();
    // A round that is begun and not ended says most of where it stands.
    let mut round = store::audit::Walk::resume(&table, at(2))
        .await
        .unwrap()
        .unwrap();
    round.step(at(2)).await.unwrap();
    let begun = table.items();
    walk(&table, 1, at(2)).await.unwrap();
    let seldom_items = seldom_items(&table).await;
    let all = begun.into_iter().chain(table.items());
    all.chain(seldom_items).collect()
}

/// What only customers of many years have, or of a partner that earns on a first payment.
async fn seldom_items(table: &MemoryTable) -> [Item; 4] {
    let record = record(table, 1).await;
    let checkpoint = Checkpoint {
        customer: record.customer.clone(),
        folded: record.folded.clone(),
        version: 2,
    };
    let bucket = ClosedBucket {
        customer: record.customer.clone(),
        bucket: 7,
        hashes: [1, u64::MAX].into(),
        version: 3,
    };
    let first_payment = FirstPaymentRow {
        reference: Reference::code("spring").unwrap(),
        customer: record.customer.clone(),
        paid_at: Some(at(1)),
        decided_at: at(2),
        version: 1,
    };
    let fan_out = FanOut {
        reference: Reference::code("spring").unwrap(),
        event: EventId::parse("operator/code/spring/0000").unwrap(),
        after: Some(record.customer.clone()),
        customers: 9,
        next_due_at: Some(at(1)),
        version: 2,
    };
    [
        Item::FanOut(Arc::new(fan_out)),
        Item::Checkpoint(Arc::new(checkpoint)),
        Item::ClosedBucket(Arc::new(bucket)),
        Item::FirstPayment(Arc::new(first_payment)),
    ]
}

async fn pay(table: &MemoryTable) {
    let account = BankAccount::new("Acme", "DE89370400440532013000", Some("COBADEFF")).unwrap();
    set_bank(table, &acme(), account.clone(), at(0))
        .await
        .unwrap();
    let request = PayoutRequest {
        date: date(2026, 4, 5),
        minimums: Vec::new(),
    };
    run(table, &acme(), &request, at(24 * 120)).await.unwrap();
    let amount = eur(1);
    let transfer = Transfer {
        partner: acme(),
        payout: 1,
        amount,
        account,
    };
    save_transfer_batches(table, date(2026, 4, 5), &[transfer], at(0))
        .await
        .unwrap();
}

fn eur(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    }
}

fn heard(digest: &str) -> StoredReport {
    StoredReport {
        partner: acme(),
        message: "msg_1".into(),
        kind: "referral.created".into(),
        referral: "r-1".into(),
        references: vec![Reference::code("spring").unwrap()],
        sub_ids: [("page".into(), "juicers".into())].into(),
        digest: digest.into(),
        signed_at: at(1),
        received_at: at(1),
        content: None,
    }
}

/// The facts that the other events do not have.
fn everything_else(n: usize) -> domain::event::NormalizedEvent {
    let ids = || {
        vec![
            ObjectId::parse("in_3").unwrap(),
            ObjectId::parse("pi_3").unwrap(),
        ]
    };
    let facts = vec![
        Fact::SamePayment { ids: ids() },
        Fact::CumulativeRefund {
            ids: ids(),
            amount: eur(100).into(),
            released_minor: 20,
        },
        Fact::ReferralCanceled {
            partner: acme(),
            referral: "r-3".into(),
        },
        Fact::Reviewed {
            partner: acme(),
            referral: "r-3".into(),
            decision: Decision::Void,
        },
        Fact::CodeGranted(Box::new(CodeGranted {
            code: ReferralCode::parse("spring").unwrap(),
            partner: acme(),
            program: program(),
            identity: PartnerIdentity::default(),
        })),
        Fact::Fingerprint {
            fingerprint: "f1".into(),
        },
        Fact::ReferralCode {
            code: ReferralCode::parse("spring").unwrap(),
        },
        Fact::Unclear {
            what: "a state".into(),
        },
        Fact::CustomerDeleted,
    ];
    let event = event_of(n, "stripe/test/evt_all".into(), at(1), facts);
    naming(event, &[&Reference::code("spring").unwrap()])
}
