//! The catalog names prices; what it does not list is never guessed.

use crate::lives::id;
use domain::catalog::{BadCatalog, Catalog, Kind};
use domain::ids::PriceId;
use domain::terms::Item;

const TEXT: &str = r#"
[plans.basic]
name = "Basic"
tier = 1
prices = ["price_basic"]

[plans.pro]
name = { en = "Pro", fr = "Pro +" }
tier = 2
prices = ["price_pro", "price_pro_yearly"]

[add_ons.support]
name = "Support"
prices = ["price_support"]
"#;

fn item(price: &str, metered: bool) -> Item {
    Item {
        id: id("si_1"),
        price: PriceId::new(price),
        metered,
        quantity: None,
        unit_minor: None,
        period: None,
    }
}

#[test]
fn listed_prices_have_their_kind_whatever_their_order() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let items = [item("price_support", false), item("price_pro", false)];
    let kinds: Vec<_> = items.iter().map(|i| catalog.kind(i, &items)).collect();
    assert_eq!(kinds, [Kind::AddOn, Kind::Base]);
    assert_eq!(catalog.base(&items).unwrap().price.as_str(), "price_pro");
}

#[test]
fn an_unlisted_price_is_the_base_only_if_nothing_else_can_be() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let alone = [item("price_x", false), item("price_y", true)];
    let kinds: Vec<_> = alone.iter().map(|i| catalog.kind(i, &alone)).collect();
    assert_eq!(kinds, [Kind::Base, Kind::Metered]);
    let two = [item("price_x", false), item("price_y", false)];
    let kinds: Vec<_> = two.iter().map(|i| catalog.kind(i, &two)).collect();
    assert_eq!(kinds, [Kind::Unlisted, Kind::Unlisted]);
}

#[test]
fn names_come_in_the_readers_language_or_in_english() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let (_, key, product) = catalog.product(&PriceId::new("price_pro_yearly")).unwrap();
    let names = ["fr", "en", "de"].map(|language| product.name_in(language));
    assert_eq!((key, names), ("pro", ["Pro +", "Pro", "Pro"]));
}

#[test]
fn a_price_listed_twice_is_refused() {
    let twice = format!("{TEXT}\n[meters.calls]\nname = \"Calls\"\nprices = [\"price_pro\"]\n");
    assert_eq!(
        Catalog::parse(&twice),
        Err(BadCatalog::Twice(PriceId::new("price_pro")))
    );
    assert!(matches!(
        Catalog::parse("[plans.x]\nprize = 1"),
        Err(BadCatalog::Unreadable(_))
    ));
}
