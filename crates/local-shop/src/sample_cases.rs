//! On what occasions letters are written: sample records that ask for each.

use anyhow::bail;
use domain::ids::{CustomerKey, ObjectId, PriceId};
use domain::letter::Letter;
use domain::money::{Currency, Money};
use domain::payment::invoice::Invoice;
use domain::payment::snapshot::{InvoiceState, NextAttempt};
use domain::person::Profile;
use domain::record::Record;
use domain::subscription::state::Subscription;
use domain::subscription::terms::{
    Period, SubscriptionItem, SubscriptionStatus, SubscriptionTerms,
};
use engagement_email::render::Language;
use jiff::{SignedDuration, Timestamp};
use store::letters::{LetterRow, LetterState};

/// One occasion for a letter; a letter that says different things has several.
#[derive(Clone, Copy, Debug)]
pub struct SampleCase {
    /// Its name: the letter's, and what makes it another.
    pub name: &'static str,
    /// The letter.
    pub letter: Letter,
    change: fn(&mut Subscription, &mut Invoice),
}

/// Whom a sample is about, and what by: everything a stranger may have written.
#[derive(Clone, Debug)]
pub struct SampleNames {
    /// The customer's name.
    pub name: String,
    /// The plan's name.
    pub plan: String,
    /// The shop's name.
    pub shop: String,
}

/// The moment at which sample letters are sent: shortly after their occasion.
pub const SENT_AT: &str = "2026-01-12T09:00:00Z";

/// Every occasion, letter by letter.
pub const SAMPLE_CASES: [SampleCase; 11] = [
    sample_case("welcome", Letter::Welcome, |_, _| ()),
    sample_case("welcome-trial", Letter::Welcome, |subscription, _| {
        start_trial(subscription);
    }),
    sample_case("payment_failed", Letter::PaymentFailed, |_, _| ()),
    sample_case(
        "payment_failed-last",
        Letter::PaymentFailed,
        |_, invoice| {
            invoice.next_attempt = NextAttempt::NotPlanned;
        },
    ),
    sample_case(
        "payment_failed-confirm",
        Letter::PaymentFailed,
        |_, invoice| {
            invoice.state = InvoiceState::ActionRequired;
        },
    ),
    sample_case(
        "payment_recovered",
        Letter::PaymentRecovered,
        |_, invoice| {
            invoice.state = InvoiceState::Paid;
            invoice.settled_at = Some(day(11));
            invoice.paid = Some(invoice.due);
        },
    ),
    sample_case(
        "cancellation_confirmed",
        Letter::CancellationConfirmed,
        |subscription, _| {
            subscription.canceled_at = Some(day(11));
            subscription.terms.cancel_at = Some(day(31));
        },
    ),
    sample_case(
        "cancellation_confirmed-ended",
        Letter::CancellationConfirmed,
        |subscription, _| {
            subscription.canceled_at = Some(day(11));
            subscription.ended_at = Some(day(11));
            subscription.terms.status = SubscriptionStatus::Canceled;
        },
    ),
    sample_case("trial_ending", Letter::TrialEnding, |subscription, _| {
        start_trial(subscription);
    }),
    sample_case("trial_ending-usage", Letter::TrialEnding, |known, _| {
        start_trial(known);
        let base = known.terms.items.first().cloned();
        let price = PriceId::parse("price_requests").ok();
        known
            .terms
            .items
            .extend(base.zip(price).map(|(base, price)| SubscriptionItem {
                price,
                metered: true,
                quantity: None,
                unit_minor: Some(1),
                ..base
            }));
    }),
    sample_case("trial_ending-tiers", Letter::TrialEnding, |known, _| {
        start_trial(known);
        for item in &mut known.terms.items {
            item.unit_minor = None;
        }
    }),
];

impl Default for SampleNames {
    fn default() -> Self {
        Self {
            name: "Nell Orange".into(),
            plan: "Grove".into(),
            shop: "Grove & Sons".into(),
        }
    }
}

/// The letter's row and the record it is rendered from.
pub fn row_and_record(
    case: SampleCase,
    language: Language,
    words: &SampleNames,
) -> anyhow::Result<(LetterRow, Record)> {
    let (mut subscription, mut invoice) = (subscription()?, invoice()?);
    (case.change)(&mut subscription, &mut invoice);
    let customer = CustomerKey::parse("stripe/test/cus_Valencia01")?;
    let mut record = Record::new(customer.clone());
    let state = &mut record.folded.state;
    state.person.provider_profile = Some(Profile {
        email: Some("nell@example.com".into()),
        name: Some(words.name.as_str().into()),
        locale: Some(language.as_str().into()),
        ..Profile::default()
    });
    state
        .subscriptions
        .insert(ObjectId::parse("sub_Grove01")?, subscription);
    state
        .invoices
        .insert(ObjectId::parse("in_Grove02")?, invoice);
    let now: Timestamp = SENT_AT.parse()?;
    let plan = domain::letter::plan::plan(state, now);
    let Some(due) = plan.due.into_iter().find(|due| due.letter == case.letter) else {
        bail!("the sample of {} asks for no letter", case.name)
    };
    let row = LetterRow {
        state: LetterState::Due,
        ..LetterRow::due(customer, &due, now)
    };
    Ok((row, record))
}

fn subscription() -> anyhow::Result<Subscription> {
    let started_at = day(8);
    Ok(Subscription {
        started_at,
        currency: Some(Currency::parse("eur")?),
        terms: SubscriptionTerms {
            status: SubscriptionStatus::Active,
            items: vec![SubscriptionItem {
                id: ObjectId::parse("si_Grove01")?,
                price: PriceId::parse("price_grove_monthly")?,
                metered: false,
                quantity: Some(1),
                unit_minor: Some(2400),
                period: None,
            }],
            period: Some(days(0, 31)),
            trial: None,
            cancel_at: None,
            cancel_at_period_end: false,
            pause: None,
        },
        canceled_at: None,
        ended_at: None,
        activated_at: Some(started_at),
        as_of: started_at,
        ambiguous: false,
    })
}

fn invoice() -> anyhow::Result<Invoice> {
    Ok(Invoice {
        state: InvoiceState::Failed,
        subscription: Some(ObjectId::parse("sub_Grove01")?),
        due: Money {
            minor: 2880,
            currency: Currency::parse("eur")?,
            exponent: 2,
        },
        failed_at: day(11),
        attempts: 1,
        next_attempt: NextAttempt::At(day(14)),
        settled_at: None,
        paid: None,
    })
}

fn start_trial(subscription: &mut Subscription) {
    subscription.terms.status = SubscriptionStatus::Trialing;
    subscription.terms.trial = Some(days(0, 14));
}

const fn sample_case(
    name: &'static str,
    letter: Letter,
    change: fn(&mut Subscription, &mut Invoice),
) -> SampleCase {
    SampleCase {
        name,
        letter,
        change,
    }
}

/// So many days after the sample shop's first: 1 January 2026.
fn day(number: i64) -> Timestamp {
    let first = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let later = SignedDuration::from_hours(number.saturating_mul(24));
    first.checked_add(later).unwrap_or(first)
}

fn days(start: i64, end: i64) -> Period {
    Period {
        start: day(start),
        end: day(end),
    }
}
