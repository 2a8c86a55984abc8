//! Payouts as people order them: commands as processes of their own against a stack of its own.

use super::support::{assert_private, open, shop};
use domain::ids::{CustomerKey, ObjectId, PartnerId};
use domain::money::{Currency, Money};
use domain::partner::ledger::{CommissionRow, RowKind};
use local_cloud::Stack;
use local_shop::connection::dynamo_table;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use store::{Item, Table, WriteCondition};

const DAY: &str = "2026-03-01";
const IBAN: &str = "DE89 3704 0044 0532 0130 00";
const PAYER: [&str; 4] = ["--debtor-name", "L'Orangerie", "--debtor-iban", IBAN];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partners_are_paid_once_and_the_files_are_the_same_each_time() {
    let stack = open(&shop()).await;
    let folder = OutputFolder::new("once");
    seed_balances(&stack).await;
    let all = [
        "partner",
        "payout",
        "--all",
        "--minimum",
        "1.00 eur",
        "--json",
    ];

    let dry = json_of(&run_ok(&stack, &[&all[..], &["--dry-run"]].concat()));
    assert_eq!(dry["payouts"], paid_amounts("would_be_paid", &dry));
    assert_eq!(dry["unpaid"], unpaid_amounts());
    assert_eq!(balance(&stack, "acme"), json!([20_000, 0, 500, 0]));

    // Three at once: one of them pays.
    let (csv, xml) = (folder.file("payouts.csv"), folder.file("transfers.xml"));
    let files = ["--csv", &csv, "--sepa", &xml];
    let pay = [&all[..], &["--date", DAY], &files, &PAYER].concat();
    let states = three_at_once(&stack, &pay);
    assert_eq!(states, ["paid", "paid_before", "paid_before"]);
    assert_eq!(balance(&stack, "acme"), json!([0, 20_000, 0, 500]));
    assert_eq!(balance(&stack, "peel"), json!([50, 0]));
    let (first_csv, first_xml) = (read(&csv), read(&xml));
    check_files_of_acme(&first_csv, &first_xml);
    assert_private(&[&csv, &xml]);

    // Files that a crash took are written again, also when the account changed meanwhile.
    std::fs::remove_file(&csv).unwrap();
    std::fs::remove_file(&xml).unwrap();
    let moved = ["--name", "Acme", "--iban", "DE89370400440532013000"];
    run_ok(&stack, &[&["partner", "bank", "acme"][..], &moved].concat());
    run_ok(&stack, &pay);
    assert_eq!(read(&xml), first_xml);
    assert_eq!(
        read(&csv).lines().take(2).collect::<Vec<_>>(),
        first_csv.lines().take(2).collect::<Vec<_>>()
    );

    pay_later_that_day(&stack, &folder, &pay);
    assert_eq!(read(&folder.file("transfers-1.xml")), first_xml);
}

/// Acme is owed euros and dollars and has an account, Peel cents and none, Zest less than nothing.
async fn seed_balances(stack: &Stack) {
    for (partner, rows) in [
        ("acme", &[(20_000, "eur"), (500, "usd")][..]),
        ("peel", &[(50, "eur")]),
        ("zest", &[(-100, "eur")]),
    ] {
        run_ok(stack, &["partner", "add", partner]);
        for (n, (minor, code)) in rows.iter().enumerate() {
            put_row(stack, partner, n as u64, *minor, code).await;
        }
    }
    let account = ["--name", "Acmé & Fils", "--iban", "NL91ABNA0417164300"];
    run_ok(
        stack,
        &[&["partner", "bank", "acme"][..], &account].concat(),
    );
}

/// What each of three that pay at once says it did.
fn three_at_once(stack: &Stack, pay: &[&str]) -> Vec<String> {
    let runs: Vec<_> = (0..3)
        .map(|_| command(stack, pay).spawn().unwrap())
        .collect();
    let mut states = Vec::new();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let told = json_of(&text(&output.stdout));
        states.push(told["payouts"][0]["state"].as_str().unwrap().to_owned());
        assert_eq!(
            told["not_transferred"][0],
            "acme-1, 5.00 USD: SEPA transfers euros alone"
        );
    }
    states.sort();
    states
}

fn check_files_of_acme(csv: &str, xml: &str) {
    let sheet = "date,payout,partner,amount,currency,holder,iban,bic,transfer\n\
        2026-03-01,acme-1,acme,200.00,EUR,Acmé & Fils,NL91ABNA0417164300,,ORANGERY-20260301-1\n\
        2026-03-01,acme-1,acme,5.00,USD,Acmé & Fils,NL91ABNA0417164300,,\
        SEPA transfers euros alone\n";
    assert_eq!(csv, sheet);
    for part in [
        "<MsgId>ORANGERY-20260301-1</MsgId>",
        "<CtrlSum>200.00</CtrlSum>",
        "<Nm>Acme + Fils</Nm>",
        "<IBAN>NL91ABNA0417164300</IBAN>",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
}

/// Who is paid later that day is in a message of its own.
fn pay_later_that_day(stack: &Stack, folder: &OutputFolder, pay: &[&str]) {
    let account = ["--name", "Peel", "--iban", "NL91ABNA0417164300"];
    run_ok(
        stack,
        &[&["partner", "bank", "peel"][..], &account].concat(),
    );
    let late = run_ok(stack, &["partner", "payout", "peel", "--date", DAY]);
    assert!(
        late.contains("peel-1") && late.contains("0.50 EUR"),
        "{late}"
    );
    let told = json_of(&run_ok(stack, pay));
    let written: Vec<_> = told["files"].as_array().unwrap().iter().collect();
    let messages: Vec<&Value> = written.iter().map(|file| &file["message"]).collect();
    assert_eq!(
        messages,
        [
            &json!(null),
            &json!("ORANGERY-20260301-1"),
            &json!("ORANGERY-20260301-2")
        ]
    );
    let second = read(&folder.file("transfers-2.xml"));
    assert!(second.contains("<CtrlSum>0.50</CtrlSum>") && !second.contains("acme"));
}

/// What is typed after `partner`, and what is said of it.
const INVALID_COMMANDS: &[(&[&str], &str)] = &[
    (&["payout", "acme"], "<--dry-run|--date <DATE>>"),
    (&["payout", "--date", DAY], "<NAME|--all>"),
    (
        &["payout", "acme", "--all", "--date", DAY],
        "cannot be used",
    ),
    (
        &["payout", "nobody", "--date", DAY],
        "no partner is called nobody",
    ),
    (&["payout", "acme", "--date", "1 March"], "1 March"),
    (
        &["payout", "acme", "--date", "2026-03-02"],
        "is in the future",
    ),
    (
        &["payout", "acme", "--date", DAY, "--minimum", "50"],
        "invalid value '50'",
    ),
    (
        &["payout", "acme", "--date", DAY, "--sepa", "x.xml"],
        "--debtor-name",
    ),
    (
        &["payout", "acme", "--dry-run", "--csv", "x.csv"],
        "cannot be used",
    ),
    (&["bank", "acme"], "no account of acme is known"),
    (&["bank", "acme", "--name", "Acme"], "--iban"),
    (
        &[
            "bank",
            "acme",
            "--name",
            "Acme",
            "--iban",
            "NL91ABNA0417164301",
        ],
        "check digits do not fit",
    ),
    (
        &["statement", "acme", "--month", "2026-13"],
        "as in 2026-04",
    ),
    (&["statement", "acme", "--csv", "x.csv"], "--month"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_ordered_is_refused_in_words_and_pays_nothing() {
    let stack = open(&shop()).await;
    let folder = OutputFolder::new("wrong");
    run_ok(&stack, &["partner", "add", "acme"]);
    put_row(&stack, "acme", 0, 20_000, "eur").await;
    let missing = folder.file("no/such/folder.csv");
    let bad_payer = [
        "--debtor-name",
        "x",
        "--debtor-iban",
        "DE88370400440532013000",
    ];
    for (words, said) in INVALID_COMMANDS {
        let output = run_command(&stack, &[&["partner"][..], words].concat());
        let complaint = text(&output.stderr);
        assert!(
            !output.status.success() && complaint.contains(said),
            "{words:?}: {complaint}"
        );
        assert!(!complaint.contains("ABNA"), "{complaint}");
    }
    let sepa = [
        "partner", "payout", "acme", "--date", DAY, "--sepa", "x.xml",
    ];
    let output = run_command(&stack, &[&sepa[..], &bad_payer].concat());
    assert!(text(&output.stderr).contains("the account that pays can't be used"));
    assert_eq!(balance(&stack, "acme"), json!([20_000, 0]));

    // A file that can't be written is no reason to pay again.
    let pay = [
        "partner", "payout", "acme", "--date", DAY, "--csv", &missing,
    ];
    let complaint = text(&run_command(&stack, &pay).stderr);
    assert!(
        complaint.contains("the same command writes it again"),
        "{complaint}"
    );
    assert_eq!(balance(&stack, "acme"), json!([0, 20_000]));
    let again = run_ok(&stack, &pay[..5]);
    assert!(again.contains("paid before"), "{again}");
    assert_eq!(balance(&stack, "acme"), json!([0, 20_000]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_shown_and_written_with_its_opening_and_closing() {
    let stack = open(&shop()).await;
    let folder = OutputFolder::new("month");
    run_ok(&stack, &["partner", "add", "acme"]);
    put_row(&stack, "acme", 0, 20_000, "eur").await;
    run_ok(&stack, &["partner", "payout", "acme", "--date", DAY]);
    let csv = folder.file("march.csv");
    let month = ["partner", "statement", "acme", "--month", "2026-03"];
    let shown = run_ok(&stack, &[&month[..], &["--csv", &csv]].concat());
    assert_private(&[&csv]);
    for part in [
        "Before 2026-03: nothing was owed",
        "In 2026-03\n",
        "After 2026-03\n",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    let told = json_of(&run_ok(&stack, &[&month[..], &["--json"]].concat()));
    assert_eq!(told["month"], "2026-03-01");
    let amounts: Vec<&Value> = told["rows"].as_array().unwrap().iter().collect();
    let amounts: Vec<&Value> = amounts.iter().map(|row| &row["amount_minor"]).collect();
    assert_eq!(amounts, [&json!(20_000), &json!(-20_000)]);
    assert_eq!(told["closing"][0]["paid_minor"], 20_000);
    let lines: Vec<String> = read(&csv).lines().map(str::to_owned).collect();
    assert!(
        lines[1].contains(",commission,200.00,EUR,paid,"),
        "{lines:?}"
    );
    assert!(
        lines[2].contains(",payout,-200.00,EUR,paid,,payout/2026-03-01,"),
        "{lines:?}"
    );
    assert!(lines[3].starts_with(",closing,0.00,EUR,,,,"), "{lines:?}");
    let later = run_ok(
        &stack,
        &["partner", "statement", "acme", "--month", "2026-04"],
    );
    assert!(
        later.contains("In 2026-04: nothing was decided or paid"),
        "{later}"
    );
}

fn paid_amounts(state: &str, told: &Value) -> Value {
    let at = &told["payouts"][0]["at"];
    let line = |minor, currency| {
        json!({ "partner": "acme", "payout": 1, "amount_minor": minor, "currency": currency,
            "exponent": 2, "state": state, "at": at })
    };
    json!([line(20_000, "eur"), line(500, "usd")])
}

fn unpaid_amounts() -> Value {
    let line = |partner, minor, why| {
        json!({ "partner": partner, "amount_minor": minor, "currency": "eur", "exponent": 2,
            "reason": why })
    };
    json!([
        line("peel", 50, "it is below 1.00 EUR"),
        line("zest", -100, "more went back than was earned since"),
    ])
}

/// Released and paid, minor units, by currency.
fn balance(stack: &Stack, partner: &str) -> Value {
    let told = json_of(&run_ok(stack, &["partner", "statement", partner, "--json"]));
    let balances = told["balance"].as_array().unwrap().iter();
    balances
        .flat_map(|of| [of["released_minor"].clone(), of["paid_minor"].clone()])
        .collect()
}

/// A row whose hold has ended.
async fn put_row(stack: &Stack, partner: &str, n: u64, minor: i64, code: &str) {
    let now = stack.clock().now();
    let row = CommissionRow {
        partner: PartnerId::parse(partner).unwrap(),
        customer: CustomerKey::parse("stripe/test/cus_1").unwrap(),
        payment: ObjectId::parse(format!("pi_{n}")).unwrap(),
        n,
        kind: RowKind::Commission,
        amount: Money {
            minor,
            currency: Currency::parse(code).unwrap(),
            exponent: 2,
        },
        referral: None,
        sub_ids: Default::default(),
        is_tax_unknown: false,
        self_referral_signal: None,
        reward: None,
        base_minor: None,
        paid_at: None,
        at: now,
        releases_at: now,
    };
    let table = dynamo_table(stack.endpoints()).unwrap();
    let put = table.put(Item::Commission(Arc::new(row)), WriteCondition::Absent);
    put.await.unwrap();
}

fn command(stack: &Stack, words: &[&str]) -> Command {
    let port = stack.gateway_url().rsplit(':').next().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
    command.args(words).args(["--port", port]);
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_ENDPOINT_URL",
        "ORANGERY_ROOT_PARTNERS",
    ] {
        command.env_remove(name);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run_command(stack: &Stack, words: &[&str]) -> Output {
    tokio::task::block_in_place(|| command(stack, words).output().unwrap())
}

fn run_ok(stack: &Stack, words: &[&str]) -> String {
    let output = run_command(stack, words);
    assert!(output.status.success(), "{words:?}: {output:?}");
    text(&output.stdout)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// A folder that goes with the test.
struct OutputFolder(PathBuf);

impl OutputFolder {
    fn new(name: &str) -> Self {
        let id = std::process::id();
        let folder = std::env::temp_dir().join(format!("orangery-payouts-{name}-{id}"));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        Path::join(&self.0, name).to_str().unwrap().to_owned()
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
