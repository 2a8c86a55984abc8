//! How each scheme is written, apart from what `providers` knows of it.

/// One scheme.
pub(crate) struct Scheme {
    /// Its name, which is also that of the provider whose endpoint is asked.
    pub(crate) name: &'static str,
    pub(crate) provider: &'static str,
    /// The header of the signatures.
    pub(crate) header: &'static str,
    /// The headers of id and time, where they have their own.
    pub(crate) named: Option<[&'static str; 2]>,
    pub(crate) separator: &'static str,
    pub(crate) time_tag: Option<&'static str>,
    pub(crate) tag: &'static str,
    /// What stands between time and body in the signed bytes; nothing where no time is signed.
    pub(crate) joiner: Option<&'static str>,
    pub(crate) base64: bool,
    /// Whether the secret's text is base64 of the key.
    pub(crate) encoded_key: bool,
    /// How far the official library lets the time be from now.
    pub(crate) tolerance: i64,
    pub(crate) body: &'static str,
}

impl Scheme {
    /// Whether a message id is signed.
    pub(crate) fn has_id(&self) -> bool {
        self.named.is_some()
    }
}

const STANDARD: Scheme = Scheme {
    name: "standard",
    provider: "standard",
    header: "webhook-signature",
    named: Some(["webhook-id", "webhook-timestamp"]),
    separator: " ",
    time_tag: None,
    tag: "v1,",
    joiner: Some("."),
    base64: true,
    encoded_key: true,
    tolerance: 300,
    body: r#"{"type":"payment.noted","timestamp":"2026-01-01T00:00:00Z","data":{"n":"Zoë 1/2"}}"#,
};

/// All of them.
pub(crate) static SCHEMES: &[Scheme] = &[
    Scheme {
        name: "stripe",
        provider: "stripe",
        header: "stripe-signature",
        named: None,
        separator: ",",
        time_tag: Some("t="),
        tag: "v1=",
        joiner: Some("."),
        base64: false,
        encoded_key: false,
        tolerance: 300,
        body: r#"{"id":"evt_bent1","object":"event","type":"topup.noted","note":"Zoë 1/2"}"#,
    },
    STANDARD,
    Scheme {
        name: "svix",
        header: "svix-signature",
        named: Some(["svix-id", "svix-timestamp"]),
        ..STANDARD
    },
    Scheme {
        name: "polar",
        provider: "polar",
        encoded_key: false,
        ..STANDARD
    },
    Scheme {
        name: "paddle",
        provider: "paddle",
        header: "paddle-signature",
        named: None,
        separator: ";",
        time_tag: Some("ts="),
        tag: "h1=",
        joiner: Some(":"),
        base64: false,
        encoded_key: false,
        tolerance: 5,
        body: r#"{"event_id":"evt_bent1","event_type":"product.noted","data":{"n":"Zoë 1/2"}}"#,
    },
    Scheme {
        name: "gocardless",
        provider: "gocardless",
        header: "webhook-signature",
        named: None,
        separator: ",",
        time_tag: None,
        tag: "",
        joiner: None,
        base64: false,
        encoded_key: false,
        tolerance: 300,
        body: r#"{"events":[],"meta":{"webhook_id":"WB0BENT1","note":"Zoë 1/2"}}"#,
    },
];
