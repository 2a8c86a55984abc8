//! What a letter says: the values of its templates, from the record. What the record does not know,
//! no value says.

use crate::reader::Reader;
use crate::templates::RenderError;
use domain::catalog::Catalog;
use domain::ids::ObjectId;
use domain::letter::Letter;
use domain::letter::plan::subject;
use domain::money::{Money, exponent};
use domain::payment::invoice::Invoice;
use domain::payment::snapshot::{InvoiceState, NextAttempt};
use domain::state::CustomerState;
use domain::subscription::pricing::{BillingInterval, TaxBehavior};
use domain::subscription::state::Subscription;
use domain::subscription::terms::{EndReason, SubscriptionItem, SubscriptionStatus, TrialFallback};
use jiff::Timestamp;
use minijinja::context;
use minijinja::value::Value;
use std::collections::BTreeMap;
use store::letters::LetterRow;

/// What a letter is about, in words for this reader.
pub(crate) struct LetterContext<'a> {
    /// The customer's state.
    pub(crate) state: &'a CustomerState,
    /// What the shop calls its prices.
    pub(crate) catalog: &'a Catalog,
    /// Who reads it.
    pub(crate) reader: &'a Reader,
    /// When it is sent.
    pub(crate) now: Timestamp,
}

/// What a subscription costs without what usage decides.
struct Price {
    /// The sum for each interval, the longest first.
    sums: Vec<(Option<BillingInterval>, Money)>,
    tax: TaxBehavior,
}

impl LetterContext<'_> {
    /// The values of this letter's templates.
    pub(crate) fn values(&self, row: &LetterRow) -> Result<Value, RenderError> {
        let id = subject(row.letter, &row.cause);
        let subscription = || find_by_id(&self.state.subscriptions, id).ok_or(RenderError::Subject);
        let invoice = || find_by_id(&self.state.invoices, id).ok_or(RenderError::Subject);
        match row.letter {
            Letter::Welcome => Ok(self.welcome(subscription()?, row)),
            Letter::PaymentFailed => Ok(self.payment_failed(invoice()?)),
            Letter::PaymentRecovered => Ok(self.payment_recovered(invoice()?)),
            Letter::CancellationConfirmed => Ok(self.cancellation(subscription()?, row)),
            Letter::TrialEnding => self.trial_ending(subscription()?, row),
        }
    }

    fn welcome(&self, welcomed: &Subscription, row: &LetterRow) -> Value {
        let terms = &welcomed.terms;
        let trying = terms.status == SubscriptionStatus::Trialing;
        let trial = terms.trial.filter(|_| trying);
        let ends_at = welcomed.ends_at();
        context! {
            plan => self.plan(welcomed),
            trying => trying,
            trial_end => trial.map(|trial| self.reader.date(trial.end)),
            ends => trial.is_some_and(|trial| ends_at.is_some_and(|end| end <= trial.end)),
            fallback => terms.trial_fallback.map(fallback),
            pause => terms.pause.is_some(),
            uncharged => !has_usage(welcomed) && !terms.items_partial,
            free => self.is_free(welcomed, row),
        }
    }

    fn payment_failed(&self, failed: &Invoice) -> Value {
        let next = failed.next_attempt.time().filter(|at| *at > self.now);
        context! {
            amount => self.reader.amount(failed.due),
            next_attempt => next.map(|at| self.reader.date(at)),
            no_attempt => failed.next_attempt == NextAttempt::NotPlanned,
            must_act => failed.state == InvoiceState::ActionRequired,
            ..self.paid_for(failed)
        }
    }

    fn payment_recovered(&self, recovered: &Invoice) -> Value {
        context! {
            amount => recovered.paid.map(|paid| self.reader.amount(paid)),
            settled => !self.state.invoices.values().any(|invoice| self.is_owed(invoice)),
            ..self.paid_for(recovered)
        }
    }

    /// Whether an invoice is open, and not left over from a subscription that ended.
    fn is_owed(&self, invoice: &Invoice) -> bool {
        let named = invoice.subscription.as_ref();
        let known = named.and_then(|id| self.state.subscriptions.get(id));
        let is_over = known.is_some_and(|known| known.terms.status.is_final());
        invoice.settled_at.is_none() && !is_over
    }

    /// What an invoice is for: a subscription, where it names one.
    fn paid_for(&self, invoice: &Invoice) -> Value {
        let named = invoice.subscription.as_ref();
        let known = named.and_then(|id| self.state.subscriptions.get(id));
        context! {
            subscription => named.is_some(),
            plan => known.and_then(|known| self.plan(known)),
            running => known.is_some_and(|known| known.terms.status.is_running()),
        }
    }

    fn cancellation(&self, ending: &Subscription, row: &LetterRow) -> Value {
        let end = ending.ends_at();
        let is_over = end.is_some_and(|end| end <= self.now);
        let reason = match ending.end_reason {
            Some(EndReason::Requested) => "requested",
            Some(EndReason::PaymentFailed) => "unpaid",
            Some(EndReason::Disputed) | None => "unknown",
        };
        context! {
            plan => self.plan(ending),
            ended => ending.terms.status.is_final() || is_over,
            end => end.map(|at| self.reader.date(at)),
            asked => self.reader.date(row.caused_at),
            reason => reason,
            running => ending.terms.status.is_running(),
        }
    }

    fn trial_ending(&self, trying: &Subscription, row: &LetterRow) -> Result<Value, RenderError> {
        let trial = trying.terms.trial.ok_or(RenderError::Subject)?;
        let priced = self.price(trying, row).filter(|price| !price.is_zero());
        let tax = priced.as_ref().map(|price| match price.tax {
            TaxBehavior::Inclusive => "inclusive",
            TaxBehavior::Exclusive => "exclusive",
            TaxBehavior::Unknown => "unknown",
        });
        Ok(context! {
            plan => self.plan(trying),
            trial_end => self.reader.date(trial.end),
            price => priced.map(|price| self.reader.sums(&price.sums)),
            tax => tax,
            usage => has_usage(trying),
            uncharged => !has_usage(trying) && !trying.terms.items_partial,
            free => self.is_free(trying, row),
            fallback => trying.terms.trial_fallback.map(fallback),
        })
    }

    /// Whether its items cost nothing, however much is used.
    fn is_free(&self, subscription: &Subscription, row: &LetterRow) -> bool {
        let price = self.price(subscription, row);
        price.is_some_and(|price| price.is_zero()) && !has_usage(subscription)
    }

    /// What a subscription costs by its items, for each of their intervals by itself. None where
    /// tiers decide, where not all items are known or how often each is charged, or where nobody
    /// says how the currency is counted.
    fn price(&self, subscription: &Subscription, row: &LetterRow) -> Option<Price> {
        let currency = subscription
            .currency
            .filter(|_| !subscription.terms.items_partial)?;
        let (provider, _) = row.customer.account().split_once('/')?;
        let exponent = exponent(currency, providers::provider(provider)?.exponents());
        let licensed = || {
            let items = subscription.terms.items.iter();
            items.filter(|item| !item.metered)
        };
        let mut sums: BTreeMap<Option<BillingInterval>, Money> = BTreeMap::new();
        for item in licensed() {
            let minor = item.amount_minor()?;
            let zero = Money {
                minor: 0,
                currency,
                exponent,
            };
            let sum = sums.entry(item.pricing.interval).or_insert(zero);
            sum.minor = sum.minor.checked_add(minor)?;
        }
        if sums.len() > 1 {
            sums.retain(|_, sum| sum.minor != 0);
        }
        if sums.len() > 1 && sums.contains_key(&None) {
            return None;
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        let days = |interval: Option<BillingInterval>| {
            interval.map_or(0, BillingInterval::approximate_days)
        };
        sums.sort_by_key(|(interval, _)| std::cmp::Reverse(days(*interval)));
        (!sums.is_empty()).then(|| Price {
            sums,
            tax: tax_behavior(licensed()),
        })
    }

    /// What the shop calls the plan in the reader's language.
    fn plan(&self, subscription: &Subscription) -> Option<String> {
        let item = self.catalog.base(&subscription.terms.items)?;
        let (_, _, product) = self.catalog.product(&item.price)?;
        Some(one_line(product.name_in(self.reader.language.as_str())))
    }
}

impl Price {
    fn is_zero(&self) -> bool {
        self.sums.iter().all(|(_, sum)| sum.minor == 0)
    }
}

fn has_usage(subscription: &Subscription) -> bool {
    subscription.terms.items.iter().any(|item| item.metered)
}

/// That of all items; unknown where they differ.
fn tax_behavior<'a>(items: impl Iterator<Item = &'a SubscriptionItem>) -> TaxBehavior {
    let mut all: Vec<_> = items.map(|item| item.pricing.tax).collect();
    all.sort();
    all.dedup();
    match all.as_slice() {
        [one] => *one,
        [] | [_, _, ..] => TaxBehavior::Unknown,
    }
}

fn fallback(fallback: TrialFallback) -> &'static str {
    match fallback {
        TrialFallback::Ends => "ends",
        TrialFallback::Pauses => "pauses",
        TrialFallback::Other => "other",
    }
}

fn find_by_id<'a, T>(among: &'a BTreeMap<ObjectId, T>, id: &str) -> Option<&'a T> {
    among.get(&ObjectId::parse(id).ok()?)
}

/// A value in one line of bounded length: a name with a line end in it must not become a
/// header, and one without end must not become the letter.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .filter(|c| !is_bidi_control(*c))
        .map(|c| {
            if c.is_control() || is_line_end(c) {
                ' '
            } else {
                c
            }
        })
        .take(MAX_CHARS)
        .collect();
    let words: Vec<_> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Signs that turn the direction of all that follows, beyond the value they stand in.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Signs of a name that are written; subjects hold two names at most.
const MAX_CHARS: usize = 120;
