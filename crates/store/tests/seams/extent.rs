//! How far the functions are explored: a part of it in seconds, or all of it.

/// How far an exploration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What the tests have time for, without optimization on a busy machine.
    Short,
    /// All that the seams ask for.
    Full,
}

impl Extent {
    /// The short form, unless `ORANGERY_SEAMS=full` asks for all.
    pub(crate) fn asked_for() -> Self {
        match std::env::var("ORANGERY_SEAMS") {
            Err(_) => Self::Short,
            Ok(asked) if asked == "full" => Self::Full,
            Ok(asked) => panic!("ORANGERY_SEAMS is `{asked}`: say full, or leave it out"),
        }
    }

    /// How many runs of a set, of which a seam asks for so many.
    pub(crate) fn runs(self, most: u64) -> u64 {
        match self {
            Self::Short => (most / 8).max(1),
            Self::Full => most.max(1),
        }
    }

    /// At every how many requests one of so many dies or loses an answer.
    pub(crate) fn stride(self, actors: usize) -> usize {
        match self {
            Self::Short if actors > 1 => 2,
            Self::Short | Self::Full => 1,
        }
    }
}
