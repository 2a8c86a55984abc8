//! Scenarios, continued: money that arrives, goes back and is fought over, and what else is told.

use crate::proof::simulation::script::euro;
use crate::proof::simulation::script::{ExpectedSale, at, object, one_off, references};
use crate::proof::workload::scenario_builder::ScenarioBuilder;
use domain::event::Fact;
use domain::ids::{ObjectId, ReferralCode};
use domain::money::{Currency, Money, StatedAmount};
use domain::payment::snapshot::{
    DisputeSnapshot, DisputeState, PaymentSnapshot, RefundSnapshot, RefundState, SourceKind,
};
use domain::person::Profile;

/// The three ids by which one payment goes.
struct PaymentIds {
    invoice: String,
    intent: String,
    charge: String,
}

impl ScenarioBuilder<'_> {
    /// Money arrives for an invoice of its own.
    pub(crate) fn pay(&mut self, minor: i64, for_subscription: bool) {
        let invoice = self.new_id("in");
        self.pay_invoice(&invoice, minor, for_subscription);
    }

    /// Money arrives for this invoice, told by two or three events in either of the shapes
    /// in which a provider names a payment.
    pub(crate) fn pay_invoice(&mut self, invoice: &str, minor: i64, for_subscription: bool) {
        let number = invoice.trim_start_matches("in");
        let ids = PaymentIds {
            invoice: invoice.to_owned(),
            intent: format!("pi{number}"),
            charge: format!("ch{number}"),
        };
        let (i, p, c) = (&*ids.invoice, &*ids.intent, &*ids.charge);
        let sub = for_subscription.then(|| object(&format!("sub{}", self.name)));
        // In one of the two shapes the invoice does not say what paid it, nor the intent for what.
        let unlinked = self.rng.one_in(2);
        let paid = |teller, ids: &[&str], clock: i64, sub: &Option<ObjectId>| {
            Fact::Payment(PaymentSnapshot {
                ids: ids.iter().map(|id| object(id)).collect(),
                source_kind: teller,
                paid: euro(minor),
                tax_minor: (teller == SourceKind::Invoice).then_some(minor / 6),
                paid_at: at(clock),
                subscription: sub.clone(),
                unlinked,
                purchased: Vec::new(),
            })
        };
        let clock = self.clock;
        let no = &None;
        if !unlinked {
            let fact = paid(SourceKind::Invoice, &[i, p, c], clock, &sub);
            self.add_event("invoice.paid", 5, vec![fact], &[i, p, c]);
            self.advance_a_moment();
            let fact = paid(SourceKind::Charge, &[c, p], clock, no);
            self.add_event("charge.succeeded", 3, vec![fact], &[c, p]);
            if self.rng.one_in(2) {
                let fact = paid(SourceKind::Intent, &[p, c], clock, no);
                self.add_event("intent.succeeded", 4, vec![fact], &[p, c]);
            }
        } else {
            let fact = paid(SourceKind::Invoice, &[i], clock, &sub);
            self.add_event("invoice.paid", 5, vec![fact], &[i]);
            self.advance_a_moment();
            let fact = paid(SourceKind::Intent, &[p, c], clock, no);
            self.add_event("intent.succeeded", 4, vec![fact], &[p, c]);
            if self.rng.one_in(4) {
                // Nobody ever tells that they are one.
                return self.maybe_reverse(&ids, minor);
            }
            let same = Fact::SamePayment {
                ids: vec![object(i), object(p)],
            };
            self.add_event_by_reference("invoice_payment.paid", 6, &[i, p], vec![same]);
        }
        self.maybe_reverse(&ids, minor);
    }

    /// A one-off purchase; a guest's is all that is ever known of it.
    pub(crate) fn buy_once(&mut self) {
        let own = self.customer.as_str().rsplit('/').next().unwrap_or("");
        let guest = own.starts_with("pi");
        let intent = if guest {
            own.to_owned()
        } else {
            self.new_id("pi")
        };
        let number = intent.trim_start_matches("pi");
        let ids = PaymentIds {
            invoice: format!("cs{number}"),
            charge: format!("ch{number}"),
            intent,
        };
        let paid = |teller, ids: &[&str], clock: i64| one_off(ids, teller, 700, clock);
        let (s, p, c) = (&*ids.invoice, &*ids.intent, &*ids.charge);
        let clock = self.clock;
        let profile = Fact::Profile(Profile {
            email: Some(format!("{}@x.org", self.email).into()),
            ..Profile::default()
        });
        let facts = vec![profile, paid(SourceKind::Session, &[s, p], clock)];
        self.add_event("session.completed", 2, facts, &[s, p]);
        if self.rng.one_in(2) {
            self.advance_a_moment();
        }
        let fact = paid(SourceKind::Charge, &[c, p], clock);
        if !guest && self.rng.one_in(4) {
            // Until the charge is told, nothing says that its ids and the intent's are one.
            self.maybe_reverse(&ids, 700);
            self.advance();
            return self.add_event("charge.updated", 3, vec![fact], &[c, p]);
        }
        if guest {
            self.add_event_by_reference("charge.succeeded", 3, &[p], vec![fact]);
            let scripted = self.script.events.last_mut().expect("just told");
            for reading in &mut scripted.normalized {
                reading.references = references(&[c]);
            }
        } else {
            self.add_event("charge.succeeded", 3, vec![fact], &[c, p]);
        }
        self.maybe_reverse(&ids, 700);
    }

    /// A purchase that is given back in two parts.
    pub(crate) fn buy_and_refund(&mut self, singly: bool) {
        let (ids, mut sale) = self.buy_by_charge();
        self.refund_in_parts(&ids, 800, &mut sale, singly, !singly);
    }

    /// A purchase that is disputed.
    pub(crate) fn buy_and_dispute(&mut self) {
        let (ids, mut sale) = self.buy_by_charge();
        self.dispute(&ids, 800, &mut sale);
        self.refund_in_parts(&ids, 800, &mut sale, true, true);
    }

    /// A purchase of which a part goes back, and a part in another currency.
    pub(crate) fn buy_and_reverse_in_another_currency(&mut self) {
        let (ids, mut sale) = self.buy_by_charge();
        self.reverse_in_another_currency(&ids, 500);
        self.refund_in_parts(&ids, 800, &mut sale, true, false);
        self.reverse_in_another_currency(&ids, 300);
    }

    fn buy_by_charge(&mut self) -> (PaymentIds, ExpectedSale) {
        let ids = PaymentIds {
            invoice: "in1".into(),
            intent: "pi1".into(),
            charge: "ch1".into(),
        };
        let fact = one_off(&["ch1", "pi1"], SourceKind::Charge, 800, self.clock);
        self.add_event("charge.succeeded", 3, vec![fact], &["ch1", "pi1"]);
        let sale = ExpectedSale {
            customer: self.customer.clone(),
            id: object("pi1"),
            paid: 800,
            refunded: 0,
            disputed: 0,
        };
        (ids, sale)
    }

    fn advance_a_moment(&mut self) {
        self.clock += self.rng.between(0, 1);
    }

    /// Refunds and disputes, and what the shop's books say at the end.
    fn maybe_reverse(&mut self, ids: &PaymentIds, paid: i64) {
        let mut sale = ExpectedSale {
            customer: self.customer.clone(),
            id: object(&ids.intent),
            paid,
            refunded: 0,
            disputed: 0,
        };
        if self.rng.one_in(3) {
            self.refund(ids, paid, &mut sale);
        }
        if self.rng.one_in(6) {
            self.dispute(ids, paid, &mut sale);
        }
        if self.rng.one_in(8) {
            self.reverse_in_another_currency(ids, paid);
        }
        self.script.sales.push(sale);
    }

    /// One or two refunds, told one by one, as a running sum, or both.
    fn refund(&mut self, ids: &PaymentIds, paid: i64, sale: &mut ExpectedSale) {
        let singly = self.rng.one_in(2);
        let summed = !singly || self.rng.one_in(2);
        self.refund_in_parts(ids, paid, sale, singly, summed);
    }

    fn refund_in_parts(
        &mut self,
        ids: &PaymentIds,
        paid: i64,
        sale: &mut ExpectedSale,
        singly: bool,
        summed: bool,
    ) {
        let mut so_far = 0;
        for part in [paid / 2, paid / 4].into_iter().take(1 + self.rng.index(2)) {
            self.advance();
            let id = self.new_id("re");
            let made = self.clock;
            so_far += part;
            let amount = self.in_currency_of_payment(part);
            let pending = singly && self.rng.one_in(2);
            if pending {
                self.add_refund(ids, &id, amount, RefundState::Pending, made);
            }
            if summed {
                let fact = Fact::CumulativeRefund {
                    ids: vec![object(&ids.charge), object(&ids.intent)],
                    amount: StatedAmount::in_currency_of_payment(so_far),
                    released_minor: 0,
                };
                let names = [&*ids.charge, &*ids.intent];
                self.add_event_by_reference("charge.refunded", 7, &names, vec![fact]);
            }
            if singly {
                let failed = pending && self.rng.one_in(3);
                if pending {
                    self.advance();
                }
                let state = if failed {
                    so_far -= part;
                    RefundState::Failed
                } else {
                    RefundState::Succeeded
                };
                self.add_refund(ids, &id, amount, state, made);
            }
        }
        sale.refunded = so_far;
    }

    /// A refund or a dispute in another currency than the payment. The books leave it out: what
    /// it comes to in the payment's currency is not told.
    fn reverse_in_another_currency(&mut self, ids: &PaymentIds, minor: i64) {
        self.advance();
        let amount = StatedAmount::from(Money {
            minor,
            currency: Currency::parse("jpy").expect("in ISO 4217"),
            exponent: 0,
        });
        if self.rng.one_in(2) {
            let id = self.new_id("re");
            let made = self.clock;
            self.add_refund(ids, &id, amount, RefundState::Succeeded, made);
        } else {
            let id = self.new_id("dp");
            self.add_dispute(ids, &id, amount, DisputeState::Open);
        }
    }

    /// An amount in the payment's currency, which some providers state again.
    fn in_currency_of_payment(&mut self, minor: i64) -> StatedAmount {
        match self.rng.one_in(2) {
            true => euro(minor).into(),
            false => StatedAmount::in_currency_of_payment(minor),
        }
    }

    fn add_refund(
        &mut self,
        ids: &PaymentIds,
        id: &str,
        amount: StatedAmount,
        state: RefundState,
        made: i64,
    ) {
        let names: &[&str] = match self.rng.index(3) {
            0 => &[&ids.charge],
            1 => &[&ids.intent],
            _ => &[&ids.charge, &ids.intent],
        };
        let fact = Fact::Refund(RefundSnapshot {
            id: object(id),
            payment: names.iter().map(|id| object(id)).collect(),
            amount,
            tax_minor: None,
            state,
            created_at: at(made),
        });
        self.add_event_by_reference("refund", 8, names, vec![fact]);
    }

    fn dispute(&mut self, ids: &PaymentIds, paid: i64, sale: &mut ExpectedSale) {
        let id = self.new_id("dp");
        let amount = self.in_currency_of_payment(paid);
        self.advance();
        self.add_dispute(ids, &id, amount, DisputeState::Open);
        sale.disputed = paid;
        if self.rng.one_in(2) {
            self.advance();
            let won = self.rng.one_in(2);
            let state = if won {
                DisputeState::Won
            } else {
                DisputeState::Lost
            };
            self.add_dispute(ids, &id, amount, state);
            sale.disputed = if won { 0 } else { paid };
        }
    }

    fn add_dispute(
        &mut self,
        ids: &PaymentIds,
        id: &str,
        amount: StatedAmount,
        state: DisputeState,
    ) {
        let fact = Fact::Dispute(DisputeSnapshot {
            id: object(id),
            payment: vec![object(&ids.charge), object(&ids.intent)],
            amount,
            state,
        });
        let (kind, rank) = match state.is_final() {
            true => ("dispute.closed", 9),
            false => ("dispute.created", 6),
        };
        self.add_event_by_reference(kind, rank, &[&ids.charge, &ids.intent], vec![fact]);
    }

    /// The provider's customer object, or its end.
    pub(crate) fn add_customer_object(&mut self) {
        if self.rng.one_in(6) {
            return self.add_event("customer.deleted", 9, vec![Fact::CustomerDeleted], &[]);
        }
        let profile = Profile {
            complete: true,
            email: self
                .rng
                .one_in(2)
                .then(|| format!("{}@x.org", self.email).into()),
            name: Some("M".into()),
            ..Profile::default()
        };
        self.add_event("customer.updated", 2, vec![Fact::Profile(profile)], &[]);
    }

    /// An event that version N can't read and N + 1 can.
    pub(crate) fn add_unclear_event(&mut self) {
        let known = vec![Fact::ReferralCode {
            code: ReferralCode::parse("autumn").expect("is a code"),
        }];
        self.add_event("customer.updated", 3, known, &[]);
        let scripted = self.script.events.last_mut().expect("just told");
        scripted.normalized[0].facts = vec![Fact::Unclear {
            what: "a new value".into(),
        }];
    }

    /// An event on which our own code panics.
    pub(crate) fn add_poison_event(&mut self) {
        let facts = vec![Fact::ReferralCode {
            code: ReferralCode::parse("poison").expect("is a code"),
        }];
        self.add_event(
            crate::proof::simulation::script::POISON,
            2,
            facts,
            &["poisoned"],
        );
    }

    /// An event that tells nothing.
    pub(crate) fn add_ignored_event(&mut self) {
        self.add_event("customer.noted", 2, Vec::new(), &[]);
    }
}
