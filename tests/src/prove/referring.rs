//! Lives, continued: partners who report, have codes and take back, and people who decide.

use super::lives::{Life, euro};
use super::told::at;
use domain::ids::{PartnerId, PersonHash, Reference};
use domain::program::{Claim, CodeGranted, Decision, Own, Pinned, Program, Reward, Span};
use domain::reading::{About, Fact, ReferralSeen};
use std::sync::Arc;

/// Partners that all customers of a world have in common.
pub(super) const PARTNERS: [&str; 3] = ["acme", "peel", "zest"];

impl Life<'_> {
    /// Something happens between the shop and those who say that they sent this customer.
    pub(super) fn refer(&mut self) {
        match self.rng.index(8) {
            0..=2 => self.report(),
            3 => self.take_back(),
            4 | 5 => self.grant(),
            6 => self.review(),
            _ => self.show_card(),
        }
    }

    /// A partner reports, mostly with a program; told again later, the program may be another.
    pub(super) fn report(&mut self) {
        let partner = PARTNERS[self.rng.index(3)];
        self.report_by(partner);
    }

    /// This one reports.
    pub(super) fn report_by(&mut self, partner: &str) {
        let referral = self.referral();
        let sent = self.clock - [500, 86_400, 90 * 86_400][self.rng.index(3)];
        let seen = ReferralSeen {
            partner: PartnerId::new(partner),
            referral: referral.clone(),
            referred_at: at(sent),
        };
        let mut facts = vec![Fact::Referral(seen)];
        if !self.rng.one_in(6) {
            facts.push(Fact::Pinned(Box::new(Pinned {
                partner: PartnerId::new(partner),
                referral,
                reported_at: at(self.clock),
                program: self.program(),
                own: self.own(),
            })));
        }
        self.say_to("referral.created", facts);
    }

    /// A partner takes its report back, whether it ever came or not.
    fn take_back(&mut self) {
        let partner = PARTNERS[self.rng.index(3)];
        self.take_back_by(partner);
    }

    /// This one takes it back.
    pub(super) fn take_back_by(&mut self, partner: &str) {
        let fact = Fact::ReferralCanceled {
            partner: PartnerId::new(partner),
            referral: self.referral(),
        };
        self.say_to("referral.canceled", vec![fact]);
    }

    /// The code that sessions show is given to a partner, or to another.
    pub(super) fn grant(&mut self) {
        let granted = CodeGranted {
            code: "spring".into(),
            partner: PartnerId::new(PARTNERS[self.rng.index(2)]),
            program: self.program(),
            own: self.own(),
        };
        let about = About::Behind(vec![Reference::code("spring")]);
        let fact = Fact::CodeGranted(Box::new(granted));
        self.say_of("code.granted", 1, about, vec![fact], &[]);
    }

    /// Somebody decides what becomes of a referral, held or not.
    pub(super) fn review(&mut self) {
        let released = self.rng.one_in(2);
        let by_code = self.rng.one_in(4);
        let fact = Fact::Reviewed {
            partner: PartnerId::new(PARTNERS[self.rng.index(3)]),
            referral: if by_code {
                "code/spring".into()
            } else {
                self.referral()
            },
            decision: if released {
                Decision::Release
            } else {
                Decision::Void
            },
        };
        self.say("referral.reviewed", 7, vec![fact], &[]);
    }

    /// What the customer pays with is seen.
    pub(super) fn show_card(&mut self) {
        let fingerprint = format!("card{}", self.name).into();
        self.say(
            "charge.updated",
            3,
            vec![Fact::Fingerprint { fingerprint }],
            &[],
        );
    }

    fn referral(&self) -> Arc<str> {
        format!("r{}", self.name).into()
    }

    /// A partner names the person, or the shop's id too, or a code that others use as well.
    fn say_to(&mut self, kind: &'static str, facts: Vec<Fact>) {
        let person = Reference::person(&PersonHash::new(self.mail.clone()));
        let behind = match self.rng.index(3) {
            0 => vec![person],
            1 => vec![Reference::shop(&self.name), person],
            _ => vec![Reference::code("spring")],
        };
        self.say_of(kind, 1, About::Behind(behind), facts, &[]);
    }

    /// Rates that leave fractions, spans and windows that end within a life.
    fn program(&mut self) -> Program {
        Program {
            reward: match self.rng.index(5) {
                0 => Reward::Fixed(euro(333)),
                1 => Reward::BasisPoints(3_333),
                2 => Reward::BasisPoints(10_000),
                _ => Reward::BasisPoints(2_000),
            },
            span: [Span::Life, Span::Months(1), Span::FirstPayment][self.rng.index(3)],
            hold_days: [0, 30][self.rng.index(2)],
            window_days: [1, 60, 400][self.rng.index(3)],
            claim: [Claim::First, Claim::Last][self.rng.index(2)],
        }
    }

    /// What the partner is known by: sometimes by what this customer is known by too.
    fn own(&mut self) -> Own {
        match self.rng.index(6) {
            0 => Own::of(&format!("{}+shop@x.org", self.mail)),
            1 => Own::of("somebody@x.org"),
            2 => Own {
                fingerprints: [format!("card{}", self.name).into()].into(),
                ..Own::default()
            },
            3 => Own::of("somebody@gmail.com"),
            _ => Own::default(),
        }
    }
}
