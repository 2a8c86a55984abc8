//! A function's process: started as Lambda starts it, fed by its Runtime API, frozen and thawed.

use crate::runtime_api::{InvocationResult, RuntimeApi};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// What is started.
#[derive(Clone, Debug)]
pub struct FunctionProgram {
    /// The file, or a name on the path.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// A program at work.
#[derive(Debug)]
pub struct FunctionProcess {
    /// When it was started.
    pub started_at: Instant,
    api: RuntimeApi,
    child: Child,
    log: PathBuf,
}

impl FunctionProgram {
    /// A function as cargo-lambda (a folder) or cargo (a file) left it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn built(binaries: &Path, function: &str) -> Result<Self> {
        let place = binaries.join(function);
        let file = if place.is_dir() {
            place.join("bootstrap")
        } else {
            place
        };
        ensure!(
            file.exists(),
            "{} is not there: build it first, with `cargo build --release -p {function}` or \
             `cargo lambda build --release`",
            file.display()
        );
        Ok(Self {
            file,
            arguments: Vec::new(),
        })
    }
}

impl FunctionProcess {
    /// Starts it with this environment and Lambda's own, and nothing of ours. What it prints goes
    /// to a file in this folder.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn start<'a>(
        program: &FunctionProgram,
        environment: impl IntoIterator<Item = (&'a str, String)>,
        folder: &RunFolder,
    ) -> Result<Self> {
        let api = RuntimeApi::start().await?;
        let log = folder.fresh_path("log");
        let file = std::fs::File::create(&log)?;
        let mut command = Command::new(&program.file);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(LAMBDA_ENVIRONMENT)
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true);
        let began = Instant::now();
        let child = command.spawn();
        Ok(Self {
            started_at: began,
            api,
            child: child.with_context(|| format!("{} can't start", program.file.display()))?,
            log,
        })
    }

    /// When it first asked for an event.
    ///
    /// # Errors
    /// When it ended before.
    pub async fn first_poll(&mut self) -> Result<Instant> {
        tokio::select! {
            asked = self.api.first_poll() => return asked,
            _ = self.child.wait() => {}
            () = tokio::time::sleep(TIMEOUT) => {}
        }
        bail!("it ended, or waits, before its first event: {}", self.log())
    }

    /// Has it answer one event.
    ///
    /// # Errors
    /// When it ends instead, or is silent.
    pub async fn invoke(&mut self, event: Vec<u8>) -> Result<InvocationResult> {
        tokio::select! {
            answer = self.api.invoke(event) => return answer,
            _ = self.child.wait() => {}
            () = tokio::time::sleep(TIMEOUT) => {}
        }
        bail!(
            "it ended, or is silent, instead of answering: {}",
            self.log()
        )
    }

    /// The system's number of it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn id(&self) -> Result<u32> {
        self.child.id().context("it has ended")
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Stops it where it is, as Lambda does between two events.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn freeze(&self) -> Result<()> {
        self.signal("STOP").await?;
        let stat = format!("/proc/{}/stat", self.id()?);
        while !std::fs::read_to_string(&stat)?.contains(") T ") {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn thaw(&self) -> Result<()> {
        self.signal("CONT").await
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn end(&mut self) -> Result<()> {
        self.signal("TERM").await?;
        self.child.wait().await?;
        Ok(())
    }

    async fn signal(&self, name: &str) -> Result<()> {
        let (name, id) = (format!("-{name}"), self.id()?.to_string());
        let sent = Command::new("kill").args([name, id]).status().await?;
        ensure!(sent.success(), "it has ended: {}", self.log());
        Ok(())
    }
}

/// A folder for the files of one run, gone with this value.
#[derive(Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// A new one.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new() -> Result<Self> {
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("orangery-lambda-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// A name that no file in it has yet.
    pub fn fresh_path(&self, kind: &str) -> PathBuf {
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        self.0.join(format!("{number}.{kind}"))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

static FILES: AtomicU32 = AtomicU32::new(0);

/// For one event, or for the start; many times what any takes that ends.
const TIMEOUT: Duration = Duration::from_secs(300);

/// What Lambda tells every function.
const LAMBDA_ENVIRONMENT: [(&str, &str); 8] = [
    ("AWS_REGION", "eu-west-3"),
    ("AWS_ACCESS_KEY_ID", "of-this-run"),
    ("AWS_SECRET_ACCESS_KEY", "of-this-run"),
    ("AWS_SESSION_TOKEN", "of-this-run"),
    ("AWS_LAMBDA_FUNCTION_NAME", "built"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
];
