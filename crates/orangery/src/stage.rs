//! Which stage a command is about: its table, its time, its catalog, the roots of its keys.

use crate::aws::{AccountFlags, AwsAccount, connect};
use crate::gateway::GatewayArgs;
use crate::place::{Place, PlaceFlags, decide};
use crate::table;
use crate::terminal;
use anyhow::{Context, bail};
use clap::Args;
use domain::catalog::Catalog;
use jiff::Timestamp;
use local_shop::shop::LOCAL_STAGE;
use local_shop::{clock, samples, stack_catalog};
use providers::StageName;
use runtime::settings::Settings;
use std::io::Write;
use std::path::Path;
use store::dynamo::DynamoTable;
use tokio::sync::OnceCell;

/// Which stage is meant. Without any of these, and with nothing of AWS in the environment, it is
/// the stack of this machine.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which stage")]
pub struct StageArgs {
    /// The deployed stage, as in test: its table is orangery-test. `local` is this machine's stack.
    #[arg(long, value_name = "NAME", value_parser = StageName::parse)]
    stage: Option<StageName>,
    /// The profile of AWS's configuration that says the account; its credentials count, whatever
    /// keys the environment holds.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The region of AWS that the stage is in.
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// The port of a local stack's table.
    #[arg(long, value_name = "PORT")]
    table_port: Option<u16>,
    #[command(flatten)]
    pub(crate) gateway: GatewayArgs,
    /// Asked for once in a command.
    #[arg(skip)]
    account: OnceCell<AwsAccount>,
    #[arg(skip)]
    local_port: OnceCell<u16>,
}

impl StageArgs {
    /// Where the work is done.
    ///
    /// # Errors
    /// When two things say otherwise, or AWS is asked for and no stage is named.
    pub(crate) fn place(&self) -> anyhow::Result<Place> {
        let port = match (self.gateway.port, self.table_port) {
            (Some(_), _) => Some("--port"),
            (None, Some(_)) => Some("--table-port"),
            (None, None) => None,
        };
        let flags = PlaceFlags {
            port,
            stage: self.stage.as_ref(),
            profile: self.profile.is_some(),
            region: self.region.is_some(),
        };
        decide(flags, &Settings::from_env())
    }

    /// The stage's table. The first time it is asked for, standard error says whose it is.
    ///
    /// # Errors
    /// As of [`Self::place`]; when there are no credentials, or no stack answers at the port.
    pub(crate) async fn table(&self) -> anyhow::Result<DynamoTable> {
        match self.place()? {
            Place::LocalStack => table::open_local(self.local_port().await?),
            Place::Deployed { table, .. } => {
                Ok(table::open_deployed(self.account().await?, &table))
            }
        }
    }

    /// The table of partners' bank accounts: its name with `-accounts` behind it. A local stack has
    /// one table for all.
    ///
    /// # Errors
    /// As of [`Self::table`].
    pub(crate) async fn accounts_table(&self) -> anyhow::Result<DynamoTable> {
        match self.place()? {
            Place::LocalStack => self.table().await,
            Place::Deployed { table, .. } => {
                let name = format!("{table}{ACCOUNTS}");
                Ok(table::open_deployed(self.account().await?, &name))
            }
        }
    }

    /// Whether it is a stack of this machine.
    ///
    /// # Errors
    /// As of [`Self::place`].
    pub(crate) fn is_local(&self) -> anyhow::Result<bool> {
        Ok(self.place()? == Place::LocalStack)
    }

    /// The stage's name, as keys of it carry it.
    ///
    /// # Errors
    /// As of [`Self::place`], or when nothing names the stage.
    pub(crate) fn name(&self) -> anyhow::Result<StageName> {
        match self.place()? {
            Place::LocalStack => Ok(StageName::parse(LOCAL_STAGE)?),
            Place::Deployed {
                stage: Some(stage), ..
            } => Ok(stage),
            Place::Deployed { stage: None, table } => bail!(
                "nothing says which stage the table {table} is of: say --stage NAME beside \
                 ORANGERY_TABLE"
            ),
        }
    }

    /// What time it is there: the stack's clock, and of a deployed stage the real time, which is
    /// its own.
    ///
    /// # Errors
    /// When a stack's clock counts and does not answer, or another stack's would.
    pub(crate) fn now(&self) -> anyhow::Result<Timestamp> {
        if self.place()? != Place::LocalStack {
            return Ok(Timestamp::now());
        }
        let gateway = self.gateway.address();
        let status = clock::read_status(&gateway).context(
            "what counts at what time is asked of the stack whose table it is: --port says where \
             that is",
        )?;
        match self.table_port {
            Some(port) if status.table_port != port => bail!(
                "the stack at {gateway} has its table at port {}, not at {port}: its clock is not \
                 this table's; --port says where the table's own stack is",
                status.table_port
            ),
            Some(_) | None => Ok(status.now),
        }
    }

    /// What the shop of that stage calls its prices: as the file says, else as the local stack was
    /// started with. A deployed stage does not say; `None` then.
    ///
    /// # Errors
    /// When the file is no catalog, or the stack says none that can be read.
    pub(crate) fn catalog(&self, file: Option<&Path>) -> anyhow::Result<Option<Catalog>> {
        if file.is_some() {
            return samples::catalog(file).map(Some);
        }
        if !self.is_local()? {
            return Ok(None);
        }
        let gateway = self.gateway.address();
        let Ok(status) = clock::read_status(&gateway) else {
            return Ok(None);
        };
        match self.table_port.is_none_or(|port| status.table_port == port) {
            true => stack_catalog::read(&gateway),
            false => Ok(None),
        }
    }

    async fn account(&self) -> anyhow::Result<&AwsAccount> {
        let connected = || async {
            let flags = AccountFlags {
                profile: self.profile.as_deref(),
                region: self.region.as_deref(),
            };
            let account = connect(flags, &Settings::from_env()).await?;
            self.announce(&account)?;
            Ok(account)
        };
        self.account.get_or_try_init(connected).await
    }

    fn announce(&self, account: &AwsAccount) -> anyhow::Result<()> {
        let stage = match self.place()? {
            Place::Deployed {
                stage: Some(stage), ..
            } => format!("stage {stage}"),
            Place::Deployed { stage: None, table } => format!("table {table}"),
            Place::LocalStack => return Ok(()),
        };
        let AwsAccount {
            account: number,
            region,
            ..
        } = account;
        let profile = match &account.profile {
            Some(profile) => format!(", profile {profile}"),
            None => String::new(),
        };
        let mut err = terminal::stderr();
        writeln!(
            err,
            "speaking to {stage}, account {number}, region {region}{profile}"
        )?;
        Ok(())
    }

    /// The port of the local stack's table: as it was said, else as the stack says. A stack at the
    /// usual port may have put its table anywhere.
    async fn local_port(&self) -> anyhow::Result<u16> {
        let found = || async {
            let port = self.find_local_port()?;
            let mut err = terminal::stderr();
            match self.table_port.filter(|_| !self.gateway.is_said()) {
                Some(port) => writeln!(err, "speaking to stage local, the table at port {port}")?,
                None => writeln!(err, "speaking to {}", self.gateway.described())?,
            }
            Ok::<u16, anyhow::Error>(port)
        };
        self.local_port.get_or_try_init(found).await.copied()
    }

    fn find_local_port(&self) -> anyhow::Result<u16> {
        if let Some(port) = self.table_port {
            if let Ok(status) = clock::read_status(&format!("http://127.0.0.1:{port}")) {
                bail!(
                    "port {port} is a stack's gateway, whose table is at {}; say --port {port}",
                    status.table_port
                )
            }
            return Ok(port);
        }
        if !self.gateway.is_local() {
            bail!(
                "{} is no stack of this machine, and nothing says where its table is: say --stage \
                 NAME for a deployed stage, or --port for a local stack",
                self.gateway.address()
            )
        }
        match clock::read_status(&self.gateway.address()) {
            Ok(status) => Ok(status.table_port),
            Err(error) if self.gateway.is_said() => Err(error),
            Err(error) if error.is::<clock::TablePort>() => Err(error),
            Err(_) => Ok(table::TABLE_PORT),
        }
    }
}

/// What the name of the table of bank accounts ends in.
const ACCOUNTS: &str = "-accounts";
