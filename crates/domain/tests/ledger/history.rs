//! Made-up histories: what really happened, and how it is told.

use crate::books::{day, disputed, profile, reading, refund, report_of};
use domain::billing::{DisputeState, PaymentSeen, RefundState, Teller};
use domain::ids::{ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::program::{Claim, Decision, Own, Program, Reward, Span};
use domain::reading::{Fact, Reading};
use jiff::{SignedDuration, Timestamp};

/// Numbers by chance, the same for the same seed.
pub(crate) struct Rng(pub(crate) u64);

/// What happened, and what is told of it.
pub(crate) struct History {
    pub(crate) told: Vec<Reading>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) reports: Vec<Report>,
}

/// A payment as the shop's own books have it.
pub(crate) struct Payment {
    pub(crate) paid: Money,
    pub(crate) tax: i64,
    pub(crate) at: Timestamp,
    pub(crate) refunded: i64,
    pub(crate) disputed: i64,
    pub(crate) arrived: bool,
}

/// A report as the partners' own books have it.
pub(crate) struct Report {
    pub(crate) partner: String,
    pub(crate) sent: Timestamp,
    pub(crate) reported: Timestamp,
    pub(crate) program: Program,
    pub(crate) canceled: bool,
    pub(crate) decision: Option<Decision>,
    pub(crate) alike: bool,
}

const PARTNERS: [&str; 3] = ["acme", "peel", "zest"];
const EMAIL: &str = "anna@agrumes.fr";

impl History {
    pub(crate) fn made_up(rng: &mut Rng) -> Self {
        let mut history = Self {
            told: Vec::new(),
            payments: Vec::new(),
            reports: Vec::new(),
        };
        let known = rng.one_in(2);
        if known {
            history.told.push(profile(EMAIL, moment(rng, 10)));
        }
        let many = if rng.one_in(40) {
            13 + rng.below(4)
        } else {
            rng.below(4)
        };
        for n in 0..many {
            history.pay(rng, n);
        }
        for partner in PARTNERS {
            if rng.one_in(2) {
                history.report(rng, partner, known);
            }
        }
        history
    }

    fn pay(&mut self, rng: &mut Rng, n: usize) {
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
        let mut payment = Payment {
            paid,
            tax,
            at,
            refunded: 0,
            disputed: 0,
            arrived: true,
        };
        self.tell_payment(rng, n, &payment);
        if rng.one_in(12) {
            payment.arrived = false;
            let nothing = Money { minor: 0, ..paid };
            let later = at + SignedDuration::from_hours(72);
            for (teller, id) in [
                (Teller::Intent, "pi"),
                (Teller::Charge, "ch"),
                (Teller::Invoice, "in"),
            ] {
                self.tell(n, 3, told(teller, &[id], n, nothing, 0, at), later);
            }
        } else {
            self.refund(rng, n, &mut payment);
            self.dispute(rng, n, &mut payment);
        }
        self.payments.push(payment);
    }

    fn tell_payment(&mut self, rng: &mut Rng, n: usize, payment: &Payment) {
        let (paid, tax, at) = (payment.paid, payment.tax, payment.at);
        let by = |teller, ids: &[&str]| told(teller, ids, n, paid, tax, at);
        let tellings: Vec<Fact> = match rng.below(4) {
            0 => vec![by(Teller::Intent, &["pi", "ch"])],
            1 => vec![
                by(Teller::Charge, &["ch", "pi"]),
                by(Teller::Intent, &["pi"]),
            ],
            2 => vec![
                by(Teller::Invoice, &["in"]),
                by(Teller::Charge, &["ch", "pi"]),
                Fact::SamePayment {
                    ids: named(&["in", "pi"], n),
                },
            ],
            _ => vec![by(Teller::Invoice, &["in", "pi"])],
        };
        for (second, fact) in tellings.into_iter().enumerate() {
            self.tell(
                n,
                second,
                fact,
                at + SignedDuration::from_secs(second as i64 % 2),
            );
        }
    }

    fn refund(&mut self, rng: &mut Rng, n: usize, payment: &mut Payment) {
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
                self.tell(
                    n,
                    10 + step,
                    Fact::RefundedSoFar {
                        ids,
                        minor: payment.refunded,
                    },
                    at,
                );
                continue;
            }
            let (id, of) = (format!("re_{n}_{step}"), format!("pi_{n}"));
            let mut tell = |at, state| self.told.push(refund(&id, &of, at, minor, state));
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

    fn dispute(&mut self, rng: &mut Rng, n: usize, payment: &mut Payment) {
        use DisputeState::{Inquiry, InquiryClosed, Lost, Open, Won};
        if !rng.one_in(3) {
            return;
        }
        let minor = 1 + rng.below(payment.paid.minor as usize) as i64;
        let stages: &[DisputeState] = match rng.below(4) {
            0 => &[Open],
            1 => &[Inquiry, Open, Won],
            2 => &[Open, Lost],
            _ => &[Inquiry, InquiryClosed],
        };
        for (step, state) in stages.iter().enumerate() {
            let at = payment.at + SignedDuration::from_hours(20 + 30 * step as i64);
            self.told
                .push(disputed(&format!("pi_{n}"), at, minor, *state));
        }
        payment.disputed = match stages.last() {
            Some(Open | Lost) => minor,
            Some(Inquiry | InquiryClosed | Won) | None => 0,
        };
    }

    fn report(&mut self, rng: &mut Rng, partner: &str, known: bool) {
        let sent = moment(rng, 100);
        let reported = sent + SignedDuration::from_hours(rng.below(24 * 40) as i64);
        let alike = rng.one_in(4);
        let own = if alike {
            Own::of("a.nna+shop@agrumes.fr")
        } else {
            Own::of("b@gmail.com")
        };
        let program = program(rng);
        self.told
            .push(report_of(partner, sent, reported, &program, own));
        let by = |what: &str| format!("{what} {partner}");
        let (whose, referral) = (PartnerId::new(partner), format!("r-{partner}").into());
        let canceled = rng.one_in(6);
        if canceled {
            let fact = Fact::ReferralCanceled {
                partner: whose.clone(),
                referral,
            };
            self.told
                .push(reading(&by("canceled"), moment(rng, 300), vec![fact]));
        }
        let decision = [None, None, Some(Decision::Release), Some(Decision::Void)][rng.below(4)];
        if let Some(decision) = decision {
            let referral = format!("r-{partner}").into();
            let fact = Fact::Reviewed {
                partner: whose,
                referral,
                decision,
            };
            self.told
                .push(reading(&by("reviewed"), moment(rng, 300), vec![fact]));
        }
        self.reports.push(Report {
            partner: partner.to_owned(),
            sent,
            reported,
            program,
            canceled,
            decision,
            alike: alike && known,
        });
    }

    fn tell(&mut self, n: usize, what: usize, fact: Fact, at: Timestamp) {
        let name = format!("payment {n} {what} {}", self.told.len());
        self.told.push(reading(&name, at, vec![fact]));
    }
}

fn program(rng: &mut Rng) -> Program {
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
        span: match rng.below(3) {
            0 => Span::FirstPayment,
            1 => Span::Months(1 + rng.below(12) as u16),
            _ => Span::Life,
        },
        hold_days: rng.below(60) as u16,
        window_days: rng.below(400) as u16,
        claim: if rng.one_in(3) {
            Claim::Last
        } else {
            Claim::First
        },
    }
}

fn told(teller: Teller, ids: &[&str], n: usize, paid: Money, tax: i64, at: Timestamp) -> Fact {
    Fact::Payment(PaymentSeen {
        ids: named(ids, n),
        teller,
        paid,
        tax_minor: (tax > 0).then_some(tax),
        paid_at: at,
        subscription: None,
    })
}

fn named(ids: &[&str], n: usize) -> Vec<ObjectId> {
    ids.iter()
        .map(|id| ObjectId::new(format!("{id}_{n}")))
        .collect()
}

/// Some minute of so many days.
fn moment(rng: &mut Rng, days: usize) -> Timestamp {
    day(3, 1) + SignedDuration::from_mins(rng.below(days * 24 * 60) as i64)
}

impl Rng {
    /// A number below this one.
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
