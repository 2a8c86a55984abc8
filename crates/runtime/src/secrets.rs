//! Secrets: read by name from Parameter Store, cached with a bound, several in force at once.

use crate::clock::Clock;
use aws_sdk_ssm::Client;
use jiff::{SignedDuration, Timestamp};
use providers::{PersonKey, Secret, WeakSecret};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How long secrets are trusted before they are read again: the bound on how long a revoked one
/// is still in force.
pub const CACHE_TTL: SignedDuration = SignedDuration::from_mins(5);

/// How long after a failed read the next request may try again.
const RETRY_INTERVAL: SignedDuration = SignedDuration::from_secs(2);

/// Something secret, read when it is first needed: the secrets in force for one endpoint, or a key
/// derived from the master.
pub struct SecretCache<S> {
    source: SecretSource,
    parse: ParseSecrets<S>,
    clock: Clock,
    cached: Mutex<CachedSecrets<S>>,
}

/// How the texts of a source become what is used.
type ParseSecrets<S> = Box<dyn Fn(&[&str]) -> Result<S, WeakSecret> + Send + Sync>;

/// Where secrets come from.
#[derive(Clone)]
pub enum SecretSource {
    /// Given at start.
    Given(Vec<Arc<str>>),
    /// A SecureString parameter, one secret a line.
    Parameter {
        /// The client.
        client: Client,
        /// The parameter's name.
        name: String,
    },
}

/// Why no secret is at hand.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SecretsError {
    /// The parameter store did not give them.
    #[error(
        "the secrets could not be read from the parameter store ({0}); nothing can be verified"
    )]
    Unreadable(String),
    /// They are there, and prove nothing.
    #[error("a secret in force can't be used: {0}")]
    Weak(#[from] WeakSecret),
}

struct CachedSecrets<S> {
    secrets: Option<S>,
    read_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

impl<S: Clone> SecretCache<S> {
    /// A cache over a source, nothing read yet.
    pub fn new(
        source: SecretSource,
        parse: impl Fn(&[&str]) -> Result<S, WeakSecret> + Send + Sync + 'static,
        clock: Clock,
    ) -> Self {
        let held = CachedSecrets {
            secrets: None,
            read_at: None,
            tried_at: None,
        };
        Self {
            source,
            parse: Box::new(parse),
            clock,
            cached: Mutex::new(held),
        }
    }

    /// The secrets in force.
    ///
    /// # Errors
    /// [`SecretsError`]: the caller refuses, and never skips verification. While the store can't
    /// be read, secrets read earlier stay in force for as long again as they are fresh.
    pub async fn in_force(&self) -> Result<S, SecretsError> {
        let now = self.clock.now();
        let held = {
            let held = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
            let young = |at: Option<Timestamp>, bound: SignedDuration| {
                at.is_some_and(|at| now.duration_since(at).abs() < bound)
            };
            match &held.secrets {
                Some(secrets) if young(held.read_at, CACHE_TTL) => return Ok(secrets.clone()),
                Some(secrets) if young(held.tried_at, RETRY_INTERVAL) => return Ok(secrets.clone()),
                Some(secrets) if young(held.read_at, CACHE_TTL.saturating_mul(2)) => {
                    Some(secrets.clone())
                }
                Some(_) | None => None,
            }
        };
        let read = self.read().await;
        let mut held_now = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        held_now.tried_at = Some(now);
        match (read, held) {
            (Ok(secrets), _) => {
                held_now.secrets = Some(secrets.clone());
                held_now.read_at = Some(now);
                Ok(secrets)
            }
            (Err(_), Some(earlier)) => Ok(earlier),
            (Err(error), None) => Err(error),
        }
    }

    async fn read(&self) -> Result<S, SecretsError> {
        match &self.source {
            SecretSource::Given(texts) => {
                let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
                Ok((self.parse)(&texts)?)
            }
            SecretSource::Parameter { client, name } => {
                let text = read_parameter(client, name).await?;
                let lines: Vec<&str> = text
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .collect();
                Ok((self.parse)(&lines)?)
            }
        }
    }
}

impl<S> fmt::Debug for SecretCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretCache(redacted)")
    }
}

/// The master key itself: the first text of its source, at least 16 bytes.
///
/// # Errors
/// [`WeakSecret`] when it is missing or weak.
pub fn master(texts: &[&str]) -> Result<Secret, WeakSecret> {
    texts
        .first()
        .map_or(Err(WeakSecret::Empty), |text| Secret::new(text))
}

/// The key under which e-mail addresses become person hashes, derived from the master.
///
/// # Errors
/// [`WeakSecret`] when the master is missing or weak.
pub fn person_key(texts: &[&str]) -> Result<PersonKey, WeakSecret> {
    PersonKey::derive(&master(texts)?)
}

async fn read_parameter(client: &Client, name: &str) -> Result<String, SecretsError> {
    use aws_sdk_ssm::error::ProvideErrorMetadata;
    let answer = client
        .get_parameter()
        .name(name)
        .with_decryption(true)
        .send()
        .await;
    let answer = answer.map_err(|error| {
        SecretsError::Unreadable(error.code().unwrap_or("no answer").to_owned())
    })?;
    Ok(answer
        .parameter
        .and_then(|parameter| parameter.value)
        .unwrap_or_default())
}
