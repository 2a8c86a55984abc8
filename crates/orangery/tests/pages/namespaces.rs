//! With anything of AWS set or asked for, no command touches the stack of this machine.

use super::command_line::text;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
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
    let gateway = count_requests("127.0.0.1:9090", "stack");
    let table = count_requests("127.0.0.1:8000", "stack");
    let typed = TypedInAccount::new(0);
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

#[test]
fn a_command_says_which_stage_account_and_region_it_speaks_to() {
    run_apart("in_an_account");
}

#[test]
#[ignore = "wants the usual ports; the test above runs it where they are free"]
fn in_an_account() {
    let gateway = count_requests("127.0.0.1:9090", "stack");
    let table = count_requests("127.0.0.1:8000", "stack");
    let aws = count_requests("127.0.0.1:0", "aws");
    let typed = TypedInAccount::new(aws.port);
    let of_a_table = |words: &&&str| !GATEWAY_ALONE.iter().any(|begin| words.starts_with(begin));
    for words in COMMANDS.iter().filter(of_a_table) {
        assert_speaks_to_the_stage(&typed, &aws, words);
    }
    for (environment, part) in [
        (
            &[("AWS_PROFILE", "empty")][..],
            "no credentials of AWS are found for the profile empty",
        ),
        (&[("AWS_PROFILE", "other")], "in which region the stage is"),
        (
            &[("AWS_REGION", "eu-west-3")],
            "no credentials of AWS are found",
        ),
        (
            &[("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")],
            "in which region",
        ),
    ] {
        let output = typed.run("customer cus_x --stage test", environment);
        let said = text(&output.stderr);
        assert!(said.contains(part), "{environment:?}: {said}");
        assert!(
            said.contains("aws sso login") || part.contains("region"),
            "{said}"
        );
    }
    let asked = (gateway.count(), table.count());
    assert_eq!(asked, (0, 0), "the stack was asked");
}

/// However the stage is named, it is the one that is spoken to.
fn assert_speaks_to_the_stage(typed: &TypedInAccount, aws: &CountedServer, words: &str) {
    for (stage, environment) in [
        ("--stage test", &[("AWS_PROFILE", "grove")][..]),
        ("--stage test --profile grove", &[]),
        (
            "",
            &[
                ("AWS_PROFILE", "grove"),
                ("ORANGERY_TABLE", "orangery-test"),
            ],
        ),
    ] {
        let before = aws.count();
        let output = typed.run(&format!("{words} {stage}"), environment);
        let said = text(&output.stderr);
        let place = "speaking to stage test, account 123456789012, region eu-west-3, profile grove";
        assert!(said.contains(place), "{words} {stage}: {said}");
        assert!(
            aws.count() > before + 1,
            "{words} {stage}: nothing was asked: {said}"
        );
    }
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

/// Those that speak to a gateway alone.
const GATEWAY_ALONE: [&str; 3] = ["send", "clock", "calendar"];

struct TypedInAccount {
    folder: PathBuf,
    config: PathBuf,
}

impl TypedInAccount {
    /// With a profile `grove` whose AWS is at this port, and one `empty` without credentials.
    fn new(aws: u16) -> Self {
        let folder = std::env::temp_dir().join(format!("orangery-account-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("config");
        let profiles = format!(
            "[profile grove]\nregion = eu-west-3\nendpoint_url = http://127.0.0.1:{aws}\n\
             aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n\n\
             [profile empty]\nregion = eu-west-3\n"
        );
        std::fs::write(&config, profiles).unwrap();
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

struct CountedServer {
    port: u16,
    count: Arc<AtomicU32>,
}

impl CountedServer {
    fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }
}

/// Counts what connects, and answers as AWS would of an empty account.
fn count_requests(address: &str, what: &str) -> CountedServer {
    let listener = TcpListener::bind(address)
        .unwrap_or_else(|error| panic!("{address} is taken, so nothing can be counted: {error}"));
    let server = CountedServer {
        port: listener.local_addr().unwrap().port(),
        count: Arc::default(),
    };
    let (count, is_aws) = (server.count.clone(), what == "aws");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let stream = stream.unwrap();
            std::thread::spawn(move || answer(stream, is_aws));
        }
    });
    server
}

fn answer(mut stream: TcpStream, is_aws: bool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let asks_whose = String::from_utf8_lossy(&body).contains("GetCallerIdentity");
    let (status, kind, said) = match (is_aws, asks_whose) {
        (false, _) => ("404 Not Found", "text/plain", "not here"),
        (true, true) => ("200 OK", "text/xml", IDENTITY),
        (true, false) => ("400 Bad Request", "application/x-amz-json-1.0", NO_TABLE),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{said}",
        said.len()
    );
}

const IDENTITY: &str = "<GetCallerIdentityResponse \
    xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ada</Arn><UserId>A</UserId>\
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
const NO_TABLE: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}"#;
