//! `Stripe-Signature: t=…,v1=…`: any `v1` under any secret in force, then the clock.

use crate::verified::{Claim, canonical_hex, canonical_seconds, signature};
use crate::{Arrival, Refused, Request, Secret, SignedHeaders, Step, Verified};
use jiff::Timestamp;

/// Proves that Stripe sent this body just now.
pub(crate) fn verify(arrival: &Arrival<'_>) -> Result<Step<Verified>, Refused> {
    let request = &arrival.request;
    request.check_body(MAX_BODY)?;
    let header = Header::read(request)?;
    let claim = Claim {
        prefix: &[header.time.as_bytes(), b"."],
        body: request.body,
        macs: &header.signatures,
        ed25519: &[],
        at: Some(header.at),
        tolerance_seconds: arrival.endpoint.tolerance_seconds,
    };
    Verified::by_signature(&claim, arrival.secrets, arrival.now).map(Step::Done)
}

/// Signs as Stripe does, for the command that sends samples.
pub(crate) fn sign(
    _: Option<&str>,
    body: &[u8],
    secret: &Secret,
    now: Timestamp,
) -> Option<SignedHeaders> {
    let time = now.as_second().to_string();
    let signature = signature(secret, &[time.as_bytes(), b"."], body)?;
    let signature = hex::encode(signature);
    Some(vec![(HEADER, format!("t={time},v1={signature}"))])
}

struct Header<'a> {
    time: &'a str,
    at: i64,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Header<'a> {
    /// Reads one header, or several as a gateway may leave or join them. They must agree on
    /// the time: it is what the signatures are over.
    fn read(request: &Request<'a>) -> Result<Self, Refused> {
        let mut bytes: usize = 0;
        let mut time = None;
        let mut offered: usize = 0;
        let mut signatures = Vec::new();
        for value in request.headers.all(HEADER) {
            bytes = bytes.saturating_add(value.len());
            if bytes > MAX_HEADER {
                return Err(garbled("it is longer than 4096 bytes"));
            }
            for item in value.split(',') {
                match item.trim_start_matches(' ').split_once('=') {
                    Some(("t", text)) => time = Some(agreed(time, text)?),
                    Some(("v1", text)) => {
                        offered = offered.saturating_add(1);
                        signatures.extend(canonical_hex(text));
                    }
                    // `v0` is for Stripe's own tests; other schemes are none of ours.
                    Some(_) | None => {}
                }
            }
        }
        if bytes == 0 {
            return Err(Refused::HeaderMissing { header: HEADER });
        }
        if offered > MAX_SIGNATURES {
            return Err(Refused::TooManySignatures {
                header: HEADER,
                limit: MAX_SIGNATURES,
            });
        }
        let time = time.ok_or_else(|| garbled("it has no time `t=`"))?;
        if offered == 0 {
            return Err(garbled("it has no signature `v1=`"));
        }
        let at = canonical_seconds(time)
            .ok_or_else(|| garbled("its time `t=` is not plain seconds since 1970"))?;
        Ok(Self {
            time,
            at,
            signatures,
        })
    }
}

fn agreed<'a>(known: Option<&'a str>, text: &'a str) -> Result<&'a str, Refused> {
    match known {
        Some(known) if known != text => Err(garbled("it states two different times")),
        Some(_) | None => Ok(text),
    }
}

fn garbled(what: &'static str) -> Refused {
    Refused::HeaderGarbled {
        header: HEADER,
        what,
    }
}

const HEADER: &str = "stripe-signature";
const MAX_HEADER: usize = 4096;
const MAX_SIGNATURES: usize = 16;
/// Stripe's events are some kilobytes; a mebibyte compresses into one item of the journal.
const MAX_BODY: usize = 1024 * 1024;
