//! What is parsed before anything is believed: headers, forms, certificates, secrets.

use super::FuzzTarget;
use crate::address::{self, POSTBACKS};
use crate::credentials::GivenOut;
use crate::genuine::{CERTIFICATES, answer, certificate, certificate_call};
use crate::tampered::{ApiBehavior, TamperedDelivery, TamperingContext};
use crate::tries::judge;
use crate::types::{EndpointRequest, EndpointVerdict, GenuineDelivery, T, TestEndpoint};
use domain::ids::Mode;
use fastrand::Rng;
use providers::{Headers, Provider, Secret};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Header values, a line each; its first letter says which header it is. Control characters stand
/// for parts of what was really sent: 1 the signature, 2 the time, 3 the name. What is believed
/// has all of it, as it was sent.
pub(super) fn headers(
    endpoints: &'static [TestEndpoint],
    endpoint: &'static TestEndpoint,
) -> FuzzTarget {
    let ground = context(endpoints, endpoint);
    let parts = parts(endpoint, ground.genuine);
    let values = ground.genuine.headers.iter().map(|(_, value)| value);
    let lines = ('a'..)
        .zip(values)
        .map(|(letter, value)| format!("{letter}{value}"));
    let written = lines.collect::<Vec<_>>().join("\n");
    let mut marked = written.clone();
    for (mark, part) in MARKS
        .iter()
        .zip(&parts)
        .filter(|(_, part)| !part.is_empty())
    {
        marked = marked.replace(part, &mark.to_string());
    }
    let run = move |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let mut bent = TamperedDelivery::new(&ground);
        let lines = text.split('\n');
        bent.headers = lines
            .filter_map(|line| header(line, ground.genuine, &parts))
            .collect();
        assert_not_forged(&bent, &ground);
    };
    FuzzTarget {
        name: format!("headers of {}", endpoint.name),
        seeds: vec![written.into_bytes(), marked.into_bytes()],
        run: Box::new(run),
    }
}

/// Forms that name what an API is asked for.
pub(super) fn forms(
    endpoints: &'static [TestEndpoint],
    endpoint: &'static TestEndpoint,
) -> FuzzTarget {
    let ground = context(endpoints, endpoint);
    let run = move |bytes: &[u8]| {
        for api in [
            ApiBehavior::Silent,
            ApiBehavior::Denies,
            ApiBehavior::Confuses,
        ] {
            let mut bent = TamperedDelivery::new(&ground);
            bent.body = bytes.to_vec();
            bent.api = api;
            assert_not_forged(&bent, &ground);
        }
    };
    FuzzTarget {
        name: format!("forms of {}", endpoint.name),
        seeds: endpoint.bodies(),
        run: Box::new(run),
    }
}

/// Queries of postbacks. What is believed is genuine, or said with a token in force; the same
/// parameters under a right proof mean the same each time.
pub(super) fn queries(
    endpoints: &'static [TestEndpoint],
    endpoint: &'static TestEndpoint,
) -> FuzzTarget {
    let ground = context(endpoints, endpoint);
    let run = move |bytes: &[u8]| {
        let mut bent = TamperedDelivery::new(&ground);
        bent.body = bytes.to_vec();
        assert_not_forged(&bent, &ground);
        let text = String::from_utf8_lossy(bytes);
        if address::parse_query(text.as_bytes()).is_none() {
            return;
        }
        bent.body = address::with_proof(endpoint, 0, &text).into_bytes();
        let none = Headers::new(std::iter::empty::<(&str, &str)>()).expect("are few");
        let heard = || endpoint.receive(&bent.request(&none), &endpoint.silent, |_| None);
        assert_eq!(heard(), heard(), "{}", endpoint.name);
    };
    let bare = POSTBACKS.iter().map(|(_, text)| text.as_bytes().to_vec());
    FuzzTarget {
        name: format!("queries of {}", endpoint.name),
        seeds: endpoint.bodies().into_iter().take(2).chain(bare).collect(),
        run: Box::new(run),
    }
}

/// Certificates in PEM, as somebody's host shows them. Only the two of the right name vouch.
pub(super) fn certificates(endpoint: &'static TestEndpoint) -> FuzzTarget {
    let right = ["sandbox", "live"]
        .map(|name| CertificateDer::from_pem_slice(certificate(name).as_bytes()).expect("is one"));
    let run = move |bytes: &[u8]| {
        let genuine = &endpoint.genuine[0];
        let mut known = genuine.answers.clone();
        let shown = answer(200, &String::from_utf8_lossy(bytes));
        known.insert(certificate_call(), Some(shown));
        let headers = providers::Headers::new(genuine.headers.iter().map(|(n, v)| (n, v)));
        let knock = EndpointRequest {
            headers: &headers.expect("are few"),
            body: &genuine.body,
            mode: Mode::Test,
            secrets: &endpoint.own_tenant().secrets,
            now: T,
        };
        if let EndpointVerdict::Accepted(items) = endpoint.receive(&knock, &known, |_| None) {
            let text = String::from_utf8_lossy(bytes);
            let first = CertificateDer::from_pem_slice(text.as_bytes()).expect("was read");
            assert!(
                right.contains(&first),
                "somebody else's certificate vouches"
            );
            assert_eq!(items, genuine.received);
        }
    };
    FuzzTarget {
        name: format!("certificates of {}", endpoint.name),
        seeds: CERTIFICATES
            .iter()
            .map(|(_, pem)| pem.as_bytes().to_vec())
            .collect(),
        run: Box::new(run),
    }
}

/// The text of a secret. What is taken is long enough, has no white space, is the same again when
/// it is written down, and is never shown.
pub(super) fn secrets(provider: &'static Provider) -> FuzzTarget {
    let run = move |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(taken) = provider.secrets([&*text]) else {
            return;
        };
        let sound = text.len() >= 16 && !text.contains(char::is_whitespace);
        assert!(sound, "a weak secret is taken");
        let secret = taken.first().expect("is one");
        let shown = secret.reveal_standard();
        let again = match shown.split_once('_').map(|(prefix, _)| prefix) {
            Some("whsec") => Secret::standard(&shown),
            Some("whpk") => Secret::standard_public(&shown),
            Some(_) | None => Secret::root(&shown),
        };
        let again = again.expect("is a secret").reveal_standard();
        assert_eq!(again, shown);
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
    };
    let seeds = [
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "pdl_ntfset_01hv8wy0bf6c5m0000000000_Xq1Yf8aKp0",
        "root:MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ",
    ];
    FuzzTarget {
        name: format!("secrets of {}", provider.name()),
        seeds: seeds.map(|text| text.as_bytes().to_vec()).to_vec(),
        run: Box::new(run),
    }
}

/// The text of a key or token of the shop's own code. What is believed was given out.
pub(super) fn credentials() -> FuzzTarget {
    let given_out = GivenOut::new();
    let seeds = given_out.seeds();
    FuzzTarget {
        name: "credentials of the shop".to_owned(),
        seeds,
        run: Box::new(move |bytes| {
            given_out.try_text(&String::from_utf8_lossy(bytes));
        }),
    }
}

fn context(
    endpoints: &'static [TestEndpoint],
    endpoint: &'static TestEndpoint,
) -> TamperingContext<'static> {
    TamperingContext {
        endpoints,
        endpoint,
        genuine: &endpoint.genuine[0],
        other: &endpoint.genuine[1],
    }
}

fn assert_not_forged(bent: &TamperedDelivery<'_>, ground: &TamperingContext<'_>) {
    let judged = judge(bent, ground, &mut Rng::with_seed(0));
    assert!(judged.is_ok(), "{}", judged.err().unwrap_or_default());
}

fn header(line: &str, genuine: &GenuineDelivery, parts: &[String; 3]) -> Option<(String, String)> {
    let mut letters = line.chars();
    let which = letters.next()?;
    let names = genuine.headers.iter().map(|(name, _)| name);
    let (_, name) = ('a'..).zip(names).find(|(letter, _)| *letter == which)?;
    let mut value = letters.as_str().to_owned();
    for (mark, part) in MARKS.iter().zip(parts) {
        value = value.replace(*mark, part);
    }
    Some((name.clone(), value))
}

/// Signature, time and name of a delivery.
fn parts(endpoint: &TestEndpoint, genuine: &GenuineDelivery) -> [String; 3] {
    let shape = endpoint.delivery_format;
    let value = |(name, tag): (&str, &str)| {
        let found = genuine.headers.iter().find(|(known, _)| known == name);
        let mut items = found
            .into_iter()
            .flat_map(|(_, value)| value.split(shape.separators));
        items
            .find_map(|item| item.strip_prefix(tag))
            .unwrap_or_default()
            .to_owned()
    };
    [
        value((shape.header, shape.tag)),
        shape.time.map(value).unwrap_or_default(),
        shape
            .id
            .map(|header| value((header, "")))
            .unwrap_or_default(),
    ]
}

const MARKS: [char; 3] = ['\u{1}', '\u{2}', '\u{3}'];
