//! What goes wrong on purpose: deliveries twice, in another order, not at all, or a process
//! that dies among them.

use serde::Serialize;

/// Which kinds of trouble are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Chaos {
    /// Every delivery twice.
    pub duplicate: bool,
    /// In a random order.
    pub shuffle: bool,
    /// About one in four is not made.
    pub drop: bool,
    /// The process may be ended abruptly from its page.
    pub kill: bool,
}

impl Chaos {
    /// The kinds named in a list, `duplicate,shuffle,drop,kill`.
    ///
    /// # Errors
    /// In words, for a name that is none of these.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut chaos = Self::default();
        for name in list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match name {
                "duplicate" => chaos.duplicate = true,
                "shuffle" => chaos.shuffle = true,
                "drop" => chaos.drop = true,
                "kill" => chaos.kill = true,
                other => {
                    return Err(format!(
                        "`{other}` is none of duplicate, shuffle, drop, kill"
                    ));
                }
            }
        }
        Ok(chaos)
    }

    /// What is left of these deliveries: the same for the same seed.
    pub fn apply<D: Clone>(self, deliveries: Vec<D>, seed: u64) -> Vec<D> {
        let mut dice = SplitMix64(seed);
        let copies = if self.duplicate { 2 } else { 1 };
        let mut chosen: Vec<(u64, D)> = Vec::new();
        for delivery in deliveries {
            for _ in 0..copies {
                if self.drop && dice.next_u64().is_multiple_of(4) {
                    continue;
                }
                chosen.push((dice.next_u64(), delivery.clone()));
            }
        }
        if self.shuffle {
            chosen.sort_by_key(|(rolled, _)| *rolled);
        }
        chosen.into_iter().map(|(_, delivery)| delivery).collect()
    }
}

/// SplitMix64: small, and the same everywhere.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
