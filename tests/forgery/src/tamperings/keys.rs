//! Signatures made anew, under other keys or over other bytes.

use super::{Tampering, breaking};
use crate::delivery_format::ProofKind;
use crate::genuine::certificate;
use crate::tampered::{TamperedDelivery, TamperingContext};
use crate::types::mac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

#[rustfmt::skip] // a table
pub(super) const TAMPERINGS: &[Tampering] = &[
    breaking("signed with another tenant's secret", |bent, ground, _| {
        require_signature(bent)?;
        bent.headers.clone_from(&ground.genuine.other_tenant_headers);
        Some(())
    }),
    breaking("a MAC under the empty secret", |bent, _, rng| {
        let key = *rng.choice(&[&b""[..], b"\0", b" ", b"null", b"undefined", b"whsec_"])?;
        sign(bent, &mac(key, &bent.message()))
    }),
    breaking("a MAC under what everybody knows", |bent, ground, rng| {
        let header = bent.endpoint.delivery_format.header.as_bytes();
        let known: [&[u8]; 5] = [
            header,
            &ground.genuine.body,
            ground.endpoint.name.as_bytes(),
            &bent.prefix(),
            b"secret",
        ];
        let key = *rng.choice(&known)?;
        sign(bent, &mac(key, &bent.message()))
    }),
    breaking("a MAC under the public key", |bent, _, rng| {
        let public = match bent.endpoint.delivery_format.proof {
            ProofKind::Ed25519 => bent.endpoint.own_tenant().key.clone(),
            ProofKind::Rsa => certificate("sandbox").as_bytes().to_vec(),
            ProofKind::Hex
            | ProofKind::Base64
            | ProofKind::ApiConfirmed
            | ProofKind::Query => return None,
        };
        let text = bent.endpoint.own_tenant().text.clone().into_bytes();
        let key = if rng.bool() { public } else { text };
        let made = STANDARD.encode(mac(&key, &bent.message()));
        let header = bent.endpoint.delivery_format.header;
        let untagged = bent.endpoint.delivery_format.tag.is_empty();
        let tag = if untagged { "" } else { *rng.choice(&["v1,", "v1a,"])? };
        *bent.header(header)? = format!("{tag}{made}");
        Some(())
    }),
    breaking("a digest without a key", |bent, _, rng| {
        let message = if rng.bool() { bent.message() } else { bent.body.clone() };
        let made = match rng.u8(..3) {
            0 => Sha256::digest(&message).to_vec(),
            1 => Sha512::digest(&message).to_vec(),
            _ => crc32fast::hash(&message).to_be_bytes().repeat(8),
        };
        sign(bent, &made)
    }),
    breaking("headers of another provider beside", |bent, ground, rng| {
        let (_, strangers) = other_sender(ground, rng)?;
        bent.headers.retain(|(name, _)| strangers.iter().all(|(other, _)| other != name));
        bent.headers.extend(strangers);
        Some(())
    }),
    breaking("headers of another provider instead", |bent, ground, rng| {
        require_signature(bent)?;
        bent.headers = other_sender(ground, rng)?.1;
        Some(())
    }),
];

/// By somebody who holds the secret: with another change of theirs they might sign what counts.
#[rustfmt::skip] // a table
pub(super) const INSIDERS: &[Tampering] = &[
    breaking("a MAC under the secret, read otherwise", |bent, _, rng| {
        let (own, proof) = (bent.endpoint.own_tenant(), bent.endpoint.delivery_format.proof);
        let encoded = own.text.strip_prefix("whsec_").filter(|_| is_mac(proof))?;
        let decoded = STANDARD.decode(encoded).ok()?;
        let key = match rng.u8(..5) {
            0 if proof == ProofKind::Hex => decoded,
            0 | 1 => encoded.as_bytes().to_vec(),
            2 => hex::encode(decoded).into_bytes(),
            3 => own.text.to_ascii_lowercase().into_bytes(),
            _ => own.key.get(..own.key.len() - 1)?.to_vec(),
        };
        sign(bent, &mac(&key, &bent.message()))
    }),
    breaking("rightly signed, but over other parts", |bent, ground, rng| {
        let (key, body) = (own_key(bent)?, bent.body.clone());
        let prefix = bent.prefix();
        let time = prefix.get(..prefix.len().saturating_sub(1)).unwrap_or_default();
        let message: Vec<u8> = match rng.u8(..8) {
            0 => body,
            1 => prefix,
            2 => [body.as_slice(), b".", time].concat(),
            3 => [time, &body].concat(),
            4 => [time, b"\n", &body].concat(),
            5 => [prefix.as_slice(), &ground.other.body].concat(),
            6 => [prefix.as_slice(), hex::encode(Sha256::digest(&body)).as_bytes()].concat(),
            _ => [prefix.as_slice(), body.trim_ascii()].concat(),
        };
        sign(bent, &mac(&key, &message))
    }),
    breaking("rightly keyed, but by another algorithm", |bent, _, rng| {
        let (key, message) = (own_key(bent)?, bent.message());
        let made = match rng.u8(..5) {
            0 => {
                let long = Hmac::<Sha512>::new_from_slice(&key).ok()?.chain_update(&message);
                long.finalize().into_bytes()[..32].to_vec()
            }
            1 => Sha256::digest([key, message].concat()).to_vec(),
            2 => Sha256::digest([message, key].concat()).to_vec(),
            3 => mac(&key, &mac(&key, &message)),
            _ => mac(&message, &key),
        };
        sign(bent, &made)
    }),
];

/// Somebody else's name and headers, who is heard elsewhere under a header of their own.
fn other_sender(
    ground: &TamperingContext<'_>,
    rng: &mut Rng,
) -> Option<(String, Vec<(String, String)>)> {
    let other = rng.choice(ground.endpoints)?;
    let genuine = rng.choice(&other.genuine)?;
    let own =
        std::ptr::eq(other, ground.endpoint) || other.is_api_confirmed() || other.is_postback();
    (!own).then(|| (other.name.clone(), genuine.headers.clone()))
}

fn require_signature(bent: &TamperedDelivery<'_>) -> Option<()> {
    (!bent.endpoint.is_api_confirmed() && !bent.endpoint.is_postback()).then_some(())
}

fn is_mac(proof: ProofKind) -> bool {
    match proof {
        ProofKind::Hex | ProofKind::Base64 => true,
        ProofKind::Ed25519 | ProofKind::Rsa | ProofKind::ApiConfirmed | ProofKind::Query => false,
    }
}

fn own_key(bent: &TamperedDelivery<'_>) -> Option<Vec<u8>> {
    is_mac(bent.endpoint.delivery_format.proof).then(|| bent.endpoint.own_tenant().key.clone())
}

fn sign(bent: &mut TamperedDelivery<'_>, made: &[u8]) -> Option<()> {
    let made = bent.encode_signature(made);
    bent.resign(|_| Some(made))
}
