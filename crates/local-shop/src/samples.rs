//! The sample shop: its catalog, and the lives of its customers as stories.

use crate::story::Story;
use anyhow::Context;
use domain::catalog::Catalog;
use std::path::Path;

/// The sample lives, and whose they are.
pub const SAMPLES: [(&str, &str, &str); 14] = [
    ("ada", "cus_ada", include_str!("../samples/ada.toml")),
    ("bruno", "cus_bruno", include_str!("../samples/bruno.toml")),
    ("chloe", "cus_chloe", include_str!("../samples/chloe.toml")),
    ("dana", "cus_dana", include_str!("../samples/dana.toml")),
    ("emil", "cus_emil", include_str!("../samples/emil.toml")),
    ("fleur", "cus_fleur", include_str!("../samples/fleur.toml")),
    (
        "gaspard",
        "cus_gaspard",
        include_str!("../samples/gaspard.toml"),
    ),
    ("hugo", "cus_hugo", include_str!("../samples/hugo.toml")),
    ("ines", "cus_ines", include_str!("../samples/ines.toml")),
    (
        "jeanne",
        "cus_jeanne",
        include_str!("../samples/jeanne.toml"),
    ),
    ("karim", "cus_karim", include_str!("../samples/karim.toml")),
    (
        "louise",
        "cus_louise",
        include_str!("../samples/louise.toml"),
    ),
    (
        "marius",
        "cus_marius",
        include_str!("../samples/marius.toml"),
    ),
    ("guest", "pi_Guest03", include_str!("../samples/guest.toml")),
];

/// The sample shop's catalog.
pub const CATALOG: &str = include_str!("../samples/catalog.toml");

/// A catalog file; without one the sample shop's.
///
/// # Errors
/// When the file can't be read, or is no catalog.
pub fn catalog(path: Option<&Path>) -> anyhow::Result<Catalog> {
    let text = catalog_text(path)?;
    let place = || {
        path.map_or("the sample catalog".into(), |path| {
            path.display().to_string()
        })
    };
    Catalog::parse(&text).with_context(|| format!("in {}", place()))
}

/// The same as text.
///
/// # Errors
/// When the file can't be read.
pub fn catalog_text(path: Option<&Path>) -> anyhow::Result<String> {
    let Some(path) = path else {
        return Ok(CATALOG.to_owned());
    };
    std::fs::read_to_string(path)
        .with_context(|| format!("the catalog {} can't be read", path.display()))
}

/// A sample story's file by its name.
pub fn sample_story(name: &str) -> Option<&'static str> {
    SAMPLES
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, _, text)| *text)
}

/// The sample stories' names.
pub fn story_names() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().map(|(name, _, _)| *name)
}

/// The sample stories: their names and what they tell, in one line each.
pub fn sample_titles(language: &str) -> Vec<(&'static str, String)> {
    let title = |text| Some(Story::parse(text).ok()?.title(language).to_owned());
    SAMPLES
        .iter()
        .filter_map(|(name, _, text)| Some((*name, title(text)?)))
        .collect()
}
