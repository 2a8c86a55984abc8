//! How a provider is connected: its own words for where an endpoint is entered and where its secret
//! stands, and what is plainly no webhook secret.

/// What a person does at a provider so that its events come.
#[derive(Clone, Copy, Debug)]
pub struct SetupGuide {
    /// The provider's own tool that forwards test events to this machine, as it is typed, with
    /// `{url}` for the endpoint and `{events}` for the events with commas between. None where it
    /// has none, or a tunnel is needed.
    pub forward: Option<&'static str>,
    /// Where an endpoint is entered.
    pub endpoint: &'static str,
    /// Where its secret stands, and how it looks.
    pub secret: &'static str,
    /// What stands between two events where they are chosen.
    pub separator: &'static str,
    /// The events to choose; empty where the provider sends them all.
    pub events: fn() -> Vec<&'static str>,
    /// What texts begin with that are something else of this provider's, and what they are.
    pub mistaken: &'static [(&'static str, &'static str)],
}

impl SetupGuide {
    /// The forwarding tool's line for the endpoint at this address, where there is one.
    pub fn forward_line(&self, url: &str) -> Option<String> {
        let events = (self.events)().join(",");
        let line = self.forward?.replace("{url}", url);
        Some(line.replace("{events}", &events))
    }

    /// The events to choose, as one line; none where the provider sends them all.
    pub fn event_line(&self) -> Option<String> {
        let events = (self.events)();
        (!events.is_empty()).then(|| events.join(self.separator))
    }

    /// What a text is that was offered as a webhook secret and plainly is none.
    pub fn mistaken_for(&self, text: &str) -> Option<&'static str> {
        let known = self.mistaken.iter().chain(MISTAKEN);
        let mut known = known.filter(|(prefix, _)| text.starts_with(prefix));
        known.next().map(|(_, what)| *what)
    }
}

/// What nobody's webhook secret begins with.
const MISTAKEN: &[(&str, &str)] = &[
    ("http://", "an address"),
    ("https://", "an address"),
    ("orangery_key_", "a key of the shop's own code"),
    ("orangery_token_", "a token for a customer's browser"),
    ("AKIA", "an access key of AWS"),
    ("ASIA", "an access key of AWS"),
    ("arn:", "the name of something in AWS"),
    ("Bearer ", "a credential of an API"),
    ("whsk_", "a private key, which its owner alone keeps"),
];
