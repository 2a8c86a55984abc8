//! The server-to-server convention: a report in the query of a GET, shown to be the partner's by a
//! token of its own or by a signature.
//!
//! What is signed, and what the journal keeps, is written one way: the parameters by name, a line
//! each, `name=value`, without `token`, `ts` and `sig`. Before it stand the address and the time.

use super::report::Report;
use super::{NotReceived, Reported, query};
use crate::keys::expand;
use crate::verified::{Claim, canonical_hex, canonical_seconds, signature};
use crate::{Outcome, PersonKey, Received, Refused, Secret, Secrets, Verified, WeakSecret};
use domain::ids::PartnerId;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// What a partner's postbacks carry where they are not signed. It opens nothing but that address,
/// since it stands in addresses, which are written down on their way.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The token of a version of the partner's key.
    ///
    /// # Errors
    /// [`WeakSecret::Underivable`] for a partner without a name.
    pub fn derive(master: &Secret, partner: &PartnerId, version: u32) -> Result<Self, WeakSecret> {
        if partner.as_str().is_empty() {
            return Err(WeakSecret::Underivable);
        }
        let purpose = [PURPOSE, &version.to_be_bytes(), partner.as_str().as_bytes()];
        let key: [u8; 32] = expand(master, &purpose.concat())?;
        Ok(Self(hex::encode(key)))
    }

    /// As the partner writes it, to be shown to that partner alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// A postback's query, taken apart and not believed yet.
#[derive(Debug)]
pub struct Postback {
    said: BTreeMap<String, String>,
    lines: String,
    proof: Proof,
}

enum Proof {
    Token(String),
    Signature { time: String, mac: [u8; 32] },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(redacted)")
    }
}

impl Postback {
    /// Takes a query apart.
    ///
    /// # Errors
    /// [`NotReceived`]: it can be read in more ways than one, or offers no proof.
    pub fn read(query: &str) -> Result<Self, NotReceived> {
        let mut said = query::read(query)?;
        let disproved = |what| Refused::Disproved { what };
        let proof = match ["token", "ts", "sig"].map(|name| said.remove(name)) {
            [Some(token), None, None] => Proof::Token(token),
            [None, Some(time), Some(mac)] => Proof::Signature {
                time,
                mac: canonical_hex(&mac)
                    .ok_or(disproved("`sig` is not 64 lower-case hex digits"))?,
            },
            _ => Err(disproved("there is neither `token` nor `ts` with `sig`"))?,
        };
        Ok(Self {
            lines: lines(&said),
            said,
            proof,
        })
    }

    /// What it says, if it is shown to come from this partner.
    ///
    /// # Errors
    /// [`NotReceived`].
    pub fn receive(
        &self,
        partner: &PartnerId,
        (secrets, token): (&Secrets, &Token),
        keys: &PersonKey,
        now: Timestamp,
    ) -> Result<Reported, NotReceived> {
        let verified = match &self.proof {
            Proof::Token(offered) => {
                let offered = [offered, token.reveal()].map(str::as_bytes);
                Verified::by_token(offered, self.lines.as_bytes(), now)?
            }
            Proof::Signature { time, mac } => {
                let garbled = Refused::Disproved {
                    what: "`ts` is not plain seconds since 1970",
                };
                let address = address(partner);
                let claim = Claim {
                    prefix: &[address.as_bytes(), time.as_bytes(), b"\n"],
                    body: self.lines.as_bytes(),
                    macs: &[*mac],
                    ed25519: &[],
                    at: Some(canonical_seconds(time).ok_or(garbled)?),
                    tolerance_seconds: super::TOLERANCE_SECONDS,
                };
                Verified::by_signature(&claim, secrets, now)?
            }
        };
        let report = Report::of_postback(self.said.clone(), partner, keys)?;
        let signed_at = verified.signed_at();
        Ok(Reported {
            received: Received {
                raw: super::only_item(&verified)?,
                outcome: Outcome::Reading(report.reading(signed_at)),
            },
            signed_at,
            message: report.message().into(),
            report: Some(report),
        })
    }
}

/// The query of a postback, signed as of now.
///
/// # Errors
/// [`NotReceived`] where these parameters can't be sent so.
pub fn signed(
    query: &str,
    partner: &PartnerId,
    secret: &Secret,
    now: Timestamp,
) -> Result<String, NotReceived> {
    let lines = lines(&query::read(query)?);
    let (address, time) = (address(partner), now.as_second().to_string());
    let prefix: [&[u8]; 3] = [address.as_bytes(), time.as_bytes(), b"\n"];
    let mac = signature(secret, &prefix, lines.as_bytes()).unwrap_or_default();
    Ok(format!("{query}&ts={time}&sig={}", hex::encode(mac)))
}

/// Values have no line ends in them, so no two sets of parameters are written alike.
fn lines(said: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = said.iter().map(|(n, v)| format!("{n}={v}")).collect();
    lines.join("\n")
}

/// No `webhook-id` has a blank in it, so what is signed here was never signed as a message.
fn address(partner: &PartnerId) -> String {
    format!("GET /partners/{partner}/postback\n")
}

const PURPOSE: &[u8] = b"partner postback\0";
