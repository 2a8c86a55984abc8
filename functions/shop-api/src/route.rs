//! What an address asks for.

use crate::refusal::Refusal;
use runtime::http::HttpRequest;

/// What is asked.
pub(crate) enum ShopRoute {
    /// The records of the customers that a reference leads to.
    Customers(String),
    /// What they may use.
    Entitlements(String),
    /// A token for the browser of the only one.
    Tokens(String),
    /// The customers of an e-mail address.
    Find,
    /// Whether a customer may use a feature.
    Check,
    /// Nothing: what customers used is told.
    Usage,
    /// Whether a browser may ask, from a page of another address.
    Preflight,
}

impl ShopRoute {
    /// What a request asks for. Gateways decode the parts of a path that have names.
    ///
    /// # Errors
    /// [`Refusal`] for an address or method of no use here, or a reference that can't be one.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Refusal> {
        let route = Self::of_path(request)?;
        let method = &*request.method;
        if method == "OPTIONS" && route.is_for_browsers() {
            return Ok(Self::Preflight);
        }
        if method == "POST" && matches!(&route, Self::Customers(word) if word == FIND) {
            return Ok(Self::Find);
        }
        let allow = route.method();
        if method != allow {
            return Err(Refusal::WrongMethod { allow });
        }
        match &route {
            Self::Customers(reference)
            | Self::Entitlements(reference)
            | Self::Tokens(reference) => match reference.len() {
                0 => Err(Refusal::NoSuchAddress),
                1..=MAX_REFERENCE => Ok(route),
                _ => Err(Refusal::ReferenceTooLong),
            },
            Self::Find | Self::Check | Self::Usage | Self::Preflight => Ok(route),
        }
    }

    fn of_path(request: &HttpRequest) -> Result<Self, Refusal> {
        let path = request.path.strip_prefix("/v1/");
        let path = path.ok_or(Refusal::NoSuchAddress)?;
        match path {
            "check" => return Ok(Self::Check),
            "usage" => return Ok(Self::Usage),
            _ => {}
        }
        let rest = path.strip_prefix("customers/");
        let rest = rest.ok_or(Refusal::NoSuchAddress)?;
        let named = request.path_parameters.get("reference").cloned();
        let reference = |raw: &str| named.unwrap_or_else(|| raw.to_owned());
        Ok(if let Some(raw) = rest.strip_suffix("/entitlements") {
            Self::Entitlements(reference(raw))
        } else if let Some(raw) = rest.strip_suffix("/tokens") {
            Self::Tokens(reference(raw))
        } else {
            Self::Customers(reference(rest))
        })
    }

    /// The name of what is asked, in log lines.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::Customers(_) => "customers",
            Self::Entitlements(_) => "entitlements",
            Self::Tokens(_) => "tokens",
            Self::Find => "find",
            Self::Check => "check",
            Self::Usage => "usage",
            Self::Preflight => "preflight",
        }
    }

    fn method(&self) -> &'static str {
        match self {
            Self::Customers(_) | Self::Entitlements(_) => "GET",
            Self::Tokens(_) | Self::Find | Self::Check | Self::Usage => "POST",
            Self::Preflight => "OPTIONS",
        }
    }

    /// Tokens open these addresses, and browsers alone have tokens.
    fn is_for_browsers(&self) -> bool {
        match self {
            Self::Entitlements(_) | Self::Check => true,
            Self::Customers(_) | Self::Tokens(_) | Self::Find | Self::Usage | Self::Preflight => {
                false
            }
        }
    }
}

const FIND: &str = "find";

/// As long as a reference can be, in bytes.
pub(crate) const MAX_REFERENCE: usize = 1000;
