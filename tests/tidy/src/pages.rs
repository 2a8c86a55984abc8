//! The pages that a reader begins with.

use crate::tree::{assert_tidy, folders, read, root};

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
    let lines = read("README.md").lines().count();
    if lines > 150 {
        faults.push(format!("README.md has {lines} lines, at most 150"));
    }
    assert_tidy(&faults);
}
