//! A MAC over the body alone, in hex, in a header of its own.

use crate::endpoint::InboundRequest;
use crate::provider::{Scheme, SignatureEncoding, SignedHeaders};
use crate::request::Request;
use crate::secret::Secret;
use crate::verification_error::VerificationError;
use crate::verified::{SignatureClaim, VerifiedItems, canonical_hex, signature};

/// One provider's header of that kind.
#[derive(Clone, Copy)]
pub(crate) struct BodyMac {
    /// The header.
    pub(crate) header: &'static str,
    /// The optional prefix of the digits; it is written where we sign.
    pub(crate) prefix: &'static str,
}

impl BodyMac {
    /// The same, for `diagnose`.
    pub(crate) const fn scheme(self) -> Scheme {
        Scheme {
            header: self.header,
            separator: ',',
            time_prefix: None,
            signature_prefix: self.prefix,
            encoding: SignatureEncoding::Hex,
        }
    }

    /// Verifies that a holder of one of the secrets sent this body. No time is signed, so only the
    /// events' ids reveal a replay.
    pub(crate) fn verify(
        self,
        inbound: &InboundRequest<'_>,
    ) -> Result<VerifiedItems, VerificationError> {
        let claim = SignatureClaim {
            prefix: &[],
            body: inbound.request.body,
            macs: &self.signatures(&inbound.request)?,
            ed25519: &[],
            signed_at: None,
            tolerance_seconds: inbound.endpoint.tolerance_seconds,
        };
        VerifiedItems::by_signature(&claim, inbound.secrets, inbound.now)
    }

    /// Signs as the provider does, for the command that sends samples.
    pub(crate) fn sign(self, body: &[u8], secret: &Secret) -> Option<SignedHeaders> {
        let digits = hex::encode(signature(secret, &[], body)?);
        Some(vec![(self.header, format!("{}{digits}", self.prefix))])
    }

    /// Every signature in any header line, as a gateway may leave repeated headers or join them.
    /// While a secret is being replaced there are two.
    fn signatures(self, request: &Request<'_>) -> Result<Vec<[u8; 32]>, VerificationError> {
        let header = self.header;
        let mut bytes: usize = 0;
        let mut offered: usize = 0;
        let mut macs = Vec::new();
        for value in request.headers.all(header) {
            bytes = bytes.saturating_add(value.len());
            if bytes > MAX_HEADER {
                let what = "it is longer than 4096 bytes";
                return Err(VerificationError::HeaderGarbled { header, what });
            }
            for item in value.split(',') {
                offered = offered.saturating_add(1);
                let item = item.trim_start_matches(' ');
                macs.extend(canonical_hex(
                    item.strip_prefix(self.prefix).unwrap_or(item),
                ));
            }
        }
        if bytes == 0 {
            return Err(VerificationError::HeaderMissing { header });
        }
        if offered > MAX_SIGNATURES {
            let limit = MAX_SIGNATURES;
            return Err(VerificationError::TooManySignatures { header, limit });
        }
        Ok(macs)
    }
}

const MAX_HEADER: usize = 4096;
const MAX_SIGNATURES: usize = 16;
