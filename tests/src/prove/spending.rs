//! Lives, continued: money that arrives, goes back and is fought over, and what else is told.

use super::lives::{Life, euro};
use super::told::{Sale, at, object, references};
use domain::billing::{DisputeSeen, DisputeState, PaymentSeen, RefundSeen, RefundState, Teller};
use domain::ids::ObjectId;
use domain::reading::{Fact, Profile};

/// The three ids by which one payment goes.
struct Ids {
    invoice: String,
    intent: String,
    charge: String,
}

impl Life<'_> {
    /// Money arrives for an invoice of its own.
    pub(super) fn pay(&mut self, minor: i64, for_subscription: bool) {
        let invoice = self.id("in");
        self.pay_as(&invoice, minor, for_subscription);
    }

    /// Money arrives for this invoice, told by two or three events in either of the shapes
    /// in which a provider names a payment.
    pub(super) fn pay_as(&mut self, invoice: &str, minor: i64, for_subscription: bool) {
        let number = invoice.trim_start_matches("in");
        let ids = Ids {
            invoice: invoice.to_owned(),
            intent: format!("pi{number}"),
            charge: format!("ch{number}"),
        };
        let (i, p, c) = (&*ids.invoice, &*ids.intent, &*ids.charge);
        let sub = for_subscription.then(|| object(&format!("sub{}", self.name)));
        let paid = |teller, ids: &[&str], clock: i64, sub: &Option<ObjectId>| {
            Fact::Payment(PaymentSeen {
                ids: ids.iter().map(|id| object(id)).collect(),
                teller,
                paid: euro(minor),
                tax_minor: (teller == Teller::Invoice).then_some(minor / 6),
                paid_at: at(clock),
                subscription: sub.clone(),
            })
        };
        let clock = self.clock;
        let no = &None;
        if self.rng.one_in(2) {
            let fact = paid(Teller::Invoice, &[i, p, c], clock, &sub);
            self.say("invoice.paid", 5, vec![fact], &[i, p, c]);
            self.pass_a_moment();
            let fact = paid(Teller::Charge, &[c, p], clock, no);
            self.say("charge.succeeded", 3, vec![fact], &[c, p]);
            if self.rng.one_in(2) {
                let fact = paid(Teller::Intent, &[p, c], clock, no);
                self.say("intent.succeeded", 4, vec![fact], &[p, c]);
            }
        } else {
            let fact = paid(Teller::Invoice, &[i], clock, &sub);
            self.say("invoice.paid", 5, vec![fact], &[i]);
            self.pass_a_moment();
            let fact = paid(Teller::Intent, &[p, c], clock, no);
            self.say("intent.succeeded", 4, vec![fact], &[p, c]);
            let same = Fact::SamePayment {
                ids: vec![object(i), object(p)],
            };
            self.say_behind("invoice_payment.paid", 6, &[i, p], vec![same]);
        }
        self.aftermath(&ids, minor);
    }

    /// A one-off purchase; a guest's is all that is ever known of it.
    pub(super) fn buy_once(&mut self) {
        let own = self.customer.as_str().rsplit('/').next().unwrap_or("");
        let guest = own.starts_with("pi");
        let intent = if guest { own.to_owned() } else { self.id("pi") };
        let number = intent.trim_start_matches("pi");
        let ids = Ids {
            invoice: format!("cs{number}"),
            charge: format!("ch{number}"),
            intent,
        };
        let paid = |teller, ids: &[&str], clock: i64| {
            Fact::Payment(PaymentSeen {
                ids: ids.iter().map(|id| object(id)).collect(),
                teller,
                paid: euro(700),
                tax_minor: None,
                paid_at: at(clock),
                subscription: None,
            })
        };
        let (s, p, c) = (&*ids.invoice, &*ids.intent, &*ids.charge);
        let clock = self.clock;
        let profile = Fact::Profile(Profile {
            email: Some(format!("{}@x.org", self.mail).into()),
            ..Profile::default()
        });
        let facts = vec![profile, paid(Teller::Session, &[s, p], clock)];
        self.say("session.completed", 2, facts, &[s, p]);
        if self.rng.one_in(2) {
            self.pass_a_moment();
        }
        let fact = paid(Teller::Charge, &[c, p], clock);
        if !guest && self.rng.one_in(4) {
            // Until the charge is told, nothing says that its ids and the intent's are one.
            self.aftermath(&ids, 700);
            self.pass();
            return self.say("charge.updated", 3, vec![fact], &[c, p]);
        }
        if guest {
            self.say_behind("charge.succeeded", 3, &[p], vec![fact]);
            let told = self.story.told.last_mut().expect("just told");
            for reading in &mut told.readings {
                reading.references = references(&[c]);
            }
        } else {
            self.say("charge.succeeded", 3, vec![fact], &[c, p]);
        }
        self.aftermath(&ids, 700);
    }

    /// A purchase that is given back in two parts.
    pub(super) fn buy_and_refund(&mut self, singly: bool) {
        let (ids, mut sale) = self.buy_plainly();
        self.refund_as(&ids, 800, &mut sale, singly, !singly);
    }

    /// A purchase that is disputed.
    pub(super) fn buy_and_dispute(&mut self) {
        let (ids, mut sale) = self.buy_plainly();
        self.dispute(&ids, 800, &mut sale);
        self.refund_as(&ids, 800, &mut sale, true, true);
    }

    fn buy_plainly(&mut self) -> (Ids, Sale) {
        let ids = Ids {
            invoice: "in1".into(),
            intent: "pi1".into(),
            charge: "ch1".into(),
        };
        let fact = Fact::Payment(PaymentSeen {
            ids: vec![object("ch1"), object("pi1")],
            teller: Teller::Charge,
            paid: euro(800),
            tax_minor: None,
            paid_at: at(self.clock),
            subscription: None,
        });
        self.say("charge.succeeded", 3, vec![fact], &["ch1", "pi1"]);
        let sale = Sale {
            customer: self.customer.clone(),
            id: object("pi1"),
            paid: 800,
            refunded: 0,
            disputed: 0,
        };
        (ids, sale)
    }

    fn pass_a_moment(&mut self) {
        self.clock += self.rng.between(0, 1);
    }

    /// Refunds and disputes, and what the shop's books say at the end.
    fn aftermath(&mut self, ids: &Ids, paid: i64) {
        let mut sale = Sale {
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
        self.story.sales.push(sale);
    }

    /// One or two refunds, told one by one, as a running sum, or both.
    fn refund(&mut self, ids: &Ids, paid: i64, sale: &mut Sale) {
        let singly = self.rng.one_in(2);
        let summed = !singly || self.rng.one_in(2);
        self.refund_as(ids, paid, sale, singly, summed);
    }

    fn refund_as(&mut self, ids: &Ids, paid: i64, sale: &mut Sale, singly: bool, summed: bool) {
        let mut so_far = 0;
        for part in [paid / 2, paid / 4].into_iter().take(1 + self.rng.index(2)) {
            self.pass();
            let id = self.id("re");
            let made = self.clock;
            so_far += part;
            let pending = singly && self.rng.one_in(2);
            if pending {
                self.say_refund(ids, &id, part, RefundState::Pending, made);
            }
            if summed {
                let fact = Fact::RefundedSoFar {
                    ids: vec![object(&ids.charge), object(&ids.intent)],
                    minor: so_far,
                };
                let names = [&*ids.charge, &*ids.intent];
                self.say_behind("charge.refunded", 7, &names, vec![fact]);
            }
            if singly {
                let failed = pending && self.rng.one_in(3);
                if pending {
                    self.pass();
                }
                let state = if failed {
                    so_far -= part;
                    RefundState::Failed
                } else {
                    RefundState::Succeeded
                };
                self.say_refund(ids, &id, part, state, made);
            }
        }
        sale.refunded = so_far;
    }

    fn say_refund(&mut self, ids: &Ids, id: &str, minor: i64, state: RefundState, made: i64) {
        let names: &[&str] = match self.rng.index(3) {
            0 => &[&ids.charge],
            1 => &[&ids.intent],
            _ => &[&ids.charge, &ids.intent],
        };
        let fact = Fact::Refund(RefundSeen {
            id: object(id),
            payment: names.iter().map(|id| object(id)).collect(),
            minor,
            state,
            created_at: at(made),
        });
        self.say_behind("refund", 8, names, vec![fact]);
    }

    fn dispute(&mut self, ids: &Ids, paid: i64, sale: &mut Sale) {
        let id = self.id("dp");
        let seen = |state| {
            Fact::Dispute(DisputeSeen {
                id: object(&id),
                payment: vec![object(&ids.charge), object(&ids.intent)],
                minor: paid,
                state,
            })
        };
        let names = [&*ids.charge, &*ids.intent];
        self.pass();
        self.say_behind("dispute.created", 6, &names, vec![seen(DisputeState::Open)]);
        sale.disputed = paid;
        if self.rng.one_in(2) {
            self.pass();
            let won = self.rng.one_in(2);
            let state = if won {
                DisputeState::Won
            } else {
                DisputeState::Lost
            };
            self.say_behind("dispute.closed", 9, &names, vec![seen(state)]);
            sale.disputed = if won { 0 } else { paid };
        }
    }

    /// The provider's customer object, or its end.
    pub(super) fn say_who(&mut self) {
        if self.rng.one_in(6) {
            return self.say("customer.deleted", 9, vec![Fact::CustomerDeleted], &[]);
        }
        let profile = Profile {
            whole: true,
            email: self
                .rng
                .one_in(2)
                .then(|| format!("{}@x.org", self.mail).into()),
            name: Some("M".into()),
            ..Profile::default()
        };
        self.say("customer.updated", 2, vec![Fact::Profile(profile)], &[]);
    }

    /// An event that version N can't read and N + 1 can.
    pub(super) fn unclear(&mut self) {
        let known = vec![Fact::ReferralCode {
            code: "autumn".into(),
        }];
        self.say("customer.updated", 3, known, &[]);
        let told = self.story.told.last_mut().expect("just told");
        told.readings[0].facts = vec![Fact::Unclear {
            what: "a new value".into(),
        }];
    }

    /// An event on which our own code panics.
    pub(super) fn poison(&mut self) {
        let facts = vec![Fact::ReferralCode {
            code: "poison".into(),
        }];
        self.say(super::told::POISON, 2, facts, &["poisoned"]);
    }

    /// An event that tells nothing.
    pub(super) fn ignored(&mut self) {
        self.say("customer.noted", 2, Vec::new(), &[]);
    }
}
