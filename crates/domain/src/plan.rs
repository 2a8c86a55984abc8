//! What is due: derived from the state and the moment, never queued.

use crate::letters::Letter;
use crate::record::Decided;
use crate::state::State;
use jiff::Timestamp;

/// What is due now, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Letters due now.
    pub due: Vec<Decided>,
    /// The next moment at which something may fall due by itself.
    pub look_at: Option<Timestamp>,
}

/// What is due to a customer in this state at this moment. A cause older than its letter's
/// window is expired: an old shop's first day, a replay and a repair write to nobody.
pub fn plan(state: &State, now: Timestamp) -> Plan {
    let mut due = Vec::new();
    for letter in Letter::ALL {
        let causes = match letter {
            Letter::Welcome => welcomes(state),
        };
        due.extend(causes.into_iter().filter(|due| due.is_timely(now)));
    }
    Plan { due, look_at: None }
}

impl Decided {
    /// Whether its window is open at this moment. A cause in the future is a provider's clock
    /// ahead of ours, and no reason to wait.
    pub fn is_timely(&self, now: Timestamp) -> bool {
        now < self.letter.window_end(self.caused_at)
    }
}

/// A subscription that runs welcomes its customer, counted from its start: a subscription that
/// began long ago is no news, whenever we first hear of it.
fn welcomes(state: &State) -> Vec<Decided> {
    if state.person.email().is_none() {
        return Vec::new();
    }
    state
        .subscriptions
        .iter()
        .filter(|(_, subscription)| subscription.terms.status.is_running())
        .map(|(id, subscription)| Decided {
            letter: Letter::Welcome,
            cause: id.as_str().into(),
            caused_at: subscription.started_at,
        })
        .collect()
}
