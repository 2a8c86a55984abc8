//! How each scheme writes a delivery down: said a second time, so that nothing of what is tried
//! vouches for itself.

/// Where a delivery has its signature, its time and its name, and what the signature is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeliveryFormat {
    /// The header with the signature.
    pub(crate) header: &'static str,
    /// What stands between its items.
    pub(crate) separators: &'static [char],
    /// What stands before the signature.
    pub(crate) tag: &'static str,
    /// The header with the time, and what stands before it.
    pub(crate) time: Option<(&'static str, &'static str)>,
    /// The header with the delivery's name.
    pub(crate) id: Option<&'static str>,
    /// What stands between name, time and body in the signed bytes.
    pub(crate) joiner: &'static str,
    /// What proves it.
    pub(crate) proof: ProofKind,
    /// How old and how far ahead it may be, in seconds; none where no time is signed.
    pub(crate) tolerances: Option<(i64, i64)>,
}

/// What proves a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofKind {
    /// HMAC-SHA256 in hex.
    Hex,
    /// HMAC-SHA256 in base64.
    Base64,
    /// Ed25519 in base64.
    Ed25519,
    /// RSA over a checksum of the body, then the event as the API shows it.
    Rsa,
    /// The API alone.
    ApiConfirmed,
    /// A token or a MAC in the query.
    Query,
}

/// The shape of that provider's deliveries, or of a partner's.
pub(crate) fn delivery_format(name: &str) -> DeliveryFormat {
    match name {
        "stripe" => timestamped("stripe-signature", &[','], "v1=", "t=", "."),
        "paddle" => timestamped("paddle-signature", &[';', ','], "h1=", "ts=", ":"),
        "gocardless" => bare("webhook-signature", ""),
        "mollie" => bare("x-mollie-signature", "sha256="),
        "paypal" => DeliveryFormat {
            header: "paypal-transmission-sig",
            separators: &[','],
            tag: "",
            time: Some(("paypal-transmission-time", "")),
            id: Some("paypal-transmission-id"),
            joiner: "|",
            proof: ProofKind::Rsa,
            tolerances: Some((4 * 86_400, FIVE_MINUTES)),
        },
        "standard" | "polar" | "partner" => STANDARD,
        other => panic!("nobody said how {other} signs"),
    }
}

const fn timestamped(
    header: &'static str,
    between: &'static [char],
    tag: &'static str,
    time: &'static str,
    joint: &'static str,
) -> DeliveryFormat {
    DeliveryFormat {
        header,
        separators: between,
        tag,
        time: Some((header, time)),
        id: None,
        joiner: joint,
        proof: ProofKind::Hex,
        tolerances: Some((FIVE_MINUTES, FIVE_MINUTES)),
    }
}

const fn bare(header: &'static str, tag: &'static str) -> DeliveryFormat {
    DeliveryFormat {
        header,
        separators: &[','],
        tag,
        time: None,
        id: None,
        joiner: "",
        proof: ProofKind::Hex,
        tolerances: None,
    }
}

const STANDARD: DeliveryFormat = DeliveryFormat {
    header: "webhook-signature",
    separators: &[' '],
    tag: "v1,",
    time: Some(("webhook-timestamp", "")),
    id: Some("webhook-id"),
    joiner: ".",
    proof: ProofKind::Base64,
    tolerances: Some((FIVE_MINUTES, FIVE_MINUTES)),
};

/// The same by public key.
pub(crate) const BY_PUBLIC_KEY: DeliveryFormat = DeliveryFormat {
    tag: "v1a,",
    proof: ProofKind::Ed25519,
    ..STANDARD
};

/// The same under its other brand.
pub(crate) const BRANDED: DeliveryFormat = DeliveryFormat {
    header: "svix-signature",
    time: Some(("svix-timestamp", "")),
    id: Some("svix-id"),
    ..STANDARD
};

/// A form that names what its sender's API is asked for.
pub(crate) const API_CONFIRMED: DeliveryFormat = DeliveryFormat {
    proof: ProofKind::ApiConfirmed,
    ..bare("", "")
};

/// A postback with a token, which is bound to no time.
pub(crate) const BY_TOKEN: DeliveryFormat = DeliveryFormat {
    proof: ProofKind::Query,
    ..bare("", "")
};

/// A postback with time and MAC.
pub(crate) const BY_MAC: DeliveryFormat = DeliveryFormat {
    tolerances: Some((FIVE_MINUTES, FIVE_MINUTES)),
    ..BY_TOKEN
};

const FIVE_MINUTES: i64 = 300;
