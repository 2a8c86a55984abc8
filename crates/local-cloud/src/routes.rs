//! Which function answers which path: routes are data, as in the template.

use std::sync::Arc;

use axum::http::Method;
use runtime::function::Function;

/// One route of the gateway.
#[derive(Clone)]
pub struct Route {
    /// The method it answers.
    pub method: Method,
    /// The path; a segment in braces is a placeholder: `/webhooks/{provider}`.
    pub path: String,
    /// What answers.
    pub function: Arc<dyn Function>,
}

impl Route {
    /// The route's key as API Gateway writes it.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The placeholders' values if this path is the route's, percent-decoded.
    pub(crate) fn parameters(&self, path: &str) -> Option<Vec<(&str, String)>> {
        let mut parameters = Vec::new();
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(parameters),
                (Some(wanted), Some(given)) => match placeholder(wanted) {
                    Some(_) if given.is_empty() => return None,
                    Some(name) => parameters.push((name, percent_decode(given))),
                    None if wanted == given => {}
                    None => return None,
                },
                (Some(_), None) | (None, Some(_)) => return None,
            }
        }
    }
}

/// What a path and a method lead to.
pub(crate) enum RouteMatch<'a> {
    Route(&'a Route, Vec<(&'a str, String)>),
    /// The path is known with these other methods alone.
    OtherMethods(Vec<&'a str>),
    Nothing,
}

/// Looks a request up; a path without placeholders goes before one with them.
pub(crate) fn find<'a>(routes: &'a [Route], method: &Method, path: &str) -> RouteMatch<'a> {
    let mut known: Vec<_> = routes
        .iter()
        .filter_map(|route| route.parameters(path).map(|parameters| (route, parameters)))
        .collect();
    known.sort_by_key(|(_, parameters)| parameters.len());
    let others: Vec<&str> = known
        .iter()
        .map(|(route, _)| route.method.as_str())
        .collect();
    match known.into_iter().find(|(route, _)| route.method == *method) {
        Some((route, parameters)) => RouteMatch::Route(route, parameters),
        None if others.is_empty() => RouteMatch::Nothing,
        None => RouteMatch::OtherMethods(others),
    }
}

fn placeholder(segment: &str) -> Option<&str> {
    segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
}

/// Percent-decoded; what is not well-formed stays as it was sent.
fn percent_decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, hex_pair(tail)) {
            (b'%', Some((byte, after))) => {
                bytes.push(byte);
                rest = after;
            }
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| segment.to_owned())
}

fn hex_pair(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (pair, rest) = bytes.split_at_checked(2)?;
    let text = std::str::from_utf8(pair)
        .ok()
        .filter(|text| !text.starts_with('+'))?;
    Some((u8::from_str_radix(text, 16).ok()?, rest))
}
