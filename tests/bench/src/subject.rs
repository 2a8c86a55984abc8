//! A program under measurement: started as Lambda starts it, watched from outside.

use crate::aws::BenchAws;
use crate::events::{CATALOG, STAGE, Workload, key_row, question, webhook};
use crate::quota::Quota;
use anyhow::{Context, Result, bail};
use lambda::{
    AwsServers, FunctionProcess, FunctionProgram, InvocationOutcome, ReservedPort, RunFolder,
    TestAuthority,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What every start needs.
pub(crate) struct BenchEnvironment {
    pub(crate) aws: Arc<BenchAws>,
    services: AwsServers,
    /// The certificate of the authority that vouches for the services.
    authority: PathBuf,
    catalog: PathBuf,
    folder: RunFolder,
    /// Events are never told twice.
    events_sent: AtomicUsize,
}

impl BenchEnvironment {
    pub(crate) fn start() -> Result<Self> {
        let (folder, authority) = (RunFolder::new()?, TestAuthority::new()?);
        let file = folder.fresh_path("pem");
        std::fs::write(&file, authority.pem())?;
        let catalog = folder.fresh_path("toml");
        std::fs::write(&catalog, CATALOG)?;
        let aws = Arc::new(BenchAws::default());
        Ok(Self {
            services: ReservedPort::new()?.open(authority.server()?, aws.clone())?,
            aws,
            authority: file,
            catalog,
            folder,
            events_sent: AtomicUsize::new(0),
        })
    }

    /// The next event.
    fn event(&self, workload: Workload) -> Result<Vec<u8>> {
        match workload {
            Workload::Webhooks => webhook(self.events_sent.fetch_add(1, Ordering::Relaxed)),
            Workload::Questions => question(),
        }
    }

    /// An empty table; for questions one with the key that asks, and the customer whom the
    /// webhook's own program wrote.
    async fn prepare(&self, subject: &Subject) -> Result<()> {
        self.aws.reset();
        if let Some(writer) = &subject.writer {
            let mut process = start(writer, self).await?;
            invoke_next(&mut process, self, Workload::Webhooks).await?;
            process.end().await?;
            self.aws.seed(key_row());
        }
        Ok(())
    }
}

/// A program.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    program: FunctionProgram,
    workload: Workload,
    /// Who writes the customer that is asked about.
    writer: Option<FunctionProgram>,
    /// What is uploaded.
    pub(crate) files: Vec<PathBuf>,
}

/// What one process did.
pub(crate) struct ProcessRun {
    pub(crate) to_next: Duration,
    /// From the moment at which the first event was handed out to its answer.
    pub(crate) after_next: Duration,
    /// From the first event to the last answer.
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
    /// Of all calls but the first.
    pub(crate) warm_cpu: Duration,
    pub(crate) peak_kb: u64,
    pub(crate) log_bytes: usize,
    pub(crate) requests: BTreeMap<String, u64>,
}

impl Subject {
    /// `payment-webhook` of a release build, as cargo-lambda (a folder) or cargo (a file) left it.
    pub(crate) fn ours(binaries: &Path) -> Result<Self> {
        let program = FunctionProgram::built(binaries, "payment-webhook")?;
        Ok(Self {
            name: "payment-webhook",
            files: vec![program.file.clone()],
            program,
            workload: Workload::Webhooks,
            writer: None,
        })
    }

    /// `shop-api` of the same build.
    pub(crate) fn shop_api(binaries: &Path) -> Result<Self> {
        let program = FunctionProgram::built(binaries, "shop-api")?;
        Ok(Self {
            name: "shop-api",
            files: vec![program.file.clone()],
            program,
            workload: Workload::Questions,
            writer: Some(FunctionProgram::built(binaries, "payment-webhook")?),
        })
    }

    /// The peer, bundled into one file.
    pub(crate) fn node(folder: &Path) -> Result<Self> {
        let bundle = folder.join("bundle.mjs");
        if !bundle.exists() {
            bail!("{} is not there: run peer/install", bundle.display());
        }
        Ok(Self {
            name: "Node peer",
            program: FunctionProgram {
                file: "node".into(),
                arguments: vec![bundle.display().to_string()],
            },
            files: vec![bundle],
            workload: Workload::Webhooks,
            writer: None,
        })
    }

    /// Starts it, has it answer so many events, and ends it. With a quota it has no more than
    /// that from its first invocation on.
    pub(crate) async fn start(
        &self,
        world: &BenchEnvironment,
        calls: usize,
        quota: Option<&Quota>,
    ) -> Result<ProcessRun> {
        world.prepare(self).await?;
        let mut process = start(&self.program, world).await?;
        let (asked, id) = (process.first_poll().await?, process.id()?);
        if let Some(quota) = quota {
            quota.add_process(id)?;
        }
        let handed = Instant::now();
        let first = invoke_next(&mut process, world, self.workload).await?;
        let cold_cpu = cpu(id)?;
        for _ in 1..calls {
            invoke_next(&mut process, world, self.workload).await?;
        }
        Ok(ProcessRun {
            to_next: asked.duration_since(process.started_at),
            after_next: first.duration_since(handed),
            took: handed.elapsed(),
            cpu: cold_cpu,
            warm_cpu: cpu(id)?.saturating_sub(cold_cpu),
            peak_kb: peak(id)?,
            log_bytes: process.log().len(),
            requests: world.aws.requests(),
        })
    }

    /// Instructions from exec to the first answer, TLS included; none where valgrind is not here.
    /// What callgrind saw is written to a file, for `callgrind_annotate`.
    pub(crate) async fn instructions(
        &self,
        world: &BenchEnvironment,
        to: &Path,
    ) -> Result<Option<i64>> {
        world.prepare(self).await?;
        let mut arguments = vec![
            "--tool=callgrind".to_owned(),
            format!("--callgrind-out-file={}", to.display()),
            self.program.file.display().to_string(),
        ];
        arguments.extend(self.program.arguments.iter().cloned());
        let valgrind = FunctionProgram {
            file: "valgrind".into(),
            arguments,
        };
        let Ok(mut process) = start(&valgrind, world).await else {
            return Ok(None);
        };
        invoke_next(&mut process, world, self.workload).await?;
        // By then it waits for the next event, and callgrind says what it counted when it ends.
        tokio::time::sleep(Duration::from_millis(300)).await;
        process.end().await?;
        let text = process.log();
        let counted = text.lines().find_map(|line| line.split_once("Collected :"));
        let (_, counted) = counted.context("callgrind says nothing")?;
        Ok(Some(counted.trim().parse()?))
    }
}

async fn start(program: &FunctionProgram, world: &BenchEnvironment) -> Result<FunctionProcess> {
    let authority = world.authority.display().to_string();
    let text = |text: &str| text.to_owned();
    let environment = [
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("AWS_CA_BUNDLE", authority.clone()),
        ("NODE_EXTRA_CA_CERTS", authority),
        ("AWS_ENDPOINT_URL", text(world.services.url())),
        ("WEBHOOK_SECRET", text(crate::events::SECRET)),
        ("PROVIDER", text("stripe")),
        ("MODE", text("test")),
        ("STAGE", text(STAGE)),
        ("CATALOG", world.catalog.display().to_string()),
        ("TABLE", text("bench")),
    ];
    FunctionProcess::start(program, environment, &world.folder).await
}

/// Has it answer one event, which it must take; gives when it had.
async fn invoke_next(
    process: &mut FunctionProcess,
    world: &BenchEnvironment,
    workload: Workload,
) -> Result<Instant> {
    let answer = process.invoke(world.event(workload)?).await?;
    match answer.outcome {
        InvocationOutcome::Response(response) if response["statusCode"] == 200 => {
            Ok(answer.completed_at)
        }
        InvocationOutcome::Response(response) => bail!("a bad answer: {response}"),
        InvocationOutcome::Error { kind, message } => bail!("an error: {kind}: {message}"),
    }
}

/// Time that a process has run so far, all its threads together.
fn cpu(id: u32) -> Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir(format!("/proc/{id}/task"))? {
        let stat = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += stat.split(' ').next().context("no time")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

fn peak(id: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line
        .context("no peak")?
        .trim()
        .trim_end_matches("kB")
        .trim();
    Ok(number.parse()?)
}
