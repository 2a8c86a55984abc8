//! `orangery connect`: what to do at a payment provider so that its events come, in its own words;
//! then the first that arrives, or why it was refused.

use crate::live_webhook::{self, GivenSecret};
use crate::place::Place;
use crate::request_lines::write_line;
use crate::request_log::{self, RequestLine};
use crate::send::known_providers;
use crate::stage::StageArgs;
use crate::table::readable_error;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use local_shop::catalog_draft::CatalogDraft;
use local_shop::delivery::{agent, no_answer_message};
use local_shop::shop::local_secret;
use providers::{Provider, provider};
use serde::Deserialize;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Which provider, and what is known of it.
#[derive(Args)]
pub struct ConnectArgs {
    /// The payment provider.
    #[arg(value_name = "PROVIDER", value_parser = known_provider)]
    provider: &'static Provider,
    /// A webhook secret that the provider showed; the running stack takes it at once. May be
    /// repeated.
    #[arg(
        long = "secret",
        value_name = "SECRET",
        env = "ORANGERY_SECRET",
        hide_env_values = true
    )]
    secrets: Vec<String>,
    /// Writes the catalog that is shown into a new file.
    #[arg(long, value_name = "FILE")]
    write_catalog: Option<PathBuf>,
    /// Says what to do, and waits for nothing.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    stage: StageArgs,
}

impl ConnectArgs {
    /// Says it, and waits.
    ///
    /// # Errors
    /// In words for whoever typed it.
    pub async fn run(self) -> anyhow::Result<()> {
        for secret in &self.secrets {
            check_secret(self.provider, secret)?;
        }
        match self.stage.place()? {
            Place::LocalStack => self.connect_stack().await,
            Place::Deployed { .. } => self.describe_deployed(),
        }
    }

    async fn connect_stack(&self) -> anyhow::Result<()> {
        let table = self.stage.table().await?;
        let gateway = self.stage.gateway.address();
        let before = lines_after(&gateway, 0)?
            .last()
            .map_or(0, |last| last.number);
        for secret in &self.secrets {
            give_secret(&gateway, self.provider, secret)?;
        }
        let url = format!("{gateway}/webhooks/{}", self.provider.name());
        self.describe(&url, &self.secret_place(), true)?;
        let draft = CatalogDraft::read(&table, self.provider.name()).await;
        self.show_catalog(&draft.map_err(readable_error)?)?;
        match self.no_wait {
            true => Ok(()),
            false => self.wait(&gateway, before).await,
        }
    }

    /// The steps, numbered as they are done.
    fn describe(&self, url: &str, secret_place: &str, is_local: bool) -> anyhow::Result<()> {
        let (name, setup) = (self.provider.name(), self.provider.setup());
        let mut out = terminal::stdout();
        match setup.forward_line(url).filter(|_| is_local) {
            Some(line) => writeln!(
                out,
                "1. Its own tool forwards test events here:\n\n{line}\n\n   Or the endpoint {url} \
                 is entered in {}\n",
                setup.endpoint
            )?,
            None => writeln!(
                out,
                "1. The endpoint is\n\n{url}\n\n   It is entered in {}{}\n",
                setup.endpoint,
                if is_local { TUNNEL } else { "" }
            )?,
        }
        writeln!(out, "2. Its secret: {}. {secret_place}\n", setup.secret)?;
        match setup.event_line() {
            Some(line) => writeln!(out, "3. The events to choose for an endpoint:\n\n{line}\n")?,
            None => writeln!(
                out,
                "3. There are no events to choose: {name} sends every event there is, and what is \
                 of no use is answered and left alone\n"
            )?,
        }
        Ok(())
    }

    fn secret_place(&self) -> String {
        let name = self.provider.name();
        if !self.secrets.is_empty() {
            return format!(
                "The one that you gave is in force now, until this stack ends; `orangery dev \
                 --secret {name}=…` begins with it"
            );
        }
        let port = match self.stage.gateway.port {
            Some(port) => format!(" --port {port}"),
            None => String::new(),
        };
        format!(
            "Give it to the running stack with\n\norangery connect {name} --secret …{port}\n\n   \
             Until then the stack takes what is signed with {}, as `orangery send` does",
            local_secret(name)
        )
    }

    fn show_catalog(&self, draft: &CatalogDraft) -> anyhow::Result<()> {
        let known = self.stage.catalog(None)?.unwrap_or_default();
        let (name, mut out) = (self.provider.name(), terminal::stdout());
        let Some(text) = draft.text(&known) else {
            match draft.len() {
                0 => writeln!(
                    out,
                    "4. No event of {name} has named a price yet; say this again once one has, and \
                     a catalog with it is written here\n"
                )?,
                seen => writeln!(
                    out,
                    "4. The stack's catalog names all {seen} prices that events of {name} named\n"
                )?,
            }
            return Ok(());
        };
        writeln!(
            out,
            "4. Your prices as the events so far name them. Call them what your customers do, and \
             start the stack with `--catalog FILE`:\n\n{text}\n"
        )?;
        let Some(file) = &self.write_catalog else {
            return Ok(());
        };
        let new = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(file);
        let mut new =
            new.with_context(|| format!("{} is not written: only a new file is", file.display()))?;
        writeln!(new, "{text}")?;
        writeln!(out, "   It is in {}\n", file.display())?;
        Ok(())
    }

    /// Until an event comes that is believed; each that is refused is shown, with the reason.
    async fn wait(&self, gateway: &str, before: u64) -> anyhow::Result<()> {
        let name = self.provider.name();
        let mut out = terminal::stdout();
        let in_color = out.takes_color();
        writeln!(
            out,
            "waiting for the first event of {name}; Ctrl-C ends this"
        )?;
        out.flush()?;
        let mut seen = before;
        loop {
            for line in lines_after(gateway, seen)? {
                seen = line.number;
                if line.sender != name {
                    continue;
                }
                write_line(&mut out, &line, in_color)?;
                match self.advice(&line) {
                    Some(advice) => writeln!(out, "{advice}")?,
                    None => {
                        writeln!(out, "{name} is connected")?;
                        return Ok(());
                    }
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What to do about an event that was not taken; none where it was.
    fn advice(&self, line: &RequestLine) -> Option<String> {
        match line.status {
            _ if line.status < 400 => None,
            401 | 403 | 498 => Some(format!(
                "   refused: {}. Is the secret that of this endpoint? {}; give it with --secret",
                line.cause
                    .as_deref()
                    .unwrap_or("nothing proves who sent it"),
                self.provider.setup().secret
            )),
            _ => Some(format!(
                "   refused: {}",
                line.cause.as_deref().unwrap_or("the answer says no more")
            )),
        }
    }

    /// A deployed stage: its secrets are in Parameter Store and its events in logs, where this
    /// command does not look.
    fn describe_deployed(&self) -> anyhow::Result<()> {
        let (name, stage) = (self.provider.name(), self.stage.name()?);
        let base = match self.stage.gateway.is_said() {
            true => self.stage.gateway.address(),
            false => "$ORANGERY_URL".to_owned(),
        };
        let mut out = terminal::stdout();
        writeln!(
            terminal::stderr(),
            "about stage {stage}; nothing is asked of it"
        )?;
        if !self.stage.gateway.is_said() {
            writeln!(
                out,
                "export ORANGERY_URL=$(aws cloudformation describe-stacks --stack-name \
                 orangery-{stage} --query \"Stacks[0].Outputs[?OutputKey=='ApiUrl'].OutputValue\" \
                 --output text)\n"
            )?;
        }
        let place = format!(
            "It goes into a parameter, and is in force within a minute:\n\naws ssm put-parameter \
             --type SecureString --name /orangery/{stage}/{name}/webhook-secrets --value …"
        );
        self.describe(&format!("{base}/webhooks/{name}"), &place, false)?;
        writeln!(
            out,
            "4. What arrives, and why something is refused, is in the stage's log:\n\naws logs \
             tail /orangery/{stage}/functions --follow --filter-pattern '{{ $.provider = \
             \"{name}\" }}'"
        )?;
        Ok(())
    }
}

/// What to say of a text that plainly is no webhook secret; never the text.
pub fn not_a_secret(provider: &Provider, what: &str) -> String {
    format!(
        "is {what}, and no webhook secret of {}: {}. Nothing was done with it",
        provider.name(),
        provider.setup().secret
    )
}

fn check_secret(provider: &Provider, secret: &str) -> anyhow::Result<()> {
    if let Some(what) = provider.setup().mistaken_for(secret) {
        bail!("what --secret gives {}", not_a_secret(provider, what))
    }
    let read = provider.secrets([secret]);
    read.map(drop).with_context(|| {
        format!(
            "what --secret gives can't be used: {}",
            provider.setup().secret
        )
    })
}

fn give_secret(gateway: &str, provider: &Provider, secret: &str) -> anyhow::Result<()> {
    let url = format!("{gateway}{}/{}", live_webhook::PATH, provider.name());
    let given = GivenSecret {
        secret: secret.to_owned(),
    };
    let answer = agent(&url).post(&url).send_json(&given);
    let mut answer = answer.with_context(|| no_answer_message(gateway))?;
    match answer.status().as_u16() {
        204 => Ok(()),
        other => bail!(
            "the stack does not take that secret ({other}): {}",
            answer
                .body_mut()
                .read_to_string()
                .unwrap_or_default()
                .trim()
        ),
    }
}

fn lines_after(gateway: &str, number: u64) -> anyhow::Result<Vec<RequestLine>> {
    #[derive(Deserialize)]
    struct Lines {
        requests: Vec<RequestLine>,
    }
    let url = format!("{gateway}{}?after={number}", request_log::PATH);
    let answer = agent(&url).get(&url).call();
    let mut answer = answer.with_context(|| no_answer_message(gateway))?;
    if !answer.status().is_success() {
        bail!(
            "what answers at {gateway} is no local stack of this version; --port says where it is"
        )
    }
    Ok(answer.body_mut().read_json::<Lines>()?.requests)
}

fn known_provider(name: &str) -> Result<&'static Provider, String> {
    provider(name).ok_or_else(|| format!("is not a provider; there are: {}", known_providers()))
}

const TUNNEL: &str = "; nothing of theirs reaches this machine, so a tunnel of yours makes the \
     address public, with the same path";
/// Between two looks at the stack.
const POLL: Duration = Duration::from_millis(400);
