//! How a client reaches a local stack: settings, and its table through the real SDK.

use local_cloud::StackEndpoints;
use runtime::aws::Cloud;
use runtime::settings::{BadSetting, Settings};
use store::dynamo::DynamoTable;

/// The region local clients sign for.
pub const LOCAL_REGION: &str = "eu-west-3";

/// The clients' settings for a table at a port of this machine.
pub fn settings_at_port(port: u16) -> Settings {
    let url = format!("http://127.0.0.1:{port}");
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", LOCAL_REGION),
        ("AWS_ENDPOINT_URL_DYNAMODB", &url),
    ];
    Settings::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// The clients' settings for a stack: its endpoints, and credentials that open nothing.
pub fn settings(endpoints: &StackEndpoints) -> Settings {
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", LOCAL_REGION),
        ("AWS_ENDPOINT_URL", &endpoints.aws_url),
        ("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.table_url),
    ];
    Settings::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

/// The stack's table through the real SDK.
///
/// # Errors
/// [`BadSetting`].
pub fn dynamo_table(endpoints: &StackEndpoints) -> Result<DynamoTable, BadSetting> {
    let settings = settings(endpoints);
    let client = Cloud::from_settings(&settings)?.dynamo();
    Ok(DynamoTable::new(client, &endpoints.table_name))
}
