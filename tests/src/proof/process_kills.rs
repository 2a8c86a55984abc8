//! The local stack as a process: killed and restarted at random under load, round after round,
//! to the end that an undisturbed one comes to.

use super::simulation::random::Rng;
use jiff::Timestamp;
use orangery::delivery::Delivery;
use orangery::dev::{sample_story, signers};
use orangery::story::Story;
use orangery::wiring::Shop;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The sample scenarios, and whose they are.
const SAMPLE_STORIES: [(&str, &str); 6] = [
    ("ada", "cus_ada"),
    ("bruno", "cus_bruno"),
    ("chloe", "cus_chloe"),
    ("dana", "cus_dana"),
    ("emil", "cus_emil"),
    ("guest", "pi_Guest03"),
];
const SENDERS: usize = 3;
/// How long a stack may take to say that it is ready, and to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// Kills the stack in so many rounds.
///
/// # Errors
/// The first end that differs, or what kept the part from running.
pub fn run_kill_rounds(seed: u64, rounds: u64) -> Result<String, String> {
    let program = program()?;
    let root = std::env::temp_dir().join(format!("orangery-prove-{}", std::process::id()));
    let now = Timestamp::now();
    let deliveries = deliveries(now)?;
    let calm = KillRound::run(&program, &root.join("calm"), &deliveries, now, None)?;
    let mut kills = 0;
    let mut requests = 0;
    for number in 0..rounds {
        let rng = Rng::fork(seed, number);
        let folder = root.join(number.to_string());
        let round = KillRound::run(&program, &folder, &deliveries, now, Some(rng))?;
        if round.end_view != calm.end_view {
            let kept = folder.display();
            return Err(format!(
                "round {number} ends otherwise (seed {seed}; kept in {kept}):\n{:#}\nand not\n{:#}",
                round.end_view, calm.end_view
            ));
        }
        kills += round.kills;
        requests += round.requests;
        let _ = std::fs::remove_dir_all(&folder);
    }
    let _ = std::fs::remove_dir_all(&root);
    Ok(format!(
        "{rounds} rounds, {kills} kills, {requests} requests by {SENDERS} senders, equal ends, \
         seed {seed}"
    ))
}

/// The command, built beside this one as this one was.
fn program() -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = me.parent().and_then(Path::parent).ok_or("no folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(profile) => profile,
    };
    // Together with this one, so that both share what they stand on.
    let built = Command::new("cargo")
        .args(["build", "--quiet", "--profile", profile])
        .args(["-p", "tests", "--example", "prove", "-p", "orangery"])
        .status();
    if built.is_ok_and(|status| status.success()) {
        Ok(folder.join("orangery"))
    } else {
        Err("the command `orangery` can't be built".into())
    }
}

fn deliveries(now: Timestamp) -> Result<Vec<Delivery>, String> {
    let text = |error: anyhow::Error| format!("{error:#}");
    let signers = signers(&Shop::default()).map_err(text)?;
    let mut all = Vec::new();
    for (name, _) in SAMPLE_STORIES {
        let story = Story::parse(sample_story(name).unwrap_or_default()).map_err(text)?;
        if story.partners().is_empty() {
            all.extend(story.deliveries(&signers, now).map_err(text)?);
        }
    }
    Ok(all)
}

/// One run of the stack, with or without kills.
struct KillRound {
    end_view: Value,
    kills: u64,
    requests: u64,
}

impl KillRound {
    fn run(
        program: &Path,
        data: &Path,
        deliveries: &[Delivery],
        now: Timestamp,
        mut rng: Option<Rng>,
    ) -> Result<Self, String> {
        let (gateway_port, table_port) = (free_port()?, free_port()?);
        let gateway = format!("http://127.0.0.1:{gateway_port}");
        let start = || SpawnedStack::start(program, data, gateway_port, table_port);
        let mut stack = Some(start()?);
        let (left, requests) = (AtomicU64::new(SENDERS as u64), AtomicU64::new(0));
        let given_up = AtomicBool::new(false);
        let mut kills = 0;
        let running = &mut stack;
        let killed = &mut kills;
        std::thread::scope(|scope| -> Result<(), String> {
            for sender in 0..SENDERS {
                let (left, requests, given_up) = (&left, &requests, &given_up);
                let gateway = &gateway;
                scope.spawn(move || {
                    for delivery in deliveries.iter().skip(sender).step_by(SENDERS) {
                        deliver(delivery, gateway, now, requests, given_up);
                    }
                    left.fetch_sub(1, Ordering::Relaxed);
                });
            }
            while left.load(Ordering::Relaxed) > 0 {
                let wait = rng.as_mut().map_or(20, |rng| rng.between(5, 120));
                std::thread::sleep(Duration::from_millis(wait.unsigned_abs()));
                if rng.is_some() && left.load(Ordering::Relaxed) > 0 {
                    drop(running.take());
                    *killed += 1;
                    let again = start();
                    let again = again.inspect_err(|_| given_up.store(true, Ordering::Relaxed));
                    *running = Some(again?);
                }
            }
            Ok(())
        })?;
        let end = wait_until_idle(program, &gateway, table_port)?;
        drop(stack);
        let requests = requests.into_inner();
        Ok(Self {
            end_view: end,
            kills,
            requests,
        })
    }
}

/// Until 2xx, as a provider does.
fn deliver(
    delivery: &Delivery,
    gateway: &str,
    now: Timestamp,
    requests: &AtomicU64,
    given_up: &AtomicBool,
) {
    while !given_up.load(Ordering::Relaxed) {
        requests.fetch_add(1, Ordering::Relaxed);
        let answer = delivery.send(gateway, now);
        if answer.is_ok_and(|answer| (200..300).contains(&answer.status)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A stack; its output stays open, for a process whose reader is gone would end by itself.
struct SpawnedStack(Child, Option<BufReader<ChildStdout>>);

impl SpawnedStack {
    fn start(program: &Path, data: &Path, port: u16, table: u16) -> Result<Self, String> {
        std::fs::create_dir_all(data).map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(["dev", "--no-samples", "--port", &port.to_string()])
            .args(["--table-port", &table.to_string(), "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let lines = child.stdout.take().ok_or("no output")?;
        let mut stack = Self(child, None);
        let mut lines = BufReader::new(lines);
        let mut first = String::new();
        let read = lines.read_line(&mut first);
        stack.1 = Some(lines);
        match read {
            Ok(_) if first.starts_with("ready ") => Ok(stack),
            Ok(_) | Err(_) => Err(format!("the stack does not start: {first:?}")),
        }
    }
}

impl Drop for SpawnedStack {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What everybody's record says once it no longer changes and no letter waits.
fn wait_until_idle(program: &Path, gateway: &str, table: u16) -> Result<Value, String> {
    let began = Instant::now();
    // Stream and queues first: what they hold back can't be seen from outside.
    orangery::delivery::agent(gateway)
        .post(format!("{gateway}/_stack/settle"))
        .config()
        .timeout_global(Some(PATIENCE))
        .build()
        .send_empty()
        .map_err(|error| format!("the stack does not settle: {error}"))?;
    let mut before = Value::Null;
    loop {
        let now = end_views(program, gateway, table)?;
        if now == before && !has_owed_letters(&now) {
            return Ok(now);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("the stack comes to no rest: {now:#}"));
        }
        before = now;
        std::thread::sleep(Duration::from_millis(700));
    }
}

fn has_owed_letters(end: &Value) -> bool {
    end.to_string().contains("\"owed\"")
}

/// Records and letters, less what a crash may rightly change: the moment a letter was owed,
/// and whether its sending is known to have ended well.
fn end_views(program: &Path, gateway: &str, table: u16) -> Result<Value, String> {
    let mut people = serde_json::Map::new();
    for (_, id) in SAMPLE_STORIES {
        let shown = Command::new(program)
            .args(["customer", &format!("stripe/test/{id}"), "--json"])
            .args(["--table-port", &table.to_string()])
            .output()
            .map_err(|error| error.to_string())?;
        let mut view: Value = serde_json::from_slice(&shown.stdout).unwrap_or(Value::Null);
        remove_timing_fields(&mut view);
        people.insert(id.to_owned(), view);
    }
    let mails = orangery::delivery::agent(gateway)
        .get(format!("{gateway}/mailbox.json"))
        .call()
        .map_err(|error| error.to_string())?
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    let mails: Value = serde_json::from_str(&mails).unwrap_or(Value::Null);
    let mut count: BTreeMap<String, u64> = BTreeMap::new();
    for mail in mails.as_array().into_iter().flatten() {
        let times = count
            .entry(format!("{} {}", mail["to"], mail["subject"]))
            .or_default();
        *times += 1;
        if *times > 1 {
            return Err(format!("{} was sent {} twice", mail["to"], mail["subject"]));
        }
    }
    Ok(Value::Object(people))
}

fn remove_timing_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("due_at");
            fields.remove("received_at");
            // Applied or late: which came first is what a crash changes.
            fields.remove("verdict");
            for (name, field) in fields.iter_mut() {
                // A sender that died keeps its claim until its lease ends, and is never repeated.
                let unknown = field == "unknown" || field == "claimed";
                if name == "state" && unknown {
                    *field = Value::from("sent");
                }
                remove_timing_fields(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(remove_timing_fields),
        _ => {}
    }
}

fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok(address.port())
}
