//! One configuration for every AWS client: region and credentials straight from the
//! environment, TLS on ring, bounded waits.

use crate::settings::{BadSetting, Settings};
use crate::trust::http_client;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use std::time::Duration;

pub use aws_sdk_dynamodb::Client as DynamoClient;
pub use aws_sdk_sqs::Client as SqsClient;
pub use aws_sdk_ssm::Client as SsmClient;
pub use aws_types::SdkConfig;

/// A service that we call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The table.
    DynamoDb,
    /// Queues.
    Sqs,
    /// Mail.
    Ses,
    /// Parameters.
    Ssm,
}

impl Service {
    /// The variable by which the official tools, too, are sent elsewhere.
    fn endpoint_variable(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Sqs => "AWS_ENDPOINT_URL_SQS",
            Self::Ses => "AWS_ENDPOINT_URL_SESV2",
            Self::Ssm => "AWS_ENDPOINT_URL_SSM",
        }
    }
}

/// The configuration of one service's client that Lambda's environment describes.
/// `AWS_ENDPOINT_URL` and its forms for one service redirect it.
///
/// # Errors
/// [`BadSetting`] when credentials or region are missing.
pub fn config(settings: &Settings, service: Service) -> Result<SdkConfig, BadSetting> {
    let token = settings.optional("AWS_SESSION_TOKEN").map(str::to_owned);
    let credentials = Credentials::new(
        settings.required("AWS_ACCESS_KEY_ID")?,
        settings.required("AWS_SECRET_ACCESS_KEY")?,
        token,
        None,
        "environment",
    );
    let region = match settings.optional("AWS_REGION") {
        Some(region) => region,
        None => settings.required("AWS_DEFAULT_REGION")?,
    };
    let config = SdkConfig::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .http_client(http_client(settings.optional("AWS_CA_BUNDLE")))
        // A safeguard for long bodies; ours are a few kilobytes under a time-out.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(1))
                .operation_attempt_timeout(Duration::from_secs(3))
                .build(),
        );
    let endpoint = settings.optional(service.endpoint_variable());
    Ok(match endpoint.or(settings.optional("AWS_ENDPOINT_URL")) {
        Some(url) => config.endpoint_url(url).build(),
        None => config.build(),
    })
}
