//! The shop's file: seen at once in the gallery and in e-mails, and checked as it is typed.

use super::command_line::text;
use super::support::{get, open, play_story, shop};
use local_shop::shop::Shop;
use std::path::PathBuf;
use std::process::Command;

const FILE: &str = r##"
name = "Verger"
time_zone = "Europe/Paris"

[mail]
from = "Verger <bonjour@verger.example>"
color = "#2e7d32"

[legal]
name = "Verger SAS"
address = "1 rue du Verger, 75001 Paris"

[emails.welcome.en]
subject = "{shop} says hello"
text = """
Your {plan} has <b>taken root</b>.

See you soon."""
"##;

/// A file of its own for each test, gone with it.
struct TestFile(PathBuf);

impl TestFile {
    fn new(name: &str, text: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("orangery-{name}-{}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_shows_at_once_in_the_gallery_and_in_what_is_sent() {
    let file = TestFile::new("gallery", FILE);
    let shop = Shop {
        settings_file: Some(file.0.clone()),
        ..shop()
    };
    let stack = open(&shop).await;
    let body = "/gallery/body?letter=welcome&language=en";
    let (_, shown) = get(&stack, body).await;
    for part in [
        "Verger SAS",
        "#2e7d32",
        "&lt;b&gt;taken root&lt;&#x2f;b&gt;",
        "See you soon.",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        !shown.contains("everything it includes"),
        "the built-in text is still there"
    );
    let (_, list) = get(&stack, "/gallery").await;
    assert!(list.contains("Verger says hello"));

    std::fs::write(&file.0, FILE.replace("Verger SAS", "Verger et fils")).unwrap();
    let (_, shown) = get(&stack, body).await;
    assert!(shown.contains("Verger et fils"), "an edit is not seen");

    std::fs::write(&file.0, FILE.replace("#2e7d32", "green")).unwrap();
    let (_, list) = get(&stack, "/gallery").await;
    assert!(list.contains("line 7, column 9"), "{list}");
    std::fs::write(&file.0, FILE).unwrap();
    play_story(&stack, &shop, "ada").await;
    let (_, mails) = get(&stack, "/mailbox.json").await;
    assert!(
        mails.contains("Verger <bonjour@verger.example>")
            || mails.contains("bonjour@verger.example"),
        "{mails}"
    );
}

#[test]
fn a_file_is_checked_with_its_place_and_a_broken_one_fails() {
    let check = |file: &TestFile| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orangery"));
        let output = command
            .arg("check")
            .arg(&file.0)
            .env_clear()
            .output()
            .unwrap();
        (
            output.status.success(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (passed, said, complained) = check(&TestFile::new("fine", FILE));
    assert!(passed, "{complained}");
    assert!(
        said.contains("can be used: Verger, e-mails from bonjour@verger.example, 1 in its own")
    );
    assert!(said.contains("without links.account"), "{said}");
    for (line, wrong, part) in [
        (
            "color = \"#2e7d32\"",
            "colour = \"#2e7d32\"",
            "line 7, column 1: `mail.colour`: there is no such key; did you mean `color`?",
        ),
        (
            "subject = \"{shop} says hello\"",
            "subject = \"{{ shop }}\"",
            "line 14, column 11: `emails.welcome.en.subject`: no template runs here",
        ),
        (
            "[emails.welcome.en]",
            "[emails.welcome.de]",
            "there are: en, fr",
        ),
        (
            "name = \"Verger\"",
            "name = \"Verger\"\ncatalog = \"nowhere.toml\"",
            "nowhere.toml can't be read",
        ),
    ] {
        let (passed, _, complained) = check(&TestFile::new("wrong", &FILE.replace(line, wrong)));
        assert!(
            !passed && complained.contains(part),
            "{wrong}: {complained}"
        );
    }
}
