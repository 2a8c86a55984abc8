//! A harness without functions of its own: table, mailbox, queue and parameters behind TLS, and
//! built functions as processes before them.

use crate::aws::FakeAws;
use lambda::{
    AwsServers, FunctionProcess, FunctionProgram, InvocationOutcome, InvocationResult,
    ReservedPort, RunFolder, TestAuthority,
};
use local_cloud::{Stack, StackSettings, Wiring};
use local_shop::connection::dynamo_table;
use local_shop::shop::{LOCAL_MASTER, local_secret};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::dynamo::DynamoTable;

/// The services and who vouches for them.
pub(crate) struct BuiltHarness {
    pub(crate) aws: Arc<FakeAws>,
    pub(crate) services: AwsServers,
    pub(crate) stack: Stack,
    pub(crate) authority: TestAuthority,
    folder: RunFolder,
}

impl BuiltHarness {
    pub(crate) async fn open() -> Self {
        let settings = StackSettings::default();
        let stack = Stack::start(settings, |_| Wiring::default()).await.unwrap();
        let endpoints = stack.endpoints();
        let parameters = [
            ("stripe/webhook-secrets", local_secret("stripe")),
            ("keys/persons", LOCAL_MASTER.to_owned()),
            ("keys/partners", LOCAL_MASTER.to_owned()),
            ("keys/postbacks", LOCAL_MASTER.to_owned()),
            ("keys/notices", LOCAL_MASTER.to_owned()),
            ("keys/shop", LOCAL_MASTER.to_owned()),
        ];
        let parameters = parameters.map(|(name, value)| (format!("/orangery/built/{name}"), value));
        let parameters = parameters.into();
        let aws = Arc::new(FakeAws::new(
            &endpoints.table_url,
            &endpoints.aws_url,
            parameters,
        ));
        let authority = TestAuthority::new().unwrap();
        let reserved = ReservedPort::new().unwrap();
        let services = reserved.open(authority.server().unwrap(), aws.clone());
        Self {
            aws,
            services: services.unwrap(),
            stack,
            authority,
            folder: RunFolder::new().unwrap(),
        }
    }

    /// Starts a function whose services are these and are believed; it waits for its first event.
    pub(crate) async fn start(&self, function: &str) -> FunctionProcess {
        self.start_with(function, &[]).await
    }

    /// The same with settings of its own over the usual ones.
    pub(crate) async fn start_with(
        &self,
        function: &str,
        own: &[(&str, String)],
    ) -> FunctionProcess {
        let bundle = self.root(&self.authority);
        let mut settings = self.settings();
        settings.push(("AWS_CA_BUNDLE", bundle));
        settings.extend_from_slice(own);
        self.start_as(function, settings).await
    }

    /// Starts a function with these settings and no others.
    pub(crate) async fn start_as(
        &self,
        function: &str,
        with: Vec<(&str, String)>,
    ) -> FunctionProcess {
        let program = program(function);
        let mut process = FunctionProcess::start(&program, with, &self.folder)
            .await
            .unwrap();
        process.first_poll().await.unwrap();
        process
    }

    /// What a template would tell any of the functions; of whom to believe, nothing.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let text = str::to_owned;
        let queue = |name: &str| format!("{}/1/{name}", self.services.url());
        vec![
            ("AWS_ENDPOINT_URL", text(self.services.url())),
            ("STAGE", text("built")),
            ("TABLE", self.stack.endpoints().table_name.clone()),
            ("PROVIDER", text("stripe")),
            ("MODE", text("test")),
            ("LETTERS_QUEUE_URL", queue("letters")),
            ("NOTICES_QUEUE_URL", queue("notices")),
            ("SHOP_NAME", text("Grove")),
            ("MAIL_FROM", text("grove@example.com")),
        ]
    }

    /// An authority's certificate as a file.
    pub(crate) fn root(&self, authority: &TestAuthority) -> String {
        let file = self.folder.fresh_path("pem");
        std::fs::write(&file, authority.pem()).unwrap();
        file.display().to_string()
    }

    /// The table, as tests look into it: not through what fails.
    pub(crate) fn table(&self) -> DynamoTable {
        dynamo_table(self.stack.endpoints()).unwrap()
    }

    /// Everything in the table as its stream would tell it: keys and image.
    pub(crate) fn images(&self) -> Vec<(Value, Value)> {
        let (mut records, mut after) = self.stack.engine().scan_page(None).unwrap();
        while after.is_some() {
            let (page, next) = self.stack.engine().scan_page(after).unwrap();
            records.extend(page);
            after = next;
        }
        let image = |record: Value| {
            let change = &record["dynamodb"];
            (change["Keys"].clone(), change["NewImage"].clone())
        };
        records.into_iter().map(image).collect()
    }

    /// How many items have a sort key that begins so.
    pub(crate) fn count(&self, prefix: &str) -> usize {
        let sort = |keys: &Value| keys["sk"]["S"].as_str().unwrap().starts_with(prefix);
        let images = self.images();
        images.iter().filter(|(keys, _)| sort(keys)).count()
    }
}

/// Has an endpoint answer: status and body.
pub(crate) async fn invoke_http(process: &mut FunctionProcess, event: &Value) -> (u16, Value) {
    let answer = invoke(process, event).await;
    let status = answer["statusCode"].as_u64().unwrap();
    let body = answer["body"].as_str().unwrap();
    let body = serde_json::from_str(body).unwrap();
    (u16::try_from(status).unwrap(), body)
}

/// Has a function answer, which must be no error.
pub(crate) async fn invoke(process: &mut FunctionProcess, event: &Value) -> Value {
    match invoke_raw(process, event).await.outcome {
        InvocationOutcome::Response(answer) => answer,
        InvocationOutcome::Error { kind, message } => panic!("{kind}: {message}"),
    }
}

/// Has a function report an error: its kind and its words.
pub(crate) async fn invoke_error(process: &mut FunctionProcess, event: &Value) -> (String, String) {
    match invoke_raw(process, event).await.outcome {
        InvocationOutcome::Response(answer) => panic!("no error: {answer}"),
        InvocationOutcome::Error { kind, message } => (kind, message),
    }
}

async fn invoke_raw(process: &mut FunctionProcess, event: &Value) -> InvocationResult {
    let event = event.to_string().into_bytes();
    process.invoke(event).await.unwrap()
}

/// The answer of a function that reads batches.
pub(crate) fn batch_failures(identifiers: &[&str]) -> Value {
    let failures = identifiers.iter().map(|id| json!({ "itemIdentifier": id }));
    json!({ "batchItemFailures": failures.collect::<Vec<_>>() })
}

/// What a process has logged, line by line, each as Lambda's log levels want it.
pub(crate) fn log_lines(process: &FunctionProcess) -> Vec<Value> {
    let log = process.log();
    let line = |text: &str| {
        let line: Value = serde_json::from_str(text).expect(text);
        assert!(
            line["level"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
        line
    };
    log.lines().map(line).collect()
}

/// Whether one of the lines says all of this.
pub(crate) fn has_log_line(process: &FunctionProcess, words: &[&str]) -> bool {
    let lines = log_lines(process);
    let texts = lines.iter().map(Value::to_string);
    texts
        .into_iter()
        .any(|line| words.iter().all(|word| line.contains(word)))
}

/// A function's program: in the one that was built with these tests, or its own where
/// ORANGERY_BINARIES says.
fn program(function: &str) -> FunctionProgram {
    if let Some(binaries) = std::env::var_os("ORANGERY_BINARIES") {
        // Tests run in their package's folder; who names a folder stands at the root.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        return FunctionProgram::built(&root.join(binaries), function).unwrap();
    }
    FunctionProgram {
        file: PathBuf::from(env!("CARGO_BIN_EXE_built-functions")),
        arguments: vec![function.into()],
    }
}
