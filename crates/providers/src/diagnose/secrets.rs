//! The keys that result from wrong copies of a secret's text.

use super::Cause;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The mistake in words, and the resulting key.
type CandidateKey = (Cause, &'static str, Vec<u8>);

/// Every known way to read a text as a wrong key. In some schemes one of them is the right key,
/// which does no harm: it was tried before.
pub(super) fn candidate_keys(text: &str) -> Vec<CandidateKey> {
    let bare = text.strip_prefix(PREFIX).unwrap_or(text);
    let mut keys: Vec<CandidateKey> = Vec::new();
    let mut push = |cause, what, key: Vec<u8>| keys.push((cause, what, key));
    for (what, around) in SPACE_MISTAKES {
        push(
            Cause::SecretSpace,
            what,
            around.replace('*', text).into_bytes(),
        );
    }
    for key in decoded(bare) {
        push(
            Cause::SecretEncoding,
            "decoded from base64 before signing",
            key,
        );
    }
    if let Ok(key) = hex::decode(bare) {
        push(
            Cause::SecretEncoding,
            "decoded from hex before signing",
            key,
        );
    }
    push(
        Cause::SecretEncoding,
        "its text taken as the key",
        text.into(),
    );
    push(
        Cause::SecretEncoding,
        "its text taken as the key, without whsec_",
        bare.into(),
    );
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    push(
        Cause::SecretEncoding,
        "encoded in base64 once more",
        encoded.into_bytes(),
    );
    push(
        Cause::SecretEncoding,
        "in lower case",
        text.to_lowercase().into_bytes(),
    );
    keys
}

/// A decoder as lenient as the libraries that make this mistake: any padding, any last bits.
fn decoded(text: &str) -> Vec<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    [&STANDARD, &URL_SAFE]
        .into_iter()
        .filter_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
        .collect()
}

const PREFIX: &str = "whsec_";
/// The star is the secret.
const SPACE_MISTAKES: [(&str, &str); 7] = [
    ("a line end after it", "*\n"),
    ("a Windows line end after it", "*\r\n"),
    ("a blank after it", "* "),
    ("a blank before it", " *"),
    ("quotes around it", "\"*\""),
    ("single quotes around it", "'*'"),
    ("a line end before it", "\n*"),
];
