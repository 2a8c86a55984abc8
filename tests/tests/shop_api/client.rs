//! The client for shops' own Rust code asks a stack, and does what it was told without one.

use crate::samples::open;
use shop_client::{CheckError, ClientOptions, DecisionBasis, ShopClient, Unanswered, Wanted};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rust_client_asks_a_stack_and_says_on_what_it_decides() {
    let (harness, key) = open().await;
    let url = harness.stack().gateway_url().to_owned();
    let options = ClientOptions {
        // The machine is shared, and an answer is what is tried.
        timeout: Duration::from_secs(60),
        ..ClientOptions::failing(Unanswered::Refuse)
    };
    let client = ShopClient::new(&format!("{url}/"), &key, options);
    let asked = tokio::task::block_in_place(|| {
        [
            client.check("shop-ada", "seats", &Wanted::Quantity(5)),
            client.check("shop-ada", "seats", &Wanted::Quantity(6)),
            client.check("shop-ada", "support", &Wanted::Level("standard".into())),
            client.check("nobody", "export", &Wanted::Any),
        ]
    });
    let allowed = asked.each_ref().map(|decision| decision.allowed);
    assert_eq!(allowed, [true, false, true, false], "{asked:?}");
    for decision in &asked {
        assert_eq!(decision.basis, DecisionBasis::Answered);
    }
    let again = client.check("shop-ada", "seats", &Wanted::Quantity(5));
    assert!(matches!(again.basis, DecisionBasis::Remembered { .. }));
    let wrong = ShopClient::new(&url, &key.replace("_read_", "_write_"), options);
    let refused =
        tokio::task::block_in_place(|| wrong.try_check("shop-ada", "export", &Wanted::Any));
    let Err(CheckError::Refused { status, code, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((status, &*code), (401, "mistyped_credential"));
    let nobody = ShopClient::new("http://127.0.0.1:1", &key, options);
    let assumed = tokio::task::block_in_place(|| nobody.check("shop-ada", "export", &Wanted::Any));
    assert!(!assumed.allowed);
    assert!(matches!(assumed.basis, DecisionBasis::Assumed { .. }));
}
