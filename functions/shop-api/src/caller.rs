//! Who asks: proven before anything else is looked at, and a key's row read at most once a minute.

use crate::ShopApi;
use crate::refusal::Refusal;
use domain::ids::CustomerKey;
use domain::shop_key::KeyScope;
use providers::{Bearer, CredentialError, CustomerToken, OfferedBearer, ShopKey};
use runtime::http::HttpRequest;
use store::Table;

/// Whoever asks.
pub(crate) enum Caller {
    /// The shop's server, with a key in force.
    Server(ShopKey),
    /// A customer's browser.
    Browser(CustomerToken),
}

/// Of whom something is asked.
pub(crate) enum Subject {
    /// Whomever a reference leads to.
    Reference(String),
    /// Of this customer.
    Customer(CustomerKey),
}

impl Caller {
    /// Who shows a credential that was given out here and is in force.
    ///
    /// # Errors
    /// [`Refusal`]: of what is not whole or of another stage before any root is read, of what is
    /// forged before the table is asked anything.
    pub(crate) async fn of<T: Table>(
        api: &ShopApi<T>,
        request: &HttpRequest,
    ) -> Result<Self, Refusal> {
        let offered = OfferedBearer::of(&request.headers, &api.stage)?;
        let (roots, now) = (api.roots.in_force().await?, api.clock.now());
        let key = match offered.verify(&roots, now)? {
            Bearer::Token(token) => {
                let admitted = api.browser_limit.admit(token.customer(), now);
                return match admitted {
                    Ok(()) => Ok(Self::Browser(token)),
                    Err(wait) => Err(Refusal::TooFast {
                        seconds: wait.as_secs().saturating_add(1),
                    }),
                };
            }
            Bearer::Key(key) => key,
        };
        let row = api.keys.read(&api.table, key.name(), key.version(), now);
        match row.await? {
            Some(row) if row.has_key(key.version(), key.scope()) => Ok(Self::Server(key)),
            Some(_) | None => Err(CredentialError::Revoked.into()),
        }
    }

    /// Its name in log lines: a key's own, and no customer's.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Server(key) => key.name().as_str(),
            Self::Browser(_) => "(token)",
        }
    }

    /// Refuses what a token does not open.
    pub(crate) fn server_only(&self) -> Result<(), Refusal> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Browser(_) => Err(Refusal::TokenOnly),
        }
    }

    /// Refuses whoever may not say what changes something.
    pub(crate) fn writer_only(&self) -> Result<(), Refusal> {
        match self {
            Self::Server(key) if key.scope() == KeyScope::Write => Ok(()),
            Self::Server(_) => Err(Refusal::ReadOnlyKey),
            Self::Browser(_) => Err(Refusal::TokenOnly),
        }
    }

    /// Of whom a reference asks. A browser may ask of its own customer, as `me` or by the key.
    pub(crate) fn subject(&self, reference: &str) -> Result<Subject, Refusal> {
        match self {
            Self::Server(_) => Ok(Subject::Reference(reference.to_owned())),
            Self::Browser(token) => {
                let own = token.customer();
                match reference == ME || reference == own.as_str() {
                    true => Ok(Subject::Customer(own.clone())),
                    false => Err(Refusal::TokenOnly),
                }
            }
        }
    }
}

/// What a browser calls its own customer.
pub(crate) const ME: &str = "me";
