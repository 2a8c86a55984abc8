//! One customer's events, under construction.

use crate::proof::simulation::random::Rng;
use crate::proof::simulation::script::{
    ACCOUNT, START_SECOND, Script, ScriptedEventDraft, object, references,
};
use domain::event::{About, Fact};
use domain::ids::CustomerKey;
use domain::subscription::terms::SubscriptionSnapshot;

/// One customer's scenario being told.
pub(crate) struct ScenarioBuilder<'a> {
    /// What has been told.
    pub(crate) script: &'a mut Script,
    /// Chance.
    pub(crate) rng: &'a mut Rng,
    /// Whose.
    pub(crate) customer: CustomerKey,
    /// A short name that all its objects carry.
    pub(crate) name: String,
    /// Now.
    pub(crate) clock: i64,
    pub(crate) email: String,
    pub(crate) subscription: Option<SubscriptionSnapshot>,
    /// Statements told of this instant: beyond a few, a provider's clock is no clock.
    pub(crate) events_of_instant: (i64, u32),
    pub(crate) id_count: u32,
    pub(crate) guest: bool,
}

impl<'a> ScenarioBuilder<'a> {
    /// The scenario of customer `number`; some share an e-mail address, some are guests.
    pub(crate) fn new(script: &'a mut Script, rng: &'a mut Rng, number: usize) -> Self {
        let name = ["a", "b", "c", "d"][number % 4].to_owned();
        let guest = rng.one_in(8);
        let id = if guest {
            format!("pi{name}0")
        } else {
            format!("cus{name}")
        };
        let email = if rng.one_in(4) {
            "m".to_owned()
        } else {
            format!("m{name}")
        };
        let clock = START_SECOND + rng.between(0, 7200);
        Self {
            customer: ACCOUNT.customer(&object(&id)),
            script,
            rng,
            name,
            clock,
            email,
            subscription: None,
            events_of_instant: (0, 0),
            id_count: 0,
            guest,
        }
    }

    /// Nothing is known of this customer but one payment.
    pub(crate) fn make_guest(&mut self) {
        self.guest = true;
        self.customer = ACCOUNT.customer(&object(&format!("pi{}0", self.name)));
    }

    /// Time goes by: nothing at all, minutes, or a month.
    pub(crate) fn advance(&mut self) {
        self.clock += match self.rng.index(6) {
            0 | 1 => 0,
            2 => 1,
            3 => self.rng.between(2, 600),
            4 => self.rng.between(3_600, 200_000),
            _ => 30 * 86_400,
        };
    }

    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        self.id_count += 1;
        // The sender's ids say nothing about the order.
        let salt = self.rng.below(36);
        format!("{prefix}{}{salt}_{}", self.name, self.id_count)
    }

    /// Tells something about this customer by its own id.
    pub(crate) fn add_event(
        &mut self,
        kind: &'static str,
        rank: u8,
        facts: Vec<Fact>,
        leads: &[&str],
    ) {
        let about = About::Customer(self.customer.clone());
        self.add_event_about(kind, rank, about, facts, leads);
    }

    pub(crate) fn add_event_about(
        &mut self,
        kind: &'static str,
        rank: u8,
        about: About,
        facts: Vec<Fact>,
        leads: &[&str],
    ) {
        let id = self.new_id("e");
        let draft = ScriptedEventDraft {
            kind,
            rank,
            about,
            facts,
            references: leads,
        };
        self.script.add_event(&id, self.clock, draft);
    }

    pub(crate) fn add_event_by_reference(
        &mut self,
        kind: &'static str,
        rank: u8,
        behind: &[&str],
        facts: Vec<Fact>,
    ) {
        let about = About::ByReference(references(behind));
        self.add_event_about(kind, rank, about, facts, behind);
    }
}
