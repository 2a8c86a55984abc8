//! A program under measurement: started as Lambda starts it, watched from outside.

use crate::aws::Aws;
use crate::lambda::Lambda;
use crate::quota::Quota;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// What every start needs.
pub(crate) struct World {
    pub(crate) aws: Aws,
    folder: PathBuf,
    /// Events are never told twice.
    told: AtomicUsize,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            aws: Aws::start(&folder).await?,
            folder,
            told: AtomicUsize::new(0),
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A program.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    /// What is uploaded.
    pub(crate) files: Vec<PathBuf>,
}

/// What one process did.
pub(crate) struct Run {
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
        let folder = binaries.join("payment-webhook");
        let program = if folder.is_dir() {
            folder.join("bootstrap")
        } else {
            folder
        };
        if !program.exists() {
            bail!(
                "{} is not there: build it first, see README.md",
                program.display()
            );
        }
        Ok(Self {
            name: "payment-webhook",
            files: vec![program.clone()],
            program,
            arguments: Vec::new(),
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
            program: "node".into(),
            arguments: vec![bundle.display().to_string()],
            files: vec![bundle],
        })
    }

    /// Starts it, has it answer so many events, and ends it. With a quota it has no more than
    /// that from its first invocation on.
    pub(crate) async fn start(
        &self,
        world: &World,
        calls: usize,
        quota: Option<&Quota>,
    ) -> Result<Run> {
        world.aws.forget();
        let lambda = self.lambda(world, calls).await?;
        let began = Instant::now();
        let mut command = Command::new(&self.program);
        let mut child = self
            .prepared(world, &lambda, command.args(&self.arguments))
            .spawn()?;
        let logs = tokio::spawn(drained(child.stdout.take(), child.stderr.take()));
        let id = child.id().context("it has ended")?;
        let asked = tokio::select! {
            asked = lambda.asked() => asked,
            status = child.wait() => bail!("it ended before its first event: {}", status?),
        };
        if let Some(quota) = quota {
            quota.take_in(id)?;
        }
        let handed = Instant::now();
        lambda.open();
        let first = first_answer(&lambda, &mut child).await?;
        let cold_cpu = cpu(id)?;
        tokio::select! {
            () = lambda.done() => {}
            status = child.wait() => bail!("it ended by itself: {}", status?),
            () = tokio::time::sleep(Duration::from_secs(300)) => bail!("no end within minutes"),
        }
        let took = handed.elapsed();
        let (cpu, peak_kb) = (cpu(id)?, peak(id)?);
        child.kill().await?;
        let log_bytes = logs.await??;
        let seen = lambda.seen();
        if let Some(bad) = seen.bad.first() {
            bail!("{} of {calls} answers are bad: {bad}", seen.bad.len());
        }
        Ok(Run {
            to_next: asked.duration_since(began),
            after_next: first.duration_since(handed),
            took,
            cpu: cold_cpu,
            warm_cpu: cpu.saturating_sub(cold_cpu),
            peak_kb,
            log_bytes,
            requests: world.aws.requests(),
        })
    }

    /// Instructions from exec to the first answer, TLS included; none where valgrind is not here.
    /// What callgrind saw is written to a file, for `callgrind_annotate`.
    pub(crate) async fn instructions(&self, world: &World, to: &Path) -> Result<Option<i64>> {
        world.aws.forget();
        let lambda = self.lambda(world, 1).await?;
        lambda.open();
        let mut command = Command::new("valgrind");
        let to = format!("--callgrind-out-file={}", to.display());
        command.args(["--tool=callgrind", to.as_str()]);
        command.arg(&self.program).args(&self.arguments);
        let mut child = match self.prepared(world, &lambda, &mut command).spawn() {
            Ok(child) => child,
            Err(_) => return Ok(None),
        };
        let mut stderr = child.stderr.take().context("no output")?;
        tokio::select! {
            () = lambda.done() => {}
            status = child.wait() => bail!("it ended by itself: {}", status?),
        }
        // By then it waits for the next event, and callgrind says what it counted when it ends.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let id = child.id().context("it has ended")?;
        Command::new("kill").arg(id.to_string()).status().await?;
        let mut text = String::new();
        stderr.read_to_string(&mut text).await?;
        let counted = text.lines().find_map(|line| line.split_once("Collected :"));
        let (_, counted) = counted.context("callgrind says nothing")?;
        Ok(Some(counted.trim().parse()?))
    }

    async fn lambda(&self, world: &World, calls: usize) -> Result<Lambda> {
        Lambda::start(calls, world.told.fetch_add(calls, Ordering::Relaxed)).await
    }

    fn prepared<'a>(
        &self,
        world: &World,
        lambda: &Lambda,
        command: &'a mut Command,
    ) -> &'a mut Command {
        let authority = &world.aws.authority;
        let mut environment = vec![
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("AWS_LAMBDA_RUNTIME_API", lambda.address.clone()),
            ("AWS_CA_BUNDLE", authority.display().to_string()),
            ("NODE_EXTRA_CA_CERTS", authority.display().to_string()),
            ("AWS_ENDPOINT_URL", world.aws.url.clone()),
            ("WEBHOOK_SECRET", crate::events::SECRET.to_owned()),
        ];
        environment.extend(LAMBDA.map(|(name, value)| (name, value.to_owned())));
        command
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
    }
}

async fn first_answer(lambda: &Lambda, child: &mut Child) -> Result<Instant> {
    for _ in 0..60_000 {
        let seen = lambda.seen().first_answer;
        if let Some(first) = seen {
            return Ok(first);
        }
        if let Some(status) = child.try_wait()? {
            bail!("it ended before its first answer: {status}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bail!("no answer within a minute")
}

async fn drained(
    stdout: Option<impl AsyncRead + Unpin>,
    stderr: Option<impl AsyncRead + Unpin>,
) -> Result<usize> {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    let (stdout, stderr) = stdout.zip(stderr).context("no output")?;
    let (mut stdout, mut stderr) = (stdout, stderr);
    tokio::try_join!(stdout.read_to_end(&mut one), stderr.read_to_end(&mut two))?;
    Ok(one.len() + two.len())
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

const LAMBDA: [(&str, &str); 12] = [
    ("AWS_REGION", "eu-west-3"),
    ("AWS_ACCESS_KEY_ID", "bench"),
    ("AWS_SECRET_ACCESS_KEY", "bench"),
    ("AWS_SESSION_TOKEN", "bench"),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ("PROVIDER", "stripe"),
    ("MODE", "test"),
    ("STAGE", "bench"),
    ("TABLE", "bench"),
];
