//! `partner test`: a signed sample to any address, so that a receiving end can be tried.

use super::keys::newest_secret;
use super::target::PartnerArgs;
use crate::send::sample_report;
use crate::stage::RootArgs;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use local_cloud::guard::is_loopback;
use local_shop::delivery::{agent, set};
use providers::partner;
use runtime::secrets::KeyPurpose;
use std::io::Write;
use ureq::http::Uri;

/// What is sent, and where.
#[derive(Args)]
pub struct TestDeliveryArgs {
    #[command(flatten)]
    target: PartnerArgs,
    /// Where to; https, or http on this machine.
    #[arg(value_parser = destination)]
    to: Uri,
    /// A report of that name, as `orangery send` knows them; without it one of a type that our
    /// own partner endpoint verifies and then ignores.
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,
    #[command(flatten)]
    root: RootArgs,
}

impl TestDeliveryArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let root = self.root.newest(&self.target.stage, KeyPurpose::Partners)?;
        let (_, row) = self.target.read_row().await?;
        let now = self.target.stage.now()?;
        let body = self.body(now)?;
        let headers = partner::sign(&body, &newest_secret(&root, &row)?, now);
        let mut out = terminal::stdout();
        writeln!(out, "POST {}", self.to)?;
        for (name, value) in &headers {
            writeln!(out, "{name}: {value}")?;
        }
        writeln!(out, "\n{}\n", String::from_utf8_lossy(&body))?;
        let url = self.to.to_string();
        let request = agent(&url)
            .post(&url)
            .config()
            .max_redirects(0)
            .build()
            .header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, value)
        });
        let mut answer = request
            .send(&body[..])
            .with_context(|| format!("nobody answers at {url}"))?;
        let text = answer.body_mut().with_config().limit(MAX_RESPONSE_BYTES);
        let text = text.lossy_utf8(true).read_to_string().unwrap_or_default();
        writeln!(out, "{}\n{}", answer.status(), text.trim_end())?;
        if !answer.status().is_success() {
            bail!("it was not accepted: an answer other than 2xx means that it is sent again");
        }
        Ok(())
    }

    fn body(&self, now: Timestamp) -> anyhow::Result<Vec<u8>> {
        let name = self.sample.as_deref().unwrap_or("referral.created");
        let mut body = sample_report(name, now)?;
        if self.sample.is_none() {
            set(&mut body, "type", "partner.test".into())?;
        }
        Ok(serde_json::to_vec(&body)?)
    }
}

fn destination(text: &str) -> Result<Uri, String> {
    let to: Uri = text.parse().map_err(|_| "is not an address".to_owned())?;
    let authority = to.authority().map(ToString::to_string).unwrap_or_default();
    match to.scheme_str() {
        _ if authority.is_empty() || authority.contains('@') => {
            Err("names no host, or a user: write https://HOST/PATH".to_owned())
        }
        Some("https") => Ok(to),
        Some("http") if is_loopback(&authority) => Ok(to),
        Some(_) | None => Err("must be https; http is for this machine alone".to_owned()),
    }
}

/// Of an answer so much is shown.
const MAX_RESPONSE_BYTES: u64 = 4_096;
