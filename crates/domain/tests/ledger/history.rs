//! Generated histories: what happened, and the events that report it.

use crate::model_table::{day, disputed, new_event, profile, refund, report_of};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{ObjectId, PartnerId};
use domain::money::{Currency, Money, StatedAmount};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::referral::Decision;
use domain::payment::snapshot::{DisputeState, PaymentSnapshot, RefundState, SourceKind};
use jiff::{SignedDuration, Timestamp};

/// Pseudo-random numbers, the same for the same seed.
pub(crate) struct SeededRng(pub(crate) u64);

/// What happened, and the events that report it.
pub(crate) struct History {
    pub(crate) events: Vec<NormalizedEvent>,
    pub(crate) payments: Vec<ShopPayment>,
    pub(crate) reports: Vec<PartnerReport>,
}

/// What happened to a payment.
pub(crate) struct ShopPayment {
    pub(crate) paid: Money,
    pub(crate) tax: i64,
    pub(crate) at: Timestamp,
    pub(crate) refunded: i64,
    pub(crate) disputed: i64,
    pub(crate) arrived: bool,
}

/// What happened to a partner's report.
pub(crate) struct PartnerReport {
    pub(crate) partner: String,
    pub(crate) sent: Timestamp,
    pub(crate) reported: Timestamp,
    pub(crate) program: Program,
    pub(crate) canceled: bool,
    pub(crate) decision: Option<Decision>,
    pub(crate) looks_like_partner: bool,
}

const PARTNERS: [&str; 3] = ["acme", "peel", "zest"];
const EMAIL: &str = "anna@agrumes.fr";

impl History {
    pub(crate) fn generate(rng: &mut SeededRng) -> Self {
        let mut history = Self {
            events: Vec::new(),
            payments: Vec::new(),
            reports: Vec::new(),
        };
        let email_known = rng.one_in(2);
        if email_known {
            history.events.push(profile(EMAIL, moment(rng, 10)));
        }
        let payments = if rng.one_in(40) {
            13 + rng.below(4)
        } else {
            rng.below(4)
        };
        for n in 0..payments {
            history.pay(rng, n);
        }
        for partner in PARTNERS {
            if rng.one_in(2) {
                history.report(rng, partner, email_known);
            }
        }
        history
    }

    fn pay(&mut self, rng: &mut SeededRng, n: usize) {
        let at = moment(rng, 400) + SignedDuration::from_secs(n as i64);
        let minor = match rng.below(3) {
            0 => 1 + rng.below(9) as i64,
            1 => 100 * (1 + rng.below(50) as i64),
            _ => 1 + rng.below(100_000) as i64,
        };
        let paid = Money {
            minor,
            currency: Currency::parse(["eur", "usd", "jpy"][rng.below(6).saturating_sub(3)])
                .unwrap(),
            exponent: 2,
        };
        let tax = if rng.one_in(3) {
            rng.below(minor as usize) as i64
        } else {
            0
        };
        let mut payment = ShopPayment {
            paid,
            tax,
            at,
            refunded: 0,
            disputed: 0,
            arrived: true,
        };
        self.add_payment_events(rng, n, &payment);
        if rng.one_in(12) {
            payment.arrived = false;
            let zero = Money { minor: 0, ..paid };
            let later = at + SignedDuration::from_hours(72);
            for (source_kind, id) in [
                (SourceKind::Intent, "pi"),
                (SourceKind::Charge, "ch"),
                (SourceKind::Invoice, "in"),
            ] {
                self.add_event(
                    n,
                    3,
                    payment_fact(source_kind, &[id], n, zero, 0, at),
                    later,
                );
            }
        } else {
            self.refund(rng, n, &mut payment);
            self.dispute(rng, n, &mut payment);
        }
        self.payments.push(payment);
    }

    fn add_payment_events(&mut self, rng: &mut SeededRng, n: usize, payment: &ShopPayment) {
        let (paid, tax, at) = (payment.paid, payment.tax, payment.at);
        let by = |source_kind, ids: &[&str]| payment_fact(source_kind, ids, n, paid, tax, at);
        let facts: Vec<Fact> = match rng.below(4) {
            0 => vec![by(SourceKind::Intent, &["pi", "ch"])],
            1 => vec![
                by(SourceKind::Charge, &["ch", "pi"]),
                by(SourceKind::Intent, &["pi"]),
            ],
            2 => vec![
                by(SourceKind::Invoice, &["in"]),
                by(SourceKind::Charge, &["ch", "pi"]),
                Fact::SamePayment {
                    ids: named(&["in", "pi"], n),
                },
            ],
            _ => vec![by(SourceKind::Invoice, &["in", "pi"])],
        };
        for (second, fact) in facts.into_iter().enumerate() {
            self.add_event(
                n,
                second,
                fact,
                at + SignedDuration::from_secs(second as i64 % 2),
            );
        }
    }

    fn refund(&mut self, rng: &mut SeededRng, n: usize, payment: &mut ShopPayment) {
        let cumulative = rng.one_in(3);
        for step in 0..rng.below(4) {
            let left = payment.paid.minor - payment.refunded;
            let minor = if rng.one_in(3) {
                left
            } else {
                rng.below(left as usize + 1) as i64
            };
            let at = payment.at + SignedDuration::from_hours(24 * (1 + step as i64));
            if minor == 0 {
                continue;
            }
            if cumulative {
                payment.refunded += minor;
                let ids = named(&["ch", "pi"], n);
                self.add_event(
                    n,
                    10 + step,
                    Fact::CumulativeRefund {
                        ids,
                        amount: StatedAmount::in_currency_of_payment(payment.refunded),
                        released_minor: 0,
                    },
                    at,
                );
                continue;
            }
            let (id, of) = (format!("re_{n}_{step}"), format!("pi_{n}"));
            let mut tell = |at, state| self.events.push(refund(&id, &of, at, minor, state));
            tell(at, RefundState::Pending);
            let later = at + SignedDuration::from_hours(1);
            if rng.one_in(5) {
                tell(later, RefundState::Failed);
            } else {
                tell(later, RefundState::Succeeded);
                payment.refunded += minor;
            }
        }
    }

    fn dispute(&mut self, rng: &mut SeededRng, n: usize, payment: &mut ShopPayment) {
        use DisputeState::{Closed, Inquiry, InquiryClosed, Lost, Open, Won};
        if !rng.one_in(3) {
            return;
        }
        let minor = 1 + rng.below(payment.paid.minor as usize) as i64;
        let stages: &[DisputeState] = match rng.below(5) {
            0 => &[Open],
            1 => &[Inquiry, Open, Won],
            2 => &[Open, Lost],
            3 => &[Open, Closed],
            _ => &[Inquiry, InquiryClosed],
        };
        for (step, state) in stages.iter().enumerate() {
            let at = payment.at + SignedDuration::from_hours(20 + 30 * step as i64);
            self.events
                .push(disputed(&format!("pi_{n}"), at, minor, *state));
        }
        payment.disputed = match stages.last() {
            Some(Open | Lost) => minor,
            Some(Inquiry | InquiryClosed | Won | Closed) | None => 0,
        };
    }

    fn report(&mut self, rng: &mut SeededRng, partner: &str, email_known: bool) {
        let sent = moment(rng, 100);
        let reported = sent + SignedDuration::from_hours(rng.below(24 * 40) as i64);
        let same_mailbox = rng.one_in(4);
        let identity = if same_mailbox {
            PartnerIdentity::of("a.nna+shop@agrumes.fr")
        } else {
            PartnerIdentity::of("b@gmail.com")
        };
        let program = program(rng);
        self.events
            .push(report_of(partner, sent, reported, &program, identity));
        let by = |what: &str| format!("{what} {partner}");
        let (partner_id, referral) = (
            PartnerId::parse(partner).unwrap(),
            format!("r-{partner}").into(),
        );
        let canceled = rng.one_in(6);
        if canceled {
            let fact = Fact::ReferralCanceled {
                partner: partner_id.clone(),
                referral,
            };
            self.events
                .push(new_event(&by("canceled"), moment(rng, 300), vec![fact]));
        }
        let decision = [None, None, Some(Decision::Release), Some(Decision::Void)][rng.below(4)];
        if let Some(decision) = decision {
            let referral = format!("r-{partner}").into();
            let fact = Fact::Reviewed {
                partner: partner_id,
                referral,
                decision,
            };
            self.events
                .push(new_event(&by("reviewed"), moment(rng, 300), vec![fact]));
        }
        self.reports.push(PartnerReport {
            partner: partner.to_owned(),
            sent,
            reported,
            program,
            canceled,
            decision,
            looks_like_partner: same_mailbox && email_known,
        });
    }

    fn add_event(&mut self, n: usize, what: usize, fact: Fact, at: Timestamp) {
        let name = format!("payment {n} {what} {}", self.events.len());
        self.events.push(new_event(&name, at, vec![fact]));
    }
}

fn program(rng: &mut SeededRng) -> Program {
    Program {
        reward: match rng.below(4) {
            0 => Reward::Fixed(Money {
                minor: 1 + rng.below(2_000) as i64,
                currency: Currency::parse("eur").unwrap(),
                exponent: 2,
            }),
            1 => Reward::BasisPoints(2_000),
            _ => Reward::BasisPoints(rng.below(10_001) as u16),
        },
        duration: match rng.below(3) {
            0 => CommissionDuration::FirstPayment,
            1 => CommissionDuration::Months(1 + rng.below(12) as u16),
            _ => CommissionDuration::Life,
        },
        hold_days: rng.below(60) as u16,
        window_days: rng.below(400) as u16,
        attribution_model: if rng.one_in(3) {
            AttributionModel::Last
        } else {
            AttributionModel::First
        },
    }
}

fn payment_fact(
    source_kind: SourceKind,
    ids: &[&str],
    n: usize,
    paid: Money,
    tax: i64,
    at: Timestamp,
) -> Fact {
    Fact::Payment(PaymentSnapshot {
        ids: named(ids, n),
        source_kind,
        paid,
        tax_minor: (tax > 0).then_some(tax),
        paid_at: at,
        subscription: None,
        unlinked: false,
        purchased: Vec::new(),
    })
}

fn named(ids: &[&str], n: usize) -> Vec<ObjectId> {
    ids.iter()
        .map(|id| ObjectId::parse(format!("{id}_{n}")).unwrap())
        .collect()
}

/// A random minute within this number of days from 1 March.
fn moment(rng: &mut SeededRng, days: usize) -> Timestamp {
    day(3, 1) + SignedDuration::from_mins(rng.below(days * 24 * 60) as i64)
}

impl SeededRng {
    /// A random number below this one.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for n in (1..items.len()).rev() {
            items.swap(n, self.below(n + 1));
        }
    }
}
