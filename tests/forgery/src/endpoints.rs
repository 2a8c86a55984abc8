//! Every endpoint there is, and who may send requests to it.

use crate::delivery_format::{
    API_CONFIRMED, BRANDED, BY_MAC, BY_PUBLIC_KEY, BY_TOKEN, delivery_format,
};
use crate::genuine;
use crate::types::{EndpointOwner, TestEndpoint};
use providers::PROVIDERS;

/// Every endpoint: that of each provider, of each way to sign that one of them takes, and the
/// partners'.
pub fn endpoints() -> Vec<TestEndpoint> {
    let mut endpoints = Vec::new();
    for provider in PROVIDERS.iter().copied() {
        let whose = EndpointOwner::Provider(provider);
        let shape = delivery_format(provider.name());
        endpoints.push(genuine::endpoint(provider.name(), whose, shape));
        if provider.name() == "standard" {
            endpoints.push(genuine::endpoint("standard, branded", whose, BRANDED));
            endpoints.push(genuine::endpoint(
                "standard, by public key",
                whose,
                BY_PUBLIC_KEY,
            ));
        }
        let asked = genuine::endpoint(&format!("{}, asked", provider.name()), whose, API_CONFIRMED);
        if !asked.genuine.is_empty() {
            endpoints.push(asked);
        }
    }
    let partners = [
        (
            "partner",
            EndpointOwner::Partner,
            delivery_format("partner"),
        ),
        (
            "partner, by public key",
            EndpointOwner::Partner,
            BY_PUBLIC_KEY,
        ),
        (
            "partner, asking",
            EndpointOwner::Question,
            delivery_format("partner"),
        ),
        (
            "partner, postback by token",
            EndpointOwner::Postback,
            BY_TOKEN,
        ),
        ("partner, postback by MAC", EndpointOwner::Postback, BY_MAC),
    ];
    endpoints.extend(partners.map(|(name, whose, shape)| genuine::endpoint(name, whose, shape)));
    endpoints
}
