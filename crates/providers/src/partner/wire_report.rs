//! A partner's report as it stands in a body or a query. With the feature `openapi` these types
//! make the partners' document, and their comments are what partners read in it.

use super::sub_ids::SubIds;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, MapDeserializer, StrDeserializer};
use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(feature = "openapi")]
use super::schema;

/// The type alone, read before anything else of a report.
#[derive(Deserialize)]
pub(super) struct TypeField {
    #[serde(rename = "type")]
    pub(super) kind: Arc<str>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Report"))]
pub(super) struct WireReport {
    /// Any other type is answered 422 and not kept.
    #[serde(rename = "type")]
    pub(super) kind: ReportType,
    pub(super) data: ReportPayload,
}

// A comment on a variant would make each a schema of its own.
#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(inline))]
pub(super) enum ReportType {
    #[serde(rename = "lead.created")]
    Lead,
    #[serde(rename = "referral.created")]
    Created,
    #[serde(rename = "referral.canceled")]
    Canceled,
}

impl ReportType {
    /// The type of that name; none of a type that is not acted upon.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let name: StrDeserializer<'_, Error> = name.into_deserializer();
        Self::deserialize(name).ok()
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(inline))]
#[cfg_attr(feature = "openapi", schemars(extend("anyOf" = schema::any_of(
    ["customer", "email", "customer_id", "code"]
))))]
pub(super) struct ReportPayload {
    /// Your id of the referral.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::text"))]
    pub(super) referral_id: Arc<str>,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "CustomerObject"))]
    pub(super) customer: Option<CustomerObject>,
    /// When you sent the customer; without it when you signed. Not more than five minutes ahead.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(with = "jiff::Timestamp"))]
    pub(super) occurred_at: Option<Arc<str>>,
    /// Instead of `customer.email`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::address"))]
    pub(super) email: Option<Arc<str>>,
    /// Instead of `customer.id`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::text"))]
    pub(super) customer_id: Option<Arc<str>>,
    /// Instead of `customer.code`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::code"))]
    pub(super) code: Option<Arc<str>>,
    /// What you know the click by: come back to you.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::sub_ids"))]
    pub(super) sub_ids: SubIds,
}

#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(inline))]
#[cfg_attr(feature = "openapi", schemars(extend("anyOf" = schema::any_of(
    ["email", "id", "code"]
))))]
pub(super) struct CustomerObject {
    /// The customer's address.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::address"))]
    pub(super) email: Option<Arc<str>>,
    /// The shop's own id of the customer.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::text"))]
    pub(super) id: Option<Arc<str>>,
    /// A code that the customer shows.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::code"))]
    pub(super) code: Option<Arc<str>>,
}

/// The parameters of a postback but for its proof. One that is empty is read as one that is absent.
#[derive(Default, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(extend("required" = ["transaction_id"])))]
pub(super) struct WirePostback {
    /// Your id of the referral.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::text"))]
    pub(super) transaction_id: String,
    /// The shop's own id of the customer.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::text"))]
    pub(super) customer_id: String,
    /// A code that the customer shows.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::code"))]
    pub(super) code: String,
    /// Kept, and evidence of nothing.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::text"))]
    pub(super) currency: String,
    /// The customer's address.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::address"))]
    pub(super) email: String,
    /// Kept, and evidence of nothing: what is owed follows from what the customer paid.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::amount"))]
    pub(super) amount: String,
    /// Yours.
    #[cfg_attr(feature = "openapi", schemars(length(max = super::error::MAX_TEXT)))]
    pub(super) sub1: String,
    /// Yours.
    #[cfg_attr(feature = "openapi", schemars(length(max = super::error::MAX_TEXT)))]
    pub(super) sub2: String,
    /// Yours.
    #[cfg_attr(feature = "openapi", schemars(length(max = super::error::MAX_TEXT)))]
    pub(super) sub3: String,
    /// Yours.
    #[cfg_attr(feature = "openapi", schemars(length(max = super::error::MAX_TEXT)))]
    pub(super) sub4: String,
    /// Yours.
    #[cfg_attr(feature = "openapi", schemars(length(max = super::error::MAX_TEXT)))]
    pub(super) sub5: String,
    /// Parameters that this address does not know: a report with any of them is refused.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schemars(skip))]
    pub(super) unknown: BTreeMap<String, String>,
}

impl WirePostback {
    /// Reads decoded parameters, of which every text is taken.
    pub(super) fn read(parameters: &BTreeMap<String, String>) -> Result<Self, Error> {
        let pairs = parameters.iter();
        let pairs = pairs.map(|(name, text)| (name.as_str(), text.as_str()));
        Self::deserialize(MapDeserializer::new(pairs))
    }

    /// What the convention calls `sub1` to `sub5`.
    pub(super) fn sub_ids(&self) -> SubIds {
        let named = [
            ("sub1", &self.sub1),
            ("sub2", &self.sub2),
            ("sub3", &self.sub3),
            ("sub4", &self.sub4),
            ("sub5", &self.sub5),
        ];
        let given = named.into_iter().filter(|(_, text)| !text.is_empty());
        given
            .map(|(name, text)| (name.into(), text.as_str().into()))
            .collect()
    }
}
