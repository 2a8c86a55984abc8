//! Which stage a command is about: its table, its time, the roots of its keys.

use crate::gateway::GatewayArgs;
use crate::table;
use anyhow::{Context, bail};
use clap::Args;
use domain::catalog::Catalog;
use jiff::Timestamp;
use local_shop::shop::LOCAL_STAGE;
use local_shop::{clock, samples, stack_catalog};
use providers::{Secret, StageName};
use runtime::secrets::KeyPurpose;
use std::path::Path;
use store::dynamo::DynamoTable;

/// Where the table is, and which clock counts.
#[derive(Args)]
pub struct StageArgs {
    /// The local stack's table; without it the usual AWS variables decide.
    #[arg(long)]
    table_port: Option<u16>,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl StageArgs {
    /// The table: where it was said to be, or that of the stack whose port was said.
    ///
    /// # Errors
    /// When the environment names an AWS account only in part, or no stack answers at the port.
    pub fn table(&self) -> anyhow::Result<DynamoTable> {
        if let Some(port) = self.table_port
            && let Ok(status) = clock::read_status(&format!("http://127.0.0.1:{port}"))
        {
            bail!(
                "port {port} is a stack's gateway, whose table is at {}; say --port {port}",
                status.table_port
            )
        }
        table::open(self.port()?)
    }

    /// The table of partners' bank accounts.
    ///
    /// # Errors
    /// As of [`Self::table`].
    pub(crate) fn accounts_table(&self) -> anyhow::Result<DynamoTable> {
        table::open_accounts(self.port()?)
    }

    /// Whether it is a stage of this machine.
    pub fn is_local(&self) -> bool {
        self.gateway.port.is_some() || table::is_local(self.table_port)
    }

    /// The stage's name, as keys of it carry it.
    ///
    /// # Errors
    /// When nothing names the stage, or two things name it otherwise.
    pub fn name(&self, asked: Option<&StageName>) -> anyhow::Result<StageName> {
        let known = match table::local_port(self.port()?) {
            Some(_) => Some(LOCAL_STAGE.to_owned()),
            None => table::stage_of_table(),
        };
        let known = known.map(|name| StageName::parse(&name)).transpose()?;
        match (asked, known) {
            (Some(asked), Some(known)) if *asked != known => bail!(
                "--stage says {asked}, and the table that is meant is that of {known}; a key of \
                 one stage opens nothing of another"
            ),
            (Some(asked), _) => Ok(asked.clone()),
            (None, Some(known)) => Ok(known),
            (None, None) => bail!(
                "nothing says which stage the key is for: say --stage, or name its table by \
                 ORANGERY_TABLE=orangery-STAGE"
            ),
        }
    }

    /// What time it is there: the stack's clock, or this machine's for what has none of its own.
    ///
    /// # Errors
    /// When a stack's clock counts and does not answer, or another stack's would.
    pub fn now(&self) -> anyhow::Result<Timestamp> {
        let Some(port) = table::local_port(self.port()?) else {
            return Ok(Timestamp::now());
        };
        let gateway = self.gateway.address();
        let status = clock::read_status(&gateway).context(
            "what counts at what time is asked of the stack whose table it is: --port says where \
             that is",
        )?;
        if status.table_port != port {
            let other = status.table_port;
            bail!(
                "the stack at {gateway} has its table at port {other}, not at {port}: its clock \
                 is not this table's; --port says where the table's own stack is"
            )
        }
        Ok(status.now)
    }

    /// What the shop of that stage calls its prices: as the file says, or as the local stack was
    /// started with. The sample shop's catalog is for local stacks alone.
    ///
    /// # Errors
    /// When the file is no catalog, or no stack answers at the port.
    pub fn catalog(&self, file: Option<&Path>) -> anyhow::Result<Catalog> {
        if file.is_some() {
            return samples::catalog(file);
        }
        if !self.is_local() {
            return Ok(Catalog::default());
        }
        let gateway = self.gateway.address();
        let port = table::local_port(self.port()?);
        let status = clock::read_status(&gateway).ok();
        let is_its_own = status.is_some_and(|status| Some(status.table_port) == port);
        let known = match is_its_own {
            true => stack_catalog::read(&gateway)?,
            false => None,
        };
        known.map_or_else(|| samples::catalog(None), Ok)
    }

    fn port(&self) -> anyhow::Result<Option<u16>> {
        match (self.table_port, self.gateway.port) {
            (None, Some(_)) => Ok(Some(
                clock::read_status(&self.gateway.address())?.table_port,
            )),
            // A stack at the usual port may have put its table anywhere.
            (None, None) if table::local_port(None).is_some() => {
                if !self.gateway.is_local() {
                    bail!(
                        "{} is no stack of this machine, and nothing says where its table is: set \
                         the AWS variables of its account, or say --port for a local stack",
                        self.gateway.address()
                    )
                }
                let status = clock::read_status(&self.gateway.address());
                Ok(status.ok().map(|status| status.table_port))
            }
            (port, _) => Ok(port),
        }
    }
}

/// From which a stage's keys are derived.
#[derive(Args)]
pub struct RootArgs {
    /// The root of a deployed stage's keys of this command's purpose; else what
    /// ORANGERY_ROOT_PERSONS, _PARTNERS, _POSTBACKS, _NOTICES or _SHOP says, or the local stack's.
    #[arg(long)]
    root: Option<String>,
}

impl RootArgs {
    /// The newest root of this purpose: the first line of its parameter.
    ///
    /// # Errors
    /// When an AWS account's is needed and not given, or it is weak.
    pub fn newest(&self, place: &StageArgs, purpose: KeyPurpose) -> anyhow::Result<Secret> {
        let variable = format!("ORANGERY_ROOT_{}", purpose.as_str().to_ascii_uppercase());
        let given = self.root.clone().or_else(|| std::env::var(&variable).ok());
        let given = given.filter(|text| !text.is_empty());
        if given.is_none() && !place.is_local() {
            bail!(
                "the environment names an AWS account, and the root of its keys is not given: the \
                 secret would be one that every local stack knows; set {variable}, or say \
                 --table-port for a local stack"
            )
        }
        let text = given.as_deref().unwrap_or(local_shop::shop::LOCAL_MASTER);
        Ok(Secret::new(text.lines().next().unwrap_or_default().trim())?)
    }
}
