//! The proof's short run: what `cargo test` has time for. The whole is the example `prove`.

use tests::prove::{MUTANTS, exhaustive, simulate};

#[test]
fn no_law_breaks_in_the_first_worlds() {
    let total = simulate::worlds(7, 15_000, 2, None);
    assert_eq!(total.first, None);
    assert!(total.rows > 300, "{} rows", total.rows);
    assert!(total.payouts > 40, "{} payouts", total.payouts);
    assert!(total.notices > 300, "{} notices", total.notices);
    let never: Vec<&str> = total.never().collect();
    assert_eq!(never, [""; 0], "faults that never happened");
}

#[test]
fn a_world_is_the_same_on_one_thread_and_on_two() {
    let one = simulate::worlds(11, 3_000, 1, None);
    let two = simulate::worlds(11, 3_000, 2, None);
    assert_eq!(
        (one.deliveries, one.worlds, one.hits),
        (two.deliveries, two.worlds, two.hits)
    );
}

#[test]
fn every_short_order_crash_and_interleaving_ends_alike() {
    let cases = exhaustive::everything(7, 2, true);
    assert_eq!(cases.first, None);
    assert!(cases.lives >= 12);
    assert!(cases.earning >= 4, "{} lives earn", cases.earning);
}

#[test]
fn each_law_broken_on_purpose_is_noticed() {
    for (mutant, name) in MUTANTS {
        let total = simulate::worlds(7, 60_000, 2, Some(mutant));
        assert!(total.first.is_some(), "nobody notices: {name}");
    }
}
