//! Scenarios, continued: a subscription begins, changes, fails and ends.

use crate::proof::simulation::script::euro;
use crate::proof::simulation::script::{at, object};
use crate::proof::workload::scenario_builder::ScenarioBuilder;
use domain::event::Fact;
use domain::payment::snapshot::{InvoiceSnapshot, InvoiceState, NextAttempt};
use domain::subscription::pricing::Pricing;
use domain::subscription::terms::{
    Pause, Period, PreviousAttributes, PreviousValue, SubscriptionItem, SubscriptionSnapshot,
    SubscriptionStatus, SubscriptionTerms,
};

impl ScenarioBuilder<'_> {
    /// A subscription begins.
    pub(crate) fn start(&mut self) {
        let trial = self.rng.one_in(3);
        let status = if trial {
            SubscriptionStatus::Trialing
        } else if self.rng.one_in(2) {
            SubscriptionStatus::Incomplete
        } else {
            SubscriptionStatus::Active
        };
        let length = if trial { 14 } else { 30 } * 86_400;
        let period = Period {
            start: at(self.clock),
            end: at(self.clock + length),
        };
        let seen = SubscriptionSnapshot {
            id: object(&format!("sub{}", self.name)),
            started_at: at(self.clock),
            currency: self.rng.one_in(2).then(|| euro(0).currency),
            terms: SubscriptionTerms {
                status,
                items: vec![item("price_s", 1)],
                period: Some(period),
                trial: trial.then_some(period),
                trial_fallback: None,
                cancel_at: None,
                cancel_at_period_end: false,
                items_partial: false,
                pause: None,
            },
            canceled_at: None,
            end_requested: false,
            end_reason: None,
            ended_at: None,
            previous_attributes: None,
        };
        self.subscription = Some(seen.clone());
        let id = seen.id.to_string();
        self.add_event(
            "sub.created",
            1,
            vec![Fact::Subscription(Box::new(seen))],
            &[&id],
        );
        if !trial {
            self.advance_a_little();
            self.pay(1000, true);
            self.change(|terms| terms.status = SubscriptionStatus::Active);
        }
    }

    fn advance_a_little(&mut self) {
        if self.rng.one_in(2) {
            self.clock += self.rng.between(0, 2);
        }
    }

    /// A change of the subscription's terms, told with what was before.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut SubscriptionTerms)) {
        let Some(mut seen) = self.subscription.take() else {
            return;
        };
        let was = seen.terms.clone();
        if !was.status.is_final() {
            change(&mut seen.terms);
        }
        if seen.terms != was {
            if self.events_of_instant.0 != self.clock {
                self.events_of_instant = (self.clock, 0);
            }
            self.events_of_instant.1 += 1;
            if self.events_of_instant.1 > 4 {
                self.clock += 1;
            }
            seen.previous_attributes = Some(Box::new(previous_attributes(&was, &seen.terms)));
            match (asks_for_end(&was), asks_for_end(&seen.terms)) {
                (false, true) => seen.canceled_at = Some(at(self.clock)),
                (true, false) => seen.canceled_at = None,
                // Some providers move it with whatever else changes.
                (true, true) if self.rng.one_in(3) => seen.canceled_at = Some(at(self.clock)),
                (true, true) | (false, false) => {}
            }
            let id = seen.id.to_string();
            let last = seen.terms.status.is_final();
            if last {
                seen.ended_at = Some(at(self.clock));
                seen.previous_attributes = None;
            }
            let (kind, rank) = if last {
                ("sub.deleted", 9)
            } else {
                ("sub.updated", 2)
            };
            let fact = Fact::Subscription(Box::new(seen.clone()));
            self.add_event(kind, rank, vec![fact], &[&id]);
        }
        self.subscription = Some(seen);
    }

    pub(crate) fn renew(&mut self) {
        let now = self.clock;
        self.change(|terms| {
            terms.status = SubscriptionStatus::Active;
            terms.period = Some(Period {
                start: at(now),
                end: at(now + 30 * 86_400),
            });
        });
        self.pay(1000, true);
    }

    pub(crate) fn fail_and_recover(&mut self) {
        let invoice = self.new_id("in");
        let subscription = self.subscription.as_ref().map(|seen| seen.id.clone());
        let subscription = subscription.filter(|_| self.rng.one_in(2));
        let failed = |state, attempts| InvoiceSnapshot {
            id: object(&invoice),
            subscription: subscription.clone(),
            state,
            due: euro(1000),
            attempts,
            next_attempt: NextAttempt::Unknown,
            paid: (state == InvoiceState::Paid).then(|| euro(1000)),
        };
        for attempt in 1..=1 + self.rng.below(2) as u32 {
            let fact = Fact::Invoice(failed(InvoiceState::Failed, attempt));
            self.add_event("invoice.failed", 4, vec![fact], &[&invoice]);
            self.change(|terms| terms.status = SubscriptionStatus::PastDue);
            self.advance();
        }
        if self.rng.one_in(3) {
            let fact = Fact::Invoice(failed(InvoiceState::Voided, 2));
            return self.add_event("invoice.voided", 6, vec![fact], &[&invoice]);
        }
        let mut settled = failed(InvoiceState::Paid, 2);
        if self.rng.one_in(5) {
            // Credit covers all of it, and no money arrives.
            settled.paid = Some(euro(0));
        } else {
            self.pay_invoice(&invoice, 1000, true);
        }
        self.add_event("invoice.paid", 6, vec![Fact::Invoice(settled)], &[&invoice]);
        self.change(|terms| terms.status = SubscriptionStatus::Active);
    }

    pub(crate) fn change_plan(&mut self) {
        let price = ["price_s", "price_m", "price_l"][self.rng.index(3)];
        let quantity = 1 + self.rng.below(3);
        self.change(|terms| terms.items = vec![item(price, quantity)]);
        if self.rng.one_in(2) {
            self.change(|terms| terms.items.push(item("price_x", 1)));
        }
    }

    pub(crate) fn set_to_end(&mut self) {
        self.change(|terms| {
            terms.cancel_at_period_end = true;
            terms.cancel_at = terms.period.map(|period| period.end);
        });
        if self.rng.one_in(3) {
            self.advance();
            self.change(|terms| {
                terms.cancel_at_period_end = false;
                terms.cancel_at = None;
            });
        }
    }

    pub(crate) fn end(&mut self) {
        self.change(|terms| terms.status = SubscriptionStatus::Canceled);
    }

    pub(crate) fn pause(&mut self) {
        self.change(|terms| {
            terms.pause = match terms.pause {
                Some(_) => None,
                None => Some(Pause {
                    behavior: "void".into(),
                    resumes_at: None,
                }),
            };
        });
    }
}

fn asks_for_end(terms: &SubscriptionTerms) -> bool {
    terms.cancel_at_period_end || terms.cancel_at.is_some() || terms.status.is_final()
}

fn item(price: &str, quantity: u64) -> SubscriptionItem {
    SubscriptionItem {
        id: object("si"),
        price: domain::ids::PriceId::parse(price).expect("is an id"),
        metered: false,
        quantity: Some(quantity),
        unit_minor: Some(1000),
        pricing: Pricing::default(),
        period: None,
    }
}

/// What the provider says of a change: the fields that changed, as they were.
fn previous_attributes(was: &SubscriptionTerms, is: &SubscriptionTerms) -> PreviousAttributes {
    let sold = |terms: &SubscriptionTerms| -> Vec<_> {
        let items = terms.items.iter();
        let mut sold: Vec<_> = items.map(|i| (i.price.clone(), i.quantity)).collect();
        sold.sort();
        sold
    };
    let known = |value: Option<_>| value.map_or(PreviousValue::Absent, PreviousValue::Present);
    let end = |terms: &SubscriptionTerms| terms.period.map(|period| period.end);
    let set = was.cancel_at_period_end != is.cancel_at_period_end;
    PreviousAttributes {
        status: (was.status != is.status).then_some(was.status),
        items: (sold(was) != sold(is)).then(|| sold(was)),
        period_end: if end(was) == end(is) { None } else { end(was) },
        cancel_at: (was.cancel_at != is.cancel_at).then(|| known(was.cancel_at)),
        cancel_at_period_end: set.then_some(was.cancel_at_period_end),
        trial_end: None,
        paused: (was.pause != is.pause).then_some(was.pause.is_some()),
    }
}
