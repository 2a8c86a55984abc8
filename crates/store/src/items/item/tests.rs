//! What stands in the table comes back as it was written.

use super::Item;
use crate::error::StoreError;
use crate::items::key::{customer_referral_statuses, customer_rows};
use crate::journal::rows::Alias;
use crate::partner::delivery_row::DeliveryState;
use crate::partner::endpoint_row::{DisabledReason, DisabledState, NoticeEndpoint};
use crate::partner::payout_rows::{BankRow, Transfer, TransferBatch};
use crate::partner::report_row::{ReportIndex, StoredReport};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{CustomerKey, EventId, ObjectId, PartnerId, Reference};
use domain::money::{Currency, Money};
use domain::partner::bank_account::BankAccount;
use domain::partner::identity::PartnerIdentity;
use domain::partner::payout::Payout;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::referral::AttributionTerms;
use domain::partner::referral::ReferralSnapshot;
use domain::payment::snapshot::{PaymentSnapshot, RefundSnapshot, RefundState, SourceKind};
use domain::record::{Effect, Entry, Record};
use jiff::Timestamp;
use jiff::civil::date;
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn a_ledger_its_rows_and_the_terms_they_rest_on_come_back() {
    let customer = CustomerKey::parse("provider/test/cus_1").unwrap();
    for reward in [Reward::BasisPoints(2_050), Reward::Fixed(eur(500))] {
        let entry = entry(&customer, reward);
        let record = Record::new(customer.clone());
        let record = record
            .rebuild(std::slice::from_ref(&entry), &[], Timestamp::UNIX_EPOCH)
            .unwrap();
        let mut items = vec![Item::Entry(customer.clone(), entry)];
        for effect in &record.pending {
            if let Effect::Commission(row) = effect {
                items.push(Item::Commission(Arc::new(row.as_ref().clone())));
            } else if let Effect::ReferralStatus(row) = effect {
                items.push(Item::ReferralStatus(Arc::new(row.as_ref().clone())));
            }
        }
        assert_eq!((items.len(), record.ledger.balances.len()), (4, 1));
        assert!(!record.referral_statuses.is_empty());
        items.push(Item::Record(Arc::new(record.cleared())));
        items.push(Item::Record(Arc::new(record)));
        for item in items {
            let attributes = item.to_attributes().unwrap();
            assert_eq!(Item::from_attributes(attributes).unwrap(), item);
        }
    }
}

#[test]
fn a_payout_the_account_and_what_the_bank_is_told_come_back() {
    let (partner, at) = (PartnerId::parse("acme").unwrap(), Timestamp::UNIX_EPOCH);
    let account = BankAccount::new("Acme", "DE89370400440532013000", Some("COBADEFF")).unwrap();
    let late = BTreeMap::from([(
        CustomerKey::parse("provider/test/cus_1").unwrap(),
        [0, 7].into(),
    )]);
    let mut items = Vec::new();
    for late in [BTreeMap::new(), late] {
        items.push(Item::Payout(Arc::new(Payout {
            partner: partner.clone(),
            n: 12,
            date: date(2026, 4, 5),
            at,
            until: at,
            amounts: vec![eur(1), eur(i64::MAX)],
            complete_until: Timestamp::MAX,
            late_rows: late,
        })));
    }
    items.push(Item::Bank(Arc::new(BankRow {
        partner: partner.clone(),
        version: 3,
        since: at,
        account: account.clone(),
    })));
    let transfer = Transfer {
        partner,
        payout: 12,
        amount: eur(600),
        account,
    };
    items.push(Item::TransferBatch(Arc::new(TransferBatch {
        date: date(2026, 4, 5),
        n: 1,
        at,
        transfers: vec![transfer],
    })));
    let keys = [
        "ledger#acme / payout#0000000012",
        "ledger#acme / payout#0000000012",
        "bank#acme / bank",
        "transfers / 2026-04-05#0000000001",
    ];
    for (item, key) in items.into_iter().zip(keys) {
        assert_eq!(item.key().to_string(), key);
        let attributes = item.to_attributes().unwrap();
        assert_eq!(Item::from_attributes(attributes).unwrap(), item);
    }
}

#[test]
fn an_alias_is_read_only_if_its_customer_can_be_one() {
    let alias = Item::from(Alias {
        reference: Reference::code("spring").unwrap(),
        customer: CustomerKey::parse("provider/test/cus_1").unwrap(),
    });
    let stored = alias.to_attributes().unwrap();
    assert_eq!(Item::from_attributes(stored.clone()), Ok(alias));
    for customer in [None, Some(""), Some("provider/test/cus\n1")] {
        let mut stored = stored.clone();
        stored.remove("customer");
        if let Some(text) = customer {
            stored.insert("customer".into(), AttributeValue::S(text.into()));
        }
        let read = Item::from_attributes(stored);
        let is_refused = matches!(read, Err(StoreError::Unreadable { .. }));
        assert!(is_refused, "{customer:?}");
    }
}

#[test]
fn no_customers_rows_stand_among_anothers_whatever_its_id() {
    let one = CustomerKey::parse("provider/test/cus").unwrap();
    let other = CustomerKey::parse("provider/test/cus#pi_1").unwrap();
    assert!(!customer_rows(&other).starts_with(&customer_rows(&one)));
    let standings = |customer| customer_referral_statuses("r-1", customer);
    assert!(!standings(&other).starts_with(&standings(&one)));
}

#[test]
fn what_a_partner_endpoint_heard_comes_back_under_keys_that_none_else_has() {
    let report = |message: &str, referral: &str, content: Option<&str>| StoredReport {
        partner: PartnerId::parse("acme").unwrap(),
        message: message.into(),
        kind: "referral.created".into(),
        referral: referral.into(),
        references: Vec::new(),
        sub_ids: [("page".into(), "juicers".into())].into(),
        digest: "d1".into(),
        signed_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        content: content.map(Into::into),
    };
    let mut keys = Vec::new();
    for (place, report) in [
        (ReportIndex::Message, report("msg_1", "r#1", None)),
        (ReportIndex::Conflict, report("msg_1", "r#1", Some("{}"))),
        (ReportIndex::Referral, report("msg_1", "r#1", None)),
        (ReportIndex::Referral, report("msg_1", "r", None)),
        (ReportIndex::Referral, report("msg_1", "r%231", None)),
    ] {
        let item = Item::Report(place, Arc::new(report));
        keys.push(item.key().to_string());
        let attributes = item.to_attributes().unwrap();
        assert_eq!(Item::from_attributes(attributes).unwrap(), item);
    }
    let expected = [
        "reports#acme / report#msg_1",
        "reports#acme / conflict#d1#msg_1",
        "reports#acme / referral#r%231#msg_1",
        "reports#acme / referral#r#msg_1",
        "reports#acme / referral#r%25231#msg_1",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn an_endpoint_and_what_it_was_told_come_back_and_only_what_is_to_be_told_is_in_the_index() {
    let partner = PartnerId::parse("acme").unwrap();
    let at: Timestamp = "2026-01-01T00:00:00.5Z".parse().unwrap();
    let off = DisabledState {
        at,
        reason: DisabledReason::Failing,
    };
    let endpoint = NoticeEndpoint {
        addressee: (&partner).into(),
        version: 3,
        url: "https://example.com/notices".into(),
        since: at,
        key: 1,
        previous_key: None,
        failing_since: Some(at),
        disabled: Some(off),
    };
    let told = |next_due_at| DeliveryState {
        addressee: (&partner).into(),
        row: "commission#provider/test/cus_1#pi_1#0000000000".into(),
        version: 1,
        delivered: BTreeMap::from([("commission.created".into(), at)]),
        next_due_at,
    };
    let waits = Some("2026-02-01T00:00:00Z".parse().unwrap());
    for (item, indexed) in [
        (Item::NoticeEndpoint(Arc::new(endpoint)), false),
        (Item::DeliveryState(Arc::new(told(None))), false),
        (Item::DeliveryState(Arc::new(told(waits))), true),
    ] {
        let attributes = item.to_attributes().unwrap();
        let keys = ["due_shard", "next_due_at"].map(|name| attributes.contains_key(name));
        assert_eq!(keys, [indexed; 2]);
        assert_eq!(Item::from_attributes(attributes).unwrap(), item);
    }
}

fn entry(customer: &CustomerKey, reward: Reward) -> Arc<Entry> {
    let at = Timestamp::UNIX_EPOCH;
    let pinned = AttributionTerms {
        partner: PartnerId::parse("acme").unwrap(),
        referral: "r-1".into(),
        reported_at: at,
        program: Program {
            reward,
            duration: CommissionDuration::Months(12),
            hold_days: 30,
            window_days: 60,
            attribution_model: AttributionModel::Last,
        },
        identity: PartnerIdentity::of("anna@agrumes.fr"),
    };
    let seen = ReferralSnapshot {
        partner: pinned.partner.clone(),
        referral: pinned.referral.clone(),
        referred_at: at,
        reported_at: Some(at),
        names: Vec::new(),
        sub_ids: Default::default(),
    };
    let payment = vec![ObjectId::parse("pi_1").unwrap()];
    let paid = PaymentSnapshot {
        ids: payment.clone(),
        source_kind: SourceKind::Intent,
        paid: eur(1_000),
        tax_minor: Some(100),
        paid_at: at,
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    };
    let refund = RefundSnapshot {
        id: ObjectId::parse("re_1").unwrap(),
        payment,
        amount: eur(400).into(),
        tax_minor: None,
        state: RefundState::Succeeded,
        created_at: at,
    };
    let reading = NormalizedEvent {
        id: EventId::parse("provider/test/evt_1").unwrap(),
        kind: "made.up".into(),
        occurred_at: at,
        rank: 1,
        about: About::Customer(customer.clone()),
        facts: vec![
            Fact::Referral(seen),
            Fact::AttributionTerms(Box::new(pinned)),
            Fact::Payment(paid),
            Fact::Refund(refund),
        ],
        references: Vec::new(),
    };
    Arc::new(Entry::new(
        reading,
        b"{}".as_slice().into(),
        1,
        at,
        "".into(),
    ))
}

fn eur(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    }
}
