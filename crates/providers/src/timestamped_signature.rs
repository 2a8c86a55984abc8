//! One header with a time and signatures in hex: `t=…,v1=…`, `ts=…;h1=…`. Any signature
//! under any secret in force, then the clock.

use crate::endpoint::InboundRequest;
use crate::fetch::FetchStep;
use crate::provider::{Scheme, SignatureEncoding, SignedHeaders};
use crate::request::Request;
use crate::secret::Secret;
use crate::verification_error::VerificationError;
use crate::verified::{SignatureClaim, VerifiedItems, canonical_hex, canonical_seconds, signature};
use jiff::Timestamp;

/// How one provider writes it.
pub(crate) struct TimestampedSignature {
    /// The header.
    pub(crate) header: &'static str,
    /// The separator of its items.
    pub(crate) separator: char,
    /// The prefix of the item that holds the time.
    pub(crate) time_prefix: &'static str,
    /// The prefix of an item that is a signature.
    pub(crate) signature_prefix: &'static str,
    /// The separator of time and body in the signed bytes.
    pub(crate) joiner: &'static str,
}

impl TimestampedSignature {
    /// The same, for `diagnose`.
    pub(crate) const fn scheme(&self) -> Scheme {
        Scheme {
            header: self.header,
            separator: self.separator,
            time_prefix: Some(self.time_prefix),
            signature_prefix: self.signature_prefix,
            encoding: SignatureEncoding::Hex,
        }
    }

    /// Verifies that the holder of a secret in force sent this body just now.
    pub(crate) fn verify(
        &self,
        inbound: &InboundRequest<'_>,
    ) -> Result<FetchStep<VerifiedItems>, VerificationError> {
        let request = &inbound.request;
        request.check_body(MAX_BODY)?;
        let header = self.read(request)?;
        let claim = SignatureClaim {
            prefix: &[header.time.as_bytes(), self.joiner.as_bytes()],
            body: request.body,
            macs: &header.signatures,
            ed25519: &[],
            signed_at: Some(header.seconds),
            tolerance_seconds: inbound.endpoint.tolerance_seconds,
        };
        VerifiedItems::by_signature(&claim, inbound.secrets, inbound.now).map(FetchStep::Done)
    }

    /// Signs as the provider does, for the command that sends samples.
    pub(crate) fn sign(
        &self,
        body: &[u8],
        secret: &Secret,
        now: Timestamp,
    ) -> Option<SignedHeaders> {
        let at = now.as_second().to_string();
        let made = signature(secret, &[at.as_bytes(), self.joiner.as_bytes()], body)?;
        let made = hex::encode(made);
        let (time, between, signature) = (self.time_prefix, self.separator, self.signature_prefix);
        Some(vec![(
            self.header,
            format!("{time}{at}{between}{signature}{made}"),
        )])
    }

    /// Reads one header, or several, as a gateway may leave or join them. They must agree on the
    /// time, because the signatures cover it.
    fn read<'a>(&self, request: &Request<'a>) -> Result<ParsedHeader<'a>, VerificationError> {
        let header = self.header;
        let garbled = |what| VerificationError::HeaderGarbled { header, what };
        let mut bytes: usize = 0;
        let mut time = None;
        let mut offered: usize = 0;
        let mut signatures = Vec::new();
        for value in request.headers.all(header) {
            bytes = bytes.saturating_add(value.len());
            if bytes > MAX_HEADER {
                return Err(garbled("it is longer than 4096 bytes"));
            }
            for item in value.split([self.separator, GATEWAY_SEPARATOR]) {
                let item = item.trim_start_matches(' ');
                if let Some(text) = item.strip_prefix(self.time_prefix) {
                    if time.is_some_and(|known| known != text) {
                        return Err(garbled("it states two different times"));
                    }
                    time = Some(text);
                } else if let Some(text) = item.strip_prefix(self.signature_prefix) {
                    offered = offered.saturating_add(1);
                    signatures.extend(canonical_hex(text));
                }
                // Signatures of other schemes are ignored.
            }
        }
        if bytes == 0 {
            return Err(VerificationError::HeaderMissing { header });
        }
        if offered > MAX_SIGNATURES {
            return Err(VerificationError::TooManySignatures {
                header,
                limit: MAX_SIGNATURES,
            });
        }
        let time = time.ok_or_else(|| garbled("it has no time"))?;
        if offered == 0 {
            return Err(garbled("it has no signature of the kind that counts"));
        }
        let at = canonical_seconds(time)
            .ok_or_else(|| garbled("its time is not plain seconds since 1970"))?;
        Ok(ParsedHeader {
            time,
            seconds: at,
            signatures,
        })
    }
}

struct ParsedHeader<'a> {
    time: &'a str,
    seconds: i64,
    signatures: Vec<[u8; 32]>,
}

/// The separator with which gateways join headers of one name.
const GATEWAY_SEPARATOR: char = ',';
const MAX_HEADER: usize = 4096;
const MAX_SIGNATURES: usize = 16;
/// Events are some kilobytes; a mebibyte compresses into one item of the journal.
const MAX_BODY: usize = 1024 * 1024;
