//! `orangery check`: whether the shop's file and its catalog can be used, with line and column
//! where not, before anybody is written to.

use crate::terminal;
use anyhow::{Context, anyhow, bail};
use clap::Args;
use domain::catalog::Catalog;
use domain::shop_settings::ShopSettings;
use engagement_email::Sender;
use engagement_email::render::Language;
use local_shop::sample_cases::{SAMPLE_CASES, SampleNames};
use local_shop::sample_letters::sample_of;
use local_shop::samples;
use local_shop::shop::shop_file;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Which file.
#[derive(Args)]
pub struct CheckArgs {
    /// The shop's file.
    #[arg(
        value_name = "FILE",
        default_value = "shop.toml",
        env = "ORANGERY_SHOP"
    )]
    file: PathBuf,
}

impl CheckArgs {
    /// Says what it is, or what is wrong.
    ///
    /// # Errors
    /// When it can't be used, with every problem on a line of its own.
    pub fn run(&self) -> anyhow::Result<()> {
        let shop = shop_file(&self.file).map_err(|problem| anyhow!(problem))?;
        let catalog = catalog_beside(&self.file, &shop)?;
        check_languages(&shop)?;
        check_letters(&shop)?;
        let shown = self.file.display();
        let mut out = terminal::stdout();
        writeln!(
            out,
            "{shown} can be used: {}, e-mails from {}, {} in its own wording",
            shop.name,
            shop.from.address,
            shop.letters.len()
        )?;
        if let (Some(file), Some(catalog)) = (&shop.catalog, &catalog) {
            writeln!(
                out,
                "{file} can be used: {} plans, {} add-ons, {} meters, {} purchases, {} features",
                catalog.plans.len(),
                catalog.add_ons.len(),
                catalog.meters.len(),
                catalog.purchases.len(),
                catalog.features.len()
            )?;
        }
        for note in notes(&shop, catalog.as_ref()) {
            writeln!(out, "note: {note}")?;
        }
        Ok(())
    }
}

/// The catalog that the shop's file names, from where that lies.
///
/// # Errors
/// When it can't be read, or is none.
pub fn catalog_beside(file: &Path, shop: &ShopSettings) -> anyhow::Result<Option<Catalog>> {
    let named = catalog_path(file, shop);
    let read = named.as_deref().map(|path| samples::catalog(Some(path)));
    read.transpose()
        .with_context(|| format!("as {} names it", file.display()))
}

/// Where that catalog lies.
pub fn catalog_path(file: &Path, shop: &ShopSettings) -> Option<PathBuf> {
    let named = shop.catalog.as_deref()?;
    Some(file.with_file_name("").join(named))
}

/// An e-mail in a language that none is written in would never be sent.
fn check_languages(shop: &ShopSettings) -> anyhow::Result<()> {
    for (letter, language) in shop.letters.keys() {
        if Language::parse(language).is_none() {
            let known = Language::ALL.map(Language::as_str).join(", ");
            bail!(
                "[emails.{}.{language}]: no e-mail is written in that language; there are: {known}",
                letter.as_str()
            )
        }
    }
    Ok(())
}

/// Makes every e-mail once, so that what can't be made is known before it is due.
fn check_letters(shop: &ShopSettings) -> anyhow::Result<()> {
    let sender = Sender::of_file(shop.clone());
    let words = SampleNames {
        shop: sender.shop.clone(),
        ..SampleNames::default()
    };
    for case in SAMPLE_CASES {
        for language in Language::ALL {
            let mail = sample_of(case, language, &words, &sender)?;
            if mail.html.len() > MAX_HTML {
                bail!(
                    "the e-mail {} in {} has {} bytes, and readers cut what is beyond {MAX_HTML}",
                    case.letter.as_str(),
                    language.as_str(),
                    mail.html.len()
                )
            }
        }
    }
    Ok(())
}

/// What is allowed and may be an oversight.
fn notes(shop: &ShopSettings, catalog: Option<&Catalog>) -> Vec<String> {
    let mut notes = Vec::new();
    if shop.links.account.is_none() {
        notes.push("without links.account, e-mails ask customers for an answer".to_owned());
    }
    if shop.legal.name.is_none() || shop.legal.address.is_none() {
        notes
            .push("without [legal] name and address, no e-mail says who you are by law".to_owned());
    }
    let french = ["FR", "MC", "BE", "CH", "LU"];
    let english = ["GB", "IE", "US", "CA", "AU", "NZ", "MT"];
    let written = |country: &&String| !french.iter().chain(&english).any(|known| known == country);
    let others: Vec<&str> = shop
        .markets
        .iter()
        .filter(written)
        .map(String::as_str)
        .collect();
    if !others.is_empty() {
        notes.push(format!(
            "customers in {} get e-mails in English or French, the languages there are",
            others.join(", ")
        ));
    }
    let unused = catalog
        .map(Catalog::features_without_product)
        .unwrap_or_default();
    if !unused.is_empty() {
        notes.push(format!(
            "no product gives these features: {}",
            unused.join(", ")
        ));
    }
    notes
}

/// What Gmail shows of a message.
const MAX_HTML: usize = 102 * 1024;
