//! The house as files: what is in it, and what a rule does not reach.

use std::path::{Path, PathBuf};

pub(crate) struct SourceFile {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Paths that a rule does not reach, and why.
pub(crate) struct RuleExceptions(pub(crate) Vec<(String, String)>);

impl RuleExceptions {
    pub(crate) fn covers(&self, file: &SourceFile) -> bool {
        self.0.iter().any(|(path, _)| file.path.starts_with(path))
    }
}

pub(crate) fn exceptions(name: &str) -> RuleExceptions {
    let file: toml::Table = read("tests/tidy/tidy.toml").parse().unwrap();
    let table = file[name].as_table().unwrap();
    let text = |reason: &toml::Value| reason.as_str().unwrap().to_owned();
    let of = table
        .iter()
        .map(|(path, reason)| (path.clone(), text(reason)));
    RuleExceptions(of.collect())
}

pub(crate) fn sources() -> impl Iterator<Item = SourceFile> {
    files().filter(|file| file.path.ends_with(".rs"))
}

pub(crate) fn manifests() -> impl Iterator<Item = SourceFile> {
    files().filter(|file| file.path.ends_with("Cargo.toml"))
}

/// Every text in the house, but for what tools make.
pub(crate) fn files() -> impl Iterator<Item = SourceFile> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    paths.sort();
    assert!(paths.len() > 100, "the house is not where it was");
    paths.into_iter().filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        let path = path.strip_prefix(root()).unwrap();
        Some(SourceFile {
            path: path.to_str().unwrap().replace('\\', "/"),
            text,
        })
    })
}

pub(crate) fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let made = [
            "target",
            "Cargo.lock",
            "node_modules",
            "proptest-regressions",
        ];
        if name.starts_with('.') || made.contains(&name) {
            continue;
        }
        if path.is_dir() {
            walk(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

pub(crate) fn folders(of: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(of)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

pub(crate) fn lines_naming(file: &SourceFile, word: &str, allowed: &[&str]) -> Vec<String> {
    let lines = file.text.lines().enumerate();
    let names = |line: &str| line.to_ascii_lowercase().contains(word);
    lines
        .filter(|(_, line)| names(line) && !allowed.iter().any(|allowed| line.contains(allowed)))
        .map(|(number, line)| format!("{}:{} names it: {}", file.path, number + 1, line.trim()))
        .collect()
}

pub(crate) fn lines_naming_exactly(file: &SourceFile, word: &str) -> Vec<String> {
    let lines = file.text.lines().enumerate();
    lines
        .filter(|(_, line)| line.contains(word))
        .map(|(number, line)| format!("{}:{}: {}", file.path, number + 1, line.trim()))
        .collect()
}

pub(crate) fn assert_tidy(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
