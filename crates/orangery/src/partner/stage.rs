//! Which stage a command is about: its table, its time, its master key.

use crate::gateway::GatewayArgs;
use crate::table;
use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use local_shop::clock;
use providers::Secret;
use store::dynamo::DynamoTable;

/// Where the table is, and which clock counts.
#[derive(Args)]
pub(crate) struct StageArgs {
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
    pub(crate) fn table(&self) -> anyhow::Result<DynamoTable> {
        table::open(self.port()?)
    }

    /// Whether it is a stage of this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.gateway.port.is_some() || table::is_local(self.table_port)
    }

    /// What time it is there: the stack's clock, or this machine's for what has none of its own.
    ///
    /// # Errors
    /// When a stack's clock counts and does not answer, or another stack's would.
    pub(crate) fn now(&self) -> anyhow::Result<Timestamp> {
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

    fn port(&self) -> anyhow::Result<Option<u16>> {
        match (self.table_port, self.gateway.port) {
            (None, Some(_)) => Ok(Some(
                clock::read_status(&self.gateway.address())?.table_port,
            )),
            (port, _) => Ok(port),
        }
    }
}

/// From which partners' secrets are derived.
#[derive(Args)]
pub(crate) struct MasterKeyArgs {
    /// The master key of a deployed stage; without it the local stack's.
    #[arg(long, env = "ORANGERY_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

impl MasterKeyArgs {
    /// The key.
    ///
    /// # Errors
    /// When an AWS account's is needed and not given, or it is weak.
    pub(crate) fn key(&self, place: &StageArgs) -> anyhow::Result<Secret> {
        if self.master_key.is_none() && !place.is_local() {
            bail!(
                "the environment names an AWS account, and its master key is not given: the \
                 secret would be one that every local stack knows; set ORANGERY_MASTER_KEY, or \
                 say --table-port for a local stack"
            )
        }
        let text = self.master_key.as_deref();
        Ok(Secret::new(text.unwrap_or(local_shop::shop::LOCAL_MASTER))?)
    }
}
