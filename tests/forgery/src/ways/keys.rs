//! Signatures made anew, under other keys or over other bytes.

use super::{Way, breaks};
use crate::bent::{Bent, Ground, mac};
use crate::genuine::certificate;
use crate::shape::Proof;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

#[rustfmt::skip] // a table
pub(super) const WAYS: &[Way] = &[
    breaks("signed with another tenant's secret", |bent, ground, _| {
        not_asked(bent)?;
        bent.headers.clone_from(&ground.genuine.of_other_tenant);
        Some(())
    }),
    breaks("a MAC under the empty secret", |bent, _, rng| {
        let key = *rng.choice(&[&b""[..], b"\0", b" ", b"null", b"undefined", b"whsec_"])?;
        sign(bent, &mac(key, &bent.message()))
    }),
    breaks("a MAC under what everybody knows", |bent, ground, rng| {
        let header = bent.door.shape.header.as_bytes();
        let known: [&[u8]; 5] = [
            header, &ground.genuine.body, ground.door.name.as_bytes(), &bent.prefix(), b"secret",
        ];
        let key = *rng.choice(&known)?;
        sign(bent, &mac(key, &bent.message()))
    }),
    breaks("a MAC under the public key", |bent, _, rng| {
        let public = match bent.door.shape.proof {
            Proof::Ed25519 => bent.door.own().key.clone(),
            Proof::Rsa => certificate("sandbox").as_bytes().to_vec(),
            Proof::Hex | Proof::Base64 | Proof::Asked | Proof::Query => return None,
        };
        let text = bent.door.own().text.clone().into_bytes();
        let key = if rng.bool() { public } else { text };
        let made = STANDARD.encode(mac(&key, &bent.message()));
        let header = bent.door.shape.header;
        let tag = if bent.door.shape.tag.is_empty() { "" } else { *rng.choice(&["v1,", "v1a,"])? };
        *bent.header(header)? = format!("{tag}{made}");
        Some(())
    }),
    breaks("a digest without a key", |bent, _, rng| {
        let message = if rng.bool() { bent.message() } else { bent.body.clone() };
        let made = match rng.u8(..3) {
            0 => Sha256::digest(&message).to_vec(),
            1 => Sha512::digest(&message).to_vec(),
            _ => crc32fast::hash(&message).to_be_bytes().repeat(8),
        };
        sign(bent, &made)
    }),
    breaks("headers of another provider beside", |bent, ground, rng| {
        let (_, strangers) = stranger(ground, rng)?;
        bent.headers.retain(|(name, _)| strangers.iter().all(|(other, _)| other != name));
        bent.headers.extend(strangers);
        Some(())
    }),
    breaks("headers of another provider instead", |bent, ground, rng| {
        not_asked(bent)?;
        bent.headers = stranger(ground, rng)?.1;
        Some(())
    }),
];

/// By somebody who holds the secret: with another change of theirs they might sign what counts.
#[rustfmt::skip] // a table
pub(super) const INSIDERS: &[Way] = &[
    breaks("a MAC under the secret, read otherwise", |bent, _, rng| {
        let (own, proof) = (bent.door.own(), bent.door.shape.proof);
        let encoded = own.text.strip_prefix("whsec_").filter(|_| is_mac(proof))?;
        let decoded = STANDARD.decode(encoded).ok()?;
        let key = match rng.u8(..5) {
            0 if proof == Proof::Hex => decoded,
            0 | 1 => encoded.as_bytes().to_vec(),
            2 => hex::encode(decoded).into_bytes(),
            3 => own.text.to_ascii_lowercase().into_bytes(),
            _ => own.key.get(..own.key.len() - 1)?.to_vec(),
        };
        sign(bent, &mac(&key, &bent.message()))
    }),
    breaks("rightly signed, but over other parts", |bent, ground, rng| {
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
    breaks("rightly keyed, but by another algorithm", |bent, _, rng| {
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
fn stranger(ground: &Ground<'_>, rng: &mut Rng) -> Option<(String, Vec<(String, String)>)> {
    let other = rng.choice(ground.doors)?;
    let genuine = rng.choice(&other.genuine)?;
    let own = std::ptr::eq(other, ground.door) || other.is_asked() || other.is_postback();
    (!own).then(|| (other.name.clone(), genuine.headers.clone()))
}

fn not_asked(bent: &Bent<'_>) -> Option<()> {
    (!bent.door.is_asked() && !bent.door.is_postback()).then_some(())
}

fn is_mac(proof: Proof) -> bool {
    match proof {
        Proof::Hex | Proof::Base64 => true,
        Proof::Ed25519 | Proof::Rsa | Proof::Asked | Proof::Query => false,
    }
}

fn own_key(bent: &Bent<'_>) -> Option<Vec<u8>> {
    is_mac(bent.door.shape.proof).then(|| bent.door.own().key.clone())
}

fn sign(bent: &mut Bent<'_>, made: &[u8]) -> Option<()> {
    let made = bent.written(made);
    bent.resign(|_| Some(made))
}
