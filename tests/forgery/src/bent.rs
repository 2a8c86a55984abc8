//! A delivery in the hands of somebody who bends it.

use crate::address;
use crate::doors::{Door, Knock, T};
use crate::genuine::{Genuine, answer};
use crate::shape::Proof;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::Mode;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use providers::{Answer, Secrets};
use sha2::Sha256;
use std::borrow::Cow;

/// Names and values, in the order they are sent.
pub(crate) type Headers = Vec<(String, String)>;

/// What whoever bends has at hand.
pub(crate) struct Ground<'a> {
    pub(crate) doors: &'a [Door],
    /// Where it goes.
    pub(crate) door: &'a Door,
    /// What is bent.
    pub(crate) genuine: &'a Genuine,
    /// Another that was sent there.
    pub(crate) other: &'a Genuine,
}

/// A delivery, being bent.
pub(crate) struct Bent<'a> {
    pub(crate) door: &'a Door,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) mode: Mode,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now: i64,
    pub(crate) api: Api,
    /// What the API shows in place of the right certificate.
    pub(crate) certificate: Option<Cow<'static, str>>,
}

/// How the API answers what it can't know.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Api {
    /// Not at all.
    Silent,
    /// There is no such thing.
    Denies,
    /// Something, but not what was asked for.
    Confuses,
}

impl<'a> Bent<'a> {
    /// Not bent yet.
    pub(crate) fn new(ground: &Ground<'a>) -> Self {
        Self {
            door: ground.door,
            headers: ground.genuine.headers.clone(),
            body: ground.genuine.body.clone(),
            mode: Mode::Test,
            secrets: &ground.door.own().secrets,
            now: T,
            api: Api::Silent,
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
        let shape = self.door.shape;
        self.rewrite(shape.header, shape.tag, change)
    }

    /// Writes something else where the time stands.
    pub(crate) fn retime(&mut self, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
        let (header, tag) = self.door.shape.time?;
        self.rewrite(header, tag, change)
    }

    /// Writes something else for what stands behind a tag, up to the next item.
    fn rewrite(
        &mut self,
        header: &str,
        tag: &str,
        change: impl FnOnce(&str) -> Option<String>,
    ) -> Option<()> {
        let between = self.door.shape.between;
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
        let shape = self.door.shape;
        let value = |name: &str| {
            let found = self.headers.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let id = shape.id.map(value);
        let time = shape.time.map(|(header, tag)| {
            let mut items = value(header).split(shape.between);
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
            .flat_map(|part| [part, shape.joint])
            .collect::<String>()
            .into_bytes()
    }

    /// The signed bytes.
    pub(crate) fn message(&self) -> Vec<u8> {
        [self.prefix(), self.body.clone()].concat()
    }

    /// Whether every part that was signed in this genuine delivery is here as it was sent, now,
    /// at the door of the tenant whom it was signed for. Nothing else may be believed.
    pub(crate) fn carries(&self, genuine: &Genuine, door: &Door) -> bool {
        let shape = door.shape;
        let body = match shape.proof {
            Proof::Rsa => crc32fast::hash(&self.body) == crc32fast::hash(&genuine.body),
            Proof::Hex | Proof::Base64 | Proof::Ed25519 | Proof::Asked => self.body == genuine.body,
            Proof::Query => {
                let here = address::said(&self.body);
                here.is_some() && here == address::said(&genuine.body)
            }
        };
        let timely = shape.ages.is_none_or(|(past, ahead)| {
            self.now.saturating_sub(T) <= past && T.saturating_sub(self.now) <= ahead
        });
        let in_force = |believed: &Secrets| std::ptr::eq(believed, self.secrets);
        let all_here = |headers: &Headers| {
            let mut headers = headers.iter();
            headers.all(|(name, value)| self.says(name, value, door))
        };
        let ours = in_force(&door.own().secrets) || in_force(&door.rolling);
        let theirs = in_force(&door.tenants[1].secrets) && !door.is_postback();
        body && timely
            && self.mode == Mode::Test
            && std::ptr::eq(self.door, door)
            && (ours && all_here(&genuine.headers) || theirs && all_here(&genuine.of_other_tenant))
    }

    /// Whether every item of that value stands under that name.
    fn says(&self, name: &str, value: &str, door: &Door) -> bool {
        let shape = door.shape;
        let bare = |item: &'_ str| -> String {
            let item = item.trim_matches(' ');
            // The tag of a lone signature may be left out.
            let lone = shape.time.is_none();
            let bare = item.strip_prefix(shape.tag).filter(|_| lone);
            bare.unwrap_or(item).to_owned()
        };
        let mut items = value.split(shape.between).map(bare);
        items.all(|item| {
            let here = self.headers.iter();
            let mut here = here.filter(|(known, _)| known.eq_ignore_ascii_case(name));
            here.any(|(_, value)| value.split(shape.between).any(|other| bare(other) == item))
        })
    }

    /// What the API says to what it can't know.
    pub(crate) fn answer(&self, ground: &Ground<'_>, rng: &mut Rng) -> Option<Answer> {
        match self.api {
            Api::Silent => None,
            Api::Denies => Some(answer(404, DENIED)),
            Api::Confuses => {
                let of = [ground.genuine, ground.other][usize::from(rng.bool())];
                let document = match self.door.shape.proof {
                    // What it shows of an event is at least an event.
                    Proof::Rsa => std::str::from_utf8(&of.body).ok(),
                    Proof::Hex | Proof::Base64 | Proof::Ed25519 | Proof::Asked | Proof::Query => {
                        rng.choice(&of.documents).copied()
                    }
                };
                Some(answer(200, document.unwrap_or("{}")))
            }
        }
    }

    /// As it comes to the door.
    pub(crate) fn knock<'k>(&'k self, headers: &'k providers::Headers) -> Knock<'k> {
        Knock {
            headers,
            body: &self.body,
            mode: self.mode,
            secrets: self.secrets,
            now: self.now,
        }
    }

    /// A MAC as this door wants it written.
    pub(crate) fn written(&self, bytes: &[u8]) -> String {
        match self.door.shape.proof {
            Proof::Hex | Proof::Asked | Proof::Query => hex::encode(bytes),
            Proof::Base64 | Proof::Ed25519 | Proof::Rsa => STANDARD.encode(bytes),
        }
    }
}

/// HMAC-SHA256, done apart from the doors.
pub(crate) fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("takes any key");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

const DENIED: &str = r#"{"status":404,"title":"Not Found","detail":"No such thing"}"#;
