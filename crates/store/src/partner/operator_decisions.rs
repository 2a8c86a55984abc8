//! What people decide of partners, as events: a code that is given, a referral that is released
//! or voided. Each is an entry like any other, so a replay ends where life did.
//!
//! An entry's id counts what was decided of the same thing before it: typing a decision twice
//! is one event, and of two who decide at once each sees what came of it.

pub use crate::partner::referral_ref::{ReferralRef, referred_customers};

use crate::error::StoreError;
use crate::items::due_index::floor_to_second;
use crate::items::key::{PARKED, reference_partition};
use crate::journal::append::{AppendOutcome, resolve_references};
use crate::journal::folding::{fold, read_journal};
use crate::journal::ingest::ingest_entries;
use crate::journal::rows::ParkedEntry;
use crate::partner::partner_row::PartnerRow;
use crate::partner::reports::read_reports;
use crate::port::Table;
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{
    CustomerKey, EventId, InvalidId, PartnerId, Reference, ReferralCode, normalize_referral_id,
};
use domain::partner::referral::CodeGranted;
use domain::partner::referral::Decision;
use domain::record::Entry;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::Arc;

/// The one who decides, in front of the ids of what was decided.
pub const OPERATOR: &str = "operator";

/// What became of a code that was to be given to a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantOutcome {
    /// It is the partner's from now on, on the terms of now.
    Granted,
    /// It was the partner's, on these terms.
    AlreadyGranted,
    /// It is this other partner's, and stays so.
    OwnedByOther(PartnerId),
    /// The partner has no program in force, so the code would earn nothing.
    NoProgram,
}

/// Gives a code to a partner, on the terms in force; given again, on those of now. It counts
/// for whoever shows it from then on. Where more than [`MAX_AT_ONCE`](crate::ingest::MAX_AT_ONCE)
/// customers have shown it, they hear of it from the due scan.
///
/// # Errors
/// When the table does not answer: it may have been given, and giving it again is safe.
pub async fn grant<T: Table>(
    table: &T,
    row: &PartnerRow,
    code: &ReferralCode,
    now: Timestamp,
) -> Result<GrantOutcome, StoreError> {
    let Some(program) = row.program(now) else {
        return Ok(GrantOutcome::NoProgram);
    };
    let wanted = CodeGranted {
        code: code.clone(),
        partner: row.partner.clone(),
        program,
        identity: row.identity.clone(),
    };
    let reference = Reference::from(code);
    for _ in 0..ATTEMPTS {
        let given = read_grants(table, &reference).await?;
        let other = given.iter().find(|(given, _)| given.partner != row.partner);
        if let Some((other, _)) = other {
            return Ok(GrantOutcome::OwnedByOther(other.partner.clone()));
        }
        if let Some((last, entry)) = given.last()
            && *last == wanted
        {
            finish(table, entry, now).await?;
            return Ok(GrantOutcome::AlreadyGranted);
        }
        let since = given.iter().map(|(_, entry)| entry.event.occurred_at).max();
        let reading = NormalizedEvent {
            id: EventId::parse(format!("{OPERATOR}/code/{code}/{:04}", given.len()))
                .map_err(invalid_id)?,
            kind: "code.granted".into(),
            occurred_at: not_before(now, since),
            rank: GRANTED_RANK,
            about: About::ByReference(vec![reference.clone()]),
            facts: vec![Fact::CodeGranted(Box::new(wanted.clone()))],
            references: Vec::new(),
        };
        let raw = serde_json::json!({
            "type": "code.granted",
            "data": { "partner": row.partner, "code": code },
        });
        if ingest_decision(table, reading, &raw, now).await? {
            return Ok(GrantOutcome::Granted);
        }
    }
    Err(StoreError::Contended)
}

/// Whoever decided may have died before it reached anybody.
async fn finish<T: Table>(table: &T, entry: &Arc<Entry>, now: Timestamp) -> Result<(), StoreError> {
    // Under every name, then to everybody: who died may have come to some of both.
    ingest_entries(table, slice::from_ref(entry), now).await?;
    Ok(())
}

/// The grants of a code so far, the first first.
async fn read_grants<T: Table>(
    table: &T,
    code: &Reference,
) -> Result<Vec<(CodeGranted, Arc<Entry>)>, StoreError> {
    let prefix = format!("{PARKED}{OPERATOR}/");
    let mut grants = Vec::new();
    let parked: Vec<ParkedEntry> = table
        .query_rows(&reference_partition(code), &prefix)
        .await?;
    for ParkedEntry { entry, .. } in parked {
        for fact in &entry.event.facts {
            if let Fact::CodeGranted(granted) = fact {
                grants.push((CodeGranted::clone(granted), entry.clone()));
            }
        }
    }
    Ok(grants)
}

/// What became of a decision on one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewOutcome {
    /// It counts from now on.
    Decided,
    /// It had been decided so.
    AlreadyDecided,
    /// Nobody ever referred this customer so.
    NotReferred,
}

/// What became of a decision for whomever a referral reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EverywhereReview {
    /// Whether it is a new one; else the last one was the same.
    pub is_new: bool,
    /// The customers that the referral reaches at once.
    pub customers: BTreeSet<CustomerKey>,
    /// Whether it reaches more than these, in the background.
    pub has_more: bool,
}

/// Decides a referral for whomever it reaches, also those who are not known yet: the decision waits
/// beside the report, under the same names. `None` where no report says by what it leads to its
/// customers, as older ones do not.
///
/// # Errors
/// When the table does not answer: it may have been decided, and deciding it again is safe.
pub async fn review_everywhere<T: Table>(
    table: &T,
    named: &ReferralRef,
    decision: Decision,
    now: Timestamp,
) -> Result<Option<EverywhereReview>, StoreError> {
    let references = leading_references(table, named).await?;
    if references.is_empty() {
        return Ok(None);
    }
    for _ in 0..ATTEMPTS {
        let decided = read_decisions(table, &references, named).await?;
        if let Some((last, entry)) = decided.last()
            && *last == decision
        {
            finish(table, entry, now).await?;
            return reached(table, &references, false).await.map(Some);
        }
        let since = decided
            .iter()
            .map(|(_, entry)| entry.event.occurred_at)
            .max();
        let number = format!("everywhere/{:04}", decided.len());
        let event = decision_event(
            named,
            decision,
            &number,
            About::ByReference(references.clone()),
            not_before(now, since),
        )?;
        let raw = serde_json::json!({
            "type": event.kind,
            "data": { "partner": named.partner, "referral_id": named.referral },
        });
        if ingest_decision(table, event, &raw, now).await? {
            return reached(table, &references, true).await.map(Some);
        }
    }
    Err(StoreError::Contended)
}

async fn reached<T: Table>(
    table: &T,
    references: &[Reference],
    is_new: bool,
) -> Result<EverywhereReview, StoreError> {
    let reached = resolve_references(table, references).await?;
    Ok(EverywhereReview {
        is_new,
        customers: reached.customers.into_iter().collect(),
        has_more: !reached.crowded.is_empty(),
    })
}

/// What leads to the customers of a referral: the code, or what its reports say.
async fn leading_references<T: Table>(
    table: &T,
    named: &ReferralRef,
) -> Result<Vec<Reference>, StoreError> {
    let reports = read_reports(table, &named.partner, &named.referral).await?;
    let mut references: BTreeSet<Reference> = BTreeSet::new();
    references.extend(reports.iter().flat_map(|report| report.references.clone()));
    references.extend(named.by_code());
    Ok(references.into_iter().collect())
}

/// What was decided of a referral for whomever it reaches, the first first.
async fn read_decisions<T: Table>(
    table: &T,
    references: &[Reference],
    ReferralRef { partner, referral }: &ReferralRef,
) -> Result<Vec<(Decision, Arc<Entry>)>, StoreError> {
    let prefix = format!("{PARKED}{OPERATOR}/{partner}/{referral}/everywhere/");
    let mut decisions = BTreeMap::new();
    for reference in references {
        let parked: Vec<ParkedEntry> = table
            .query_rows(&reference_partition(reference), &prefix)
            .await?;
        for ParkedEntry { entry, .. } in parked {
            for fact in &entry.event.facts {
                if let Fact::Reviewed { decision, .. } = fact {
                    decisions.insert(entry.event.id.to_string(), (*decision, entry.clone()));
                }
            }
        }
    }
    Ok(decisions.into_values().collect())
}

/// Releases or voids a referral of one customer.
///
/// # Errors
/// When the table does not answer: it may have been decided, and deciding it again is safe.
pub async fn review<T: Table>(
    table: &T,
    customer: &CustomerKey,
    named: &ReferralRef,
    decision: Decision,
    now: Timestamp,
) -> Result<ReviewOutcome, StoreError> {
    let ReferralRef { partner, referral } = named;
    for _ in 0..ATTEMPTS {
        let journal = read_journal(table, customer).await?;
        let state =
            domain::state::fold::fold_with_all_payments(journal.iter().map(|entry| &entry.event));
        if state.referral(partner, referral).is_none() {
            return Ok(ReviewOutcome::NotReferred);
        }
        if state.decision(partner, referral) == Some(decision) {
            // Whoever decided may have died before the fold.
            fold(table, customer, Vec::new(), now).await?;
            return Ok(ReviewOutcome::AlreadyDecided);
        }
        let reviews = journal.iter().filter(|entry| is_decision_on(entry, named));
        let reviews: Vec<Timestamp> = reviews.map(|entry| stands_from(entry)).collect();
        let event = decision_event(
            named,
            decision,
            &format!("{:04}", reviews.len()),
            About::Customer(customer.clone()),
            not_before(now, reviews.into_iter().max()),
        )?;
        let raw = serde_json::json!({
            "type": event.kind,
            "data": { "partner": partner, "referral_id": referral, "customer": customer },
        });
        if ingest_decision(table, event, &raw, now).await? {
            return Ok(ReviewOutcome::Decided);
        }
    }
    Err(StoreError::Contended)
}

/// A decision as an event; `number` counts what was decided before it.
fn decision_event(
    ReferralRef { partner, referral }: &ReferralRef,
    decision: Decision,
    number: &str,
    about: About,
    occurred_at: Timestamp,
) -> Result<NormalizedEvent, StoreError> {
    let verb = verb(decision);
    let id = format!("{OPERATOR}/{partner}/{referral}/{number}");
    Ok(NormalizedEvent {
        id: EventId::parse(id).map_err(invalid_id)?,
        kind: format!("referral.{verb}").into(),
        occurred_at,
        rank: REVIEWED_RANK,
        about,
        facts: vec![Fact::Reviewed {
            partner: partner.clone(),
            referral: referral.clone(),
            decision,
        }],
        references: Vec::new(),
    })
}

/// Takes it in; `false` when somebody else had decided something under this id.
async fn ingest_decision<T: Table>(
    table: &T,
    reading: NormalizedEvent,
    raw: &serde_json::Value,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let raw = raw.to_string();
    let receipt = format!("{raw} at {now}").into();
    let raw: Arc<[u8]> = raw.into_bytes().into();
    let entry = Entry::new(reading, raw, NORMALIZER, now, receipt);
    let verdicts = ingest_entries(table, &[Arc::new(entry)], now).await?;
    Ok(verdicts.first() != Some(&AppendOutcome::Repeated))
}

fn is_decision_on(entry: &Entry, named: &ReferralRef) -> bool {
    entry.event.facts.iter().any(|fact| {
        matches!(fact, Fact::Reviewed { partner, referral, .. }
            if *partner == named.partner && normalize_referral_id(referral) == named.referral)
    })
}

/// From when on the next decision stands: of one second, what was decided for whomever a referral
/// reaches comes last.
fn stands_from(entry: &Entry) -> Timestamp {
    let at = entry.event.occurred_at;
    let everywhere = entry.event.id.as_str().contains("/everywhere/");
    let next = SignedDuration::from_secs(i64::from(everywhere));
    at.checked_add(next).unwrap_or(at)
}

/// A decision stands after the one before it, also where a clock was set back; and it stands in
/// the whole second in which it was made, as the providers count.
fn not_before(now: Timestamp, last: Option<Timestamp>) -> Timestamp {
    let second = floor_to_second(now);
    last.map_or(second, |last| second.max(last))
}

fn invalid_id(error: InvalidId) -> StoreError {
    StoreError::Invalid(error.to_string())
}

fn verb(decision: Decision) -> &'static str {
    match decision {
        Decision::Release => "released",
        Decision::Void => "voided",
    }
}

/// Before whatever a customer does in the same second.
const GRANTED_RANK: u8 = 4;
/// After the report it is about.
const REVIEWED_RANK: u8 = 7;
/// The version in which decisions are read.
const NORMALIZER: u16 = 1;
/// How often a decision that others made meanwhile begins again.
const ATTEMPTS: u32 = 5;
