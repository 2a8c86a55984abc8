//! DynamoDB and Parameter Store behind TLS, as much of them as a webhook asks for: items in a
//! map, conditions on existence and version, requests counted.

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The services, and who vouches for them.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    /// `https://localhost:…`
    pub(crate) url: String,
    /// The certificate of the authority that vouches for them, PEM.
    pub(crate) authority: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<(String, String), Value>,
    requests: BTreeMap<String, u64>,
}

impl Aws {
    /// Serves on loopback, under a fresh certificate.
    pub(crate) async fn start(folder: &Path) -> Result<Self> {
        let authority = rcgen::CertificateParams::new(Vec::new())?;
        let (authority_params, authority_key) =
            (authorized(authority), rcgen::KeyPair::generate()?);
        let authority = authority_params.self_signed(&authority_key)?;
        let issuer = rcgen::Issuer::new(authority_params, authority_key);
        let key = rcgen::KeyPair::generate()?;
        let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?;
        let leaf = leaf.signed_by(&key, &issuer)?;
        let file = folder.join("authority.pem");
        std::fs::write(&file, authority.pem())?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let aws = Self {
            url: format!("https://localhost:{}", listener.local_addr()?.port()),
            authority: file,
            state: Arc::default(),
        };
        let serving = aws.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (aws, acceptor) = (serving.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request| {
                        let aws = aws.clone();
                        async move { aws.answer(request).await }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(aws)
    }

    /// An empty table, nothing counted.
    pub(crate) fn forget(&self) {
        *self.state() = State::default();
    }

    /// Requests since then, by name.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        self.state().requests.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        let target = request.headers().get("x-amz-target").context("no target")?;
        let target = target
            .to_str()?
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned();
        let body = request.into_body().collect().await?.to_bytes();
        let asked: Value = serde_json::from_slice(&body)?;
        let (status, answer) = self.state().done(&target, &asked);
        let body = answer.to_string();
        Ok(Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amzn-requestid", "bench")
            .body(Full::from(body))?)
    }
}

impl State {
    fn done(&mut self, target: &str, asked: &Value) -> (u16, Value) {
        *self.requests.entry(target.to_owned()).or_default() += 1;
        match target {
            "GetParameter" => (200, parameter(asked)),
            "GetItem" => {
                let item = self.items.get(&key(&asked["Key"]));
                (200, item.map_or(json!({}), |item| json!({"Item": item})))
            }
            "PutItem" => self.put(asked),
            "UpdateItem" => (200, json!({})),
            "DeleteItem" => {
                self.items.remove(&key(&asked["Key"]));
                (200, json!({}))
            }
            "Query" => (200, self.query(asked)),
            _ => (
                400,
                json!({"__type": "com.amazonaws#UnknownOperationException"}),
            ),
        }
    }

    fn put(&mut self, asked: &Value) -> (u16, Value) {
        let key = key(&asked["Item"]);
        let there = self.items.get(&key);
        let condition = asked["ConditionExpression"].as_str().unwrap_or_default();
        let version = &asked["ExpressionAttributeValues"][":version"];
        let holds = if condition == "#version = :version" {
            there.is_some_and(|item| item["version"] == *version)
        } else {
            condition.is_empty() || there.is_none()
        };
        if holds {
            self.items.insert(key, asked["Item"].clone());
            return (200, json!({}));
        }
        let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        let item = there.cloned().unwrap_or_default();
        (
            400,
            json!({"__type": kind, "message": "The conditional request failed", "Item": item}),
        )
    }

    fn query(&self, asked: &Value) -> Value {
        let values = asked["ExpressionAttributeValues"].as_object();
        let texts = values
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| value["S"].as_str());
        let texts: Vec<&str> = texts.collect();
        let is_asked = |(partition, sort): &(String, String)| {
            texts.contains(&partition.as_str()) && texts.iter().any(|text| sort.starts_with(text))
        };
        let found = self.items.iter().filter(|(key, _)| is_asked(key));
        let items: Vec<&Value> = found.map(|(_, item)| item).collect();
        json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
    }
}

fn parameter(asked: &Value) -> Value {
    let name = asked["Name"].as_str().unwrap_or_default();
    let value = if name.ends_with("master-key") {
        "benchbenchbenchbenchbenchbench00"
    } else {
        crate::events::SECRET
    };
    json!({"Parameter": {"Name": name, "Type": "SecureString", "Value": value, "Version": 1}})
}

fn key(of: &Value) -> (String, String) {
    let text = |name: &str| of[name]["S"].as_str().unwrap_or_default().to_owned();
    // The peer's table has one key, by the name its library gives it.
    let peer = text("id");
    (if peer.is_empty() { text("pk") } else { peer }, text("sk"))
}

fn authorized(mut params: rcgen::CertificateParams) -> rcgen::CertificateParams {
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    // A leaf of the same name would pass for self-signed.
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "bench authority");
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    params
}
