//! A bank account is well formed, or it is refused with an error that does not repeat it.

use domain::partner::bank_account::{BadBankAccount, BankAccount};

const IBAN: &str = "DE89 3704 0044 0532 0130 00";

#[test]
fn an_account_is_taken_as_people_type_it_and_comes_back() {
    let account = BankAccount::new(" Agrumes Réunis ", &IBAN.to_lowercase(), Some("cobadeff"));
    let account = account.unwrap();
    assert_eq!(account.holder(), "Agrumes Réunis");
    assert_eq!(account.iban(), "DE89370400440532013000");
    assert_eq!(account.bic(), Some("COBADEFF"));
    assert_eq!(account.hint(), "DE…3000");
    let stored = serde_json::to_string(&account).unwrap();
    let back: BankAccount = serde_json::from_str(&stored).unwrap();
    assert_eq!(back, account);
    let tampered = stored.replace("DE89", "DE88");
    assert!(serde_json::from_str::<BankAccount>(&tampered).is_err());
}

#[test]
fn what_is_no_account_is_refused_with_the_reason_and_without_the_account() {
    use BadBankAccount::{Bic, Checksum, Country, Holder, Shape};
    let long = "x".repeat(71);
    for (holder, iban, bic, expected) in [
        ("", IBAN, None, Holder),
        ("  ", IBAN, None, Holder),
        ("a\nb", IBAN, None, Holder),
        (&long, IBAN, None, Holder),
        ("Acme", "DE89 3704 0044 0532 0130 01", None, Checksum),
        ("Acme", "DE89 3704 0044 0532 0103 00", None, Checksum),
        ("Acme", "DE89 3704", None, Checksum),
        ("Acme", "", None, Shape),
        ("Acme", "FR14 2004 1010 0505 0001 3M02 6", None, Checksum),
        ("Acme", "D€89", None, Shape),
        // Right check digits, but of a country without IBANs, and of a number that is too short.
        ("Acme", "ZZ8212345678", None, Country),
        ("Acme", "DE933704004405", None, Shape),
        ("Acme", IBAN, Some("COBADEF"), Bic),
        ("Acme", IBAN, Some("COBA12FF"), Bic),
        ("Acme", IBAN, Some("COBADEFFXXXX"), Bic),
        ("Acme", IBAN, Some("COBADEF€"), Bic),
    ] {
        let error = BankAccount::new(holder, iban, bic).unwrap_err();
        assert_eq!(error, expected, "{holder} {iban} {bic:?}");
        assert!(!error.to_string().contains("3704"));
    }
    let debug = format!("{:?}", BankAccount::new("Acme", IBAN, None).unwrap());
    assert!(!debug.contains("3704") && !debug.contains("Acme"));
}
