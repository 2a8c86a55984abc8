//! Partners as the table keeps them: a row each, no secret.

use crate::items::{COMMISSION, Item, Key, PARTNERS, customer_rows, ledger_partition};
use crate::notices::floor_to_second;
use crate::port::{PutOutcome, StoreError, Table, WriteCondition, query_all};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{CustomerKey, PartnerId};
use domain::partner::identity::PartnerIdentity;
use domain::partner::ledger::CommissionRow;
use domain::partner::program::Program;
use domain::partner::referral::AttributionTerms;
use domain::partner::tiers::{ProgramTerms, Tier};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// A partner. Its secrets are derived from the master key, its name and the key version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRow {
    /// Its name in addresses.
    pub partner: PartnerId,
    /// Counts writes.
    pub version: u64,
    /// Key versions in force, the newest last.
    pub keys: Vec<u32>,
    /// The newest version ever given out: one that was revoked is not given out again.
    #[serde(default)]
    pub last_key: u32,
    /// What it earns, the newest last; only ever added to, so that a report sent again finds the
    /// same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<DatedProgram>,
    /// What the partner itself is known by.
    #[serde(default, skip_serializing_if = "PartnerIdentity::is_empty")]
    pub identity: PartnerIdentity,
    /// Codes that were given to it, each an event of its own ([`crate::decided`]).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub codes: BTreeSet<Arc<str>>,
    /// Public keys it signs with besides, as `whpk_` and base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_keys: Vec<Arc<str>>,
}

/// A program and since when it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedProgram {
    /// Since when.
    pub since: Timestamp,
    /// What it says, below every tier.
    pub program: Program,
    /// What is earned instead while more customers are active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// How many were active when the tier in force was chosen.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub active: u32,
}

impl DatedProgram {
    /// An offer from a moment on, with as many active customers as were last counted. It counts
    /// from that whole second: reports are signed in whole seconds.
    pub fn new(since: Timestamp, offer: ProgramTerms, active: u32) -> Self {
        Self {
            since: floor_to_second(since),
            program: offer.program,
            tiers: offer.tiers,
            active,
        }
    }

    /// What was agreed on.
    pub fn terms(&self) -> ProgramTerms {
        ProgramTerms {
            program: self.program.clone(),
            tiers: self.tiers.clone(),
        }
    }

    /// The program of the tier that is in force.
    pub fn in_force(&self) -> Program {
        self.terms().at(self.active)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl PartnerRow {
    /// A partner with its first key version and no program.
    pub fn new(partner: PartnerId) -> Self {
        Self {
            partner,
            version: 1,
            keys: vec![1],
            last_key: 1,
            programs: Vec::new(),
            identity: PartnerIdentity::default(),
            codes: BTreeSet::new(),
            public_keys: Vec::new(),
        }
    }

    /// The program in force at a moment, of the tier that was reached.
    pub fn program(&self, at: Timestamp) -> Option<Program> {
        self.agreed(at).map(DatedProgram::in_force)
    }

    /// What was agreed on by a moment.
    pub fn agreed(&self, at: Timestamp) -> Option<&DatedProgram> {
        let by_then = self.programs.iter().filter(|dated| dated.since <= at);
        by_then.max_by_key(|dated| dated.since)
    }

    /// What was agreed on last, also where it is not in force yet.
    pub fn latest(&self) -> Option<&DatedProgram> {
        self.agreed(Timestamp::MAX)
    }

    /// Puts an offer in force from a moment on, or from the last one's where a clock was set
    /// back. One that is in force stays so.
    pub fn set_terms(&mut self, offer: &ProgramTerms, active: u32, since: Timestamp) {
        let since = self.latest().map_or(since, |last| last.since.max(since));
        let next = DatedProgram::new(since, offer.clone(), active);
        let same =
            |there: &DatedProgram| there.terms() == *offer && there.in_force() == next.in_force();
        if !self.agreed(next.since).is_some_and(same) {
            self.programs.push(next);
        }
        // What partners earn by is in the journal; these are for people.
        let old = self.programs.len().saturating_sub(MAX_PROGRAMS);
        self.programs.drain(..old);
    }

    /// Puts the program in force at the moment of a report beside it, so that the terms are in
    /// the journal and a later change touches only later reports. Without a program, nothing.
    pub fn add_attribution_terms(&self, reading: &mut NormalizedEvent, reported_at: Timestamp) {
        let Some(program) = self.program(reported_at) else {
            return;
        };
        let referrals: Vec<Arc<str>> = reading.facts.iter().filter_map(reported_referral).collect();
        reading.facts.extend(referrals.into_iter().map(|referral| {
            Fact::AttributionTerms(Box::new(AttributionTerms {
                partner: self.partner.clone(),
                referral,
                reported_at,
                program: program.clone(),
                identity: self.identity.clone(),
            }))
        }));
    }
}

fn reported_referral(fact: &Fact) -> Option<Arc<str>> {
    if let Fact::Referral(seen) = fact {
        Some(seen.referral.clone())
    } else {
        None
    }
}

/// Partners read lately: at most so many, for at most so long. Only partners whose signature
/// held are ever asked for, so a forged request costs no read.
#[derive(Debug, Default)]
pub struct PartnerCache(Mutex<HashMap<PartnerId, (Timestamp, Arc<PartnerRow>)>>);

/// How long a revoked key may still be taken for one in force.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(60);

/// As many terms of a partner's are kept, the latest: tiers change them by the day.
const MAX_PROGRAMS: usize = 100;

/// Partners remembered at once.
const MAX_CACHED: usize = 1_000;

impl PartnerCache {
    /// A partner whose signature held under this version of its key: from memory if it was read
    /// within a minute, unless the version was given out since.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read<T: Table>(
        &self,
        table: &T,
        partner: &PartnerId,
        version: u32,
        now: Timestamp,
    ) -> Result<Option<Arc<PartnerRow>>, StoreError> {
        let known = {
            let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.get(partner).cloned()
        };
        if let Some((at, row)) = known
            && now.duration_since(at).abs() < CACHE_TTL
            && version <= row.last_key
        {
            return Ok(Some(row));
        }
        let row = read(table, partner).await?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MAX_CACHED {
            held.clear();
        }
        match &row {
            Some(row) => drop(held.insert(partner.clone(), (now, row.clone()))),
            None => drop(held.remove(partner)),
        }
        Ok(row)
    }
}

/// Reads a partner.
///
/// # Errors
/// When the table does not answer.
pub async fn read<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Option<Arc<PartnerRow>>, StoreError> {
    Ok(match table.get(Key::partner(partner)).await? {
        Some(Item::Partner(row)) => Some(row),
        Some(_) | None => None,
    })
}

/// All rows of a partner's ledger, in one query of its partition.
///
/// # Errors
/// When the table does not answer.
pub async fn ledger<T: Table>(
    table: &T,
    partner: &PartnerId,
) -> Result<Vec<CommissionRow>, StoreError> {
    rows(table, partner, COMMISSION).await
}

/// The rows of a partner's ledger for one customer.
///
/// # Errors
/// When the table does not answer.
pub async fn customer_ledger<T: Table>(
    table: &T,
    partner: &PartnerId,
    customer: &CustomerKey,
) -> Result<Vec<CommissionRow>, StoreError> {
    rows(table, partner, &customer_rows(customer)).await
}

async fn rows<T: Table>(
    table: &T,
    partner: &PartnerId,
    prefix: &str,
) -> Result<Vec<CommissionRow>, StoreError> {
    let items = query_all(table, &ledger_partition(partner), prefix).await?;
    let rows = items.into_iter().filter_map(Item::into_commission);
    Ok(rows.map(Arc::unwrap_or_clone).collect())
}

/// Every partner, by name: one query of their partition.
///
/// # Errors
/// When the table does not answer.
pub async fn list<T: Table>(table: &T) -> Result<Vec<Arc<PartnerRow>>, StoreError> {
    let items = query_all(table, PARTNERS, "").await?;
    Ok(items.into_iter().filter_map(Item::into_partner).collect())
}

/// Adds a partner with its first key version and no program. `false` when it is there already.
///
/// # Errors
/// When the table does not answer.
pub async fn add<T: Table>(table: &T, partner: &PartnerId) -> Result<bool, StoreError> {
    let row = PartnerRow::new(partner.clone());
    Ok(put_new(table, row).await?.is_none())
}

/// Puts a partner that is not there yet; else gives the one that is.
///
/// # Errors
/// When the table does not answer.
pub async fn put_new<T: Table>(
    table: &T,
    row: PartnerRow,
) -> Result<Option<Arc<PartnerRow>>, StoreError> {
    let row = Arc::new(row);
    let put = table
        .put(Item::Partner(row.clone()), WriteCondition::Absent)
        .await?;
    let PutOutcome::Refused(there) = put else {
        return Ok(None);
    };
    // Our own earlier put, whose answer was lost, is new all the same.
    let there = there.and_then(|there| there.into_partner());
    Ok(there.filter(|there| *there != row))
}

/// Changes a partner as it stands, also when others do at the same time. `None` when there is no
/// such partner; what the change itself refuses, it says.
///
/// # Errors
/// When the table does not answer, or others keep changing it.
pub async fn change<T: Table, E>(
    table: &T,
    partner: &PartnerId,
    change: impl Fn(&mut PartnerRow) -> Result<(), E>,
) -> Result<Option<Result<Arc<PartnerRow>, E>>, StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(row) = read(table, partner).await? else {
            return Ok(None);
        };
        let mut next = PartnerRow::clone(&row);
        if let Err(refused) = change(&mut next) {
            return Ok(Some(Err(refused)));
        }
        if next == *row {
            return Ok(Some(Ok(row)));
        }
        next.version = next.version.saturating_add(1);
        let next = Arc::new(next);
        let put = table.put(
            Item::Partner(next.clone()),
            WriteCondition::Version(row.version),
        );
        match put.await? {
            PutOutcome::Done => return Ok(Some(Ok(next))),
            PutOutcome::Refused(_) => {}
        }
    }
    Err(StoreError::Throttled)
}

/// Key versions a partner has at most: doors try a signature under each of them.
pub const MAX_KEYS: u32 = 8;

/// How often a change that lost its race begins again.
const ATTEMPTS: u32 = 5;
