//! Where the gateway is, as commands are told.

use clap::Args;
use local_cloud::guard::is_loopback;
use ureq::http::Uri;

/// The gateway's address; without any, the local stack's usual one.
#[derive(Args)]
pub struct GatewayArgs {
    /// The local stack's port.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// The gateway's address, if it is not the local stack's usual one.
    #[arg(long, env = "ORANGERY_URL", value_name = "URL")]
    url: Option<String>,
}

impl GatewayArgs {
    /// The address, without a slash at its end.
    pub fn address(&self) -> String {
        match (self.port, self.url()) {
            (Some(port), _) => format!("http://127.0.0.1:{port}"),
            (None, Some(url)) => url.trim_end_matches('/').to_owned(),
            (None, None) => "http://127.0.0.1:9090".into(),
        }
    }

    /// Whether the address is one of this machine.
    pub(crate) fn is_local(&self) -> bool {
        let address = self.address().parse::<Uri>().ok();
        address.is_some_and(|uri| uri.authority().is_some_and(|at| is_loopback(at.as_str())))
    }

    /// A variable that is set to nothing names nothing.
    fn url(&self) -> Option<&str> {
        self.url.as_deref().filter(|url| !url.is_empty())
    }
}
