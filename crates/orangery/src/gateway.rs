//! Where the gateway is, as commands are told.

use crate::place::asked_by;
use crate::terminal;
use anyhow::bail;
use clap::Args;
use local_cloud::guard::is_loopback;
use runtime::settings::Settings;
use std::io::Write;
use ureq::http::Uri;

/// The gateway's address; without any, the local stack's usual one.
#[derive(Args, Clone, Debug, Default)]
pub struct GatewayArgs {
    /// The local stack's port.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// The gateway's address, if it is not the local stack's usual one.
    #[arg(long, env = "ORANGERY_URL", value_name = "URL")]
    url: Option<String>,
}

impl GatewayArgs {
    /// The address, without a slash at its end; that of the usual stack where none is said.
    pub(crate) fn address(&self) -> String {
        match (self.port, self.url()) {
            (Some(port), _) => format!("http://127.0.0.1:{port}"),
            (None, Some(url)) => url.trim_end_matches('/').to_owned(),
            (None, None) => "http://127.0.0.1:9090".into(),
        }
    }

    /// The same for a command that needs nothing but a gateway. It says on standard error which one
    /// it takes.
    ///
    /// # Errors
    /// When none is said and the environment asks for AWS: nothing says that the stack of this
    /// machine is meant.
    pub fn announced_address(&self) -> anyhow::Result<String> {
        if self.port.is_none()
            && self.url().is_none()
            && let Some(asked) = asked_by(&Settings::from_env())
        {
            bail!(
                "{asked} is set, so the stack of this machine is not taken unasked; say --port \
                 9090 for it, or where the stage's endpoints are with --url or ORANGERY_URL"
            )
        }
        let address = self.address();
        writeln!(terminal::stderr(), "speaking to {}", self.described())?;
        Ok(address)
    }

    /// What is at the address, for people.
    pub(crate) fn described(&self) -> String {
        match self.is_local() {
            true => format!("stage local, the stack at {}", self.address()),
            false => format!("the endpoints at {}", self.address()),
        }
    }

    /// Whether the address is one of this machine.
    pub(crate) fn is_local(&self) -> bool {
        let address = self.address().parse::<Uri>().ok();
        address.is_some_and(|uri| uri.authority().is_some_and(|at| is_loopback(at.as_str())))
    }

    /// Whether an address was said.
    pub(crate) fn is_said(&self) -> bool {
        self.port.is_some() || self.url().is_some()
    }

    /// A variable that is set to nothing names nothing.
    fn url(&self) -> Option<&str> {
        self.url.as_deref().filter(|url| !url.is_empty())
    }
}
