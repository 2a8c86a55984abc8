//! `partner test`: a signed sample to any address, so that a receiving end can be tried.

use super::keys::newest_secret;
use super::target::PartnerArgs;
use crate::root::RootArgs;
use crate::send::sample_report;
use crate::table::readable_error;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use domain::notice::samples;
use jiff::Timestamp;
use local_cloud::guard::is_loopback;
use local_shop::delivery::{agent, set};
use providers::{SignedHeaders, notice_secret, partner, standard};
use runtime::secrets::KeyPurpose;
use std::io::Write;
use store::notice_endpoints::read_endpoint;
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
    /// One notice of every kind instead, made up, as the partner's notice endpoint would get them.
    #[arg(long, conflicts_with = "sample")]
    notices: bool,
    #[command(flatten)]
    root: RootArgs,
}

impl TestDeliveryArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let now = self.target.stage.now()?;
        if self.notices {
            return self.send_notices(now).await;
        }
        let root = self.root.newest(&self.target.stage, KeyPurpose::Partners);
        let root = root.await?;
        let (_, row) = self.target.read_row().await?;
        let body = self.body(now)?;
        let headers = partner::sign(&body, &newest_secret(&root, &row)?, now);
        match self.send(&headers, &body)? {
            true => Ok(()),
            false => bail!("it was not accepted: {SENT_AGAIN}"),
        }
    }

    /// As the partner would get them: under the secret of its notice endpoint, each in its turn.
    async fn send_notices(&self, now: Timestamp) -> anyhow::Result<()> {
        let root = self.root.newest(&self.target.stage, KeyPurpose::Notices);
        let root = root.await?;
        let (table, row) = self.target.read_row().await?;
        let partner = &row.partner;
        let endpoint = read_endpoint(&table, partner).await;
        let endpoint = endpoint.map_err(readable_error)?.with_context(|| {
            format!(
                "{partner} has no notice endpoint, so there is no secret to sign with; \
                 `orangery partner endpoint {partner} ADDRESS` sets one and prints it"
            )
        })?;
        let secret = notice_secret(&root, partner, endpoint.key)?;
        let mut refused = Vec::new();
        let samples = samples::samples(partner, now);
        for (n, notice) in samples.into_iter().enumerate() {
            // Another row for each run, or a receiver would drop the second run's as repetitions.
            let row = format!("test#{now}#{n}");
            let body = serde_json::to_vec(&notice.body(partner, &row))?;
            let headers = standard::sign(&notice.id(partner, &row), &body, &secret, now);
            if !self.send(&headers, &body)? {
                refused.push(notice.kind);
            }
        }
        if !refused.is_empty() {
            bail!("not accepted: {}; {SENT_AGAIN}", refused.join(", "));
        }
        Ok(())
    }

    /// Prints what is sent and what is answered. Whether that was 2xx.
    fn send(&self, headers: &SignedHeaders, body: &[u8]) -> anyhow::Result<bool> {
        let mut out = terminal::stdout();
        writeln!(out, "POST {}", self.to)?;
        for (name, value) in headers {
            writeln!(out, "{name}: {value}")?;
        }
        writeln!(out, "\n{}\n", String::from_utf8_lossy(body))?;
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
            .send(body)
            .with_context(|| format!("nobody answers at {url}"))?;
        let text = answer.body_mut().with_config().limit(MAX_RESPONSE_BYTES);
        let text = text.lossy_utf8(true).read_to_string().unwrap_or_default();
        writeln!(out, "{}\n{}", answer.status(), text.trim_end())?;
        Ok(answer.status().is_success())
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

const SENT_AGAIN: &str = "an answer other than 2xx means that it is sent again";
