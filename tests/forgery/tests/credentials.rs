//! Keys and tokens of the shop's own code: none that was tampered with is believed.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails loudly and prints its counts"
)]

use forgery::credentials::GivenOut;

#[test]
fn no_key_or_token_that_was_tampered_with_is_believed() {
    let given_out = GivenOut::new();
    given_out.check_genuine();
    let total = given_out.run(7, 60_000);
    println!("{total:?}");
    assert!(total.by_way.len() >= 18, "{:?}", total.by_way);
    for (way, tries) in &total.by_way {
        assert!(*tries > 1_000, "hardly ever tried: {way}");
    }
    // Each step of the check refuses some of them: no way hides behind an earlier one.
    for code in [
        "malformed_credential",
        "mistyped_credential",
        "other_stage",
        "unknown_credential",
        "expired_token",
    ] {
        let refused = total.by_refusal.get(code);
        assert!(
            refused.is_some_and(|count| *count > 100),
            "{code}: {refused:?}"
        );
    }
}
