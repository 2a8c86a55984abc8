//! What the real senders send.

use crate::address::{self, POSTBACKS, QUESTIONS};
use crate::bent::Headers;
use crate::doors::{Door, Heard, Knock, T, Tenant, Whose, at, person};
use crate::shape::{BRANDED, Proof, Shape};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use providers::{Answer, Call, Fetched, Method, Received, Secret, Secrets, To, partner};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// One delivery, as its sender made it.
pub(crate) struct Genuine {
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// The same for the next tenant's door.
    pub(crate) of_other_tenant: Headers,
    /// What its sender's API says behind it.
    pub(crate) answers: Fetched,
    /// The same without what it was asked for.
    pub(crate) documents: Vec<&'static str>,
    /// What it tells.
    pub(crate) told: Vec<Received>,
}

/// A door with what was really sent there; nothing, where its sender sends nothing of that shape.
pub(crate) fn door(name: &str, whose: Whose, shape: Shape) -> Door {
    let tenant = |number| tenant(name, whose, shape.proof, number);
    let tenants: Vec<Tenant> = (0..TENANTS).map(tenant).collect();
    let rolling = match shape.proof {
        Proof::Query => address::rolling(),
        proof @ (Proof::Hex | Proof::Base64 | Proof::Ed25519 | Proof::Rsa | Proof::Asked) => {
            believed(whose, proof, &[&tenants[0].text, &tenants[2].text])
        }
    };
    let mut door = Door {
        name: name.to_owned(),
        whose,
        shape,
        tenants,
        rolling,
        genuine: Vec::new(),
        person: person(),
        silent: Fetched::closed(),
    };
    let samples = match whose {
        Whose::Provider(provider) => provider.samples(),
        Whose::Partner => partner::samples(),
        Whose::Question => QUESTIONS,
        Whose::Postback => POSTBACKS,
    };
    for (sample, body) in samples {
        let signed = |number| signed(&door, number, body.as_bytes());
        let (Some(headers), Some(of_other_tenant)) = (signed(0), signed(1)) else {
            continue;
        };
        if headers.is_empty() != (door.is_asked() || door.is_postback()) {
            continue;
        }
        let mut genuine = Genuine {
            headers,
            body: match whose {
                Whose::Postback => address::proven(&door, 0, body).into_bytes(),
                Whose::Provider(_) | Whose::Partner | Whose::Question => body.as_bytes().to_vec(),
            },
            of_other_tenant,
            answers: answers(whose, shape.proof, sample, body),
            documents: documents(whose, sample).map(|(_, text)| text).collect(),
            told: Vec::new(),
        };
        genuine.told = genuine.hear(&door);
        door.genuine.push(genuine);
    }
    door
}

impl Genuine {
    /// What it tells at its door.
    pub(crate) fn hear(&self, door: &Door) -> Vec<Received> {
        let headers = providers::Headers::new(self.headers.iter().map(|(n, v)| (n, v)));
        let knock = Knock {
            headers: &headers.expect("are few"),
            body: &self.body,
            mode: Mode::Test,
            secrets: &door.own().secrets,
            now: T,
        };
        match door.hear(&knock, &self.answers, |_| None) {
            Heard::Told(told) => told,
            other @ (Heard::Refused(_) | Heard::Unreadable) => {
                panic!("{}: what is genuine is believed: {other:?}", door.name)
            }
        }
    }
}

fn tenant(door: &str, whose: Whose, proof: Proof, number: usize) -> Tenant {
    // What is signed for one of the partners' doors is signed with the same secret at the other.
    let drawn = match whose {
        Whose::Question => drawn("partner", number),
        Whose::Provider(_) | Whose::Partner | Whose::Postback => drawn(door, number),
    };
    let (text, key) = match proof {
        Proof::Hex | Proof::Asked => {
            let text = format!("whsec_{}", STANDARD.encode(&drawn[..24]));
            (text.clone(), text.into_bytes())
        }
        Proof::Base64 => {
            let key = drawn[..24].to_vec();
            let text = format!("whsec_{}", STANDARD.encode(&key));
            // Either is in force there; its senders take the bare text.
            let key = if door == "polar" {
                text.clone().into_bytes()
            } else {
                key
            };
            (text, key)
        }
        Proof::Ed25519 => {
            let key = pair(door, number).public_key().as_ref().to_vec();
            (format!("whpk_{}", STANDARD.encode(&key)), key)
        }
        Proof::Query => return address::tenant(number),
        Proof::Rsa => {
            let text = hex::encode_upper(&drawn[..9]);
            (text.clone(), text.into_bytes())
        }
    };
    let secrets = believed(whose, proof, &[&text]);
    Tenant { text, key, secrets }
}

/// What a door believes under these.
fn believed(whose: Whose, proof: Proof, texts: &[&String]) -> Secrets {
    let root = (proof == Proof::Rsa).then_some(ROOT.as_str());
    let mut texts = texts.iter().map(|text| text.as_str()).chain(root);
    let secrets = match whose {
        Whose::Provider(provider) => provider.secrets(texts),
        Whose::Partner | Whose::Question | Whose::Postback => texts
            .try_fold(Vec::new(), |mut all, text| {
                all.push(match proof {
                    Proof::Ed25519 => Secret::standard_public(text)?,
                    Proof::Hex | Proof::Base64 | Proof::Rsa | Proof::Asked | Proof::Query => {
                        Secret::standard(text)?
                    }
                });
                Ok(all)
            })
            .and_then(Secrets::new),
    };
    secrets.expect("are strong")
}

pub(crate) fn signed(door: &Door, tenant: usize, body: &[u8]) -> Option<Headers> {
    let secrets = &door.tenants[tenant].secrets;
    let headers = match (door.whose, door.shape.proof) {
        (_, Proof::Ed25519) => by_public_key(&door.name, tenant, body),
        (_, Proof::Query) => return Some(Headers::new()),
        (_, Proof::Rsa) => by_certificate(&door.tenants[tenant].text, body),
        (Whose::Provider(provider), _) => {
            provider.sign(body, secrets.first().expect("is one"), at(T))?
        }
        (Whose::Partner | Whose::Question | Whose::Postback, _) => {
            partner::sign(body, secrets.first().expect("is one"), at(T))
        }
    };
    let branded = door.shape.header == BRANDED.header;
    let named = |name: &str| match name.strip_prefix("webhook-") {
        Some(rest) if branded => format!("svix-{rest}"),
        Some(_) | None => name.to_owned(),
    };
    let named = headers
        .into_iter()
        .map(|(name, value)| (named(name), value));
    Some(named.collect())
}

fn by_public_key(door: &str, tenant: usize, body: &[u8]) -> Vec<(&'static str, String)> {
    let id = format!("msg_{}", hex::encode(&Sha256::digest(body)[..12]));
    let message = [format!("{id}.{T}.").as_bytes(), body].concat();
    let signature = pair(door, tenant).sign(&message);
    vec![
        ("webhook-id", id),
        ("webhook-timestamp", T.to_string()),
        (
            "webhook-signature",
            format!("v1a,{}", STANDARD.encode(signature)),
        ),
    ]
}

fn by_certificate(webhook: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    let id = hex::encode(&Sha256::digest(body)[..16]);
    let time = at(T).to_string();
    let message = format!("{id}|{time}|{webhook}|{}", crc32fast::hash(body));
    let mut signature = vec![0; RSA.public().modulus_len()];
    RSA.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .expect("can sign");
    vec![
        ("paypal-transmission-id", id),
        ("paypal-transmission-time", time),
        ("paypal-transmission-sig", STANDARD.encode(signature)),
        ("paypal-cert-url", CERTIFICATE_ADDRESS.to_owned()),
        ("paypal-auth-algo", "SHA256withRSA".to_owned()),
    ]
}

/// What its API says to whoever reads this sample, and to nothing else.
fn answers(whose: Whose, proof: Proof, sample: &str, body: &str) -> Fetched {
    let mut answers = Fetched::default();
    for (path, text) in documents(whose, sample) {
        let status = if text == "null" { 404 } else { 200 };
        answers.insert(asked(&path), Some(answer(status, text)));
    }
    if proof == Proof::Rsa {
        let event: Value = serde_json::from_str(body).expect("is JSON");
        let id = event["id"].as_str().expect("has an id");
        let path = format!("/v1/notifications/webhooks-events/{id}");
        answers.insert(asked(&path), Some(answer(200, body)));
        answers.insert(
            certificate_call(),
            Some(answer(200, certificate("sandbox"))),
        );
    }
    answers
}

/// Paths and what stands there.
fn documents(whose: Whose, sample: &str) -> impl Iterator<Item = (String, &'static str)> {
    let texts = match whose {
        Whose::Provider(provider) => provider.answers(sample).collect(),
        Whose::Partner | Whose::Question | Whose::Postback => Vec::new(),
    };
    texts.into_iter().flat_map(|text| {
        let documents: BTreeMap<String, &RawValue> =
            serde_json::from_str(text).expect("are documents");
        documents.into_iter().map(|(path, raw)| (path, raw.get()))
    })
}

fn asked(path: &str) -> Call {
    Call {
        method: Method::Get,
        to: To::Api(path.into()),
        body: Arc::default(),
    }
}

/// The question for the certificate of whoever signs.
pub(crate) fn certificate_call() -> Call {
    Call {
        method: Method::Get,
        to: To::Certificate(CERTIFICATE_ADDRESS.into()),
        body: Arc::default(),
    }
}

/// An answer of an API.
pub(crate) fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        body: body.as_bytes().into(),
    }
}

/// One of the certificates that lie beside the fixtures.
pub(crate) fn certificate(name: &str) -> &'static str {
    let known = CERTIFICATES.iter().find(|(known, _)| *known == name);
    known.expect("is there").1
}

fn pair(door: &str, tenant: usize) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&drawn(door, tenant)).expect("is a seed")
}

/// Bytes that are a function of whose they are.
fn drawn(door: &str, tenant: usize) -> [u8; 32] {
    Sha256::digest(format!("{door}/{tenant}")).into()
}

static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    let key = PrivatePkcs8KeyDer::from_pem_slice(certificate("key").as_bytes());
    RsaKeyPair::from_pkcs8(key.expect("is a key").secret_pkcs8_der()).expect("is one of RSA")
});

static ROOT: LazyLock<String> = LazyLock::new(|| {
    let root = CertificateDer::from_pem_slice(certificate("root").as_bytes()).expect("is one");
    format!("root:{}", STANDARD.encode(&root))
});

macro_rules! certificates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(
            "../../../crates/providers/fixtures/certificates/", $name, ".pem"
        )))),*]
    };
}

/// By name, what is wrong with each; `key` is the key of them all.
pub(crate) static CERTIFICATES: &[(&str, &str)] = certificates![
    "sandbox",
    "live",
    "root",
    "key",
    "expired",
    "too-early",
    "lookalike-name",
    "other-name",
    "other-purpose",
    "other-root",
    "wildcard-name",
    "without-issuer",
];

const CERTIFICATE_ADDRESS: &str =
    "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-1";
/// Ours, another's, one whose secret goes out of force, and the door of the other money.
const TENANTS: usize = 4;
