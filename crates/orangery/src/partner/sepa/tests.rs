//! The message to the bank: its text, its letters, and its schema where that is at hand.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use super::{message_id, pain_001, refusal_reason, sepa_text};
use domain::ids::PartnerId;
use domain::money::{Currency, Money};
use domain::partner::bank_account::BankAccount;
use jiff::civil::date;
use std::process::Command;
use store::payouts::{Transfer, TransferBatch};

#[test]
fn a_message_says_who_pays_whom_how_much_under_an_id_of_its_own() {
    let xml = String::from_utf8(pain_001(&message(), &payer()).unwrap()).unwrap();
    assert_eq!(xml, include_str!("message.xml"));
}

#[test]
fn every_message_is_valid_against_the_schema() {
    let Some(schema) = std::env::var_os("ORANGERY_PAIN_XSD") else {
        println!("skipped: ORANGERY_PAIN_XSD names no schema of pain.001.001.09");
        return;
    };
    let many = TransferBatch {
        transfers: (0..1_000).flat_map(|_| message().transfers).collect(),
        n: 9_999_999_999,
        ..message()
    };
    let folder = std::env::temp_dir();
    for (n, message) in [message(), many].iter().enumerate() {
        let path = folder.join(format!("orangery-pain-{}-{n}.xml", std::process::id()));
        std::fs::write(&path, pain_001(message, &payer()).unwrap()).unwrap();
        let check = Command::new("xmllint")
            .args(["--noout", "--schema"])
            .args([schema.as_os_str(), path.as_os_str()])
            .output();
        std::fs::remove_file(&path).unwrap();
        let Ok(said) = check else {
            println!("skipped: no xmllint on this machine");
            return;
        };
        let complaint = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{complaint}");
    }
}

#[test]
fn texts_are_of_the_letters_that_banks_transfer() {
    for (text, most, seen) in [
        ("Verger d'Été & Fils", 70, "Verger d'Ete + Fils"),
        ("Łódź ßüß <b>", 70, "Lodz ssuss b"),
        ("//a///b//", 70, "a/b"),
        ("a_b=c\"d", 70, "a b c d"),
        ("abcdef", 3, "abc"),
        ("abc/def", 4, "abc"),
        ("  ", 70, "NOTPROVIDED"),
    ] {
        assert_eq!(sepa_text(text, most), seen, "{text}");
    }
}

#[test]
fn what_sepa_does_not_transfer_is_left_out_with_the_reason() {
    let fine = Money {
        exponent: 4,
        ..money(1, "eur")
    };
    for (amount, left_out) in [
        (money(1, "eur"), false),
        (money(99_999_999_999, "eur"), false),
        (money(100_000_000_000, "eur"), true),
        (money(1, "usd"), true),
        (fine, true),
    ] {
        assert_eq!(refusal_reason(amount).is_some(), left_out, "{amount}");
    }
    let mut message = message();
    message.transfers.first_mut().unwrap().amount = money(1, "usd");
    assert!(pain_001(&message, &payer()).is_err());
}

#[test]
fn an_id_fits_its_field() {
    let message = TransferBatch {
        n: 1_000_000_000_000_000,
        ..message()
    };
    assert!(message_id(&message).len() <= 35);
}

fn message() -> TransferBatch {
    let transfer = |partner: &str, payout, minor, account| Transfer {
        partner: PartnerId::parse(partner).unwrap(),
        payout,
        amount: money(minor, "eur"),
        account,
    };
    let bic = Some("BNPAFRPPXXX");
    let acme = BankAccount::new("Acmé & <Fils>", "FR1420041010050500013M02606", bic);
    let peel = BankAccount::new("Peel B.V.", "NL91 ABNA 0417 1643 00", None);
    TransferBatch {
        date: date(2026, 4, 5),
        n: 2,
        at: "2026-04-07T09:30:00.123Z".parse().unwrap(),
        transfers: vec![
            transfer("acme", 1, 20_000, acme.unwrap()),
            transfer("peel", 12, 5, peel.unwrap()),
        ],
    }
}

fn payer() -> BankAccount {
    BankAccount::new("L'Orangerie", "DE89370400440532013000", Some("COBADEFFXXX")).unwrap()
}

fn money(minor: i64, code: &str) -> Money {
    Money {
        minor,
        currency: Currency::parse(code).unwrap(),
        exponent: 2,
    }
}
