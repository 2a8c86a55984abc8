//! `kill -9` of the local stack amid a thousand deliveries: nothing is lost, nothing is twice.

use crate::event_orders::SplitMixRng;
use crate::support::expect::stories_folder;
use domain::ids::CustomerKey;
use local_cloud::{Stack, StackSettings};
use local_shop::connection::dynamo_table;
use local_shop::delivery::{Delivery, agent};
use local_shop::shop::signers;
use local_shop::story::Story;
use orangery::customer::view;
use orangery::dev::{DevOptions, run};
use orangery::wiring::wire;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};
use tests::harness::entries::entry;
use tests::harness::{TestHarness, shop, start_time};

const CUSTOMERS: usize = 100;
const EVENTS: usize = 10;
const SENDERS: usize = 4;

#[test]
fn a_stack_killed_amid_a_thousand_deliveries_ends_as_if_undisturbed() {
    let data = TemporaryFolder::fresh();
    let began = Instant::now();
    let lives: Vec<Vec<Delivery>> = (0..CUSTOMERS).map(customer_deliveries).collect();
    assert_eq!(
        lives.iter().map(Vec::len).sum::<usize>(),
        CUSTOMERS * EVENTS
    );
    let mut dice = SplitMixRng(9);
    let kills: Vec<usize> = [50, 350, 650].map(|from| from + dice.below(200)).into();
    let mut killed = KilledStack::start(&data.0);
    let address = StackAddress::default();
    address.set(&killed.url);
    let (begun, begins) = channel();
    let counts = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|number| {
                let (lives, address, begun) = (&lives, &address, begun.clone());
                scope.spawn(move || {
                    send(lives.iter().skip(number).step_by(SENDERS), address, &begun)
                })
            })
            .collect();
        drop(begun);
        let at = kill_at(&kills, &begins, &mut killed, &address, &data.0);
        println!("killed {} times, after {at:?} attempts", at.len());
        let counts = senders.into_iter().map(|sender| sender.join().unwrap());
        counts.fold(SenderCounts::default(), SenderCounts::merge)
    });
    assert_eq!(counts.accepted, CUSTOMERS * EVENTS);
    println!(
        "{} accepted, {} of them kept before a kill, {} attempts in vain, {:.0} s",
        counts.accepted,
        counts.repeated,
        counts.in_vain,
        began.elapsed().as_secs_f32()
    );
    // Once more when all is accepted and little of what follows is done.
    killed.restart(&data.0);
    post(&killed.url, "/_stack/settle", &json!({}));
    // Claims of senders that were killed run out; what the dead left in a queue comes back.
    post(&killed.url, "/_stack/clock", &json!({ "advance": "16m" }));
    post(&killed.url, "/_stack/settle", &json!({}));
    let mails = mailbox(&killed.url);
    drop(killed);
    assert_as_undisturbed(&data.0, &lives, &mails);
    println!("judged after {:.0} s", began.elapsed().as_secs_f32());
}

/// What the killed test runs as a process of its own: the command's `dev`, kept in a folder.
#[test]
#[ignore = "a process of its own for the test that kills it"]
fn the_stack_that_is_killed() {
    let Some(data) = std::env::var_os(DATA) else {
        return;
    };
    let first = !Path::new(&data).join("stack.sqlite").exists();
    let dev = DevOptions {
        port: 0,
        table_port: 0,
        data: Some(data.into()),
        clock: first.then(start_time),
        samples: false,
        quiet: true,
        shop: shop(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(dev)).unwrap();
}

const DATA: &str = "ORANGERY_TESTS_KILLED_DATA";

/// Everybody's record, letters and mails against a run without kills.
fn assert_as_undisturbed(data: &Path, lives: &[Vec<Delivery>], mails: &[String]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let after = runtime.block_on(views_in(data));
    let (undisturbed, welcomed) = runtime.block_on(undisturbed(lives));
    assert_eq!(welcomed, CUSTOMERS);
    let mut by_address: BTreeMap<&str, usize> = BTreeMap::new();
    for address in mails {
        *by_address.entry(address).or_default() += 1;
    }
    assert!(
        by_address.values().all(|count| *count == 1),
        "{by_address:?}"
    );
    let (mut sent, mut unknown) = (0, 0);
    for number in 0..CUSTOMERS {
        let (mut after, mut undisturbed) = (after[number].clone(), undisturbed[number].clone());
        let events = after["events"].as_array().unwrap();
        let ids: BTreeSet<_> = events.iter().map(|event| event["id"].to_string()).collect();
        assert_eq!((ids.len(), events.len()), (EVENTS, EVENTS), "{after:#}");
        let state = after["letters"][0]["state"].take();
        assert_eq!(undisturbed["letters"][0]["state"].take(), "sent");
        let mailed = by_address.contains_key(&*format!("{}@example.com", name(number)));
        match state.as_str().unwrap() {
            "sent" => sent += usize::from(mailed),
            // Killed between the claim and the answer: nobody can know, so nobody asks again.
            "unknown" => unknown += 1,
            other => panic!("a letter is {other}"),
        }
        assert_eq!(after, undisturbed, "{}", name(number));
    }
    println!("{sent} letters sent and in the mailbox once, {unknown} unknown");
    assert_eq!(sent + unknown, CUSTOMERS);
    assert!(unknown <= 5 * 10, "at most a batch for each kill");
}

async fn views_in(data: &Path) -> Vec<Value> {
    let settings = StackSettings {
        data: Some(data.to_owned()),
        ..StackSettings::default()
    };
    let shop = shop();
    let stack = Stack::start(settings, |endpoints| wire(endpoints, &shop).unwrap());
    let stack = stack.await.unwrap();
    let table = dynamo_table(stack.endpoints()).unwrap();
    let mut views = Vec::new();
    for number in 0..CUSTOMERS {
        let key = CustomerKey::parse(format!("stripe/test/cus_{}", name(number))).unwrap();
        let view = view(&table, &key, &shop.catalog).await.unwrap();
        views.push(comparable(serde_json::to_value(view).unwrap()));
    }
    stack.shutdown().await;
    views
}

/// The same events through the same functions, with nobody killed.
async fn undisturbed(lives: &[Vec<Delivery>]) -> (Vec<Value>, usize) {
    let harness = TestHarness::in_process().without_attributes().open();
    for delivery in lives.iter().flatten() {
        harness.ingest(&entry(delivery)).await;
    }
    harness.settle().await;
    let mut views = Vec::new();
    for number in 0..lives.len() {
        let view = harness
            .view(&format!("stripe/test/cus_{}", name(number)))
            .await;
        views.push(comparable(view));
    }
    let welcomed = harness.mailer().sent_count();
    (views, welcomed)
}

/// Without what tells the moment of arrival.
fn comparable(mut view: Value) -> Value {
    tests::harness::remove_clock_times(&mut view);
    for event in view["events"].as_array_mut().unwrap() {
        event["verdict"] = "applied or late".into();
    }
    view
}

fn name(number: usize) -> String {
    format!("kumquat{number:03}")
}

/// A checkout and a refund, as another customer's.
fn customer_deliveries(number: usize) -> Vec<Delivery> {
    let name = name(number);
    let text = std::fs::read_to_string(stories_folder().join("checkout.toml")).unwrap();
    let text = text
        .replace("olive", &name)
        .replace(
            "\"Grove0\" = \"Olive0\"",
            &format!("\"Grove0\" = \"{name}-\""),
        )
        .replace(&format!("customer = \"stripe/test/cus_{name}\"\n"), "")
        .replace("begins = \"2m\"", "begins = \"6d\"")
        .replace("snapshot = \"before the money\"\n", "")
        .replace("times = 2\n", "");
    let text = format!("{text}\n[[events]]\nsample = \"charge.refunded\"\n");
    let signers = signers(&shop()).unwrap();
    Story::parse(&text)
        .unwrap()
        .deliveries(&signers, start_time())
        .unwrap()
}

/// What became of a sender's deliveries.
#[derive(Default)]
struct SenderCounts {
    accepted: usize,
    repeated: usize,
    in_vain: usize,
}

impl SenderCounts {
    fn merge(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            repeated: self.repeated + other.repeated,
            in_vain: self.in_vain + other.in_vain,
        }
    }
}

/// Delivers each until it is accepted, as a provider does.
fn send<'a>(
    lives: impl Iterator<Item = &'a Vec<Delivery>>,
    address: &StackAddress,
    begun: &Sender<()>,
) -> SenderCounts {
    let mut counts = SenderCounts::default();
    for delivery in lives.flatten() {
        loop {
            let (url, generation) = address.get();
            begun.send(()).unwrap();
            match delivery.send(&url, start_time()) {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    counts.accepted += 1;
                    counts.repeated += usize::from(answer.body.contains("\"repeated\":1"));
                    break;
                }
                Ok(_) => counts.in_vain += 1,
                Err(_) => {
                    counts.in_vain += 1;
                    address.wait_for_change(generation);
                }
            }
        }
    }
    counts
}

/// Kills and starts again whenever so many attempts have begun.
fn kill_at(
    kills: &[usize],
    begins: &Receiver<()>,
    killed: &mut KilledStack,
    address: &StackAddress,
    data: &Path,
) -> Vec<usize> {
    let mut at = Vec::new();
    for (count, ()) in begins.iter().enumerate() {
        if kills.get(at.len()).is_some_and(|next| count >= *next) {
            killed.restart(data);
            address.set(&killed.url);
            at.push(count);
        }
    }
    at
}

/// Where the stack is, and how often it was elsewhere.
#[derive(Default)]
struct StackAddress {
    current: Mutex<(String, usize)>,
    moved: Condvar,
}

impl StackAddress {
    fn set(&self, url: &str) {
        let mut at = self.current.lock().unwrap();
        *at = (url.to_owned(), at.1 + 1);
        self.moved.notify_all();
    }

    fn get(&self) -> (String, usize) {
        self.current.lock().unwrap().clone()
    }

    /// Waits until it has moved on; not for ever, for a connection may break without a kill.
    fn wait_for_change(&self, generation: usize) {
        let at = self.current.lock().unwrap();
        let still = |at: &mut (String, usize)| at.1 == generation;
        let waited = self
            .moved
            .wait_timeout_while(at, Duration::from_secs(2), still);
        drop(waited.unwrap());
    }
}

/// The process that is killed.
struct KilledStack {
    child: Child,
    url: String,
}

impl KilledStack {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "process_kills::the_stack_that_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(DATA, data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| Some(line.ok()?.split_once("ready ")?.1.to_owned()));
        // Somebody must listen, or it could not say where to look.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            url: ready.unwrap(),
        }
    }

    /// `kill -9`, and the same folder again.
    fn restart(&mut self, data: &Path) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        *self = Self::start(data);
    }
}

impl Drop for KilledStack {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of this test alone, gone when it ends.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn fresh() -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("killed-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn post(url: &str, path: &str, body: &Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(120)))
        .build()
        .into();
    let mut answer = agent.post(format!("{url}{path}")).send_json(body).unwrap();
    let body_text = answer.body_mut().read_to_string().unwrap();
    assert!(answer.status().is_success(), "{path}: {body_text}");
}

/// To whom each mail went.
fn mailbox(url: &str) -> Vec<String> {
    let mut answer = agent(url)
        .get(format!("{url}/mailbox.json"))
        .call()
        .unwrap();
    let text = answer
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_string()
        .unwrap();
    let mailbox: Value = serde_json::from_str(&text).unwrap();
    let to = |mail: &Value| mail["to"][0].as_str().unwrap().to_owned();
    mailbox["mails"]
        .as_array()
        .unwrap()
        .iter()
        .map(to)
        .collect()
}
