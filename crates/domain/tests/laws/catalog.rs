//! The catalog names prices. What it does not list is never guessed.

use crate::scenarios::{
    at, customer, id, new_event, subscription_fact, subscription_snapshot, terms,
};
use domain::catalog::{BadCatalog, Catalog, ItemKind};
use domain::ids::PriceId;
use domain::partner::program::{Program, Reward};
use domain::state::fold::fold;
use domain::subscription::terms::{Period, SubscriptionItem, SubscriptionStatus};
use domain::view::CustomerView;

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

fn item(price: &str, metered: bool) -> SubscriptionItem {
    SubscriptionItem {
        id: id("si_1"),
        price: PriceId::parse(price).unwrap(),
        metered,
        quantity: None,
        pricing: Default::default(),
        unit_minor: None,
        period: None,
    }
}

#[test]
fn listed_prices_have_their_kind_whatever_their_order() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let items = [item("price_support", false), item("price_pro", false)];
    let kinds: Vec<_> = items.iter().map(|i| catalog.kind(i, &items)).collect();
    assert_eq!(kinds, [ItemKind::AddOn, ItemKind::Base]);
    assert_eq!(catalog.base(&items).unwrap().price.as_str(), "price_pro");
}

#[test]
fn an_unlisted_price_is_the_base_only_if_nothing_else_can_be() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let alone = [item("price_x", false), item("price_y", true)];
    let kinds: Vec<_> = alone.iter().map(|i| catalog.kind(i, &alone)).collect();
    assert_eq!(kinds, [ItemKind::Base, ItemKind::Metered]);
    let two = [item("price_x", false), item("price_y", false)];
    let kinds: Vec<_> = two.iter().map(|i| catalog.kind(i, &two)).collect();
    assert_eq!(kinds, [ItemKind::Unlisted, ItemKind::Unlisted]);
}

#[test]
fn names_come_in_the_readers_language_or_in_english() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let (_, key, product) = catalog
        .product(&PriceId::parse("price_pro_yearly").unwrap())
        .unwrap();
    let names = ["fr", "en", "de"].map(|language| product.name_in(language));
    assert_eq!((key, names), ("pro", ["Pro +", "Pro", "Pro"]));
}

#[test]
fn a_named_program_states_only_what_differs_from_the_usual_one() {
    let usual = "[program]\nrate = \"20%\"\nmonths = 12\nhold = \"30d\"\nwindow = \"60d\"\n";
    let named = "[programs.agency]\nfixed = \"5.00 eur\"\ntiers = [\"9:6.00 eur\"]\n";
    let catalog = Catalog::parse(&format!("{named}{usual}")).unwrap();
    let (usual, agency) = (catalog.program.unwrap(), &catalog.programs["agency"]);
    assert_eq!(usual.program.reward, Reward::BasisPoints(2_000));
    assert_eq!(agency.program.reward.to_string(), "5.00 EUR");
    assert_eq!((usual.tiers.len(), agency.tiers.len()), (0, 1));
    assert_eq!(
        Program {
            reward: usual.program.reward,
            ..agency.program.clone()
        },
        usual.program
    );
    // Without a `[program]`, a named program must state every term itself.
    let bad = Catalog::parse(named).unwrap_err().to_string();
    assert!(
        bad.contains("[programs.agency] is not a valid program: ") && bad.contains("hold"),
        "{bad}"
    );
}

#[test]
fn a_price_listed_twice_is_refused() {
    let twice = format!("{TEXT}\n[meters.calls]\nname = \"Calls\"\nprices = [\"price_pro\"]\n");
    assert_eq!(
        Catalog::parse(&twice),
        Err(BadCatalog::DuplicatePrice(
            PriceId::parse("price_pro").unwrap()
        ))
    );
    assert!(matches!(
        Catalog::parse("[plans.x]\nprize = 1"),
        Err(BadCatalog::Unreadable(_))
    ));
}

#[test]
fn the_period_that_is_shown_is_the_plans_where_it_has_one_of_its_own() {
    let catalog = Catalog::parse(TEXT).unwrap();
    let month = Period {
        start: at(0),
        end: at(2_419_200),
    };
    let mut terms = terms(SubscriptionStatus::Active, "price_support");
    let mut plan = item("price_basic", false);
    plan.period = Some(month);
    terms.items.push(plan);
    let snapshot = subscription_snapshot("sub_1", terms, None);
    let event = new_event("evt_1", 0, 30, vec![subscription_fact(snapshot)]);
    let view = CustomerView::new(&customer(), &fold([&event]), &catalog, Vec::new(), &[]);
    let shown = &view.subscriptions[0];
    assert_eq!(shown.plan.as_deref(), Some("basic"));
    assert_eq!(shown.current_period_end, Some(month.end));
}
