//! How each provider is connected, and what is no webhook secret of its.

use crate::{PROVIDERS, provider};
use std::collections::BTreeSet;

#[test]
fn the_events_to_choose_are_events_that_are_acted_upon() {
    for provider in PROVIDERS {
        let handled: BTreeSet<_> = provider.handled_types().into_iter().collect();
        let chosen: BTreeSet<_> = (provider.setup().events)().into_iter().collect();
        assert!(chosen.is_subset(&handled), "{provider:?}");
        match provider.name() {
            // It sends every event there is.
            "gocardless" => assert!(chosen.is_empty()),
            // The states of payments are named by no webhook.
            "mollie" => assert!(chosen.contains("payment-link.paid"), "{chosen:?}"),
            _ => assert_eq!(chosen, handled, "{provider:?}"),
        }
        let line = provider.setup().event_line().unwrap_or_default();
        assert!(!line.contains(['\n', ' ']), "{provider:?}: {line}");
    }
}

#[test]
fn a_forwarding_tool_is_given_the_endpoint_and_nothing_is_left_open() {
    for provider in PROVIDERS {
        let url = format!("http://127.0.0.1:9090/webhooks/{}", provider.name());
        if let Some(line) = provider.setup().forward_line(&url) {
            assert!(
                line.contains(&url) && !line.contains(['{', '}', '\n']),
                "{line}"
            );
        }
    }
}

#[test]
fn an_api_key_or_an_id_is_no_webhook_secret_and_a_real_one_is() {
    for (name, text, what) in [
        ("stripe", "sk_test_51Habc", Some("secret key")),
        ("stripe", "rk_live_51Habc", Some("restricted key")),
        ("stripe", "pk_test_51Habc", Some("publishable key")),
        ("stripe", "we_1Mabc", Some("id of an endpoint")),
        ("stripe", "whsec_abcdefghijklmnop", None),
        ("paddle", "pdl_sdbx_apikey_01gtg", Some("API")),
        ("paddle", "ntfset_01gtg", Some("id of a destination")),
        ("paddle", "pdl_ntfset_01gtgztp8f4kek3yd4g1wrksa3_q6TG", None),
        ("gocardless", "sandbox_abc", Some("access token")),
        ("gocardless", "ED7D658C-D8EB-4941-948B-3973214F2D49", None),
        (
            "mollie",
            "test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM",
            Some("Mollie's API"),
        ),
        ("mollie", "path:0123456789abcdef", None),
        ("polar", "polar_oat_abc", Some("access token")),
        ("polar", "6t3c8ce2247c493a3ade20uea4484d64", None),
        (
            "paypal",
            "WH-58D329510W468432D-8HN650336L201105X",
            Some("event"),
        ),
        ("paypal", "0EH40505U7160970P", None),
        ("standard", "whsk_4Xvb", Some("private key")),
        ("standard", "whpk_4Xvb", None),
        ("standard", "https://shop.example", Some("address")),
    ] {
        let setup = provider(name).unwrap().setup();
        let found = setup.mistaken_for(text);
        match what {
            None => assert_eq!(found, None, "{name} {text}"),
            Some(what) => assert!(
                found.is_some_and(|found| found.contains(what)),
                "{name} {text}"
            ),
        }
    }
    // What every provider of ours is set to in fixtures and local stacks stays usable.
    for provider in PROVIDERS {
        for (prefix, _) in provider.setup().mistaken {
            assert!(!"whsec_".starts_with(prefix), "{provider:?} {prefix}");
        }
    }
}
