//! Shared secrets: never empty, never weak, never shown by accident.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};
use webpki::anchor_from_trusted_cert;

/// What a request is checked with: a shared secret of at least 16 bytes, a public key, a root
/// certificate, or the secret part of an address. One kind is never used as another. It has no
/// `Display`, and its `Debug` is redacted.
#[derive(Clone)]
pub struct Secret(SecretKind);

#[derive(Clone)]
enum SecretKind {
    Shared(Arc<[u8]>),
    Ed25519([u8; 32]),
    Root(Arc<[u8]>),
    PathSegment(Arc<str>),
}

impl Secret {
    /// A secret whose text is the key, as Stripe's `whsec_…` is.
    ///
    /// # Errors
    /// [`WeakSecret`] when it is empty, short, or has white space in it.
    pub fn new(text: &str) -> Result<Self, WeakSecret> {
        check_text(text)?;
        Self::from_bytes(text.as_bytes())
    }

    /// A Standard Webhooks secret: `whsec_` and the key in base64.
    ///
    /// # Errors
    /// [`WeakSecret`] also when what follows the prefix is not base64, or decodes to fewer than 16
    /// bytes.
    pub fn standard(text: &str) -> Result<Self, WeakSecret> {
        check_text(text)?;
        let encoded = text.strip_prefix(STANDARD_PREFIX).unwrap_or(text);
        let key = AS_LIBRARIES_READ
            .decode(encoded)
            .map_err(|_| WeakSecret::NotBase64)?;
        Self::from_bytes(&key)
    }

    /// A derived or random key.
    ///
    /// # Errors
    /// [`WeakSecret`] when it is empty or short.
    pub fn from_bytes(key: &[u8]) -> Result<Self, WeakSecret> {
        match key.len() {
            0 => Err(WeakSecret::Empty),
            bytes if bytes < MIN_BYTES => Err(WeakSecret::Short { bytes }),
            _ => Ok(Self(SecretKind::Shared(key.into()))),
        }
    }

    /// A Standard Webhooks public key: `whpk_` and 32 bytes in base64.
    ///
    /// # Errors
    /// [`WeakSecret`] when it is something else, or a key under which anybody can sign.
    pub fn standard_public(text: &str) -> Result<Self, WeakSecret> {
        check_text(text)?;
        let encoded = text.strip_prefix(PUBLIC_PREFIX);
        let key = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        let key: [u8; 32] = key
            .and_then(|key| key.try_into().ok())
            .ok_or(WeakSecret::NotBase64)?;
        if SMALL_ORDER.contains(&hex::encode(unsigned(key)).as_str()) {
            return Err(WeakSecret::SmallOrder);
        }
        Ok(Self(SecretKind::Ed25519(key)))
    }

    /// A root certificate that signing certificates are traced to: `root:` and its DER in base64.
    ///
    /// # Errors
    /// [`WeakSecret`] when it is something else.
    pub fn root(text: &str) -> Result<Self, WeakSecret> {
        check_text(text)?;
        let encoded = text.strip_prefix(ROOT_PREFIX);
        let root = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        let root = root.ok_or(WeakSecret::NotBase64)?;
        match anchor_from_trusted_cert(&CertificateDer::from(root.as_slice())) {
            Ok(_) => Ok(Self(SecretKind::Root(root.into()))),
            Err(_) => Err(WeakSecret::NoCertificate),
        }
    }

    /// The last segment of an address that only its sender was given: `path:` and 16 to 128
    /// letters, digits, `-` or `_`.
    ///
    /// # Errors
    /// [`WeakSecret`] when it is something else.
    pub fn path_segment(text: &str) -> Result<Self, WeakSecret> {
        check_text(text)?;
        let segment = text.strip_prefix(PATH_PREFIX).unwrap_or_default();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if segment.len() > MAX_SEGMENT || !segment.bytes().all(is_allowed) {
            return Err(WeakSecret::NoPathSegment);
        }
        match segment.len() {
            0 => Err(WeakSecret::Empty),
            bytes if bytes < MIN_BYTES => Err(WeakSecret::Short { bytes }),
            _ => Ok(Self(SecretKind::PathSegment(segment.into()))),
        }
    }

    /// A root certificate as [`Self::root`] reads it.
    pub fn root_text(certificate: &CertificateDer<'_>) -> String {
        format!("{ROOT_PREFIX}{}", STANDARD.encode(certificate))
    }

    /// The secret as `whsec_` and base64, to be shown to its owner: the only way to get its text.
    pub fn reveal_standard(&self) -> String {
        match &self.0 {
            SecretKind::Shared(key) => format!("{STANDARD_PREFIX}{}", STANDARD.encode(key)),
            SecretKind::Ed25519(key) => format!("{PUBLIC_PREFIX}{}", STANDARD.encode(key)),
            SecretKind::Root(root) => format!("{ROOT_PREFIX}{}", STANDARD.encode(root)),
            SecretKind::PathSegment(segment) => format!("{PATH_PREFIX}{segment}"),
        }
    }

    /// The key of a MAC.
    pub(crate) fn shared(&self) -> Option<&[u8]> {
        match &self.0 {
            SecretKind::Shared(key) => Some(key),
            SecretKind::Ed25519(_) | SecretKind::Root(_) | SecretKind::PathSegment(_) => None,
        }
    }

    /// The key of an Ed25519 signature.
    pub(crate) fn ed25519(&self) -> Option<&[u8; 32]> {
        match &self.0 {
            SecretKind::Ed25519(key) => Some(key),
            SecretKind::Shared(_) | SecretKind::Root(_) | SecretKind::PathSegment(_) => None,
        }
    }

    /// The root certificate, as DER.
    pub(crate) fn trusted_root(&self) -> Option<&[u8]> {
        match &self.0 {
            SecretKind::Root(root) => Some(root),
            SecretKind::Shared(_) | SecretKind::Ed25519(_) | SecretKind::PathSegment(_) => None,
        }
    }

    /// The secret part of an address.
    fn segment(&self) -> Option<&str> {
        match &self.0 {
            SecretKind::PathSegment(segment) => Some(segment),
            SecretKind::Shared(_) | SecretKind::Ed25519(_) | SecretKind::Root(_) => None,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The secrets in force: at least one, and during a rotation several.
#[derive(Clone, Debug)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// From all of them.
    ///
    /// # Errors
    /// [`WeakSecret::Empty`] for none, [`WeakSecret::TooMany`] beyond eight, of which four may be
    /// public keys.
    pub fn new(secrets: Vec<Secret>) -> Result<Self, WeakSecret> {
        let too_many = |count, limit| Err(WeakSecret::TooMany { count, limit });
        let public = secrets.iter().filter(|one| one.ed25519().is_some()).count();
        match secrets.len() {
            0 => Err(WeakSecret::Empty),
            count if count > MAX_SECRETS => too_many(count, MAX_SECRETS),
            _ if public > MAX_PUBLIC_KEYS => too_many(public, MAX_PUBLIC_KEYS),
            _ => Ok(Self(secrets)),
        }
    }

    /// Whether a path ends in the secret part of an address. True where no address has one.
    pub(crate) fn open_path(&self, path: &str) -> bool {
        let offered = path.rsplit('/').next().unwrap_or_default();
        let mut segments = self.0.iter().filter_map(Secret::segment).peekable();
        segments.peek().is_none()
            // All of them, in constant time each.
            || segments
                .map(|segment| segment.as_bytes().ct_eq(offered.as_bytes()))
                .fold(Choice::from(0), |one, other| one | other)
                .into()
    }

    /// The one to sign with.
    pub fn first(&self) -> Option<&Secret> {
        self.0.first()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }
}

/// Why a secret, or a list of secrets, is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// None, or an empty member of a list.
    #[error("it is empty: anybody could sign with it; set the secret the provider shows")]
    Empty,
    /// Fewer than 16 bytes.
    #[error("it has {bytes} bytes and could be guessed; at least 16 are needed")]
    Short {
        /// How many there are.
        bytes: usize,
    },
    /// A space, a line end or a control character: two secrets in one, or a bad copy.
    #[error("it has white space in it, which no provider's secret has; copy it again")]
    WhiteSpace,
    /// No base64 follows its prefix, or the key has another length.
    #[error("what follows its prefix is not the base64 of a key; copy it again")]
    NotBase64,
    /// A public key under which anybody can sign.
    #[error("it is a public key for which anybody can sign; copy it again")]
    SmallOrder,
    /// No certificate follows its prefix.
    #[error("what follows its prefix is not the DER of a certificate; copy it again")]
    NoCertificate,
    /// No secret part of an address follows its prefix.
    #[error("what follows its prefix is not 16 to 128 letters, digits, `-` or `_`; make another")]
    NoPathSegment,
    /// More in force than a rotation needs.
    #[error(
        "{count} secrets of its kind are in force and each is tried on every request; \
         keep at most {limit}"
    )]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// No key follows from it.
    #[error("no key follows from it for this name; is the name empty?")]
    Underivable,
}

fn check_text(text: &str) -> Result<(), WeakSecret> {
    if text.trim().is_empty() {
        return Err(WeakSecret::Empty);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(WeakSecret::WhiteSpace);
    }
    Ok(())
}

/// Without the bit that is its sign.
fn unsigned(mut key: [u8; 32]) -> [u8; 32] {
    if let Some(last) = key.last_mut() {
        *last &= 0x7f;
    }
    key
}

/// The standard alphabet with its padding or without, and last bits that mean nothing, as where
/// random letters were chosen as the secret: the scheme's own libraries take them, as the same key.
const AS_LIBRARIES_READ: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
const STANDARD_PREFIX: &str = "whsec_";
const PUBLIC_PREFIX: &str = "whpk_";
pub(crate) const ROOT_PREFIX: &str = "root:";
pub(crate) const PATH_PREFIX: &str = "path:";
const MIN_BYTES: usize = 16;
const MAX_SEGMENT: usize = 128;
const MAX_SECRETS: usize = 8;
/// Public keys in force at once. Each costs some ten times what a shared secret does.
pub const MAX_PUBLIC_KEYS: usize = 4;
/// The points of Ed25519 of order 1, 2, 4 and 8 in every way they can be written: under such a
/// key, signatures can be made without one.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
