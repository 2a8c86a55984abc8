//! Why a request to the table went wrong.

/// Why the table did not answer as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It refuses load; nothing was written.
    #[error("the table is throttling; nothing was written, try again in a moment")]
    Throttled,
    /// Others kept writing the same item each time this was tried, or write it right now.
    #[error("others are writing the same item; nothing was written, try again in a moment")]
    Contended,
    /// No answer, or an answer of its own trouble: a write may or may not be applied.
    #[error("the table did not answer ({0}); a write may or may not have been applied")]
    NoAnswer(String),
    /// The request itself is wrong: ours to mend.
    #[error("the table refused a request as invalid ({0}); the code or the permissions are wrong")]
    Invalid(String),
    /// The item is larger than the table takes: it is never kept, however often that is tried.
    #[error(
        "an item of {bytes} bytes is more than the 409,600 that the table takes; it was not \
         written: a wire item of noise, or a customer of so many subscriptions or reports"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// An item that this version can't read.
    #[error("item {key} can't be read ({why}); was it written by a newer version?")]
    Unreadable {
        /// Which.
        key: String,
        /// Why.
        why: String,
    },
}

impl StoreError {
    /// Whether it is about the item alone: it comes again however often that is tried, and
    /// nothing of it says that the table is in trouble.
    pub fn is_of_the_item(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::TooLarge { .. } | Self::Contended => true,
            Self::Throttled | Self::NoAnswer(_) | Self::Invalid(_) => false,
        }
    }
}
