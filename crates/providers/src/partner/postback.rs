//! Server-to-server postbacks: a report in the query of a GET, verified by a token of the partner
//! or by a signature.
//!
//! What is signed, and what the journal keeps, has one form: the parameters sorted by name, one on
//! each line, `name=value`, without `token`, `ts` and `sig`. Path and time precede it.

use super::error::{ReportError, UnreadableReport};
use super::query;
use super::report::ReferralReport;
use super::verified_report::{VerifiedReport, only_item};
use super::wire_report::WirePostback;
use crate::keys::{PersonKey, expand};
use crate::secret::{Secret, Secrets, WeakSecret};
use crate::verification_error::VerificationError;
use crate::verified::{SignatureClaim, VerifiedItems, canonical_hex, canonical_seconds, signature};
use domain::ids::PartnerId;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// The token of postbacks that are not signed. It is valid for postbacks alone, because it is part
/// of URLs, which proxies write into logs.
#[derive(Clone)]
pub struct PostbackToken(String);

impl PostbackToken {
    /// The token for one version of the partner's key.
    ///
    /// # Errors
    /// [`WeakSecret::Underivable`] when no key follows from the root.
    pub fn derive(root: &Secret, partner: &PartnerId, version: u32) -> Result<Self, WeakSecret> {
        let purpose = [PURPOSE, &version.to_be_bytes(), partner.as_str().as_bytes()];
        let key: [u8; 32] = expand(root, &purpose.concat())?;
        Ok(Self(hex::encode(key)))
    }

    /// The text, to be shown to that partner alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PostbackToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostbackToken(redacted)")
    }
}

/// A postback's query, parsed and not verified yet.
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
        f.write_str("PostbackProof(redacted)")
    }
}

impl PostbackQuery {
    /// Parses a query.
    ///
    /// # Errors
    /// [`ReportError`] when it can be read in more than one way, or has no token and no signature.
    pub fn read(query: &str) -> Result<Self, ReportError> {
        let mut parameters = query::read(query)?;
        let disproved = |what| VerificationError::Disproved { what };
        let proof = match ["token", "ts", "sig"].map(|name| parameters.remove(name)) {
            [Some(token), None, None] => PostbackProof::Token(token),
            [None, Some(time), Some(mac)] => PostbackProof::Signature {
                time,
                mac: canonical_hex(&mac)
                    .ok_or(disproved("`sig` is not 64 lower-case hex digits"))?,
            },
            _ => Err(disproved("there is neither `token` nor `ts` with `sig`"))?,
        };
        Ok(Self {
            signed_lines: canonical_lines(&parameters),
            parameters,
            proof,
        })
    }

    /// Whether it is to be proven by a token, which has roots of its own.
    pub fn has_token(&self) -> bool {
        matches!(self.proof, PostbackProof::Token(_))
    }

    /// Verifies that this partner sent it, and reads it.
    ///
    /// # Errors
    /// [`ReportError`] when nothing shows that this partner sent it, or it can't be read.
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
                    tolerance_seconds: TOLERANCE_SECONDS,
                };
                VerifiedItems::by_signature(&claim, secrets, now)?
            }
        };
        let parameters = WirePostback::read(&self.parameters).map_err(|_| {
            let what = "has a part that is not text";
            UnreadableReport::Query { what }
        })?;
        let report = ReferralReport::from_postback(&parameters, partner, keys)?;
        Ok(VerifiedReport {
            raw: only_item(&verified)?,
            signed_at: verified.signed_at(),
            message_id: report.message_id().into(),
            report,
        })
    }
}

/// The query of a postback, signed as of now.
///
/// # Errors
/// [`ReportError`] when a postback can't have these parameters.
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

/// Values contain no line ends, so two sets of parameters never give the same lines.
fn canonical_lines(parameters: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = parameters.iter().map(|(n, v)| format!("{n}={v}")).collect();
    lines.join("\n")
}

/// No `webhook-id` contains a space, so this text is never the signed text of a message.
fn address(partner: &PartnerId) -> String {
    format!("GET /partners/{partner}/postback\n")
}

const TOLERANCE_SECONDS: u16 = 300;
const PURPOSE: &[u8] = b"partner postback\0";
