//! What is done to partners' questions, and to their postbacks.

use super::{Tampering, breaking, position, preserving};
use crate::address::{parse_query, signature, with_proof};
use crate::tampered::{TamperedDelivery, TamperingContext};
use crate::types::{EndpointOwner, T};
use fastrand::Rng;

#[rustfmt::skip] // a table
pub(super) const TAMPERINGS: &[Tampering] = &[
    breaking("a question for another referral", |bent, _, rng| {
        require_question(bent)?;
        let more = *rng.choice(&["0", " ", "/", "%20", "/../r-1", "?", "\n", "\0"])?;
        bent.body.extend_from_slice(more.as_bytes());
        Some(())
    }),
    breaking("a question of another partner", |bent, _, rng| {
        require_question(bent)?;
        let text = String::from_utf8(bent.body.clone()).ok()?;
        let name = *rng.choice(&["limette", "agrume", "agrumes2", "AGRUMES", ""])?;
        bent.body = text.replacen("agrumes", name, 1).into_bytes();
        Some(())
    }),
    breaking("a report's signature under a question", |bent, ground, rng| {
        require_question(bent)?;
        let reports = ground.endpoints.iter().find(|endpoint| endpoint.name == "partner")?;
        bent.headers.clone_from(&rng.choice(&reports.genuine)?.headers);
        Some(())
    }),
    breaking("a question's signature under a report", |bent, ground, rng| {
        (bent.endpoint.name == "partner").then_some(())?;
        bent.headers.clone_from(&any_question(ground, rng)?.headers);
        Some(())
    }),
    breaking("a parameter added", |bent, _, rng| {
        let mut pairs = pairs(bent)?;
        let more = ["sub5=x", "amount=0", "email=a%40b.example", "x=1", "sub3=", "="];
        let more = *rng.choice(&more)?;
        pairs.insert(position(rng, pairs.len()), more.to_owned());
        join(bent, &pairs)
    }),
    breaking("a parameter dropped", |bent, _, rng| {
        let mut pairs = pairs(bent)?;
        let place = Some(pairs.len()).filter(|all| *all > 0)?;
        pairs.remove(rng.usize(..place));
        join(bent, &pairs)
    }),
    breaking("a parameter twice", |bent, _, rng| {
        let mut pairs = pairs(bent)?;
        let more = if rng.bool() { "" } else { "1" };
        let pair = format!("{}{more}", rng.choice(&pairs)?);
        pairs.insert(position(rng, pairs.len()), pair);
        join(bent, &pairs)
    }),
    breaking("a parameter changed", |bent, _, rng| {
        let mut pairs = pairs(bent)?;
        let pair = rng.choice(&mut pairs)?;
        let end = *rng.choice(&["", "0", "+", "%00", "%0A", "%0a", "%20", "\u{e9}"])?;
        *pair = if end.is_empty() {
            format!("{}=", pair.split('=').next()?)
        } else {
            format!("{pair}{end}")
        };
        join(bent, &pairs)
    }),
    breaking("a parameter under another name", |bent, _, rng| {
        let mut pairs = pairs(bent)?;
        let pair = rng.choice(&mut pairs)?;
        let (name, value) = pair.split_once('=')?;
        let name = match rng.u8(..5) {
            0 => name.to_ascii_uppercase(),
            1 => format!("{name}%00"),
            2 => format!("+{name}"),
            3 => "sub4".to_owned(),
            _ => format!("{name}[]"),
        };
        *pair = format!("{name}={value}");
        join(bent, &pairs)
    }),
    preserving("parameters in any order", |bent, _, rng| {
        let mut pairs = pairs(bent)?;
        rng.shuffle(&mut pairs);
        join(bent, &pairs)
    }),
    preserving("parameters encoded otherwise", |bent, _, rng| {
        pairs(bent)?;
        let parameters = parse_query(&bent.body)?;
        let mut encoded = |text: &str| encoded(text, rng);
        let pairs = parameters.iter().map(|(n, v)| format!("{}={}", encoded(n), encoded(v)));
        let pairs: Vec<String> = pairs.collect();
        join(bent, &pairs)
    }),
    breaking("a value moved across the border of its parameter", |bent, _, rng| {
        let mut pairs = pairs(bent)?;
        let first = rng.usize(..pairs.len().checked_sub(1).filter(|last| *last > 0)?);
        let second = pairs.remove(first + 1);
        let pair = pairs.get_mut(first)?;
        let last = pair.pop()?;
        *pair = match rng.u8(..4) {
            0 => format!("{pair}&{last}{second}"),
            1 => format!("{pair}&{}", second.replacen('=', &format!("={last}"), 1)),
            2 => format!("{pair}{last}%26{second}"),
            _ => format!("{pair}{last};{second}"),
        };
        join(bent, &pairs)
    }),
    breaking("two parameters in one, the signed bytes the same", |bent, _, rng| {
        let pairs = pairs(bent)?;
        let (proof, mut rest): (Vec<String>, Vec<String>) = pairs.into_iter().partition(is_proof);
        rest.sort();
        let first = rng.usize(..rest.len().checked_sub(1).filter(|last| *last > 0)?);
        let second = rest.remove(first + 1);
        rest[first] += &format!("%0A{}", second.replacen('=', "%3D", 1));
        rest.extend(proof);
        join(bent, &rest)
    }),
    breaking("another time in the query", |bent, _, rng| {
        let time = T + *rng.choice(&[-301, -300, -1, 1, 60, 300, 301])?;
        put(bent, "ts", |_| Some(time.to_string()))
    }),
    breaking("an old postback with a new time", |bent, _, rng| {
        bent.endpoint.delivery_format.tolerances?;
        bent.now = T + 301 + rng.i64(0..1_000_000);
        let now = bent.now.to_string();
        put(bent, "ts", |_| Some(now))
    }),
    breaking("the time in the query, written otherwise", |bent, _, rng| {
        let ways = [
            format!("0{T}"), format!("%2B{T}"), format!("{T}.0"), format!("{T}+"),
            format!("{T}000"), format!("-{T}"), String::new(), "NaN".to_owned(), "9".repeat(20),
        ];
        let way = rng.choice(&ways)?.clone();
        put(bent, "ts", |_| Some(way))
    }),
    breaking("a query's proof cut short", |bent, _, rng| {
        prove(bent, |text| Some(text.get(..rng.usize(..text.len().max(1)))?.to_owned()))
    }),
    breaking("a query's proof with its end filled up", |bent, _, rng| {
        let fill = *rng.choice(&["0", "f"])?;
        prove(bent, |text| {
            let kept = position(rng, text.len());
            Some(format!("{}{}", text.get(..kept)?, fill.repeat(text.len() - kept)))
        })
    }),
    breaking("a query's proof with something behind it", |bent, _, rng| {
        let more = *rng.choice(&["0", "00", "+", "%00", "%20", "=", "%0A"])?;
        prove(bent, |text| Some(format!("{text}{more}")))
    }),
    breaking("a query's proof in the other case", |bent, _, _| {
        prove(bent, |text| Some(text.to_ascii_uppercase()))
    }),
    breaking("a query's proof behind a tag", |bent, _, rng| {
        let tag = *rng.choice(&["sha256=", "sha256%3D", "v1,", "v1=", "v1a,", "0x", "sha1=", "+"])?;
        prove(bent, |text| Some(format!("{tag}{text}")))
    }),
    breaking("an empty proof in a query", |bent, _, _| prove(bent, |_| Some(String::new()))),
    breaking("a query without a proof", |bent, _, _| {
        let mut pairs = pairs(bent)?;
        pairs.retain(|pair| !is_proof(pair));
        join(bent, &pairs)
    }),
    breaking("the proof of another postback", |bent, ground, rng| {
        bent.endpoint.delivery_format.tolerances?;
        let name = *rng.choice(&["sig", "ts"])?;
        let other = parse_query(&ground.other.body)?.remove(name)?;
        put(bent, name, |_| Some(other))
    }),
    breaking("a proof as one of the other kind", |bent, _, rng| {
        let pairs = pairs(bent)?;
        let both = rng.bool();
        let pairs = pairs.iter().map(|pair| match pair.split_once('=') {
            Some(("token", text)) if both => format!("{pair}&ts={T}&sig={text}"),
            Some(("token", text)) => format!("ts={T}&sig={text}"),
            Some(("sig", text)) if both => format!("{pair}&token={text}"),
            Some(("sig", text)) => format!("token={text}"),
            Some(_) | None => pair.clone(),
        });
        let pairs: Vec<String> = pairs.collect();
        join(bent, &pairs)
    }),
];

/// By somebody who holds a key: with another change it might fit the endpoint.
#[rustfmt::skip] // a table
pub(super) const INSIDERS: &[Tampering] = &[
    breaking("a postback of another partner", |bent, _, _| as_tenant(bent, 1)),
    breaking("a postback under another version of the key", |bent, _, _| as_tenant(bent, 2)),
    breaking("a postback under the key of the other money", |bent, _, _| as_tenant(bent, 3)),
    breaking("a postback rightly signed, but over other parts", |bent, _, rng| {
        bent.endpoint.delivery_format.tolerances?;
        let mut rest = pairs(bent)?;
        rest.retain(|pair| !is_proof(pair));
        let (raw, head) = (rest.join("&"), "GET /partners/agrumes/postback\n");
        let parameters = parse_query(raw.as_bytes())?;
        let lines: Vec<String> = parameters.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let lines = lines.join("\n");
        let text = match rng.u8(..6) {
            0 => raw,
            1 => lines,
            2 => format!("{T}\n{lines}"),
            3 => format!("{head}{lines}"),
            4 => format!("GET /partners/limette/postback\n{T}\n{lines}"),
            _ => format!("{head}{T}\n{raw}"),
        };
        let made = signature(0, &text);
        put(bent, "sig", |_| Some(made))
    }),
    breaking("a question said as a report", |bent, ground, rng| {
        (bent.endpoint.name == "partner").then_some(())?;
        let asked = any_question(ground, rng)?;
        bent.headers.clone_from(&asked.headers);
        bent.body.clone_from(&asked.body);
        Some(())
    }),
];

fn require_question(bent: &TamperedDelivery<'_>) -> Option<()> {
    matches!(bent.endpoint.owner, EndpointOwner::Question).then_some(())
}

fn any_question<'a>(
    ground: &TamperingContext<'a>,
    rng: &mut Rng,
) -> Option<&'a crate::types::GenuineDelivery> {
    let mut endpoints = ground.endpoints.iter();
    let endpoint = endpoints.find(|endpoint| matches!(endpoint.owner, EndpointOwner::Question))?;
    rng.choice(&endpoint.genuine)
}

/// The parameters of a postback, as they are written.
fn pairs(bent: &TamperedDelivery<'_>) -> Option<Vec<String>> {
    bent.endpoint.is_postback().then_some(())?;
    let text = std::str::from_utf8(&bent.body).ok()?;
    Some(text.split('&').map(str::to_owned).collect())
}

fn join(bent: &mut TamperedDelivery<'_>, pairs: &[String]) -> Option<()> {
    bent.body = pairs.join("&").into_bytes();
    Some(())
}

#[allow(clippy::ptr_arg, reason = "it is asked of the items of a vector")]
fn is_proof(pair: &String) -> bool {
    ["token=", "ts=", "sig="]
        .iter()
        .any(|name| pair.starts_with(name))
}

/// Writes something else for the value of that name.
fn put(
    bent: &mut TamperedDelivery<'_>,
    name: &str,
    change: impl FnOnce(&str) -> Option<String>,
) -> Option<()> {
    let mut pairs = pairs(bent)?;
    let named = |pair: &&mut String| pair.split('=').next() == Some(name);
    let pair = pairs.iter_mut().find(named)?;
    let changed = change(pair.split_once('=')?.1)?;
    *pair = format!("{name}={changed}");
    join(bent, &pairs)
}

fn prove(
    bent: &mut TamperedDelivery<'_>,
    change: impl FnOnce(&str) -> Option<String>,
) -> Option<()> {
    let name = bent
        .endpoint
        .delivery_format
        .tolerances
        .map_or("token", |_| "sig");
    put(bent, name, change)
}

/// The same, as the tenant of that number would send it.
fn as_tenant(bent: &mut TamperedDelivery<'_>, number: usize) -> Option<()> {
    let mut rest = pairs(bent)?;
    rest.retain(|pair| !is_proof(pair));
    bent.body = with_proof(bent.endpoint, number, &rest.join("&")).into_bytes();
    Some(())
}

fn encoded(text: &str, rng: &mut Rng) -> String {
    let written = text.bytes().map(|byte| match byte {
        b' ' if rng.bool() => "+".to_owned(),
        plain if plain.is_ascii_alphanumeric() && rng.bool() => char::from(plain).to_string(),
        other if rng.bool() => format!("%{other:02x}"),
        other => format!("%{other:02X}"),
    });
    written.collect()
}
