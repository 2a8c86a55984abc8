//! The short run of forgeries: what `cargo test` has time for. The long one is the part `forgery`
//! of the example `prove`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails loudly and prints its counts"
)]

use forgery::{endpoints, run_tries};

#[test]
fn nothing_tampered_is_believed_and_nothing_that_says_the_same_is_refused() {
    let endpoints = endpoints();
    let total = run_tries(&endpoints, 7, 40_000, 2);
    assert_eq!(total.first, None);
    println!("{total}");
    for (name, count) in total.by_tampering() {
        println!("{name}: {count:?}");
        assert!(count.tries() >= 10, "hardly ever tried: {name}");
    }
    for (name, count) in total.by_endpoint(&endpoints) {
        println!("{name}: {count:?}");
        assert!(count.refused > 500, "hardly ever bent: {name}");
    }
    assert!(total.tamperings.len() >= 25 && endpoints.len() >= 10);
}

#[test]
fn the_same_seed_gives_the_same_tries_on_one_thread_and_on_two() {
    let endpoints = endpoints();
    assert_eq!(
        run_tries(&endpoints, 11, 4_000, 1),
        run_tries(&endpoints, 11, 4_000, 2)
    );
}
