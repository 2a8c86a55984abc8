use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;

fn mac(secret: &str, text: &str) -> Vec<u8> {
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(key).expect("the secret is base64");
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key has any length");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// A report's body, or a question's `GET /partners/NAME/referrals/ID`.
pub fn sign(secret: &str, id: &str, time: i64, text: &str) -> String {
    let mac = mac(secret, &format!("{id}.{time}.{text}"));
    format!("v1,{}", STANDARD.encode(mac))
}

/// A postback's `sig`.
pub fn sign_query(
    secret: &str,
    partner: &str,
    time: i64,
    parameters: &BTreeMap<&str, &str>,
) -> String {
    let mut text = format!("GET /partners/{partner}/postback\n{time}");
    for (name, value) in parameters {
        text += &format!("\n{name}={value}");
    }
    hex::encode(mac(secret, &text))
}
