//! The signing guide: what it lists is right, and its samples open the endpoint.

use crate::signing::{sign, sign_query};
use domain::ids::PartnerId;
use providers::partner::postback;
use providers::{Secret, standard};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use tests::harness::TestHarness;
use tests::harness::partner_requests::{PartnerRequest, key};

const GUIDE: &str = include_str!("../../../functions/partner-referral/signing.md");
const SECRET: &str = "whsec_dGhlLXNlY3JldC10aGF0LXRoZS1ndWlkZS1zaG93cyE=";
const TIME: i64 = tests::harness::partner_endpoint::START_SECOND;
const QUESTION: &str = "GET /partners/acme/referrals/r-2207";
const QUERY: &str = "transaction_id=t-1&email=nell%40example.com&amount=12.50";

/// A language of the guide: its fence, what runs it on a file of which ending, and what is put
/// behind the sample so that it signs its arguments.
struct SampleLanguage {
    fence: &'static str,
    program: &'static str,
    ending: &'static str,
    driver: &'static str,
}

const LANGUAGES: [SampleLanguage; 3] = [
    SampleLanguage {
        fence: "js",
        program: "node",
        ending: "mjs",
        driver: r#"
const [what, secret, name, time, ...rest] = process.argv.slice(2);
const pairs = Object.fromEntries(rest.map((pair) => pair.split("=")));
console.log(what == "sign" ? sign(secret, name, time, rest[0])
  : signQuery(secret, name, time, pairs));
"#,
    },
    SampleLanguage {
        fence: "python",
        program: "python3",
        ending: "py",
        driver: r#"
import sys
what, secret, name, time, *rest = sys.argv[1:]
pairs = lambda: dict(pair.split("=") for pair in rest)
print(sign(secret, name, time, rest[0]) if what == "sign"
    else sign_query(secret, name, time, pairs()))
"#,
    },
    SampleLanguage {
        fence: "php",
        program: "php",
        ending: "php",
        driver: r#"
[, $what, $secret, $name, $time] = $argv;
$pairs = [];
foreach (array_slice($argv, 5) as $pair) {
    if ($what != 'sign') {
        [$key, $value] = explode('=', $pair);
        $pairs[$key] = $value;
    }
}
echo $what == 'sign' ? sign($secret, $name, (int) $time, $argv[5])
    : sign_query($secret, $name, (int) $time, $pairs);
"#,
    },
];

#[test]
fn what_the_guide_lists_is_what_the_verifier_takes() {
    let secret = Secret::standard(SECRET).unwrap();
    let at = jiff::Timestamp::from_second(TIME).unwrap();
    for text in [block("json").trim_end(), QUESTION] {
        let signature = &standard::sign("msg_1", text.as_bytes(), &secret, at)[2].1;
        assert!(
            GUIDE.contains(&format!("`{signature}`")),
            "{text}: {signature}"
        );
    }
    let query =
        postback::sign_query(QUERY, &PartnerId::parse("acme").unwrap(), &secret, at).unwrap();
    let sig = query.split("&sig=").nth(1).unwrap();
    assert!(GUIDE.contains(&format!("`{sig}`")), "{sig}");
    for shown in [SECRET, QUESTION, QUERY, &TIME.to_string()] {
        assert!(GUIDE.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn the_sample_in_rust_opens_the_door() {
    assert_eq!(
        block("rust"),
        include_str!("signing.rs"),
        "the guide shows what is run"
    );
    assert_accepted(&|call: &SampleCall<'_>| match call {
        SampleCall::Sign { secret, id, text } => sign(secret, id, TIME, text),
        SampleCall::SignQuery { secret, parameters } => {
            sign_query(secret, "acme", TIME, parameters)
        }
    })
    .await;
}

#[tokio::test]
async fn the_samples_in_other_languages_open_the_door() {
    for language in &LANGUAGES {
        let there = Command::new(language.program).arg("--version").output();
        if !there.is_ok_and(|answer| answer.status.success()) {
            println!("{} is not here: its sample was not run", language.program);
            continue;
        }
        let folder = std::env::temp_dir().join(format!("orangery-guide-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("sample.{}", language.ending));
        std::fs::write(&file, block(language.fence) + language.driver).unwrap();
        assert_accepted(&|call: &SampleCall<'_>| {
            let mut program = Command::new(language.program);
            let answer = program.arg(&file).args(call.arguments()).output().unwrap();
            let words = String::from_utf8(answer.stderr).unwrap();
            assert!(answer.status.success(), "{}: {words}", language.program);
            String::from_utf8(answer.stdout)
                .unwrap()
                .trim_end()
                .to_owned()
        })
        .await;
        std::fs::remove_dir_all(&folder).unwrap();
        println!("{} signs as the guide says", language.program);
    }
}

/// What a sample is asked for.
enum SampleCall<'a> {
    Sign {
        secret: &'a str,
        id: &'a str,
        text: &'a str,
    },
    SignQuery {
        secret: &'a str,
        parameters: BTreeMap<&'a str, &'a str>,
    },
}

impl SampleCall<'_> {
    fn arguments(&self) -> Vec<String> {
        let time = TIME.to_string();
        let (words, pairs) = match self {
            Self::Sign { secret, id, text } => {
                (["sign", *secret, *id, &*time, *text].to_vec(), None)
            }
            Self::SignQuery { secret, parameters } => (
                ["query", *secret, "acme", &*time].to_vec(),
                Some(parameters),
            ),
        };
        let pairs = pairs
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}={value}"));
        words.into_iter().map(str::to_owned).chain(pairs).collect()
    }
}

/// Signs the guide's vector, then a report, a question and a postback that the real endpoint takes.
async fn assert_accepted(signs: &dyn Fn(&SampleCall<'_>) -> String) {
    let body = block("json").trim_end().to_owned();
    let parameters = || {
        let pairs = [
            ("transaction_id", "t-1"),
            ("email", "nell@example.com"),
            ("amount", "12.50"),
        ];
        BTreeMap::from(pairs)
    };
    for text in [&*body, QUESTION] {
        let signature = signs(&SampleCall::Sign {
            secret: SECRET,
            id: "msg_1",
            text,
        });
        assert!(GUIDE.contains(&format!("`{signature}`")), "{signature}");
    }
    let sig = signs(&SampleCall::SignQuery {
        secret: SECRET,
        parameters: parameters(),
    });
    assert!(GUIDE.contains(&format!("`{sig}`")), "{sig}");

    let endpoint = TestHarness::with_partner_endpoint().await;
    let secret = key("acme").reveal_standard();
    let accents = body.replace("r-2207", "r-\u{e9}t\u{e9}");
    for (id, text) in [("msg_1", body), ("msg_2", accents)] {
        let mut knock = PartnerRequest::report("acme", id, &text, endpoint.now());
        let signature = signs(&SampleCall::Sign {
            secret: &secret,
            id,
            text: &text,
        });
        set(&mut knock, signature);
        assert_eq!(endpoint.send(&knock).await.verdict(), (202, "accepted"));
        set(&mut knock, format!("v1,{}=", "A".repeat(43)));
        assert_eq!(endpoint.send(&knock).await.status, 401);
    }
    for referral in ["r-2207", "r-\u{e9}t\u{e9}"] {
        let mut knock = PartnerRequest::question("acme", referral, endpoint.now());
        let text = format!("GET /partners/acme/referrals/{referral}");
        set(
            &mut knock,
            signs(&SampleCall::Sign {
                secret: &secret,
                id: "ask_1",
                text: &text,
            }),
        );
        let answer = endpoint.send(&knock).await;
        assert_eq!(
            (answer.status, &answer.body["state"]),
            (200, &Value::from("waiting"))
        );
    }
    let sig = signs(&SampleCall::SignQuery {
        secret: &secret,
        parameters: parameters(),
    });
    let query = format!("{QUERY}&ts={TIME}&sig={sig}");
    let answer = endpoint
        .send(&PartnerRequest::postback("acme", &query))
        .await;
    assert_eq!(answer.verdict(), (202, "accepted"));
}

/// Puts a signature into a request.
fn set(knock: &mut PartnerRequest, signature: String) {
    let header = knock
        .headers
        .iter_mut()
        .find(|(name, _)| name == "webhook-signature");
    header.unwrap().1 = signature;
}

/// The guide's block behind this fence.
fn block(fence: &str) -> String {
    let (_, rest) = GUIDE.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}
