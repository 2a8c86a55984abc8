//! Which package may stand on which, and who may name whom.

use crate::tree::{assert_tidy, exceptions, folders, lines_naming, manifests, read, sources};
use std::collections::BTreeSet;

#[test]
fn arrows_between_packages_go_down_only() {
    let mut faults = Vec::new();
    let functions: BTreeSet<String> = folders("functions").into_iter().collect();
    let crates: BTreeSet<String> = folders("crates")
        .into_iter()
        .filter(|name| name != "decisions")
        .collect();
    assert!(
        functions.len() >= 6 && crates.len() >= 5,
        "the house is not where it was"
    );
    for (folder, name) in crates
        .iter()
        .map(|name| ("crates", name))
        .chain(functions.iter().map(|name| ("functions", name)))
    {
        let manifest = read(&format!("{folder}/{name}/Cargo.toml"));
        let manifest: toml::Table = manifest.parse().unwrap();
        let kind = if folder == "functions" { folder } else { name };
        let allowed = ALLOWED_DEPENDENCIES
            .iter()
            .find(|(package, _)| *package == kind);
        let allowed = allowed.map_or("", |(_, allowed)| *allowed);
        let allowed: BTreeSet<&str> = allowed.split_whitespace().collect();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for on in dependencies.keys() {
                let function = functions.contains(on) && !allowed.contains("functions");
                // For its own tests a crate may turn on a feature of itself.
                let itself = on == name && section == "dev-dependencies";
                let upward = crates.contains(on) && !allowed.contains(on.as_str()) && !itself;
                if function || upward || on == "tests" {
                    faults.push(format!("{folder}/{name} stands on {on}"));
                }
            }
        }
    }
    assert_tidy(&faults);
}

#[test]
fn no_provider_is_named_outside_its_folder_and_the_list() {
    let not_providers = ["diagnose", "partner", "standard", "tests"];
    let names: Vec<String> = folders("crates/providers/src")
        .into_iter()
        .filter(|name| !not_providers.contains(&name.as_str()))
        .collect();
    let list = read("crates/providers/src/lib.rs");
    assert!(names.contains(&"stripe".to_owned()));
    for name in &names {
        let value = format!("    &{name}::{},", name.to_uppercase());
        assert!(
            list.contains(&value),
            "`{name}` is not in the list of providers"
        );
    }
    let allowed = exceptions("provider_named");
    let mut faults = Vec::new();
    for file in sources().chain(manifests()) {
        for name in &names {
            let own = format!("crates/providers/src/{name}/");
            if !allowed.covers(&file) && !file.path.starts_with(&own) {
                faults.extend(lines_naming(&file, name, &[]));
            }
        }
    }
    assert_tidy(&faults);
}

#[test]
fn the_tables_make_is_named_in_the_store_alone() {
    let excepted = exceptions("table_named");
    let mut faults = Vec::new();
    for file in sources().chain(manifests()) {
        if excepted.covers(&file) {
            continue;
        }
        let allowed: &[&str] = if file.path.starts_with("functions/") {
            &TABLE_NAMED_BY_FUNCTIONS
        } else {
            &[]
        };
        faults.extend(lines_naming(&file, "dynamo", allowed));
    }
    assert_tidy(&faults);
}

/// All that a function may say of it: that it is the table it is deployed with.
const TABLE_NAMED_BY_FUNCTIONS: [&str; 3] = [
    "use store::dynamo::DynamoTable;",
    "<DynamoTable",
    "DynamoTable::new(cloud.dynamo(), settings.required(\"TABLE\")?)",
];

/// Which of our own packages one may stand on; a package that is not listed stands on none.
const ALLOWED_DEPENDENCIES: [(&str, &str); 8] = [
    ("providers", "domain"),
    ("store", "domain"),
    ("runtime", "domain providers store"),
    ("functions", "domain providers store runtime"),
    ("local-cloud", "runtime"),
    ("local-shop", BELOW_LOCAL_SHOP),
    ("pages", BELOW_PAGES),
    ("orangery", BELOW_COMMAND),
];
const BELOW_LOCAL_SHOP: &str = "domain providers store runtime functions local-cloud";
const BELOW_PAGES: &str = "domain providers store runtime functions local-cloud local-shop";
const BELOW_COMMAND: &str = "domain providers store runtime functions local-cloud local-shop pages";
