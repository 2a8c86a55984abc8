//! With anything of AWS set or asked for, no command touches the stack of this machine.

use super::command_line::text;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn no_command_touches_the_stack_when_anything_of_aws_is_set_or_asked_for() {
    run_apart("at_the_usual_ports");
}

#[test]
#[ignore = "wants the usual ports; the test above runs it where they are free"]
fn at_the_usual_ports() {
    let gateway = count_requests("127.0.0.1:9090");
    let table = count_requests("127.0.0.1:8000");
    let typed = TypedInAccount::new();
    for words in COMMANDS {
        for asking in [
            "AWS_PROFILE",
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_CONFIG_FILE",
        ] {
            let output = typed.run(words, &[(asking, "grove")]);
            let said = text(&output.stderr);
            assert!(!output.status.success(), "{words}: {said}");
            assert!(
                said.contains(&format!("{asking} is set")),
                "{words}: {said}"
            );
            assert!(said.contains("--port 9090"), "{words}: {said}");
        }
    }
    let asked = (gateway.count(), table.count());
    assert_eq!(asked, (0, 0), "the stack was asked");
    // With nothing of AWS said it is the stack that is asked.
    let _ = typed.run("clock show", &[]);
    assert!(gateway.count() > 0, "nothing was counted at all");
}

/// In a network of its own where one can be had, so that the usual ports are free; else here.
fn run_apart(test: &str) {
    let own = std::env::current_exe().unwrap();
    let test = format!("namespaces::{test}");
    let inside = ["--exact", &test, "--ignored", "--nocapture"];
    let apart = Command::new("unshare")
        .args(["--map-root-user", "--net", "sh", "-c"])
        .arg("ip link set lo up && exec \"$0\" \"$@\"")
        .arg(&own)
        .args(inside)
        .output();
    let ran = |output: &Output| text(&output.stdout).contains("running 1 test");
    let output = match apart {
        Ok(output) if ran(&output) => output,
        Ok(_) | Err(_) => Command::new(&own).args(inside).output().unwrap(),
    };
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// Commands that work on a table or a gateway, each with what it wants.
const COMMANDS: &[&str] = &[
    "customer cus_x",
    "key list",
    "key revoke backend",
    "key create --scope read --name backend --root of-the-stage-of-this-test",
    "partner list",
    "partner add acme --rate 20% --months 12 --hold 30d --window 60d --root root-of-this-test",
    "partner terms acme",
    "partner statement acme",
    "partner referrals acme",
    "partner payout --all --dry-run",
    "partner bank acme --name Acme --iban DE89370400440532013000",
    "partner code acme SPRING",
    "send stripe invoice.paid",
    "clock show",
    "clock advance 3d",
    "clock set now",
    "calendar run",
];

struct TypedInAccount {
    folder: PathBuf,
    config: PathBuf,
}

impl TypedInAccount {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("orangery-account-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("config");
        std::fs::write(&config, "[profile grove]\nregion = eu-west-3\n").unwrap();
        Self { folder, config }
    }

    fn run(&self, words: &str, environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
        command.args(words.split_whitespace()).env_clear();
        command.env("HOME", &self.folder);
        if environment.iter().any(|(name, _)| *name == "AWS_PROFILE") || words.contains("--profile")
        {
            command.env("AWS_CONFIG_FILE", &self.config);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(environment.iter().copied());
        command.output().unwrap()
    }
}

impl Drop for TypedInAccount {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(Path::new(&self.folder));
    }
}

struct CountedServer(Arc<AtomicU32>);

impl CountedServer {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Counts what connects, and answers nothing of use.
fn count_requests(address: &str) -> CountedServer {
    let listener = TcpListener::bind(address)
        .unwrap_or_else(|error| panic!("{address} is taken, so nothing can be counted: {error}"));
    let server = CountedServer(Arc::default());
    let count = server.0.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let answered = stream.unwrap().write_all(b"HTTP/1.1 404 Not Found\r\n\r\n");
            drop(answered);
        }
    });
    server
}
