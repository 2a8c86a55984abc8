//! The command `orangery`.

mod examples;

use crate::examples::with_examples;
use anyhow::{Context, anyhow, bail};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use jiff::Timestamp;
use local_cloud::clock::parse_moment;
use local_shop::chaos::Chaos;
use local_shop::saved_request::DiagnosisContext;
use local_shop::shop::{Shop, shop_file};
use local_shop::{clock, samples};
use orangery::check::{CheckArgs, catalog_path};
use orangery::connect::{ConnectArgs, not_a_secret};
use orangery::customer::CustomerArgs;
use orangery::dev::{self, DevOptions};
use orangery::gateway::GatewayArgs;
use orangery::send::{self, SendOptions};
use orangery::terminal;
use orangery::{calendar, doctor, table};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a shop puts behind its payment provider's and its partners' webhooks.
///
/// Without a command it starts the local stack, as `dev` does.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dev: DevArgs,
}

#[derive(Subcommand)]
enum Command {
    /// The local stack with sample customers in it; what `cargo run` starts.
    Dev(DevArgs),
    /// What to do at a payment provider so that its events come, and whether they do.
    Connect(ConnectArgs),
    /// One customer's record, built from the journal.
    Customer(CustomerArgs),
    /// Signs and delivers a sample, a file or a story.
    Send(Box<SendArgs>),
    /// Reads or moves the local stack's clock.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// What falls due by time.
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// Partners: their keys, terms, codes and statements.
    #[command(subcommand)]
    Partner(orangery::partner::PartnerCommand),
    /// Keys with which the shop's own code asks.
    #[command(subcommand)]
    Key(orangery::key::KeyCommand),
    /// Whether the shop's file and its catalog can be used.
    Check(CheckArgs),
    /// What is wrong, and what to do about it.
    #[command(subcommand)]
    Doctor(DoctorCommand),
    /// E-mails.
    #[command(subcommand)]
    Mail(orangery::preview::MailCommand),
    /// What completes these commands in a shell, to be sourced.
    Completion {
        /// bash, zsh or fish.
        shell: Shell,
    },
}

#[derive(Args)]
struct DevArgs {
    /// Where webhooks come in; 0 takes any free port.
    #[arg(long, default_value_t = 9090)]
    port: u16,
    /// Where the table answers; 0 takes any free port.
    #[arg(long, default_value_t = table::TABLE_PORT)]
    table_port: u16,
    /// Keep everything in this folder instead of in memory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Start empty, without the sample customers.
    #[arg(long)]
    no_samples: bool,
    /// Show nothing of what comes: without it, a line for each event.
    #[arg(long)]
    quiet: bool,
    /// A webhook secret in force, as in stripe=whsec_…; may be repeated.
    #[arg(long = "secret", value_name = "PROVIDER=SECRET", value_parser = named)]
    secrets: Vec<(String, String)>,
    /// What stands in for a provider's own API, as in NAME=http://127.0.0.1:4010.
    #[arg(long = "api", value_name = "PROVIDER=URL", value_parser = named)]
    apis: Vec<(String, String)>,
    /// The moment to begin at, as in 2026-03-01T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    clock: Option<Timestamp>,
    /// What goes wrong on purpose with what the pages send: duplicate, shuffle, drop, kill.
    #[arg(long, value_name = "LIST", value_parser = Chaos::parse, default_value = "")]
    chaos: Chaos,
    /// The shop's file: its name, its looks, its wordings, its catalog. An edit counts at once.
    #[arg(long, value_name = "FILE", env = "ORANGERY_SHOP")]
    shop: Option<PathBuf>,
    /// What the shop calls its prices; without it, what the shop's file names.
    #[arg(long, value_name = "FILE", env = "ORANGERY_CATALOG")]
    catalog: Option<PathBuf>,
}

#[derive(Subcommand)]
enum DoctorCommand {
    /// Why a saved request was refused: raw HTTP text, or what a refusal's page saves.
    Signature {
        /// The saved request.
        file: PathBuf,
        /// A secret in force at the webhook endpoint; may be repeated. Without one, the local
        /// stack's.
        #[arg(long = "secret", env = "ORANGERY_SECRET", hide_env_values = true)]
        secrets: Vec<String>,
        /// A secret in force somewhere else, to see whether that one fits: NAME=SECRET.
        #[arg(long = "other", value_name = "NAME=SECRET", value_parser = named)]
        others: Vec<(String, String)>,
        /// The webhook endpoint takes live events instead of test ones.
        #[arg(long)]
        live: bool,
        /// When it was refused, where the file does not say; without it, now.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        at: Option<Timestamp>,
    },
}

#[derive(Args)]
struct SendArgs {
    /// The payment provider: stripe; or who partners with the shop: partner/acme.
    provider: String,
    /// A sample's name, a JSON file to send as it is, or a story (a name or a .toml file).
    what: String,
    /// Set a field, as in data.object.status=past_due; may be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = named)]
    set: Vec<(String, String)>,
    /// The provider's secret; without it the local stack's usual one.
    #[arg(long, env = "ORANGERY_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The local stack's table, for a story with reports of a partner, which is added there.
    #[arg(long)]
    table_port: Option<u16>,
    /// Every delivery twice.
    #[arg(long)]
    duplicate: bool,
    /// In a random order.
    #[arg(long)]
    shuffle: bool,
    /// About one delivery in four is not made.
    #[arg(long)]
    drop: bool,
    /// Decides what --shuffle and --drop do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    gateway: GatewayArgs,
}

#[derive(Subcommand)]
enum ClockCommand {
    /// What time it is in the stack.
    Show(GatewayArgs),
    /// Moves it on: 3d, 2h, 15m, 1w.
    Advance {
        /// How far; back, where it begins with a minus.
        #[arg(allow_hyphen_values = true)]
        by: String,
        #[command(flatten)]
        gateway: GatewayArgs,
    },
    /// Sets it: 2026-03-01T00:00:00Z, 2026-03-01, or now, the real time.
    Set {
        /// To when.
        to: String,
        #[command(flatten)]
        gateway: GatewayArgs,
    },
}

#[derive(Subcommand)]
enum CalendarCommand {
    /// Makes what is due at the stack's clock happen now.
    Run(GatewayArgs),
}

fn main() -> ExitCode {
    let typed = with_examples(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&typed).unwrap_or_else(|error| error.exit());
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report_error(&error.into()),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_error(&error),
    }
}

fn report_error(error: &anyhow::Error) -> ExitCode {
    // Whoever read our output has seen enough: `orangery customer … | head`.
    let cause = error.root_cause().downcast_ref::<std::io::Error>();
    if cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    // Nothing is left to be done if standard error is gone.
    let _ = writeln!(terminal::stderr(), "orangery: {error:#}");
    ExitCode::FAILURE
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => dev::run(cli.dev.dev()?).await,
        Some(Command::Dev(args)) => dev::run(args.dev()?).await,
        Some(Command::Connect(args)) => args.run().await,
        Some(Command::Customer(args)) => args.run().await,
        Some(Command::Send(args)) => send::run(&args.send()?).await,
        Some(Command::Clock(command)) => move_clock(command),
        Some(Command::Calendar(CalendarCommand::Run(gateway))) => {
            let done = calendar::run(&gateway)?;
            writeln!(terminal::stdout(), "{done}")?;
            Ok(())
        }
        Some(Command::Partner(command)) => command.run().await,
        Some(Command::Key(command)) => command.run().await,
        Some(Command::Check(args)) => args.run(),
        Some(Command::Doctor(command)) => doctor(command),
        Some(Command::Mail(command)) => command.run(),
        Some(Command::Completion { shell }) => complete(shell),
    }
}

impl DevArgs {
    fn dev(self) -> anyhow::Result<DevOptions> {
        let mut secrets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, secret) in self.secrets {
            let provider = providers::provider(&name).with_context(|| {
                let known = send::known_providers();
                format!("`--secret {name}=…`: no provider is called so; there are: {known}")
            })?;
            if let Some(what) = provider.setup().mistaken_for(&secret) {
                bail!("`--secret {name}=…` {}", not_a_secret(provider, what))
            }
            let texts = secrets.entry(name).or_default();
            texts.push(secret);
            provider
                .secrets(texts.iter().map(String::as_str))
                .with_context(|| format!("`--secret {}=…` can't be used", provider.name()))?;
        }
        if self.port == self.table_port && self.port != 0 {
            bail!(
                "--port and --table-port are both {}; two ports are needed, and 0 is any free one",
                self.port
            );
        }
        let apis: BTreeMap<_, _> = self.apis.into_iter().collect();
        apis.keys().try_for_each(|name| send::check_has_api(name))?;
        let mut catalog_file = self.catalog;
        if let Some(file) = &self.shop {
            let shop = shop_file(file).map_err(|problem| anyhow!(problem))?;
            catalog_file = catalog_file.or(catalog_path(file, &shop));
        }
        let catalog_text = samples::catalog_text(catalog_file.as_deref())?;
        let catalog = samples::catalog(catalog_file.as_deref())?;
        let kept = self.data.is_some();
        Ok(DevOptions {
            port: self.port,
            table_port: self.table_port,
            data: self.data,
            clock: self.clock,
            samples: !self.no_samples,
            quiet: self.quiet,
            shop: Shop {
                secrets,
                api_urls: apis,
                catalog,
                catalog_text: Some(catalog_text),
                settings_file: self.shop,
                chaos: self.chaos,
                persistent: kept,
                ..Shop::default()
            },
        })
    }
}

impl SendArgs {
    fn send(self) -> anyhow::Result<SendOptions> {
        Ok(SendOptions {
            gateway: self.gateway.announced_address()?,
            provider: self.provider,
            content: self.what,
            set: self.set,
            secret: self.secret,
            table_port: self.table_port,
            duplicate: self.duplicate,
            shuffle: self.shuffle,
            drop: self.drop,
            seed: self.seed,
        })
    }
}

/// Our own words alone: nothing in it was typed by others.
fn complete(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut with_examples(Cli::command()),
        "orangery",
        &mut script,
    );
    terminal::stdout().write_all(&script)?;
    Ok(())
}

fn move_clock(command: ClockCommand) -> anyhow::Result<()> {
    let now = match command {
        ClockCommand::Show(gateway) => clock::now(&gateway.announced_address()?)?,
        ClockCommand::Advance { by, gateway } => {
            clock::advance(&gateway.announced_address()?, &by)?
        }
        ClockCommand::Set { to, gateway } => {
            let address = gateway.announced_address()?;
            let before = clock::now(&address)?;
            let now = clock::set(&address, &to)?;
            if now < before {
                writeln!(terminal::stderr(), "{WENT_BACK}")?;
            }
            now
        }
    };
    writeln!(terminal::stdout(), "{now}")?;
    Ok(())
}

fn doctor(command: DoctorCommand) -> anyhow::Result<()> {
    let DoctorCommand::Signature {
        file,
        secrets,
        others,
        live,
        at,
    } = command;
    let bytes =
        std::fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
    let known = DiagnosisContext {
        secrets_in_force: secrets,
        other_secrets: others,
        live,
        at,
    };
    write!(terminal::stdout(), "{}", doctor::signature(&bytes, &known)?)?;
    Ok(())
}

/// What a clock that goes back does not undo.
const WENT_BACK: &str = "what happened later by the stack's clock stays in its table, at its own \
     times; a stack that is started without --data begins with an empty table";

fn named(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        Some(_) | None => Err("expected NAME=VALUE".into()),
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    parse_moment(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
