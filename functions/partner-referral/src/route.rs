//! Which partner an address names, and what it is for.

use domain::ids::PartnerId;
use runtime::http::HttpRequest;

/// An address of the partner endpoint.
pub(crate) struct PartnerRoute {
    pub(crate) partner: PartnerId,
    pub(crate) resource: PartnerResource,
}

/// What follows the partner's name.
pub(crate) enum PartnerResource {
    /// Reports, as messages.
    Events,
    /// A report, in the query.
    Postback,
    /// The status of the referral of this id.
    Referral(String),
}

impl PartnerRoute {
    /// The address of a request. Gateways decode the parts of a path that have names.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        let mut parts = request.path.strip_prefix("/partners/")?.splitn(3, '/');
        let (name, what, rest) = (parts.next()?, parts.next()?, parts.next());
        let named = |name: &str| request.path_parameters.get(name).cloned();
        let what = match (what, rest) {
            ("events", None) => PartnerResource::Events,
            ("postback", None) => PartnerResource::Postback,
            ("referrals", Some(id)) if !id.is_empty() => {
                PartnerResource::Referral(named("referral").unwrap_or_else(|| id.to_owned()))
            }
            _ => return None,
        };
        let name = named("partner").unwrap_or_else(|| name.to_owned());
        let partner = PartnerId::parse(name).ok()?;
        Some(Self {
            partner,
            resource: what,
        })
    }
}

impl PartnerResource {
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Events => "POST",
            Self::Postback | Self::Referral(_) => "GET",
        }
    }
}
