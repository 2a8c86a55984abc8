//! Gives libFuzzer's bytes to the target that `FUZZ_TARGET` names; to all, without.

#![no_main]

use forgery::fuzz::{FuzzTarget, targets};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static CHOSEN: LazyLock<Vec<FuzzTarget>> = LazyLock::new(|| {
    let mut chosen = targets();
    if let Ok(name) = std::env::var("FUZZ_TARGET") {
        chosen.retain(|target| target.name == name);
        assert!(!chosen.is_empty(), "no target is called {name}");
    }
    chosen
});

fuzz_target!(|bytes: &[u8]| {
    // Where there are several, the first byte says which.
    let chosen = match (CHOSEN.as_slice(), bytes.split_first()) {
        ([only], _) => Some((only, bytes)),
        (several, Some((which, rest))) => {
            let which = usize::from(*which) % several.len();
            several.get(which).map(|target| (target, rest))
        }
        (_, None) => None,
    };
    if let Some((target, bytes)) = chosen {
        target.run(bytes);
    }
});
