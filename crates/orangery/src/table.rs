//! The table that a command reads and writes, and its errors in words for who typed the command.

use crate::aws::AwsAccount;
use anyhow::anyhow;
use local_shop::connection::settings_at_port;
use runtime::aws::{Cloud, DynamoClient};
use store::StoreError;
use store::dynamo::DynamoTable;

/// The port of a local stack's table unless it was told another.
pub const TABLE_PORT: u16 = 8000;

/// The table of a local stack, at a port of this machine.
///
/// # Errors
/// When TLS can't be had, which a client wants even where it does without.
pub(crate) fn open_local(port: u16) -> anyhow::Result<DynamoTable> {
    let settings = settings_at_port(port);
    let cloud = Cloud::from_settings(&settings)?;
    Ok(DynamoTable::new(cloud.dynamo(), LOCAL_TABLE))
}

/// A deployed stage's table.
pub(crate) fn open_deployed(account: &AwsAccount, name: &str) -> DynamoTable {
    DynamoTable::new(DynamoClient::new(&account.config), name)
}

/// A table's error as the person at the command line can mend it.
pub fn readable_error(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::NoAnswer(why) => anyhow!(
            "no table answers there ({why}); `cargo run` starts the local stack, --port says where \
             it is, --stage NAME means a deployed stage"
        ),
        StoreError::Invalid(why) if why == "ResourceNotFoundException" => anyhow!(
            "no table of that name is there ({why}): is this the right stage, account and region? \
             --stage, --profile and --region say others, ORANGERY_TABLE another name"
        ),
        StoreError::Invalid(why) if NOT_LET_IN.contains(&&*why) => anyhow!(
            "AWS does not let these credentials in ({why}); `aws sso login` renews a login, \
             --profile names another, and `aws sts get-caller-identity` says whose they are"
        ),
        StoreError::Throttled
        | StoreError::Contended
        | StoreError::Invalid(_)
        | StoreError::TooLarge { .. }
        | StoreError::Unreadable { .. } => error.into(),
    }
}

/// What every local stack's table is called.
const LOCAL_TABLE: &str = "orangery";
/// How AWS says that it does not know who asks, or that who asks may not.
const NOT_LET_IN: [&str; 6] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];
