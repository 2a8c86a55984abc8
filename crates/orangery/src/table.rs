//! The table that a command reads: the one the usual AWS variables point at, or a local stack's.

use anyhow::anyhow;
use local_shop::connection::LOCAL_REGION;
use runtime::aws::Cloud;
use runtime::settings::{BadSetting, Settings};
use store::StoreError;
use store::dynamo::DynamoTable;

/// What the name of the table of bank accounts ends in.
const ACCOUNTS: &str = "-accounts";

/// The port of a local stack's table unless it was told another.
pub const TABLE_PORT: u16 = 8000;

/// The table at a port of this machine; without one, at what `AWS_ENDPOINT_URL(_DYNAMODB)` or
/// AWS credentials in the environment point at; without these, at the local stack's usual port.
///
/// # Errors
/// When the environment names an AWS account only in part.
pub fn open(port: Option<u16>) -> anyhow::Result<DynamoTable> {
    open_named(port, "")
}

/// The table beside it that holds partners' bank accounts: its name with `-accounts` behind it. A
/// local stack has one table for all.
///
/// # Errors
/// As of [`open`].
pub fn open_accounts(port: Option<u16>) -> anyhow::Result<DynamoTable> {
    match table_location(port) {
        TableLocation::Port(_) => open(port),
        TableLocation::Endpoint | TableLocation::Account => open_named(port, ACCOUNTS),
    }
}

fn open_named(port: Option<u16>, ending: &str) -> anyhow::Result<DynamoTable> {
    let environment = Settings::from_env();
    let name = environment.optional("ORANGERY_TABLE").unwrap_or("orangery");
    let name = format!("{name}{ending}");
    let settings = match table_location(port) {
        TableLocation::Port(port) => local_settings(port),
        // An endpoint of one's own seldom asks who is there.
        TableLocation::Endpoint => dummy_credentials().overlaid(&environment),
        TableLocation::Account => environment,
    };
    let cloud = Cloud::from_settings(&settings).map_err(|BadSetting { name, what }| {
        anyhow!(
            "{name} {what}, while other AWS variables of the environment name a table to read; \
             set it too, or say --table-port {TABLE_PORT} for the local stack's"
        )
    })?;
    Ok(DynamoTable::new(cloud.dynamo(), name))
}

/// Whether the table is one of this machine, or behind an endpoint of one's own.
pub fn is_local(port: Option<u16>) -> bool {
    match table_location(port) {
        TableLocation::Port(_) | TableLocation::Endpoint => true,
        TableLocation::Account => false,
    }
}

/// The stage whose table the environment names, where its name is that of a stage's table.
pub fn stage_of_table() -> Option<String> {
    let environment = Settings::from_env();
    let name = environment.optional("ORANGERY_TABLE")?;
    name.strip_prefix("orangery-").map(str::to_owned)
}

/// The port of the local stack's table that is meant, if it is a local stack's.
pub fn local_port(port: Option<u16>) -> Option<u16> {
    match table_location(port) {
        TableLocation::Port(port) => Some(port),
        TableLocation::Endpoint | TableLocation::Account => None,
    }
}

/// Where the table is.
enum TableLocation {
    Port(u16),
    Endpoint,
    Account,
}

fn table_location(port: Option<u16>) -> TableLocation {
    let environment = Settings::from_env();
    let given = |name: &str| environment.optional(name).is_some();
    match port {
        Some(port) => TableLocation::Port(port),
        None if given("AWS_ENDPOINT_URL") || given("AWS_ENDPOINT_URL_DYNAMODB") => {
            TableLocation::Endpoint
        }
        None if given("AWS_ACCESS_KEY_ID") => TableLocation::Account,
        None => TableLocation::Port(TABLE_PORT),
    }
}

/// A table's error as the person at the command line can mend it.
pub fn readable_error(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::NoAnswer(why) => anyhow!(
            "no table answers there ({why}); start the stack with `cargo run`, or say where it is \
             with --table-port or the usual AWS variables"
        ),
        StoreError::Invalid(why) if why == "ResourceNotFoundException" => {
            anyhow!("no table of that name is there ({why}); ORANGERY_TABLE names another")
        }
        StoreError::Throttled
        | StoreError::Contended
        | StoreError::Invalid(_)
        | StoreError::TooLarge { .. }
        | StoreError::Unreadable { .. } => error.into(),
    }
}

fn local_settings(port: u16) -> Settings {
    let url = format!("http://127.0.0.1:{port}");
    dummy_credentials().overlaid(&Settings::new([(
        "AWS_ENDPOINT_URL_DYNAMODB".to_owned(),
        url,
    )]))
}

/// Credentials that open nothing.
fn dummy_credentials() -> Settings {
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", LOCAL_REGION),
    ];
    Settings::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}
