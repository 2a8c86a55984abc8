//! What the real senders send.

use crate::address::{self, POSTBACKS, QUESTIONS};
use crate::delivery_format::{BRANDED, DeliveryFormat, ProofKind};
use crate::types::{
    EndpointOwner, EndpointRequest, EndpointVerdict, GenuineDelivery, HeaderList, T, Tenant,
    TestEndpoint, at, person,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use providers::{
    ApiCall, ApiResponse, ApiResponses, CallTarget, Method, ReceivedItem, Secret, Secrets, partner,
};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// An endpoint with what was really sent there; nothing, where its sender sends nothing of that
/// shape.
pub(crate) fn endpoint(name: &str, whose: EndpointOwner, shape: DeliveryFormat) -> TestEndpoint {
    let tenant = |number| tenant(name, whose, shape.proof, number);
    let tenants: Vec<Tenant> = (0..TENANTS).map(tenant).collect();
    let rolling = match shape.proof {
        ProofKind::Query => address::rolling(),
        proof @ (ProofKind::Hex
        | ProofKind::Base64
        | ProofKind::Ed25519
        | ProofKind::Rsa
        | ProofKind::ApiConfirmed) => {
            secrets_in_force(whose, proof, &[&tenants[0].text, &tenants[2].text])
        }
    };
    let mut endpoint = TestEndpoint {
        name: name.to_owned(),
        owner: whose,
        delivery_format: shape,
        tenants,
        rolling,
        genuine: Vec::new(),
        person: person(),
        silent: ApiResponses::closed(),
    };
    let samples = match whose {
        EndpointOwner::Provider(provider) => provider.samples(),
        EndpointOwner::Partner => partner::samples(),
        EndpointOwner::Question => QUESTIONS,
        EndpointOwner::Postback => POSTBACKS,
    };
    for (sample, body) in samples {
        let signed = |number| signed_headers(&endpoint, number, body.as_bytes());
        let (Some(headers), Some(of_other_tenant)) = (signed(0), signed(1)) else {
            continue;
        };
        if headers.is_empty() != (endpoint.is_api_confirmed() || endpoint.is_postback()) {
            continue;
        }
        let mut genuine = GenuineDelivery {
            headers,
            body: match whose {
                EndpointOwner::Postback => address::with_proof(&endpoint, 0, body).into_bytes(),
                EndpointOwner::Provider(_) | EndpointOwner::Partner | EndpointOwner::Question => {
                    body.as_bytes().to_vec()
                }
            },
            other_tenant_headers: of_other_tenant,
            answers: answers(whose, shape.proof, sample, body),
            documents: documents(whose, sample).map(|(_, text)| text).collect(),
            received: Vec::new(),
        };
        genuine.received = genuine.receive(&endpoint);
        endpoint.genuine.push(genuine);
    }
    endpoint
}

impl GenuineDelivery {
    /// What it tells at its endpoint.
    pub(crate) fn receive(&self, endpoint: &TestEndpoint) -> Vec<ReceivedItem> {
        let headers = providers::Headers::new(self.headers.iter().map(|(n, v)| (n, v)));
        let knock = EndpointRequest {
            headers: &headers.expect("are few"),
            body: &self.body,
            mode: Mode::Test,
            secrets: &endpoint.own_tenant().secrets,
            now: T,
        };
        match endpoint.receive(&knock, &self.answers, |_| None) {
            EndpointVerdict::Accepted(items) => items,
            other @ (EndpointVerdict::Refused(_) | EndpointVerdict::Unreadable) => {
                panic!("{}: what is genuine is believed: {other:?}", endpoint.name)
            }
        }
    }
}

fn tenant(endpoint: &str, whose: EndpointOwner, proof: ProofKind, number: usize) -> Tenant {
    // What is signed for one of the partners' endpoints is signed with the other's secret too.
    let drawn = match whose {
        EndpointOwner::Question => derived_bytes("partner", number),
        EndpointOwner::Provider(_) | EndpointOwner::Partner | EndpointOwner::Postback => {
            derived_bytes(endpoint, number)
        }
    };
    let (text, key) = match proof {
        ProofKind::Hex | ProofKind::ApiConfirmed => {
            let text = format!("whsec_{}", STANDARD.encode(&drawn[..24]));
            (text.clone(), text.into_bytes())
        }
        ProofKind::Base64 => {
            let key = drawn[..24].to_vec();
            let text = format!("whsec_{}", STANDARD.encode(&key));
            // Either is in force there; its senders take the bare text.
            let key = if endpoint == "polar" {
                text.clone().into_bytes()
            } else {
                key
            };
            (text, key)
        }
        ProofKind::Ed25519 => {
            let key = pair(endpoint, number).public_key().as_ref().to_vec();
            (format!("whpk_{}", STANDARD.encode(&key)), key)
        }
        ProofKind::Query => return address::tenant(number),
        ProofKind::Rsa => {
            let text = hex::encode_upper(&drawn[..9]);
            (text.clone(), text.into_bytes())
        }
    };
    let secrets = secrets_in_force(whose, proof, &[&text]);
    Tenant { text, key, secrets }
}

/// What an endpoint believes under these.
fn secrets_in_force(whose: EndpointOwner, proof: ProofKind, texts: &[&String]) -> Secrets {
    let root = (proof == ProofKind::Rsa).then_some(ROOT.as_str());
    let mut texts = texts.iter().map(|text| text.as_str()).chain(root);
    let secrets = match whose {
        EndpointOwner::Provider(provider) => provider.secrets(texts),
        EndpointOwner::Partner | EndpointOwner::Question | EndpointOwner::Postback => texts
            .try_fold(Vec::new(), |mut all, text| {
                all.push(match proof {
                    ProofKind::Ed25519 => Secret::standard_public(text)?,
                    ProofKind::Hex
                    | ProofKind::Base64
                    | ProofKind::Rsa
                    | ProofKind::ApiConfirmed
                    | ProofKind::Query => Secret::standard(text)?,
                });
                Ok(all)
            })
            .and_then(Secrets::new),
    };
    secrets.expect("are strong")
}

pub(crate) fn signed_headers(
    endpoint: &TestEndpoint,
    tenant: usize,
    body: &[u8],
) -> Option<HeaderList> {
    let secrets = &endpoint.tenants[tenant].secrets;
    let headers = match (endpoint.owner, endpoint.delivery_format.proof) {
        (_, ProofKind::Ed25519) => by_public_key(&endpoint.name, tenant, body),
        (_, ProofKind::Query) => return Some(HeaderList::new()),
        (_, ProofKind::Rsa) => by_certificate(&endpoint.tenants[tenant].text, body),
        (EndpointOwner::Provider(provider), _) => {
            provider.sign(body, secrets.first().expect("is one"), at(T))?
        }
        (EndpointOwner::Partner | EndpointOwner::Question | EndpointOwner::Postback, _) => {
            partner::sign(body, secrets.first().expect("is one"), at(T))
        }
    };
    let branded = endpoint.delivery_format.header == BRANDED.header;
    let named = |name: &str| match name.strip_prefix("webhook-") {
        Some(rest) if branded => format!("svix-{rest}"),
        Some(_) | None => name.to_owned(),
    };
    let named = headers
        .into_iter()
        .map(|(name, value)| (named(name), value));
    Some(named.collect())
}

fn by_public_key(endpoint: &str, tenant: usize, body: &[u8]) -> Vec<(&'static str, String)> {
    let id = format!("msg_{}", hex::encode(&Sha256::digest(body)[..12]));
    let message = [format!("{id}.{T}.").as_bytes(), body].concat();
    let signature = pair(endpoint, tenant).sign(&message);
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
fn answers(whose: EndpointOwner, proof: ProofKind, sample: &str, body: &str) -> ApiResponses {
    let mut answers = ApiResponses::default();
    for (path, text) in documents(whose, sample) {
        let status = if text == "null" { 404 } else { 200 };
        answers.insert(get_call(&path), Some(answer(status, text)));
    }
    if proof == ProofKind::Rsa {
        let event: Value = serde_json::from_str(body).expect("is JSON");
        let id = event["id"].as_str().expect("has an id");
        let path = format!("/v1/notifications/webhooks-events/{id}");
        answers.insert(get_call(&path), Some(answer(200, body)));
        answers.insert(
            certificate_call(),
            Some(answer(200, certificate("sandbox"))),
        );
    }
    answers
}

/// Paths and what stands there.
fn documents(whose: EndpointOwner, sample: &str) -> impl Iterator<Item = (String, &'static str)> {
    let texts = match whose {
        EndpointOwner::Provider(provider) => provider.recorded_responses(sample).collect(),
        EndpointOwner::Partner | EndpointOwner::Question | EndpointOwner::Postback => Vec::new(),
    };
    texts.into_iter().flat_map(|text| {
        let documents: BTreeMap<String, &RawValue> =
            serde_json::from_str(text).expect("are documents");
        documents.into_iter().map(|(path, raw)| (path, raw.get()))
    })
}

fn get_call(path: &str) -> ApiCall {
    ApiCall {
        method: Method::Get,
        target: CallTarget::Api(path.into()),
        body: Arc::default(),
    }
}

/// The question for the certificate of whoever signs.
pub(crate) fn certificate_call() -> ApiCall {
    ApiCall {
        method: Method::Get,
        target: CallTarget::Certificate(CERTIFICATE_ADDRESS.into()),
        body: Arc::default(),
    }
}

/// An answer of an API.
pub(crate) fn answer(status: u16, body: &str) -> ApiResponse {
    ApiResponse {
        status,
        body: body.as_bytes().into(),
    }
}

/// One of the certificates that lie beside the fixtures.
pub(crate) fn certificate(name: &str) -> &'static str {
    let known = CERTIFICATES.iter().find(|(known, _)| *known == name);
    known.expect("is there").1
}

fn pair(endpoint: &str, tenant: usize) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&derived_bytes(endpoint, tenant)).expect("is a seed")
}

/// Bytes that are a function of whose they are.
fn derived_bytes(endpoint: &str, tenant: usize) -> [u8; 32] {
    Sha256::digest(format!("{endpoint}/{tenant}")).into()
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
/// Ours, another's, one whose secret goes out of force, and the endpoint of the other money.
const TENANTS: usize = 4;
