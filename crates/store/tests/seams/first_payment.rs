//! A person's first payment: who announces puts first and looks afterwards, so that of two
//! customers at once one hears of the other.

use crate::actors::{after, seam, sends};
use crate::seam::{SENDER_KEEPS, Seam, explore};
use crate::support::{acme, at, event_of, naming, paid, program};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{PersonHash, Reference};
use domain::money::{Currency, Money};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{CommissionDuration, Program, Reward};
use domain::partner::referral::{AttributionTerms, ReferralSnapshot};

pub(crate) fn seams() -> Vec<Seam> {
    let told = |case, base: &[NormalizedEvent], senders| Seam {
        nets: SENDER_KEEPS.to_vec(),
        together: SENDER_KEEPS.to_vec(),
        most_runs: 400,
        ..seam(case, after(base), senders)
    };
    vec![
        told(
            "two customers of a person pay",
            &[report()],
            vec![
                sends("first", &[purchase(1)]),
                sends("second", &[purchase(2)]),
            ],
        ),
        told(
            "an earlier payment of another customer",
            &[report(), purchase(2)],
            vec![sends("earlier", &[purchase(1)])],
        ),
    ]
}

fn nell() -> Reference {
    Reference::person(&PersonHash::parse("nell").unwrap())
}

/// The n-th purchase of the person, each as another customer.
fn purchase(n: usize) -> NormalizedEvent {
    naming(paid(n, n), &[&nell()])
}

/// A report of the person: 5.00 for the first payment.
fn report() -> NormalizedEvent {
    let five = Money {
        minor: 500,
        currency: Currency::parse("eur").unwrap(),
        exponent: 2,
    };
    let snapshot = ReferralSnapshot {
        partner: acme(),
        referral: "r-1".into(),
        referred_at: at(0),
        reported_at: Some(at(0)),
        names: vec![nell()],
        sub_ids: Default::default(),
    };
    let terms = AttributionTerms {
        partner: acme(),
        referral: "r-1".into(),
        reported_at: at(0),
        program: Program {
            reward: Reward::Fixed(five),
            duration: CommissionDuration::FirstPayment,
            ..program()
        },
        identity: PartnerIdentity::default(),
    };
    let facts = vec![
        Fact::Referral(snapshot),
        Fact::AttributionTerms(Box::new(terms)),
    ];
    NormalizedEvent {
        about: About::ByReference(vec![nell()]),
        ..event_of(0, "partner/acme/r-1".into(), at(0), facts)
    }
}

#[test]
fn of_two_who_pay_first_one_hears_of_the_other() {
    explore("first payment", &seams());
}
