//! One configuration for every AWS client, and one HTTP client behind them all: region and
//! credentials straight from the environment, TLS on ring, bounded waits.

use crate::settings::{BadSetting, Settings};
use crate::trust::http_client;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
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
pub enum AwsService {
    /// The table.
    DynamoDb,
    /// Queues.
    Sqs,
    /// Mail.
    Ses,
    /// Parameters.
    Ssm,
}

impl AwsService {
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

/// AWS as Lambda's environment describes it, and one HTTP client for all its services: their
/// trusted roots are parsed once, and each connection is used again.
pub struct Cloud<'a> {
    base: SdkConfig,
    settings: &'a Settings,
}

/// The HTTP client behind all of them, for whoever finds credentials otherwise; `bundle` is a file
/// of roots as `AWS_CA_BUNDLE` names it.
///
/// # Errors
/// [`BadSetting`] when TLS can't be had.
pub fn shared_http_client(bundle: Option<&str>) -> Result<SharedHttpClient, BadSetting> {
    http_client(bundle).map_err(|error| BadSetting {
        name: "AWS_CA_BUNDLE",
        what: format!("leaves no way to speak TLS ({error})"),
    })
}

impl<'a> Cloud<'a> {
    /// Region and credentials as the environment gives them. `AWS_ENDPOINT_URL` and its forms for
    /// one service redirect them.
    ///
    /// # Errors
    /// [`BadSetting`] when credentials or region are missing, or TLS can't be had.
    pub fn from_settings(settings: &'a Settings) -> Result<Self, BadSetting> {
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
        let http = shared_http_client(settings.optional("AWS_CA_BUNDLE"))?;
        let base = SdkConfig::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .http_client(http)
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
        Ok(Self {
            base: base.build(),
            settings,
        })
    }

    /// The configuration of one service's client.
    pub fn config(&self, service: AwsService) -> SdkConfig {
        let own = self.settings.optional(service.endpoint_variable());
        match own.or(self.settings.optional("AWS_ENDPOINT_URL")) {
            Some(url) => self.base.to_builder().endpoint_url(url).build(),
            None => self.base.clone(),
        }
    }

    /// The table's client.
    pub fn dynamo(&self) -> DynamoClient {
        DynamoClient::new(&self.config(AwsService::DynamoDb))
    }

    /// The queues' client.
    pub fn sqs(&self) -> SqsClient {
        SqsClient::new(&self.config(AwsService::Sqs))
    }

    /// The parameters' client.
    pub fn ssm(&self) -> SsmClient {
        SsmClient::new(&self.config(AwsService::Ssm))
    }
}
