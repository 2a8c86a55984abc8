//! Why a request gets no answer of its own: words for people, a code for programs.

use domain::entitlement::BadWant;
use providers::CredentialError;
use runtime::http::HttpResponse;
use runtime::secrets::SecretsError;
use serde::Serialize;
use store::StoreError;

/// Why a request gets no answer of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(
        "a token opens what its own customer may use, and nothing else: ask for `me`, or with a \
         key of the shop's server"
    )]
    TokenOnly,
    #[error("this key may only ask; usage is told with one of scope write")]
    ReadOnlyKey,
    #[error(
        "this customer's browsers ask more than five times a second, and 50 times at once; ask \
         again in {seconds} seconds"
    )]
    TooFast {
        /// How long to wait.
        seconds: i64,
    },
    #[error("nothing is at this address; openapi.json beside this function lists what there is")]
    NoSuchAddress,
    #[error("this address takes {allow} and nothing else")]
    WrongMethod {
        /// What it takes.
        allow: &'static str,
    },
    #[error("a reference has at most 1000 bytes, and none that was given out is longer")]
    ReferenceTooLong,
    #[error("the query {what}")]
    Query {
        /// What is wrong with it.
        what: &'static str,
    },
    #[error("the body can't be read: {0}")]
    Body(String),
    #[error(
        "the body has more than {kilobytes} kB, and nothing that is asked or told is that long"
    )]
    BodyTooLarge {
        /// How much it may have.
        kilobytes: usize,
    },
    #[error("`{name}` {what}")]
    Field {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    #[error(transparent)]
    Want(#[from] BadWant),
    #[error(
        "no customer is known by that reference; a customer is known once the provider has \
         reported something of it"
    )]
    UnknownCustomer,
    #[error(
        "{count} customers share that reference, and this is for one: name it by its key, \
         provider/mode/id"
    )]
    SeveralCustomers {
        /// How many of them are known here.
        count: usize,
    },
    #[error("nothing can be verified at the moment; ask again later")]
    Secrets(#[from] SecretsError),
    #[error("this could not be read at the moment; ask again later")]
    Table(#[from] StoreError),
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Refusal"))]
pub(crate) struct RefusalBody {
    code: &'static str,
    error: String,
}

impl Refusal {
    /// A short, stable word for programs and logs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Credential(error) => error.code(),
            Self::TokenOnly | Self::ReadOnlyKey => "out_of_scope",
            Self::TooFast { .. } => "too_fast",
            Self::NoSuchAddress => "unknown_address",
            Self::WrongMethod { .. } => "wrong_method",
            Self::ReferenceTooLong => "reference_too_long",
            Self::Query { .. } => "malformed_query",
            Self::Body(_) => "malformed_body",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::Field { .. } | Self::Want(_) => "invalid_field",
            Self::UnknownCustomer => "unknown_customer",
            Self::SeveralCustomers { .. } => "several_customers",
            Self::Secrets(_) | Self::Table(_) => "unavailable",
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Credential(_) => 401,
            Self::TokenOnly | Self::ReadOnlyKey => 403,
            Self::NoSuchAddress | Self::UnknownCustomer => 404,
            Self::WrongMethod { .. } => 405,
            Self::SeveralCustomers { .. } => 409,
            Self::BodyTooLarge { .. } => 413,
            Self::ReferenceTooLong => 414,
            Self::TooFast { .. } => 429,
            Self::Query { .. } | Self::Body(_) => 400,
            Self::Field { .. } | Self::Want(_) => 422,
            Self::Secrets(_) | Self::Table(_) => 503,
        }
    }

    /// One line for whoever reads the log: never a reference, an address or a credential.
    pub(crate) fn log(&self, operation: &str) {
        let code = self.code();
        match self {
            Self::Secrets(why) => {
                tracing::error!(verdict = "unverifiable", operation, why = %why);
            }
            Self::Table(why) => {
                tracing::error!(verdict = "not_readable", operation, why = %why);
            }
            Self::Credential(_) => {
                tracing::warn!(
                    verdict = "refused",
                    operation,
                    why = code,
                    metrics = "refused"
                );
            }
            Self::TokenOnly
            | Self::ReadOnlyKey
            | Self::TooFast { .. }
            | Self::NoSuchAddress
            | Self::WrongMethod { .. }
            | Self::ReferenceTooLong
            | Self::Query { .. }
            | Self::Body(_)
            | Self::BodyTooLarge { .. }
            | Self::Field { .. }
            | Self::Want(_)
            | Self::UnknownCustomer
            | Self::SeveralCustomers { .. } => {
                tracing::info!(verdict = "not_answered", operation, why = code);
            }
        }
    }
}

impl From<Refusal> for HttpResponse {
    fn from(refusal: Refusal) -> Self {
        let body = RefusalBody {
            code: refusal.code(),
            error: refusal.to_string(),
        };
        let response = Self::json(refusal.status(), &body);
        match refusal {
            Refusal::Credential(_) => response.with_header("www-authenticate", "Bearer"),
            Refusal::WrongMethod { allow } => response.with_header("allow", allow),
            Refusal::TooFast { seconds } => {
                response.with_header("retry-after", seconds.to_string())
            }
            Refusal::TokenOnly
            | Refusal::ReadOnlyKey
            | Refusal::NoSuchAddress
            | Refusal::ReferenceTooLong
            | Refusal::Query { .. }
            | Refusal::Body(_)
            | Refusal::BodyTooLarge { .. }
            | Refusal::Field { .. }
            | Refusal::Want(_)
            | Refusal::UnknownCustomer
            | Refusal::SeveralCustomers { .. }
            | Refusal::Secrets(_)
            | Refusal::Table(_) => response,
        }
    }
}
