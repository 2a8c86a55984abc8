//! The samples for the shop's developers ask a stack over HTTP, each where its interpreter is.

use crate::support::{ADA, CATALOG};
use domain::catalog::Catalog;
use domain::shop_key::{KeyName, KeyScope};
use local_shop::samples::sample_story;
use local_shop::shop::{LOCAL_MASTER, Shop};
use local_shop::story::Story;
use providers::{Secret, shop_key};
use serde_json::{Value, json};
use std::process::Command;
use store::shop_keys::create;
use tests::harness::shop_requests::local_stage;
use tests::harness::{TestHarness, start_time};

const SAMPLES: &str = include_str!("../../../functions/shop-api/samples.md");

/// A language of the page: its fence, what runs it with which word before the file, the file's
/// ending, and what is put behind the sample so that it asks its arguments.
struct SampleLanguage {
    fence: &'static str,
    program: &'static str,
    version: &'static str,
    run: &'static [&'static str],
    ending: &'static str,
    driver: &'static str,
}

const LANGUAGES: [SampleLanguage; 6] = [
    SampleLanguage {
        fence: "sh",
        program: "curl",
        version: "--version",
        run: &["sh"],
        ending: "sh",
        driver: "",
    },
    SampleLanguage {
        fence: "js",
        program: "node",
        version: "--version",
        run: &["node"],
        ending: "mjs",
        driver: r#"
const [customer, feature, want] = process.argv.slice(2);
console.log(JSON.stringify(await check(customer, feature, Number(want))));
"#,
    },
    SampleLanguage {
        fence: "python",
        program: "python3",
        version: "--version",
        run: &["python3"],
        ending: "py",
        driver: r#"
import sys
print(json.dumps(check(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
"#,
    },
    SampleLanguage {
        fence: "php",
        program: "php",
        version: "--version",
        run: &["php"],
        ending: "php",
        driver: "\necho json_encode(check($argv[1], $argv[2], (int) $argv[3]));\n",
    },
    SampleLanguage {
        fence: "ruby",
        program: "ruby",
        version: "--version",
        run: &["ruby"],
        ending: "rb",
        driver: "\nputs JSON.generate(check(ARGV[0], ARGV[1], Integer(ARGV[2])))\n",
    },
    SampleLanguage {
        fence: "go",
        program: "go",
        version: "version",
        run: &["go", "run"],
        ending: "go",
        driver: r#"
func main() {
	var want int
	fmt.Sscan(os.Args[3], &want)
	answer, err := Check(os.Args[1], os.Args[2], want)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(answer)
}
"#,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_samples_ask_a_stack_and_are_answered() {
    let (harness, key) = open().await;
    let gateway = harness.stack().gateway_url().to_owned();
    let folder = std::env::temp_dir().join(format!("orangery-asks-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for language in &LANGUAGES {
        let there = Command::new(language.program)
            .arg(language.version)
            .output();
        if !there.is_ok_and(|finished| finished.status.success()) {
            println!("{} is not here: its sample was not run", language.program);
            continue;
        }
        let file = folder.join(format!("sample.{}", language.ending));
        std::fs::write(&file, block(language.fence) + language.driver).unwrap();
        let asked = |key: &str, want: &str| {
            let mut command = Command::new(language.run[0]);
            command.args(&language.run[1..]).arg(&file);
            command.args(["shop-ada", "seats", want]);
            command.envs([("ORANGERY_URL", &*gateway), ("ORANGERY_KEY", key)]);
            tokio::task::block_in_place(|| command.output().unwrap())
        };
        let finished = asked(&key, "3");
        let words = String::from_utf8_lossy(&finished.stderr).into_owned();
        assert!(finished.status.success(), "{}: {words}", language.program);
        let answer: Value = serde_json::from_slice(&finished.stdout).unwrap();
        let fields = [&answer["allowed"], &answer["why"], &answer["limit"]];
        assert_eq!(
            fields,
            [&json!(true), &json!("in_plan"), &json!(5)],
            "{answer}"
        );
        // The one in curl's words asks always the same.
        if language.fence != "sh" {
            let more: Value = serde_json::from_slice(&asked(&key, "6").stdout).unwrap();
            assert_eq!(more["allowed"], false, "{}: {more}", language.program);
        }
        let refused = asked(&key.replace("backend", "other"), "3");
        assert!(!refused.status.success(), "{}", language.program);
        println!("{} asks as the page says", language.program);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_asks_with_a_token_that_the_server_made() {
    if !Command::new("node")
        .arg("--version")
        .output()
        .is_ok_and(|finished| finished.status.success())
    {
        println!("node is not here: its sample was not run");
        return;
    }
    let (harness, key) = open().await;
    let headers = [("authorization", format!("Bearer {key}"))];
    let made = harness
        .post(
            "POST",
            "/v1/customers/shop-ada/tokens",
            &headers,
            Vec::new(),
        )
        .await;
    let made: Value = serde_json::from_str(&made.body).unwrap();
    assert_eq!(made["customer"], ADA);
    let file = std::env::temp_dir().join(format!("orangery-page-{}.mjs", std::process::id()));
    let driver = "\nconst [url, token] = process.argv.slice(2);\n\
                  console.log(JSON.stringify(await entitlements(url, token)));\n";
    std::fs::write(&file, block("js browser") + driver).unwrap();
    let mut command = Command::new("node");
    command
        .arg(&file)
        .arg(harness.stack().gateway_url())
        .arg(made["token"].as_str().unwrap());
    let finished = tokio::task::block_in_place(|| command.output().unwrap());
    std::fs::remove_file(&file).unwrap();
    let words = String::from_utf8_lossy(&finished.stderr).into_owned();
    assert!(finished.status.success(), "{words}");
    let features: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!(features[1]["feature"], "export");
    assert_eq!(features[1]["allowed"], true);
}

/// A stack in which Ada is a customer, and a key.
pub(crate) async fn open() -> (TestHarness, String) {
    let shop = Shop {
        catalog: Catalog::parse(CATALOG).unwrap(),
        ..Shop::default()
    };
    let harness = TestHarness::local_stack().shop(shop).open().await;
    let story = Story::parse(sample_story("ada").unwrap()).unwrap();
    harness
        .send_all(&story.deliveries(&harness.signers(), start_time()).unwrap())
        .await;
    let name: KeyName = "backend".parse().unwrap();
    create(&harness.table, &name, KeyScope::Read, harness.now())
        .await
        .unwrap();
    let root = Secret::new(LOCAL_MASTER).unwrap();
    let key = shop_key(&root, &local_stage(), &name, KeyScope::Read, 1).unwrap();
    (harness, key)
}

/// The page's block behind this fence.
fn block(fence: &str) -> String {
    let (_, rest) = SAMPLES.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}
