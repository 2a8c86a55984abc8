//! Killed from its page amid doubled and shuffled deliveries, a stack that keeps a folder tells
//! the same story afterwards.

use super::parsed_page::ParsedPage;
use local_shop::delivery::agent;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[test]
fn killed_from_its_page_under_chaos_it_tells_the_same_story() {
    let undisturbed = {
        let whole = DevProcess::start(&["--no-samples"]);
        whole.play_all_stories();
        whole.page_texts()
    };
    assert!(undisturbed.len() > 12, "{undisturbed:#?}");
    let data = DataFolder::fresh();
    let options = [
        "--no-samples",
        "--chaos",
        "duplicate,shuffle,kill",
        "--data",
    ];
    let options: Vec<&str> = options.into_iter().chain([data.path()]).collect();
    let mut dying = DevProcess::start(&options);
    // It tells half of what it would tell, and aborts before it answers.
    let answer = agent(&dying.url)
        .post(format!("{}/demo/kill", dying.url))
        .send_empty();
    assert!(answer.is_err(), "it was to die, and answered");
    assert!(!dying.child.wait().unwrap().success());
    let again = DevProcess::start(&options);
    let kept = again.page_texts();
    assert!(!kept.is_empty(), "nothing outlived it");
    again.play_all_stories();
    assert_eq!(again.page_texts(), undisturbed);
}

/// The command as a process of its own, killed when it is no longer wanted.
struct DevProcess {
    child: Child,
    url: String,
}

impl DevProcess {
    fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_orangery"))
            .args(["dev", "--port", "0", "--table-port", "0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| Some(line.unwrap().strip_prefix("ready ")?.to_owned()));
        let url = ready.expect("it ended before it was ready");
        // Somebody reads it on, or it would write to a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn get(&self, path: &str) -> String {
        let mut answer = agent(&self.url)
            .get(format!("{}{path}", self.url))
            .call()
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.body_mut().read_to_string().unwrap()
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) {
        let patient = agent(&self.url).post(format!("{}{path}", self.url));
        let patient = patient.config().timeout_global(Some(PATIENCE)).build();
        let mut answer = patient.send_form(form.iter().copied()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        assert_eq!(answer.status(), 200, "{path}: {text}");
    }

    fn play_all_stories(&self) {
        self.post("/demo/play", &[("story", "all")]);
        self.post("/_stack/settle", &[]);
    }

    /// What the pages say of every customer, but for moments.
    fn page_texts(&self) -> BTreeMap<String, String> {
        let list = self.get("/customers");
        let keys = ParsedPage::read(&list).links_after("/customer?key=");
        let texts = keys.into_iter().map(|key| {
            let page = ParsedPage::read(&self.get(&format!("/customer?key={key}")));
            // A sender that died amid a call keeps its claim, and its letter is never sent again.
            let told = without_times(&page.words_of(".side")).replace(" being sent ", " sent ");
            // Who hears of a failure only after it was made good writes of the recovery alone;
            // who hears of both before it wrote takes the letter back.
            let told = told.replace("✉ Payment failed sent in_Gaspard02 ", "");
            let told = told.replace(
                "✉ Payment failed withdrawn in_Gaspard02 because its reason is gone: the record \
                 no longer asks for it ",
                "",
            );
            (key, told)
        });
        texts.collect()
    }
}

impl Drop for DevProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The words without the moments among them.
fn without_times(words: &[&str]) -> String {
    let moment =
        |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(['-', ':']);
    let words = words.iter().copied().filter(|word| !moment(word));
    let words: Vec<&str> = words
        .map(|word| word.split_once('@').map_or(word, |(cause, _)| cause))
        .collect();
    words.join(" ")
}

struct DataFolder(PathBuf);

impl DataFolder {
    fn fresh() -> Self {
        let name = format!("orangery-pages-killed-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        Path::new(&self.0).to_str().unwrap()
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Every story, doubled and folded on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(240);
