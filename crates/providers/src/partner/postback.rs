//! The server-to-server convention: a report in the query of a GET, shown to be the partner's by a
//! token of its own or by a signature.
//!
//! What is signed, and what the journal keeps, is written one way: the parameters by name, a line
//! each, `name=value`, without `token`, `ts` and `sig`. Before it stand the address and the time.

use super::report::ReferralReport;
use super::wire_report::WirePostback;
use super::{ReportError, UnreadableReport, VerifiedReport, query};
use crate::keys::expand;
use crate::verified::{SignatureClaim, canonical_hex, canonical_seconds, signature};
use crate::{
    ItemOutcome, PersonKey, ReceivedItem, Secret, Secrets, VerificationError, VerifiedItems,
    WeakSecret,
};
use domain::ids::PartnerId;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// What a partner's postbacks carry where they are not signed. It opens nothing but that address,
/// since it stands in addresses, which are written down on their way.
#[derive(Clone)]
pub struct PostbackToken(String);

impl PostbackToken {
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

impl fmt::Debug for PostbackToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// A postback's query, taken apart and not believed yet.
#[derive(Debug)]
pub struct PostbackQuery {
    parameters: BTreeMap<String, String>,
    signed_lines: String,
    proof: PostbackProof,
}

enum PostbackProof {
    Token(String),
    Signature { time: String, mac: [u8; 32] },
}

impl fmt::Debug for PostbackProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(redacted)")
    }
}

impl PostbackQuery {
    /// Takes a query apart.
    ///
    /// # Errors
    /// [`NotReceived`]: it can be read in more ways than one, or offers no proof.
    pub fn read(query: &str) -> Result<Self, ReportError> {
        let mut said = query::read(query)?;
        let disproved = |what| VerificationError::Disproved { what };
        let proof = match ["token", "ts", "sig"].map(|name| said.remove(name)) {
            [Some(token), None, None] => PostbackProof::Token(token),
            [None, Some(time), Some(mac)] => PostbackProof::Signature {
                time,
                mac: canonical_hex(&mac)
                    .ok_or(disproved("`sig` is not 64 lower-case hex digits"))?,
            },
            _ => Err(disproved("there is neither `token` nor `ts` with `sig`"))?,
        };
        Ok(Self {
            signed_lines: canonical_lines(&said),
            parameters: said,
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
        (secrets, token): (&Secrets, &PostbackToken),
        keys: &PersonKey,
        now: Timestamp,
    ) -> Result<VerifiedReport, ReportError> {
        let verified = match &self.proof {
            PostbackProof::Token(offered) => {
                let offered = [offered, token.reveal()].map(str::as_bytes);
                VerifiedItems::by_token(offered, self.signed_lines.as_bytes(), now)?
            }
            PostbackProof::Signature { time, mac } => {
                let garbled = VerificationError::Disproved {
                    what: "`ts` is not plain seconds since 1970",
                };
                let address = address(partner);
                let claim = SignatureClaim {
                    prefix: &[address.as_bytes(), time.as_bytes(), b"\n"],
                    body: self.signed_lines.as_bytes(),
                    macs: &[*mac],
                    ed25519: &[],
                    signed_at: Some(canonical_seconds(time).ok_or(garbled)?),
                    tolerance_seconds: super::TOLERANCE_SECONDS,
                };
                VerifiedItems::by_signature(&claim, secrets, now)?
            }
        };
        let parameters = WirePostback::read(&self.parameters).map_err(|_| {
            let what = "has a part that is not text";
            UnreadableReport::Query { what }
        })?;
        let report = ReferralReport::from_postback(&parameters, partner, keys)?;
        let signed_at = verified.signed_at();
        Ok(VerifiedReport {
            received: ReceivedItem {
                raw: super::only_item(&verified)?,
                outcome: ItemOutcome::Event(report.event(signed_at)),
            },
            signed_at,
            message_id: report.message_id().into(),
            report: Some(report),
        })
    }
}

/// The query of a postback, signed as of now.
///
/// # Errors
/// [`NotReceived`] where these parameters can't be sent so.
pub fn sign_query(
    query: &str,
    partner: &PartnerId,
    secret: &Secret,
    now: Timestamp,
) -> Result<String, ReportError> {
    let lines = canonical_lines(&query::read(query)?);
    let (address, time) = (address(partner), now.as_second().to_string());
    let prefix: [&[u8]; 3] = [address.as_bytes(), time.as_bytes(), b"\n"];
    let mac = signature(secret, &prefix, lines.as_bytes()).unwrap_or_default();
    Ok(format!("{query}&ts={time}&sig={}", hex::encode(mac)))
}

/// Values have no line ends in them, so no two sets of parameters are written alike.
fn canonical_lines(said: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = said.iter().map(|(n, v)| format!("{n}={v}")).collect();
    lines.join("\n")
}

/// No `webhook-id` has a blank in it, so what is signed here was never signed as a message.
fn address(partner: &PartnerId) -> String {
    format!("GET /partners/{partner}/postback\n")
}

const PURPOSE: &[u8] = b"partner postback\0";
