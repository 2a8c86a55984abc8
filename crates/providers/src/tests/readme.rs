//! What this crate's page says of providers is what they act upon.

use crate::PROVIDERS;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_readme_has_a_row_for_every_provider_with_every_event_acted_upon_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(path).expect("is there");
    for provider in PROVIDERS {
        let begin = format!("| `{}`", provider.name());
        let row = readme.lines().find(|line| line.starts_with(&begin));
        let mut told = events(row.unwrap_or_else(|| panic!("no row begins {begin}")));
        told.remove(provider.name());
        let acted_upon = provider.handled_types().into_iter().map(str::to_owned);
        assert_eq!(told, acted_upon.collect(), "the row that begins {begin}");
    }
}

/// Names in a row. One that begins with a dot goes on after the last whole one: `invoice.paid`
/// `.voided`.
fn events(row: &str) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let mut family = "";
    for word in row.split('`').skip(1).step_by(2) {
        match word.strip_prefix('.') {
            Some(last) => told.insert(format!("{family}.{last}")),
            None => {
                family = word.rsplit_once('.').map_or("", |(family, _)| family);
                told.insert(word.to_owned())
            }
        };
    }
    told
}
