//! A signed request on its way to an endpoint: made from a sample, a file or a story.

use crate::authority;
use anyhow::{Context, anyhow, bail};
use domain::ids::PartnerId;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use local_cloud::guard::is_loopback;
use providers::{Provider, Secret, partner, partner_secret};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// One request as it will be sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What it is called in print.
    pub name: String,
    /// The path at the gateway.
    pub path: String,
    /// Exact bytes.
    pub body: Vec<u8>,
    /// Who signs.
    pub signer: Signer,
}

/// Who signs a delivery.
#[derive(Clone, Debug)]
pub enum Signer {
    /// A payment provider.
    Provider(&'static Provider, Secret),
    /// A partner.
    Partner(Secret),
}

/// What the endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryResponse {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
}

impl Signer {
    /// A provider with its secret as text.
    ///
    /// # Errors
    /// When the secret is weak.
    pub fn provider(provider: &'static Provider, secret: &str) -> anyhow::Result<Self> {
        let secrets = provider.secrets([secret]);
        let secrets = secrets.context("the secret can't be used")?;
        let first = secrets.first().context("there is no secret")?;
        Ok(Self::Provider(provider, first.clone()))
    }

    /// A partner under the first version of its key.
    ///
    /// # Errors
    /// When the master key is weak.
    pub fn partner(master: &str, partner: &PartnerId) -> anyhow::Result<Self> {
        Ok(Self::Partner(partner_secret(
            &Secret::new(master)?,
            partner,
            1,
        )?))
    }

    /// Where the provider's API must show this body, for it to be believed.
    pub fn confirmation_path(&self, body: &[u8], now: Timestamp) -> Option<Arc<str>> {
        match self {
            Self::Provider(provider, secret) => {
                let to_sign = provider.unsigned_delivery(body, secret, now);
                to_sign.map(|to_sign| to_sign.api_path)
            }
            Self::Partner(_) => None,
        }
    }

    fn headers(&self, body: &[u8], now: Timestamp) -> anyhow::Result<Vec<(&str, String)>> {
        match self {
            Self::Provider(provider, secret) => match provider.unsigned_delivery(body, secret, now)
            {
                Some(to_sign) => authority::sign(to_sign),
                None => provider
                    .sign(body, secret, now)
                    .ok_or_else(|| anyhow!("only {} itself can sign this", provider.name())),
            },
            Self::Partner(secret) => Ok(partner::sign(body, secret, now)),
        }
    }
}

impl Delivery {
    /// Sends it, signed as of `now`, and gives what was said.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn send(&self, gateway: &str, now: Timestamp) -> anyhow::Result<DeliveryResponse> {
        let url = format!("{}{}", gateway.trim_end_matches('/'), self.path);
        let mut request = agent(&url)
            .post(&url)
            .header("content-type", "application/json");
        for (name, value) in self.signer.headers(&self.body, now)? {
            request = request.header(name, value);
        }
        let answer = request.send(&self.body[..]);
        let mut answer = answer.with_context(|| no_answer_message(gateway))?;
        let body = answer.body_mut().read_to_string().unwrap_or_default();
        Ok(DeliveryResponse {
            status: answer.status().as_u16(),
            body,
        })
    }
}

/// A client for that address that reports every status as an answer.
pub fn agent(url: &str) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    // The environment may name a proxy, and no proxy leads to this machine's own loopback.
    let config = match url.split_once("://") {
        Some((_, rest)) if is_loopback(rest.split('/').next().unwrap_or(rest)) => {
            config.proxy(None)
        }
        Some(_) | None => config,
    };
    config.build().into()
}

/// What to say when there is no answer.
pub fn no_answer_message(gateway: &str) -> String {
    format!(
        "nobody answers at {gateway}; start a stack with `cargo run`, \
         or say where it is with --port, --url or ORANGERY_URL"
    )
}

/// A sample body by name, as of `at`: every time in it is moved by what its own moment is moved.
///
/// # Errors
/// When there is no such sample; the message lists those there are.
pub fn sample(samples: &[(&str, &str)], name: &str) -> anyhow::Result<String> {
    match samples.iter().find(|(known, _)| *known == name) {
        Some((_, body)) => Ok((*body).to_owned()),
        None => {
            let names: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
            bail!(
                "there is no sample `{name}`; there are:\n  {}",
                names.join("\n  ")
            )
        }
    }
}

/// The Unix time at a dotted path, written in seconds or as RFC 3339.
pub fn time_at(value: &Value, path: &str) -> Option<i64> {
    let step = |at: &'_ Value, part: &str| match part.parse::<usize>() {
        Ok(index) => at.get(index).cloned(),
        Err(_) => at.get(part).cloned(),
    };
    let found = path
        .split('.')
        .try_fold(value.clone(), |at, part| step(&at, part))?;
    match found.as_str() {
        Some(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_second),
        None => found.as_i64(),
    }
}

/// Moves every time in a JSON value by so many seconds: Unix seconds and RFC 3339, the latter
/// with the digits it has, and dates by whole days. Amounts and counts are far from the range
/// that times are in.
pub fn shift_times(value: &mut Value, seconds: i64) {
    match value {
        Value::String(text) => {
            if let Some(moved) =
                shift_timestamp(text, seconds).or_else(|| shift_date(text, seconds))
            {
                *text = moved;
            }
        }
        Value::Number(number) => {
            if let Some(time) = number.as_i64().filter(|time| TIME_RANGE.contains(time)) {
                *value = time.saturating_add(seconds).into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|v| shift_times(v, seconds)),
        Value::Object(fields) => fields.values_mut().for_each(|v| shift_times(v, seconds)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A time of RFC 3339 moved by so many seconds; a fraction and UTC's `Z` or offset stay.
fn shift_timestamp(text: &str, seconds: i64) -> Option<String> {
    let (date, rest) = text.split_at_checked(19)?;
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let utc = zone == "Z" || zone == "+00:00";
    let at = format!("{date}Z")
        .parse::<Timestamp>()
        .ok()
        .filter(|_| utc)?;
    let at = at.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    let moved = at.strftime("%Y-%m-%dT%H:%M:%S");
    Some(format!("{moved}{rest}"))
}

/// A date, moved by as many whole days as are nearest.
fn shift_date(text: &str, seconds: i64) -> Option<String> {
    let date = Some(text).filter(|text| text.len() == "2026-01-20".len())?;
    let date: Date = date.parse().ok()?;
    let days = seconds.checked_add(DAY / 2)?.div_euclid(DAY);
    let moved = date.checked_add(jiff::Span::new().try_days(days).ok()?);
    Some(moved.ok()?.to_string())
}

/// Sets the value at a dotted path, `data.object.items.data.0.quantity`; objects on the way
/// are made.
///
/// # Errors
/// When the path leads through something that is neither object nor list.
pub fn set(value: &mut Value, path: &str, to: Value) -> anyhow::Result<()> {
    let mut at = value;
    for part in path.split('.') {
        at = match at {
            Value::Array(values) => {
                let index: usize = part
                    .parse()
                    .with_context(|| format!("`{part}` in `{path}` is not an index"))?;
                let length = values.len();
                values
                    .get_mut(index)
                    .with_context(|| format!("`{path}`: the list has {length} elements"))?
            }
            Value::Object(fields) => fields.entry(part).or_insert(Value::Null),
            Value::Null => {
                *at = Value::Object(serde_json::Map::new());
                match at {
                    Value::Object(fields) => fields.entry(part).or_insert(Value::Null),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Array(_) => bail!("`{path}` can't be made"),
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                bail!("`{path}` leads through `{part}`'s parent, which holds a plain value")
            }
        };
    }
    *at = to;
    Ok(())
}

/// A field on the way of a path that is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct MissingField {
    /// Its name.
    pub name: String,
    /// The one there is that it may be a mistyped name of.
    pub similar: Option<String>,
}

/// The first part of a dotted path that leads nowhere, if one does: [`set`] would make it.
pub fn missing_field(value: &Value, path: &str) -> Option<MissingField> {
    let mut at = value;
    for part in path.split('.') {
        at = match at {
            Value::Object(fields) => match fields.get(part) {
                Some(field) => field,
                None => {
                    return Some(MissingField {
                        name: part.to_owned(),
                        similar: similar_name(part, fields.keys()),
                    });
                }
            },
            Value::Array(values) => values.get(part.parse::<usize>().ok()?)?,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
        };
    }
    None
}

/// The name that is one slip of the finger away, or two in a long one.
fn similar_name<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    let slips = if name.len() < 8 { 1 } else { 2 };
    let distances = known.map(|known| (strsim::osa_distance(name, known), known));
    let near = distances.filter(|(distance, _)| *distance <= slips).min();
    near.map(|(_, known)| known.clone())
}

/// A value as typed: JSON where it is JSON, else text.
pub fn parse_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.into()))
}

const DAY: i64 = 86_400;

/// Unix seconds from 2011 to 2096.
const TIME_RANGE: std::ops::Range<i64> = 1_300_000_000..4_000_000_000;
