//! How each scheme writes a delivery down: said a second time, so that nothing of what is tried
//! vouches for itself.

/// Where a delivery has its signature, its time and its name, and what the signature is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The header with the signature.
    pub(crate) header: &'static str,
    /// What stands between its items.
    pub(crate) between: &'static [char],
    /// What stands before the signature.
    pub(crate) tag: &'static str,
    /// The header with the time, and what stands before it.
    pub(crate) time: Option<(&'static str, &'static str)>,
    /// The header with the delivery's name.
    pub(crate) id: Option<&'static str>,
    /// What stands between name, time and body in the signed bytes.
    pub(crate) joint: &'static str,
    /// What proves it.
    pub(crate) proof: Proof,
    /// How old and how far ahead it may be, in seconds; none where no time is signed.
    pub(crate) ages: Option<(i64, i64)>,
}

/// What proves a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// HMAC-SHA256 in hex.
    Hex,
    /// HMAC-SHA256 in base64.
    Base64,
    /// Ed25519 in base64.
    Ed25519,
    /// RSA over a checksum of the body, then the event as the API shows it.
    Rsa,
    /// The API alone.
    Asked,
    /// A token or a MAC in the query.
    Query,
}

/// The shape of that provider's deliveries, or of a partner's.
pub(crate) fn shape(name: &str) -> Shape {
    match name {
        "stripe" => stamped("stripe-signature", &[','], "v1=", "t=", "."),
        "paddle" => stamped("paddle-signature", &[';', ','], "h1=", "ts=", ":"),
        "gocardless" => bare("webhook-signature", ""),
        "mollie" => bare("x-mollie-signature", "sha256="),
        "paypal" => Shape {
            header: "paypal-transmission-sig",
            between: &[','],
            tag: "",
            time: Some(("paypal-transmission-time", "")),
            id: Some("paypal-transmission-id"),
            joint: "|",
            proof: Proof::Rsa,
            ages: Some((4 * 86_400, FIVE_MINUTES)),
        },
        "standard" | "polar" | "partner" => STANDARD,
        other => panic!("nobody said how {other} signs"),
    }
}

const fn stamped(
    header: &'static str,
    between: &'static [char],
    tag: &'static str,
    time: &'static str,
    joint: &'static str,
) -> Shape {
    Shape {
        header,
        between,
        tag,
        time: Some((header, time)),
        id: None,
        joint,
        proof: Proof::Hex,
        ages: Some((FIVE_MINUTES, FIVE_MINUTES)),
    }
}

const fn bare(header: &'static str, tag: &'static str) -> Shape {
    Shape {
        header,
        between: &[','],
        tag,
        time: None,
        id: None,
        joint: "",
        proof: Proof::Hex,
        ages: None,
    }
}

const STANDARD: Shape = Shape {
    header: "webhook-signature",
    between: &[' '],
    tag: "v1,",
    time: Some(("webhook-timestamp", "")),
    id: Some("webhook-id"),
    joint: ".",
    proof: Proof::Base64,
    ages: Some((FIVE_MINUTES, FIVE_MINUTES)),
};

/// The same by public key.
pub(crate) const BY_PUBLIC_KEY: Shape = Shape {
    tag: "v1a,",
    proof: Proof::Ed25519,
    ..STANDARD
};

/// The same under its other brand.
pub(crate) const BRANDED: Shape = Shape {
    header: "svix-signature",
    time: Some(("svix-timestamp", "")),
    id: Some("svix-id"),
    ..STANDARD
};

/// A form that names what its sender's API is asked for.
pub(crate) const ASKED: Shape = Shape {
    proof: Proof::Asked,
    ..bare("", "")
};

/// A postback with a token, which is bound to no time.
pub(crate) const BY_TOKEN: Shape = Shape {
    proof: Proof::Query,
    ..bare("", "")
};

/// A postback with time and MAC.
pub(crate) const BY_MAC: Shape = Shape {
    ages: Some((FIVE_MINUTES, FIVE_MINUTES)),
    ..BY_TOKEN
};

const FIVE_MINUTES: i64 = 300;
