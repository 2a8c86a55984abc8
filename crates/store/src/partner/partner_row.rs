//! A partner as the table keeps it: no secret.

use crate::items::due_index::floor_to_second;
use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::event::{Fact, NormalizedEvent};
use domain::ids::{PartnerId, ReferralCode};
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::Program;
use domain::partner::referral::AttributionTerms;
use domain::partner::tiers::{ProgramTerms, Tier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A partner. Its secrets are derived from a root, its name and the key version.
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
    /// The version of the token that its postbacks carry, once a token was revoked by itself; 0
    /// while tokens go by the versions of its key.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub token: u32,
    /// What it earns, the newest last; only ever added to, so that a report sent again finds the
    /// same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<DatedProgram>,
    /// What the partner itself is known by.
    #[serde(default, skip_serializing_if = "PartnerIdentity::is_empty")]
    pub identity: PartnerIdentity,
    /// Codes that were given to it, each an event of its own ([`crate::operator_decisions`]).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub codes: BTreeSet<ReferralCode>,
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
            token: 0,
            programs: Vec::new(),
            identity: PartnerIdentity::default(),
            codes: BTreeSet::new(),
            public_keys: Vec::new(),
        }
    }

    /// Whether this version of its key is in force.
    pub fn has_key(&self, version: u32) -> bool {
        self.keys.contains(&version)
    }

    /// Whether the token of this version is in force. Without a key none is.
    pub fn has_token(&self, version: u32) -> bool {
        match self.token {
            0 => self.has_key(version),
            token => token == version && !self.keys.is_empty(),
        }
    }

    /// The version of the token to give out.
    pub fn newest_token(&self) -> Option<u32> {
        let newest = self.keys.last().copied()?;
        Some(if self.token == 0 { newest } else { self.token })
    }

    /// Puts every token that was given out so far out of force, and no key.
    ///
    /// # Errors
    /// When every version was given out.
    pub fn revoke_tokens(&mut self) -> Result<(), &'static str> {
        let last = self.last_key.max(self.token);
        if last >= MAX_TOKENS {
            return Err("all versions of its token were given out; replace the root of postbacks");
        }
        self.token = last.saturating_add(1);
        Ok(())
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

/// Versions of a partner's token: a postback is tried under each.
pub const MAX_TOKENS: u32 = 16;

/// As many terms of a partner's are kept, the latest: tiers change them by the day.
const MAX_PROGRAMS: usize = 100;

impl StoredItem for PartnerRow {
    fn type_name(&self) -> &'static str {
        "partner"
    }

    fn key(&self) -> Key {
        Key::partner(&self.partner)
    }

    fields_by_serde!();

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}
