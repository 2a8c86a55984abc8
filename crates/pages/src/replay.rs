//! Replay: the raw item of an event once more to its endpoint, signed again.

use crate::console::Console;
use crate::page_result::blocking;
use anyhow::{Context, bail};
use domain::ids::PartnerId;
use domain::record::Entry;
use local_shop::delivery::{Signer, agent};
use providers::{Secret, partner_secret, resend_body, standard};
use serde::Serialize;

/// What the endpoint answered.
#[derive(Serialize)]
pub(crate) struct ReplayResponse {
    pub(crate) status: u16,
    pub(crate) answer: String,
}

impl Console {
    /// Sends it as its sender would send it again.
    pub(crate) async fn replay(&self, entry: &Entry) -> anyhow::Result<ReplayResponse> {
        let now = self.endpoints.clock.now();
        let mut parts = entry.event.id.as_str().splitn(3, '/');
        let (first, second, third) = (parts.next(), parts.next(), parts.next());
        let (Some(first), Some(second), Some(third)) = (first, second, third) else {
            bail!("{} names no sender", entry.event.id);
        };
        let (path, headers, body) = if first == "partner" {
            let partner = PartnerId::parse(second).context("no such partner")?;
            let secret = partner_secret(&Secret::new(&self.shop.master)?, &partner, 1)?;
            let path = format!("/partners/{partner}/events");
            let body = entry.raw.bytes().to_vec();
            (path, standard::sign(third, &body, &secret, now), body)
        } else {
            let provider = providers::provider(first).context("no such provider")?;
            let secret = local_shop::shop::signing_secret(&self.shop, provider);
            let Signer::Provider(_, secret) = Signer::provider(provider, &secret)? else {
                bail!("{first} signs otherwise");
            };
            let body = resend_body(provider, entry);
            let signed = provider.sign_again(third, &body, &secret, now);
            let signed = signed.with_context(|| format!("only {first} itself can sign for it"))?;
            (format!("/webhooks/{first}"), signed, body)
        };
        let url = format!("{}{path}", self.endpoints.gateway_url);
        let sent = blocking(move || {
            let mut request = agent(&url)
                .post(&url)
                .header("content-type", "application/json");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let mut answer = request.send(&body[..])?;
            let text = answer.body_mut().read_to_string().unwrap_or_default();
            Ok((answer.status().as_u16(), text))
        });
        let (status, answer) = sent.await?;
        Ok(ReplayResponse {
            status,
            answer: answer.trim().to_owned(),
        })
    }
}
