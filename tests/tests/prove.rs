//! The proof's short run: what `cargo test` has time for. The whole is the example `prove`.

use tests::proof::{MUTANTS, exhaustive, simulation_runs};

#[test]
fn no_rule_breaks_in_the_first_simulations() {
    let total = simulation_runs::simulate_many(7, 24_000, 2, None);
    assert_eq!(total.first_violation, None);
    assert!(total.rows > 200, "{} rows", total.rows);
    assert!(total.payouts > 40, "{} payouts", total.payouts);
    assert!(total.notices > 300, "{} notices", total.notices);
    let never: Vec<&str> = total.never_injected().collect();
    assert_eq!(never, [""; 0], "faults that never happened");
}

#[test]
fn a_simulation_is_the_same_on_one_thread_and_on_two() {
    let one = simulation_runs::simulate_many(11, 3_000, 1, None);
    let two = simulation_runs::simulate_many(11, 3_000, 2, None);
    assert_eq!(
        (one.deliveries, one.simulations, one.fault_counts),
        (two.deliveries, two.simulations, two.fault_counts)
    );
}

#[test]
fn every_short_order_crash_and_interleaving_ends_alike() {
    let cases = exhaustive::run_all(7, 2, true);
    assert_eq!(cases.first_violation, None);
    assert!(cases.scenarios >= 12);
    assert!(cases.earning >= 4, "{} scenarios earn", cases.earning);
}

#[test]
fn each_rule_broken_on_purpose_is_noticed() {
    for (mutant, name) in MUTANTS {
        let total = simulation_runs::simulate_many(7, 200_000, 2, Some(mutant));
        assert!(total.first_violation.is_some(), "nobody notices: {name}");
    }
}
