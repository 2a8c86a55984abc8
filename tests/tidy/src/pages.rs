//! The pages that a reader begins with.

use crate::tree::{SourceFile, assert_tidy, exceptions, files, folders, read, root};
use std::path::Path;

#[test]
fn every_folder_has_its_name_plate() {
    let mut faults = Vec::new();
    let packages = ["crates", "functions"].into_iter().flat_map(|of| {
        let folders = folders(of).into_iter();
        folders.map(move |name| format!("{of}/{name}"))
    });
    let halls = ["", "crates", "functions", "infra"].map(str::to_owned);
    for folder in halls.into_iter().chain(packages) {
        if !root().join(&folder).join("README.md").is_file() {
            faults.push(format!("{folder}/README.md is not there"));
        }
    }
    for page in ["README.md", "crates/README.md"] {
        let lines = read(page).lines().count();
        if lines > 150 {
            faults.push(format!("{page} has {lines} lines, at most 150"));
        }
    }
    assert_tidy(&faults);
}

#[test]
fn no_link_of_a_page_leads_nowhere() {
    let excepted = exceptions("dead_link");
    let guides = ["CONTRIBUTING.md", "SECURITY.md"].map(|name| {
        let path = format!(".github/{name}");
        let text = read(&path);
        SourceFile { path, text }
    });
    let pages = files().filter(|file| file.path.ends_with(".md"));
    let mut links = 0;
    let mut faults = Vec::new();
    for page in pages.chain(guides).filter(|page| !excepted.covers(page)) {
        let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (target, _) in page
            .text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
        {
            let (path, part) = target.split_once('#').unwrap_or((target, ""));
            if path.contains(':') {
                continue;
            }
            links += 1;
            let file = match path {
                "" => root().join(&page.path),
                _ => root().join(folder).join(path),
            };
            if !file.exists() {
                faults.push(format!("{}: {target} is not there", page.path));
            } else if !part.is_empty() && !headings(&file).contains(&part.to_owned()) {
                faults.push(format!("{}: {target} has no such heading", page.path));
            }
        }
    }
    assert!(links > 50, "the links are not read: {links}");
    assert_tidy(&faults);
}

/// As addresses name them: in small letters, with dashes for spaces.
fn headings(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let named = headings.map(|heading| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = |sign: &char| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_');
        words
            .chars()
            .filter(kept)
            .collect::<String>()
            .replace(' ', "-")
    });
    named.collect()
}
