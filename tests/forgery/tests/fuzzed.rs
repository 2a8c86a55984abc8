//! The fuzzer's targets under chance alone, some hundred times each.

use forgery::fuzz::targets;

#[test]
fn whatever_comes_is_parsed_or_refused_and_nobody_panics() {
    let targets = targets();
    assert!(targets.len() >= 40, "{}", targets.len());
    for (number, target) in (0..).zip(&targets) {
        assert!(!target.seeds.is_empty(), "{}", target.name);
        target.exercise(number, 60);
    }
}
