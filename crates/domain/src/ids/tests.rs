//! Ids are parsed: what can't stand in a key of the table is not one.

use super::*;

const ACCOUNT: ProviderAccount = ProviderAccount {
    provider: "a-provider-with-quite-a-long-name",
    mode: Mode::Live,
};

#[test]
fn text_that_no_key_can_hold_is_no_id() {
    for text in ["", "a\nb", "a\u{0}", "\u{85}"] {
        assert_eq!(EventId::parse(text), Err(InvalidId("EventId")));
        assert_eq!(CustomerKey::parse(text), Err(InvalidId("CustomerKey")));
        assert_eq!(ObjectId::parse(text), Err(InvalidId("ObjectId")));
        assert_eq!(PriceId::parse(text), Err(InvalidId("PriceId")));
        assert_eq!(PartnerId::parse(text), Err(InvalidId("PartnerId")));
        assert_eq!(PersonHash::parse(text), Err(InvalidId("PersonHash")));
        assert_eq!(Reference::parse(text), Err(InvalidId("Reference")));
    }
    assert!(Reference::shop("a\nb").is_err());
    assert!(Reference::code(&"c".repeat(1000)).is_err());
}

#[test]
fn an_id_is_as_long_as_a_key_can_hold_and_no_longer() {
    assert!(ObjectId::parse("a".repeat(400)).is_ok());
    assert!(ObjectId::parse("a".repeat(401)).is_err());
    assert!(EventId::parse("a".repeat(1000)).is_ok());
    assert!(EventId::parse("a".repeat(1001)).is_err());
    // Within a key these are written as `%23` and `%25`.
    assert!(ObjectId::parse("#%".repeat(66)).is_ok());
    assert!(ObjectId::parse("#%".repeat(67)).is_err());
}

#[test]
fn what_providers_and_shops_write_in_ids_is_kept_as_it_is() {
    for text in ["sub_1", "a b", "a/b:c,d*e@f", "orange 🍊", "#", "%"] {
        assert_eq!(ObjectId::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn a_partner_is_named_in_lower_case_letters_digits_and_dashes() {
    assert!(PartnerId::parse("acme-2").is_ok());
    assert!(PartnerId::parse("a".repeat(64)).is_ok());
    let (long, names) = ("a".repeat(65), ["Acme", "a/b", "a b", "é", "a_b"]);
    for name in names.into_iter().chain([long.as_str()]) {
        assert!(PartnerId::parse(name).is_err(), "{name}");
    }
}

#[test]
fn what_is_made_of_ids_can_be_parsed_again() {
    let longest = ObjectId::parse("a".repeat(400)).unwrap();
    let customer = ACCOUNT.customer(&longest);
    assert_eq!(CustomerKey::parse(customer.as_str()), Ok(customer));
    let event = ACCOUNT.event(&longest);
    assert_eq!(EventId::parse(event.as_str()), Ok(event));
    let reference = ACCOUNT.reference(&longest);
    assert_eq!(Reference::parse(reference.as_str()), Ok(reference));
    let waiting = ACCOUNT.waiting_reference();
    assert_eq!(Reference::parse(waiting.as_str()), Ok(waiting));
    let price = PriceId::from(&longest);
    assert_eq!(PriceId::parse(price.as_str()), Ok(price));
    let unread = ObjectId::of_unread([7; 32]);
    assert_eq!(unread.as_str(), format!("unread/{}", "07".repeat(32)));
    assert_eq!(ObjectId::parse(unread.as_str()), Ok(unread));
    let person = PersonHash::from_mac([0xab; 32]);
    assert_eq!(person.as_str(), "ab".repeat(32));
    assert_eq!(PersonHash::parse(person.as_str()), Ok(person));
}

#[test]
fn what_is_read_from_json_is_parsed() {
    let read = serde_json::from_str::<ObjectId>;
    assert_eq!(read("\"sub_1\"").unwrap().as_str(), "sub_1");
    assert_eq!(
        serde_json::to_string(&read("\"sub_1\"").unwrap()).unwrap(),
        "\"sub_1\""
    );
    let secret = "ada@example.com\\n";
    let error = read(&format!("\"{secret}\"")).unwrap_err().to_string();
    assert!(error.contains("not a valid ObjectId"), "{error}");
    assert!(!error.contains("ada"), "{error}");
    // Also where it is the key of a map.
    type Map = std::collections::BTreeMap<PartnerId, u8>;
    assert_eq!(
        serde_json::from_str::<Map>("{\"acme\":1}").unwrap().len(),
        1
    );
    assert!(serde_json::from_str::<Map>("{\"Acme!\":1}").is_err());
}

#[test]
fn a_code_is_one_however_it_is_spelled() {
    let code = ReferralCode::parse("spring-20").unwrap();
    assert_eq!(ReferralCode::parse("\tSpring-20\n").unwrap(), code);
    for text in ["spring-20", "SPRING-20", " Spring-20", "\u{a0}sPRING-20 "] {
        assert_eq!(ReferralCode::parse(text).unwrap(), code, "{text:?}");
        assert_eq!(Reference::code(text).unwrap(), Reference::from(&code));
        let id = format!("code/{text}");
        assert_eq!(&*normalize_referral_id(&id), "code/spring-20");
        let stored: Reference = serde_json::from_value(id.into()).unwrap();
        assert_eq!(stored, Reference::from(&code));
        let stored: ReferralCode = serde_json::from_value(text.into()).unwrap();
        assert_eq!(stored, code);
    }
}

#[test]
fn other_text_is_no_code_and_stays_as_it_is() {
    let long = "x".repeat(65);
    for text in [
        "",
        " ",
        "a b",
        "a/b",
        "ä",
        "\u{212a}",
        "\u{ff33}pring",
        "SPR\u{130}NG",
        &long,
    ] {
        assert!(ReferralCode::parse(text).is_err(), "{text:?}");
        let id = format!("code/{text}");
        assert_eq!(*normalize_referral_id(&id), *id);
        let stored: Reference = serde_json::from_value(id.clone().into()).unwrap();
        assert_eq!(stored.as_str(), id);
        assert_eq!(stored.as_code(), None);
    }
    assert!(ReferralCode::parse(&"x".repeat(64)).is_ok());
    assert_eq!(&*normalize_referral_id("R-1"), "R-1");
    // A key's text stays as it stands in the table.
    assert_eq!(Reference::parse("code/A").unwrap().as_str(), "code/A");
}
