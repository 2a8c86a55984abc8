//! On what occasions letters are written: sample records that ask for each.

use anyhow::bail;
use domain::ids::{CustomerKey, ObjectId, PriceId};
use domain::letter::Letter;
use domain::money::{Currency, Money};
use domain::payment::invoice::Invoice;
use domain::payment::snapshot::{InvoiceState, NextAttempt};
use domain::person::Profile;
use domain::record::Record;
use domain::subscription::pricing::{BillingInterval, IntervalUnit, Package, Pricing, TaxBehavior};
use domain::subscription::state::Subscription;
use domain::subscription::terms::{
    EndReason, Period, SubscriptionItem, SubscriptionStatus, SubscriptionTerms, TrialFallback,
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
pub const SAMPLE_CASES: [SampleCase; 23] = [
    sample_case("welcome", Letter::Welcome, |_, _| ()),
    sample_case("welcome-trial", Letter::Welcome, |known, _| {
        start_trial(known)
    }),
    sample_case("welcome-cardless", Letter::Welcome, |known, _| {
        start_trial(known);
        known.terms.trial_fallback = Some(TrialFallback::Ends);
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
        "payment_failed-unknown",
        Letter::PaymentFailed,
        |_, invoice| {
            invoice.next_attempt = NextAttempt::Unknown;
        },
    ),
    sample_case(
        "payment_failed-once",
        Letter::PaymentFailed,
        |_, invoice| {
            invoice.next_attempt = NextAttempt::Unknown;
            invoice.subscription = None;
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
            recover(invoice);
        },
    ),
    sample_case(
        "payment_recovered-credit",
        Letter::PaymentRecovered,
        |_, invoice| {
            recover(invoice);
            invoice.paid = invoice.paid.map(|paid| Money {
                minor: 1880,
                ..paid
            });
        },
    ),
    sample_case(
        "payment_recovered-unknown",
        Letter::PaymentRecovered,
        |_, invoice| {
            recover(invoice);
            invoice.paid = None;
            invoice.subscription = None;
        },
    ),
    sample_case(
        "cancellation_confirmed",
        Letter::CancellationConfirmed,
        |known, _| {
            request_end(known);
            known.terms.cancel_at = Some(day(31));
        },
    ),
    sample_case(
        "cancellation_confirmed-ended",
        Letter::CancellationConfirmed,
        |known, _| {
            end(known);
            known.end_reason = Some(EndReason::Requested);
        },
    ),
    sample_case(
        "cancellation_confirmed-unpaid",
        Letter::CancellationConfirmed,
        |known, _| {
            end(known);
            known.end_reason = Some(EndReason::PaymentFailed);
        },
    ),
    sample_case(
        "cancellation_confirmed-unknown",
        Letter::CancellationConfirmed,
        |known, _| {
            end(known);
        },
    ),
    sample_case("trial_ending", Letter::TrialEnding, |known, _| {
        start_trial(known)
    }),
    sample_case("trial_ending-cardless", Letter::TrialEnding, |known, _| {
        start_trial(known);
        known.terms.trial_fallback = Some(TrialFallback::Ends);
    }),
    sample_case("trial_ending-pauses", Letter::TrialEnding, |known, _| {
        start_trial(known);
        known.terms.trial_fallback = Some(TrialFallback::Pauses);
    }),
    sample_case("trial_ending-usage", Letter::TrialEnding, |known, _| {
        start_trial(known);
        add_item(known, "price_requests", |item| {
            item.metered = true;
            item.quantity = None;
            item.unit_minor = Some(1);
        });
    }),
    sample_case("trial_ending-tiers", Letter::TrialEnding, |known, _| {
        start_trial(known);
        for item in &mut known.terms.items {
            item.unit_minor = None;
        }
    }),
    sample_case("trial_ending-packages", Letter::TrialEnding, |known, _| {
        start_trial(known);
        for item in &mut known.terms.items {
            item.quantity = Some(31);
            item.pricing.tax = TaxBehavior::Inclusive;
            item.pricing.package = Some(Package {
                size: 15,
                round_up: true,
            });
        }
    }),
    sample_case("trial_ending-intervals", Letter::TrialEnding, |known, _| {
        start_trial(known);
        add_item(known, "price_care", |item| {
            item.unit_minor = Some(4_800);
            item.pricing.interval = every(1, IntervalUnit::Year);
            item.pricing.tax = TaxBehavior::Unknown;
        });
    }),
    sample_case("trial_ending-seasons", Letter::TrialEnding, |known, _| {
        start_trial(known);
        for item in &mut known.terms.items {
            item.pricing.interval = every(3, IntervalUnit::Month);
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
                pricing: Pricing {
                    interval: every(1, IntervalUnit::Month),
                    package: None,
                    tax: TaxBehavior::Exclusive,
                },
                period: None,
            }],
            period: Some(days(0, 31)),
            trial: None,
            trial_fallback: None,
            cancel_at: None,
            cancel_at_period_end: false,
            items_partial: false,
            pause: None,
        },
        canceled_at: None,
        end_requests: 0,
        end_reason: None,
        ended_at: None,
        interrupted_at: None,
        removed_items: Vec::new(),
        activated_at: Some(started_at),
        began_incomplete: false,
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

fn recover(invoice: &mut Invoice) {
    invoice.state = InvoiceState::Paid;
    invoice.settled_at = Some(day(11));
    invoice.paid = Some(invoice.due);
}

fn request_end(subscription: &mut Subscription) {
    subscription.canceled_at = Some(day(11));
    subscription.end_requests = 1;
}

fn end(subscription: &mut Subscription) {
    request_end(subscription);
    subscription.ended_at = Some(day(11));
    subscription.terms.status = SubscriptionStatus::Canceled;
}

fn add_item(subscription: &mut Subscription, price: &str, change: fn(&mut SubscriptionItem)) {
    let base = subscription.terms.items.first().cloned();
    let item = base.zip(PriceId::parse(price).ok()).map(|(base, price)| {
        let mut item = SubscriptionItem { price, ..base };
        change(&mut item);
        item
    });
    subscription.terms.items.extend(item);
}

fn every(count: u32, unit: IntervalUnit) -> Option<BillingInterval> {
    Some(BillingInterval { unit, count })
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
