//! AWS as the command reaches it: credentials and region by the SDK's own chain (environment,
//! profiles, SSO, web identity), and whose account that is. Functions take theirs from Lambda's
//! environment instead, and link none of this.

use anyhow::{Context, bail};
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_types::SdkConfig;
use local_shop::connection::LOCAL_REGION;
use runtime::settings::Settings;
use std::time::Duration;

/// An account and a region of AWS, or an endpoint in its place.
#[derive(Clone, Debug)]
pub(crate) struct AwsAccount {
    /// What clients are made from.
    pub(crate) config: SdkConfig,
    /// Its number, or why it is unknown.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// The profile whose credentials these are, where one was named.
    pub(crate) profile: Option<String>,
}

/// Which account and region are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountFlags<'a> {
    /// `--profile`: its credentials count, whatever keys the environment holds.
    pub(crate) profile: Option<&'a str>,
    /// `--region`.
    pub(crate) region: Option<&'a str>,
}

/// Finds region and credentials, and asks whose they are.
///
/// # Errors
/// When there is no region or there are no credentials.
pub(crate) async fn connect(
    flags: AccountFlags<'_>,
    environment: &Settings,
) -> anyhow::Result<AwsAccount> {
    let bundle = environment.optional("AWS_CA_BUNDLE");
    let http = runtime::aws::shared_http_client(bundle).context("TLS can't be had")?;
    let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
    let named = named.iter().find_map(|name| environment.optional(name));
    let profile = flags.profile.or(named);
    let chain = ProviderConfig::default().with_http_client(http.clone());
    let said = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let said = said.iter().find_map(|name| environment.optional(name));
    let region = match flags.region.or(said) {
        Some(region) => Some(Region::new(region.to_owned())),
        None if is_stand_in(flags, environment) => Some(Region::from_static(LOCAL_REGION)),
        None => region_of_profile(profile, &chain).await,
    };
    let region = region.with_context(|| no_region(profile))?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(region.clone())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(bounds());
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(profile) = flags.profile {
        let chain = chain.with_region(Some(region.clone()));
        let own = ProfileFileCredentialsProvider::builder().configure(&chain);
        loader = loader.credentials_provider(own.profile_name(profile).build());
    } else if is_stand_in(flags, environment) {
        // An endpoint of one's own seldom asks who is there.
        let nobody = Credentials::new("local", "local", None, None, "local");
        loader = loader.credentials_provider(nobody);
    }
    let config = loader.load().await;
    check_credentials(&config, profile).await?;
    let account = match asks_whose(&config, flags, environment) {
        true => account_of(&config).await,
        false => "unknown (an endpoint stands in for AWS)".to_owned(),
    };
    Ok(AwsAccount {
        config,
        account,
        region: region.to_string(),
        profile: profile.map(str::to_owned),
    })
}

/// The region that a profile of AWS's configuration says; of the default one where none is named.
async fn region_of_profile(profile: Option<&str>, chain: &ProviderConfig) -> Option<Region> {
    let mut regions = ProfileFileRegionProvider::builder().configure(chain);
    if let Some(profile) = profile {
        regions = regions.profile_name(profile);
    }
    regions.build().region().await
}

/// Whether an endpoint stands in for AWS and nothing says with which credentials it is asked.
fn is_stand_in(flags: AccountFlags<'_>, environment: &Settings) -> bool {
    let says = |name: &&str| environment.optional(name).is_some();
    flags.profile.is_none() && ENDPOINTS.iter().any(says) && !CREDENTIALS.iter().any(says)
}

/// Whether it can be asked whose credentials these are: where one service alone is stood in for,
/// the others are AWS's own, which those credentials are none of the business of.
fn asks_whose(config: &SdkConfig, flags: AccountFlags<'_>, environment: &Settings) -> bool {
    let says = |name: &str| environment.optional(name).is_some();
    let is_redirected = says("AWS_ENDPOINT_URL_STS") || config.endpoint_url().is_some();
    match says("AWS_ENDPOINT_URL_DYNAMODB") {
        true => is_redirected && !is_stand_in(flags, environment),
        false => !is_stand_in(flags, environment),
    }
}

async fn check_credentials(config: &SdkConfig, profile: Option<&str>) -> anyhow::Result<()> {
    let Some(provider) = config.credentials_provider() else {
        bail!("{}", no_credentials(profile))
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => {
            // What is below says which file, profile or service; none of it says a secret.
            let error: &dyn std::error::Error = &error;
            let cause = std::iter::successors(Some(error), |error| error.source());
            let cause = cause.last().map(ToString::to_string).unwrap_or_default();
            bail!("{} ({cause})", no_credentials(profile))
        }
    }
}

/// The account's number, or why it is not known. One try: nothing but a line of text rests on it.
async fn account_of(config: &SdkConfig) -> String {
    let own = aws_sdk_sts::config::Builder::from(config).retry_config(RetryConfig::disabled());
    let client = aws_sdk_sts::Client::from_conf(own.build());
    match client.get_caller_identity().send().await {
        Ok(identity) => identity.account.unwrap_or_else(|| "unknown".to_owned()),
        Err(error) => {
            let code = error.code().unwrap_or("no answer");
            format!("unknown (asked who this is: {code})")
        }
    }
}

fn bounds() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .build()
}

fn no_region(profile: Option<&str>) -> String {
    let place = match profile {
        Some(profile) => format!(
            " of the profile {profile} (`aws configure list-profiles` names those there are)"
        ),
        None => String::new(),
    };
    format!(
        "nothing says in which region the stage is: say --region, set AWS_REGION, or write \
         `region = …` into the configuration{place}"
    )
}

fn no_credentials(profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!(
            "no credentials of AWS are found for the profile {profile}, so nothing was asked or \
             changed; `aws sso login --profile {profile}` or `aws configure --profile {profile}` \
             brings them, `aws configure list-profiles` names those there are, and --port 9090 \
             means the stack of this machine instead"
        ),
        None => "no credentials of AWS are found, so nothing was asked or changed; say --profile \
             NAME, log in with `aws sso login` or `aws configure`, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY; --port 9090 means the stack of this machine instead"
            .to_owned(),
    }
}

/// What stands in for AWS.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"];
/// What says whose credentials count.
const CREDENTIALS: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];
