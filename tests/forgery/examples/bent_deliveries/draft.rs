//! A delivery in the making: what is signed, then the items of the signature's header, then all
//! headers.

use crate::schemes::Scheme;
use crate::verdict;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// One delivery.
pub(crate) struct Draft {
    pub(crate) scheme: &'static Scheme,
    /// How it was bent.
    pub(crate) ways: Vec<String>,
    /// The secrets in force where it arrives, as their texts are.
    pub(crate) secrets: Vec<String>,
    /// The key that signs.
    pub(crate) key: Vec<u8>,
    pub(crate) id: String,
    pub(crate) time: String,
    /// The time of its arrival.
    pub(crate) now_milliseconds: i64,
    pub(crate) body: Vec<u8>,
    /// The items of the signature's header.
    pub(crate) items: Vec<String>,
    pub(crate) separator: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Draft {
    /// As its sender makes it.
    pub(crate) fn new(scheme: &'static Scheme, rng: &mut Rng) -> Self {
        let (secret, key) = secret(scheme, rng);
        Self {
            scheme,
            ways: Vec::new(),
            secrets: vec![secret],
            key,
            id: format!("msg_{:016x}", rng.u64(..)),
            time: SIGNED_AT.to_string(),
            now_milliseconds: SIGNED_AT * 1000 + rng.i64(0..3000),
            body: scheme.body.as_bytes().to_vec(),
            items: Vec::new(),
            separator: scheme.separator.to_owned(),
            headers: Vec::new(),
        }
    }

    /// The signature's bytes over what is there now.
    pub(crate) fn signature(&self) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("takes any key");
        if self.scheme.has_id() {
            mac.update(format!("{}.", self.id).as_bytes());
        }
        if let Some(joiner) = self.scheme.joiner {
            mac.update(format!("{}{joiner}", self.time).as_bytes());
        }
        mac.update(&self.body);
        mac.finalize().into_bytes().to_vec()
    }

    /// A signature as the scheme writes it, with its tag.
    pub(crate) fn item(&self, signature: &[u8]) -> String {
        let written = if self.scheme.base64 {
            STANDARD.encode(signature)
        } else {
            hex::encode(signature)
        };
        format!("{}{written}", self.scheme.tag)
    }

    /// Writes the items.
    pub(crate) fn sign(&mut self) {
        if let Some(tag) = self.scheme.time_tag {
            self.items.push(format!("{tag}{}", self.time));
        }
        self.items.push(self.item(&self.signature()));
    }

    /// Writes the headers.
    pub(crate) fn write_headers(&mut self) {
        if let Some([id, time]) = self.scheme.named {
            self.headers.push((id.to_owned(), self.id.clone()));
            self.headers.push((time.to_owned(), self.time.clone()));
        }
        let value = self.items.join(&self.separator);
        self.headers.push((self.scheme.header.to_owned(), value));
    }

    /// The item of the signature, where nothing has bent it yet.
    pub(crate) fn signed_item(&mut self) -> Option<&mut String> {
        let right = self.item(&self.signature());
        self.items.iter_mut().find(|item| **item == right)
    }

    /// Whether it can arrive: servers cut blanks around a value, and take no control characters.
    pub(crate) fn is_http(&self) -> bool {
        self.headers.iter().all(|(_, value)| {
            value.trim() == value && value.chars().all(|c| matches!(c, ' '..='~' | '\t'))
        })
    }

    /// All of it, with our verdict.
    pub(crate) fn line(&self, number: u64) -> Value {
        json!({
            "number": number,
            "ways": self.ways,
            "secrets": self.secrets,
            "now": self.now_milliseconds,
            "headers": self.headers,
            "body": STANDARD.encode(&self.body),
            "ours": verdict::ours(self),
        })
    }
}

/// A secret's text and its key, as the scheme has them.
pub(crate) fn secret(scheme: &Scheme, rng: &mut Rng) -> (String, Vec<u8>) {
    // One byte more than divides by three: its base64 has padding.
    let key: Vec<u8> = (0..25).map(|_| rng.u8(..)).collect();
    let text = format!("whsec_{}", STANDARD.encode(&key));
    if scheme.encoded_key {
        (text, key)
    } else {
        let bare = text.trim_end_matches('=').replace(['+', '/'], "x");
        (bare.clone(), bare.into_bytes())
    }
}

/// When all of them were signed: the start of 2026.
pub(crate) const SIGNED_AT: i64 = 1_767_225_600;
