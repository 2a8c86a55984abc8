//! A delivery in the hands of somebody who bends it.

use crate::address;
use crate::delivery_format::ProofKind;
use crate::genuine::answer;
use crate::types::{EndpointRequest, GenuineDelivery, HeaderList, T, TestEndpoint};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use fastrand::Rng;
use providers::{ApiResponse, Secrets};
use std::borrow::Cow;

/// What whoever bends has at hand.
pub(crate) struct TamperingContext<'a> {
    pub(crate) endpoints: &'a [TestEndpoint],
    /// Where it goes.
    pub(crate) endpoint: &'a TestEndpoint,
    /// What is bent.
    pub(crate) genuine: &'a GenuineDelivery,
    /// Another that was sent there.
    pub(crate) other: &'a GenuineDelivery,
}

/// A delivery, being bent.
pub(crate) struct TamperedDelivery<'a> {
    pub(crate) endpoint: &'a TestEndpoint,
    pub(crate) headers: HeaderList,
    pub(crate) body: Vec<u8>,
    pub(crate) mode: Mode,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now: i64,
    pub(crate) api: ApiBehavior,
    /// What the API shows in place of the right certificate.
    pub(crate) certificate: Option<Cow<'static, str>>,
}

/// How the API answers what it can't know.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ApiBehavior {
    /// Not at all.
    Silent,
    /// There is no such thing.
    Denies,
    /// Something, but not what was asked for.
    Confuses,
}

impl<'a> TamperedDelivery<'a> {
    /// Not bent yet.
    pub(crate) fn new(ground: &TamperingContext<'a>) -> Self {
        Self {
            endpoint: ground.endpoint,
            headers: ground.genuine.headers.clone(),
            body: ground.genuine.body.clone(),
            mode: Mode::Test,
            secrets: &ground.endpoint.own_tenant().secrets,
            now: T,
            api: ApiBehavior::Silent,
            certificate: None,
        }
    }

    /// The value under that name.
    pub(crate) fn header(&mut self, name: &str) -> Option<&mut String> {
        let named = |(known, _): &&mut (String, String)| known == name;
        self.headers.iter_mut().find(named).map(|(_, value)| value)
    }

    /// Writes something else where the signature stands.
    pub(crate) fn resign(&mut self, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
        let shape = self.endpoint.delivery_format;
        self.rewrite(shape.header, shape.tag, change)
    }

    /// Writes something else where the time stands.
    pub(crate) fn retime(&mut self, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
        let (header, tag) = self.endpoint.delivery_format.time?;
        self.rewrite(header, tag, change)
    }

    /// Writes something else for what stands behind a tag, up to the next item.
    fn rewrite(
        &mut self,
        header: &str,
        tag: &str,
        change: impl FnOnce(&str) -> Option<String>,
    ) -> Option<()> {
        let between = self.endpoint.delivery_format.separators;
        let value = self.header(header)?;
        let start = value.find(tag)? + tag.len();
        let text = value.get(start..)?.split(between).next()?;
        let end = start + text.len();
        let changed = change(text)?;
        value.replace_range(start..end, &changed);
        Some(())
    }

    /// The signed bytes before the body.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        let shape = self.endpoint.delivery_format;
        let value = |name: &str| {
            let found = self.headers.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let id = shape.id.map(value);
        let time = shape.time.map(|(header, tag)| {
            let mut items = value(header).split(shape.separators);
            // Without a tag the whole value is the time.
            match tag {
                "" => value(header),
                tag => items
                    .find_map(|item| item.strip_prefix(tag))
                    .unwrap_or_default(),
            }
        });
        let parts = [id, time].into_iter().flatten();
        parts
            .flat_map(|part| [part, shape.joiner])
            .collect::<String>()
            .into_bytes()
    }

    /// The signed bytes.
    pub(crate) fn message(&self) -> Vec<u8> {
        [self.prefix(), self.body.clone()].concat()
    }

    /// Whether every part that was signed in this genuine delivery is here as it was sent, now,
    /// at the endpoint of the tenant whom it was signed for. Nothing else may be believed.
    pub(crate) fn carries(&self, genuine: &GenuineDelivery, endpoint: &TestEndpoint) -> bool {
        let shape = endpoint.delivery_format;
        let body = match shape.proof {
            ProofKind::Rsa => crc32fast::hash(&self.body) == crc32fast::hash(&genuine.body),
            ProofKind::Hex | ProofKind::Base64 | ProofKind::Ed25519 | ProofKind::ApiConfirmed => {
                self.body == genuine.body
            }
            ProofKind::Query => {
                let here = address::parse_query(&self.body);
                here.is_some() && here == address::parse_query(&genuine.body)
            }
        };
        let timely = shape.tolerances.is_none_or(|(past, ahead)| {
            self.now.saturating_sub(T) <= past && T.saturating_sub(self.now) <= ahead
        });
        let in_force = |believed: &Secrets| std::ptr::eq(believed, self.secrets);
        let all_here = |headers: &HeaderList| {
            let mut headers = headers.iter();
            headers.all(|(name, value)| self.has_value(name, value, endpoint))
        };
        let ours = in_force(&endpoint.own_tenant().secrets) || in_force(&endpoint.rolling);
        let theirs = in_force(&endpoint.tenants[1].secrets) && !endpoint.is_postback();
        body && timely
            && self.mode == Mode::Test
            && std::ptr::eq(self.endpoint, endpoint)
            && (ours && all_here(&genuine.headers)
                || theirs && all_here(&genuine.other_tenant_headers))
    }

    /// Whether every item of that value stands under that name.
    fn has_value(&self, name: &str, value: &str, endpoint: &TestEndpoint) -> bool {
        let shape = endpoint.delivery_format;
        let bare = |item: &'_ str| -> String {
            let item = item.trim_matches(' ');
            // The tag of a lone signature may be left out.
            let lone = shape.time.is_none();
            let bare = item.strip_prefix(shape.tag).filter(|_| lone);
            bare.unwrap_or(item).to_owned()
        };
        let mut items = value.split(shape.separators).map(bare);
        items.all(|item| {
            let here = self.headers.iter();
            let mut here = here.filter(|(known, _)| known.eq_ignore_ascii_case(name));
            here.any(|(_, value)| {
                value
                    .split(shape.separators)
                    .any(|other| bare(other) == item)
            })
        })
    }

    /// What the API says to what it can't know.
    pub(crate) fn answer(
        &self,
        ground: &TamperingContext<'_>,
        rng: &mut Rng,
    ) -> Option<ApiResponse> {
        match self.api {
            ApiBehavior::Silent => None,
            ApiBehavior::Denies => Some(answer(404, DENIED)),
            ApiBehavior::Confuses => {
                let of = [ground.genuine, ground.other][usize::from(rng.bool())];
                let document = match self.endpoint.delivery_format.proof {
                    // What it shows of an event is at least an event.
                    ProofKind::Rsa => std::str::from_utf8(&of.body).ok(),
                    ProofKind::Hex
                    | ProofKind::Base64
                    | ProofKind::Ed25519
                    | ProofKind::ApiConfirmed
                    | ProofKind::Query => rng.choice(&of.documents).copied(),
                };
                Some(answer(200, document.unwrap_or("{}")))
            }
        }
    }

    /// As it comes to the endpoint.
    pub(crate) fn request<'k>(&'k self, headers: &'k providers::Headers) -> EndpointRequest<'k> {
        EndpointRequest {
            headers,
            body: &self.body,
            mode: self.mode,
            secrets: self.secrets,
            now: self.now,
        }
    }

    /// A MAC as this endpoint wants it written.
    pub(crate) fn encode_signature(&self, bytes: &[u8]) -> String {
        match self.endpoint.delivery_format.proof {
            ProofKind::Hex | ProofKind::ApiConfirmed | ProofKind::Query => hex::encode(bytes),
            ProofKind::Base64 | ProofKind::Ed25519 | ProofKind::Rsa => STANDARD.encode(bytes),
        }
    }
}

const DENIED: &str = r#"{"status":404,"title":"Not Found","detail":"No such thing"}"#;
