//! The table that a command reads: the one the usual AWS variables point at, or a local stack's.

use runtime::aws::{DynamoClient, Service, config};
use runtime::settings::{BadSetting, Settings};
use store::dynamo::DynamoTable;

/// The region local clients sign for.
pub const LOCAL_REGION: &str = "eu-west-3";

/// The port of a local stack's table unless it was told another.
pub const TABLE_PORT: u16 = 8000;

/// The table at a port of this machine; without one, at what `AWS_ENDPOINT_URL(_DYNAMODB)` or
/// AWS credentials in the environment point at; without these, at the local stack's usual port.
///
/// # Errors
/// [`BadSetting`] when the environment names an AWS account only in part.
pub fn open(port: Option<u16>) -> Result<DynamoTable, BadSetting> {
    let environment = Settings::from_env();
    let named = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ACCESS_KEY_ID",
    ];
    let elsewhere = named
        .iter()
        .any(|name| environment.optional(name).is_some());
    let name = environment
        .optional("ORANGERY_TABLE")
        .unwrap_or("orangery")
        .to_owned();
    let settings = match port {
        None if elsewhere => environment,
        Some(_) | None => local(port.unwrap_or(TABLE_PORT)),
    };
    let client = DynamoClient::new(&config(&settings, Service::DynamoDb)?);
    Ok(DynamoTable::new(client, name))
}

fn local(port: u16) -> Settings {
    let url = format!("http://127.0.0.1:{port}");
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", LOCAL_REGION),
        ("AWS_ENDPOINT_URL_DYNAMODB", url.as_str()),
    ];
    Settings::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}
