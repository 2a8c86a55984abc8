//! Scenarios, continued: partners who report, have codes and take back, and people who decide.

use crate::proof::simulation::script::PARTNERS;
use crate::proof::simulation::script::at;
use crate::proof::simulation::script::euro;
use crate::proof::workload::scenario_builder::ScenarioBuilder;
use domain::event::{About, Fact};
use domain::ids::{PartnerId, PersonHash, Reference, ReferralCode};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{AttributionModel, CommissionDuration, Program, Reward};
use domain::partner::referral::AttributionTerms;
use domain::partner::referral::CodeGranted;
use domain::partner::referral::Decision;
use domain::partner::referral::ReferralSnapshot;
use std::sync::Arc;

impl ScenarioBuilder<'_> {
    /// Something happens between the shop and those who say that they sent this customer.
    pub(crate) fn refer(&mut self) {
        match self.rng.index(9) {
            0..=2 => self.report(),
            8 if self.rng.one_in(3) => self.report_often(),
            3 | 8 => self.cancel_report(),
            4 | 5 => self.grant_code(),
            6 => self.review(),
            _ => self.show_card(),
        }
    }

    /// A partner reports, mostly with a program; told again later, the program may be another.
    pub(crate) fn report(&mut self) {
        let partner = PARTNERS[self.rng.index(3)];
        self.report_by(partner);
    }

    /// This one reports.
    pub(crate) fn report_by(&mut self, partner: &str) {
        let referral = self.referral();
        self.report_of(partner, referral);
    }

    /// A greedy partner reports one customer again and again, each time as another referral.
    pub(crate) fn report_often(&mut self) {
        let partner = PARTNERS[self.rng.index(3)];
        for n in 0..self.rng.index(14) {
            let referral = format!("r{}-{n}", self.name).into();
            self.report_of(partner, referral);
        }
    }

    fn report_of(&mut self, partner: &str, referral: Arc<str>) {
        let names = self.reported_names();
        let sent = self.clock - [500, 86_400, 90 * 86_400][self.rng.index(3)];
        let seen = ReferralSnapshot {
            partner: PartnerId::parse(partner).expect("is an id"),
            referral: referral.clone(),
            referred_at: at(sent),
            reported_at: Some(at(self.clock)),
            names: names.clone(),
            sub_ids: std::collections::BTreeMap::default(),
        };
        let mut facts = vec![Fact::Referral(seen)];
        if !self.rng.one_in(6) {
            facts.push(Fact::AttributionTerms(Box::new(AttributionTerms {
                partner: PartnerId::parse(partner).expect("is an id"),
                referral,
                reported_at: at(self.clock),
                program: self.program(),
                identity: self.partner_identity(),
            })));
        }
        self.add_partner_event("referral.created", names, facts);
    }

    /// A partner takes its report back, whether it ever came or not.
    fn cancel_report(&mut self) {
        let partner = PARTNERS[self.rng.index(3)];
        self.cancel_report_by(partner);
    }

    /// This one takes it back.
    pub(crate) fn cancel_report_by(&mut self, partner: &str) {
        let fact = Fact::ReferralCanceled {
            partner: PartnerId::parse(partner).expect("is an id"),
            referral: self.referral(),
        };
        let names = self.reported_names();
        self.add_partner_event("referral.canceled", names, vec![fact]);
    }

    /// The code that sessions show is given to a partner, or to another.
    pub(crate) fn grant_code(&mut self) {
        let granted = CodeGranted {
            code: ReferralCode::parse("spring").expect("is a code"),
            partner: PartnerId::parse(PARTNERS[self.rng.index(2)]).expect("is an id"),
            program: self.program(),
            identity: self.partner_identity(),
        };
        let about = About::ByReference(vec![Reference::code("spring").expect("is an id")]);
        let fact = Fact::CodeGranted(Box::new(granted));
        self.add_event_about("code.granted", 1, about, vec![fact], &[]);
    }

    /// Somebody decides what becomes of a referral, held or not.
    pub(crate) fn review(&mut self) {
        let released = self.rng.one_in(2);
        let by_code = self.rng.one_in(4);
        let fact = Fact::Reviewed {
            partner: PartnerId::parse(PARTNERS[self.rng.index(3)]).expect("is an id"),
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
        self.add_event("referral.reviewed", 7, vec![fact], &[]);
    }

    /// What the customer pays with is seen.
    pub(crate) fn show_card(&mut self) {
        let fingerprint = format!("card{}", self.name).into();
        self.add_event(
            "charge.updated",
            3,
            vec![Fact::Fingerprint { fingerprint }],
            &[],
        );
    }

    fn referral(&self) -> Arc<str> {
        format!("r{}", self.name).into()
    }

    /// A partner names the person, or the shop's id or a code too, or no more than a code.
    fn reported_names(&mut self) -> Vec<Reference> {
        let person = Reference::person(&PersonHash::parse(self.email.clone()).expect("is an id"));
        let code = Reference::code("spring").expect("is an id");
        match self.rng.index(5) {
            0 | 1 => vec![person],
            2 => vec![Reference::shop(&self.name).expect("is an id"), person],
            3 => vec![person, code],
            _ => vec![code],
        }
    }

    /// It leads to whom the person and the shop's id lead to, or the code where it is all there is.
    /// Sometimes the partner dates it before what it reported earlier.
    fn add_partner_event(&mut self, kind: &'static str, names: Vec<Reference>, facts: Vec<Fact>) {
        let mut behind = names.clone();
        behind.retain(|name| !name.as_str().starts_with("code/"));
        let about = About::ByReference(if behind.is_empty() { names } else { behind });
        self.add_event_about(kind, 1, about, facts, &[]);
    }

    /// Rates that leave fractions, spans and windows that end within a scenario.
    fn program(&mut self) -> Program {
        Program {
            reward: match self.rng.index(5) {
                0 => Reward::Fixed(euro(333)),
                1 => Reward::BasisPoints(3_333),
                2 => Reward::BasisPoints(10_000),
                _ => Reward::BasisPoints(2_000),
            },
            duration: [
                CommissionDuration::Life,
                CommissionDuration::Months(1),
                CommissionDuration::FirstPayment,
            ][self.rng.index(3)],
            hold_days: [0, 30][self.rng.index(2)],
            window_days: [1, 60, 400][self.rng.index(3)],
            attribution_model: [AttributionModel::First, AttributionModel::Last][self.rng.index(2)],
        }
    }

    /// What the partner is known by: sometimes by what this customer is known by too.
    fn partner_identity(&mut self) -> PartnerIdentity {
        match self.rng.index(6) {
            0 => PartnerIdentity::of(&format!("{}+shop@x.org", self.email)),
            1 => PartnerIdentity::of("somebody@x.org"),
            2 => PartnerIdentity {
                fingerprints: [format!("card{}", self.name).into()].into(),
                ..PartnerIdentity::default()
            },
            3 => PartnerIdentity::of("somebody@gmail.com"),
            _ => PartnerIdentity::default(),
        }
    }
}
