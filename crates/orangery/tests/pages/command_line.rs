//! Commands as processes of their own, typed against one stack.

use super::support::SECRET;
use local_cloud::Stack;
use local_cloud::clock::StackClock;
use local_shop::delivery::{Delivery, Signer, sample, set, shift_times};
use serde_json::Value;
use std::process::{Command, Output, Stdio};

/// Commands as they are typed against one stack.
pub(super) struct CommandLine {
    port: String,
    clock: StackClock,
}

impl CommandLine {
    pub(super) fn against(stack: &Stack) -> Self {
        let port = stack.gateway_url().rsplit(':').next().unwrap();
        Self {
            port: port.into(),
            clock: stack.clock().clone(),
        }
    }

    pub(super) fn run(&self, words: &str) -> Output {
        let mut command = self.command(words);
        tokio::task::block_in_place(|| command.output().unwrap())
    }

    pub(super) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
        command
            .args(words.split_whitespace())
            .args(["--port", &self.port]);
        for (name, _) in std::env::vars_os() {
            let is_ours = |begin| name.to_string_lossy().starts_with(begin);
            if is_ours("AWS_") || is_ours("ORANGERY_") {
                command.env_remove(name);
            }
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What is printed of a command that must do its work.
    pub(super) fn run_ok(&self, words: &str) -> String {
        let output = self.run(words);
        let (said, complained) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{words}: {said}{complained}");
        said.trim().to_owned()
    }

    /// What is said to a command that must be refused.
    pub(super) fn run_refused(&self, words: &str) -> String {
        let output = self.run(words);
        assert!(
            !output.status.success(),
            "{words}: {}",
            text(&output.stdout)
        );
        text(&output.stderr)
    }

    pub(super) fn run_json(&self, words: &str) -> Value {
        serde_json::from_str(&self.run_ok(words)).unwrap()
    }

    pub(super) fn statement(&self, partner: &str) -> Value {
        self.run_json(&format!("partner statement {partner} --json"))
    }

    /// A customer with this address pays 24.00 EUR and tax.
    pub(super) fn send_payment(&self, customer: &str, invoice: &str, email: &str) {
        self.send_sample(
            "invoice.paid",
            &[
                ("id", &format!("evt_{invoice}")),
                ("data.object.customer", customer),
                ("data.object.customer_email", email),
                ("data.object.id", invoice),
            ],
        );
    }

    /// A customer shows a code.
    pub(super) fn send_code(&self, customer: &str, code: &str) {
        self.send_sample(
            "customer.created",
            &[
                ("id", &format!("evt_{customer}")),
                ("data.object.id", customer),
                ("data.object.email", &format!("{customer}@x.example")),
                ("data.object.metadata.referral_code", code),
            ],
        );
    }

    /// One of the provider's samples with these fields, as if it happened now.
    pub(super) fn send_sample(&self, name: &str, fields: &[(&str, &str)]) {
        let provider = providers::provider("stripe").unwrap();
        let mut body: Value =
            serde_json::from_str(&sample(provider.samples(), name).unwrap()).unwrap();
        let now = self.clock.now();
        let created = body["created"].as_i64().unwrap();
        shift_times(&mut body, now.as_second() - created);
        for (path, value) in fields {
            set(&mut body, path, (*value).into()).unwrap();
        }
        let delivery = Delivery {
            name: name.into(),
            path: "/webhooks/stripe".into(),
            body: serde_json::to_vec(&body).unwrap(),
            signer: Signer::provider(provider, SECRET).unwrap(),
        };
        let gateway = format!("http://127.0.0.1:{}", self.port);
        let answer = tokio::task::block_in_place(|| delivery.send(&gateway, now).unwrap());
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
