//! Where a command does its work: a stack of this machine, or a deployed stage. Decided from what
//! is typed and what the environment says, before anything is asked of anybody.

use anyhow::bail;
use local_shop::shop::LOCAL_STAGE;
use providers::StageName;
use runtime::settings::Settings;

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A stack of this machine.
    LocalStack,
    /// A deployed stage: its name where one is known, and its table.
    Deployed {
        /// Its name.
        stage: Option<StageName>,
        /// The name of its table.
        table: String,
    },
}

/// What was typed of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PlaceFlags<'a> {
    /// A port of a local stack, by the name of its flag.
    pub(crate) port: Option<&'static str>,
    /// The stage.
    pub(crate) stage: Option<&'a StageName>,
    /// Whether a profile was named.
    pub(crate) profile: bool,
    /// Whether a region was named.
    pub(crate) region: bool,
}

/// Decides it. What is typed goes before the environment; without both it is the local stack.
///
/// # Errors
/// When two things say otherwise, or AWS is asked for and no stage is named.
pub(crate) fn decide(flags: PlaceFlags<'_>, environment: &Settings) -> anyhow::Result<Place> {
    let named = environment.optional(TABLE);
    let of_table = named.and_then(|table| table.strip_prefix(PREFIX));
    let of_table = of_table.and_then(|stage| StageName::parse(stage).ok());
    let is_local = flags
        .stage
        .is_some_and(|stage| stage.as_str() == LOCAL_STAGE);
    if let Some(port) = flags.port.or(is_local.then_some("--stage local")) {
        if let Some(account) = flags.account() {
            bail!(
                "{port} says that a stack of this machine is meant, and {account} an account of \
                 AWS: say one of them"
            )
        }
        return match flags.stage.filter(|_| !is_local) {
            None => Ok(Place::LocalStack),
            Some(stage) => bail!(
                "{port} says that a stack of this machine is meant, whose stage is \
                 `{LOCAL_STAGE}`, and --stage says {stage}: say one of them; a key of one stage \
                 opens nothing of another"
            ),
        };
    }
    let typed = flags.account().or(flags.stage.map(|_| "--stage"));
    let Some(asked) = typed.or_else(|| asked_by(environment)) else {
        return Ok(Place::LocalStack);
    };
    match (flags.stage, of_table, named) {
        (Some(typed), Some(known), _) if *typed != known => bail!(
            "--stage says {typed}, and {TABLE} names the table of {known}; say one of them: a key \
             of one stage opens nothing of another"
        ),
        (Some(stage), _, named) => Ok(Place::Deployed {
            table: named.map_or_else(|| format!("{PREFIX}{stage}"), str::to_owned),
            stage: Some(stage.clone()),
        }),
        (None, stage, Some(table)) => Ok(Place::Deployed {
            stage,
            table: table.to_owned(),
        }),
        (None, _, None) => bail!(
            "{asked} is set, so a stage in AWS is meant and no local stack is taken instead; say \
             which stage, as in --stage test, or say --port 9090 for the stack of this machine"
        ),
    }
}

/// The variable of the environment that asks for AWS, if one does. Files at their usual place do
/// not: nearly everybody who ever used AWS has them.
pub(crate) fn asked_by(environment: &Settings) -> Option<&'static str> {
    let mut asking = ASKING.into_iter();
    asking.find(|name| environment.optional(name).is_some())
}

impl PlaceFlags<'_> {
    /// The flag that says which account of AWS, if one does.
    fn account(self) -> Option<&'static str> {
        match (self.profile, self.region) {
            (true, _) => Some("--profile"),
            (false, true) => Some("--region"),
            (false, false) => None,
        }
    }
}

/// Names the table, and so the stage.
const TABLE: &str = "ORANGERY_TABLE";
/// What the name of a stage's table begins with.
const PREFIX: &str = "orangery-";
/// Any of these, set to something, asks for AWS: who, where, how to find out, or an endpoint in its
/// place.
pub(crate) const ASKING: [&str; 16] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    TABLE,
];

#[cfg(test)]
mod tests;
