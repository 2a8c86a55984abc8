//! Secrets: read by name from Parameter Store, cached with a bound, several in force at once.

mod held;

use crate::clock::Clock;
use aws_sdk_ssm::Client;
use held::{HeldSecrets, NextStep};
use providers::{KeyRoots, PersonKey, Secret, WeakSecret};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something secret, read when it is first needed: the secrets in force for one endpoint, or a key
/// derived from a root.
pub struct SecretCache<S> {
    source: SecretSource,
    parse: ParseSecrets<S>,
    clock: Clock,
    held: Mutex<HeldSecrets<S>>,
    /// Whoever reads has it; the others wait and take what was read.
    reading: tokio::sync::Mutex<()>,
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

/// What keys are derived for. Each purpose has its roots in a parameter of its own, which only
/// those functions may read who need it, so that a leak of one opens nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Hashes of e-mail addresses. Its root is never replaced: the persons would be others.
    Persons,
    /// Secrets with which partners sign.
    Partners,
    /// Tokens of partners' postbacks.
    Postbacks,
    /// Secrets with which partners' notices are signed.
    Notices,
    /// Keys of the shop's own code, and tokens for its customers' browsers.
    Shop,
}

impl KeyPurpose {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Persons,
        Self::Partners,
        Self::Postbacks,
        Self::Notices,
        Self::Shop,
    ];

    /// As it stands in the parameter's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Persons => "persons",
            Self::Partners => "partners",
            Self::Postbacks => "postbacks",
            Self::Notices => "notices",
            Self::Shop => "shop",
        }
    }
}

impl SecretSource {
    /// The roots of a stage's keys of that purpose: `/orangery/<stage>/keys/<purpose>`.
    pub fn of_keys(client: &Client, stage: &str, purpose: KeyPurpose) -> Self {
        Self::Parameter {
            client: client.clone(),
            name: format!("/orangery/{stage}/keys/{}", purpose.as_str()),
        }
    }
}

/// Why no secret is at hand.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SecretsError {
    /// The parameter store says that there are none.
    #[error(
        "the parameter that holds the secrets is not there; nothing can be verified until \
         it is put"
    )]
    Missing,
    /// The parameter store did not give them.
    #[error(
        "the secrets could not be read from the parameter store ({0}); nothing can be verified"
    )]
    Unreadable(String),
    /// They are there, and prove nothing.
    #[error("a secret in force can't be used: {0}")]
    Weak(#[from] WeakSecret),
}

impl<S: Clone> SecretCache<S> {
    /// A cache over a source, nothing read yet.
    pub fn new(
        source: SecretSource,
        parse: impl Fn(&[&str]) -> Result<S, WeakSecret> + Send + Sync + 'static,
        clock: Clock,
    ) -> Self {
        Self {
            source,
            parse: Box::new(parse),
            clock,
            held: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// The secrets in force.
    ///
    /// # Errors
    /// [`SecretsError`]: the caller refuses, and never skips verification. `HeldSecrets` says for
    /// how long what was read, and a failure to read, stand.
    pub async fn in_force(&self) -> Result<S, SecretsError> {
        if let NextStep::Answer(answer) = self.held().next_step(self.clock.now()) {
            return answer;
        }
        let _reading = self.reading.lock().await;
        // Whoever was first may have read meanwhile.
        let now = self.clock.now();
        if let NextStep::Answer(answer) = self.held().next_step(now) {
            return answer;
        }
        let read = self.read().await;
        self.held().note(read, now)
    }

    fn held(&self) -> MutexGuard<'_, HeldSecrets<S>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The roots of one purpose, the newest first.
///
/// # Errors
/// [`WeakSecret`] when there is none, a weak one, or more than two.
pub fn roots(texts: &[&str]) -> Result<KeyRoots, WeakSecret> {
    KeyRoots::new(texts.iter().copied())
}

/// The key under which e-mail addresses become person hashes. It has one root.
///
/// # Errors
/// [`WeakSecret`] when the root is missing or weak, or there are several.
pub fn person_key(texts: &[&str]) -> Result<PersonKey, WeakSecret> {
    match texts {
        [] => Err(WeakSecret::Empty),
        [root] => PersonKey::derive(&Secret::new(root)?),
        [..] => Err(WeakSecret::TooMany {
            count: texts.len(),
            limit: 1,
        }),
    }
}

async fn read_parameter(client: &Client, name: &str) -> Result<String, SecretsError> {
    use aws_sdk_ssm::error::ProvideErrorMetadata;
    let answer = client
        .get_parameter()
        .name(name)
        .with_decryption(true)
        .send()
        .await;
    let answer = answer.map_err(|error| match error.code() {
        Some("ParameterNotFound" | "ParameterVersionNotFound") => SecretsError::Missing,
        other => SecretsError::Unreadable(other.unwrap_or("no answer").to_owned()),
    })?;
    Ok(answer
        .parameter
        .and_then(|parameter| parameter.value)
        .unwrap_or_default())
}

#[cfg(test)]
mod tests;
