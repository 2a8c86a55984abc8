//! The shop whose stack runs on this machine: its settings and secrets, and who signs for it.

use crate::authority;
use crate::chaos::Chaos;
use crate::story::Signers;
use anyhow::Context;
use domain::catalog::Catalog;
use domain::ids::PartnerId;
use domain::partner::tiers::ProgramTerms;
use domain::shop_settings::ShopSettings;
use engagement_email::Sender;
use jiff::Timestamp;
use providers::Provider;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use store::partners::PartnerRow;
use store::{StoreError, Table};

/// The master key of every local stack: known to all, so that a partner's secret is the same
/// at every start. A deployed stage has its own, in Parameter Store.
pub const LOCAL_MASTER: &str = "orangery-local-stack-master-key-not-a-secret";

/// The name of every local stack's stage, as keys of it carry it.
pub const LOCAL_STAGE: &str = "local";

/// The shop whose stack it is.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Webhook secrets in force, by provider; a provider without any has [`local_secret`].
    pub secrets: BTreeMap<String, Vec<String>>,
    /// What is asked in place of a provider's own API, by provider: an address on loopback. Of a
    /// provider without any, the documents given to this process ([`crate::provider_stubs`]).
    pub api_urls: BTreeMap<String, String>,
    /// From which partner and person keys are derived.
    pub master: String,
    /// What the shop calls its prices.
    pub catalog: Catalog,
    /// The same as it was written, which commands ask for; without it they take the sample shop's.
    pub catalog_text: Option<String>,
    /// Who writes letters, where no file says it.
    pub sender: Sender,
    /// The shop's file, which is read again whenever a letter is made: an edit counts at once.
    pub settings_file: Option<PathBuf>,
    /// Which nets are up: tests take one away to see the others suffice.
    pub fallbacks: Fallbacks,
    /// What goes wrong on purpose with what the pages send.
    pub chaos: Chaos,
    /// Whether what is known outlives the process.
    pub persistent: bool,
}

impl Shop {
    /// Who writes letters now.
    ///
    /// # Errors
    /// In words with line and column, when the shop's file can't be used.
    pub fn sender_now(&self) -> Result<Sender, String> {
        match &self.settings_file {
            Some(file) => shop_file(file).map(Sender::of_file),
            None => Ok(self.sender.clone()),
        }
    }
}

/// Reads the shop's file.
///
/// # Errors
/// In words, a line for each problem with its line and column.
pub fn shop_file(file: &Path) -> Result<ShopSettings, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| format!("{shown} can't be read: {error}"))?;
    let read = ShopSettings::parse(&text);
    read.map_err(|invalid| format!("{shown} can't be used:\n{invalid}"))
}

/// Which nets are up.
#[derive(Clone, Copy, Debug)]
pub struct Fallbacks {
    /// The stream's two readers.
    pub stream: bool,
    /// The audit's schedule.
    pub audit: bool,
}

impl Default for Shop {
    fn default() -> Self {
        let sender = Sender {
            shop: "Grove".into(),
            from: "grove@example.com".into(),
            account_url: Some("https://grove.example.com/account".into()),
            ..Sender::default()
        };
        Self {
            secrets: BTreeMap::new(),
            api_urls: BTreeMap::new(),
            master: LOCAL_MASTER.into(),
            catalog: Catalog::default(),
            catalog_text: None,
            sender,
            settings_file: None,
            fallbacks: Fallbacks {
                stream: true,
                audit: true,
            },
            chaos: Chaos::default(),
            persistent: false,
        }
    }
}

/// The secret that a provider's endpoint of the local stack takes when none is given: stable, so
/// that a script written yesterday works today.
pub fn local_secret(provider: &str) -> String {
    // Base64 behind its prefix, for those who decode it.
    let text = format!("LocalStackOfOrangery{provider}");
    let whole = text.len().next_multiple_of(4);
    format!("whsec_{text:A<whole$}")
}

/// All that makes an endpoint of the local stack believe what `send` sends.
pub fn local_secrets(provider: &Provider) -> Vec<String> {
    let root = authority::root_secret().filter(|_| provider.signs_with_certificate());
    root.into_iter()
        .chain([local_secret(provider.name())])
        .collect()
}

/// Who signs for the local shop.
///
/// # Errors
/// When there is no such provider.
pub fn signers(shop: &Shop) -> anyhow::Result<Signers> {
    let provider = providers::provider("stripe").context("Stripe is not among the providers")?;
    let secret = signing_secret(shop, provider);
    Ok(Signers {
        provider,
        secret,
        master: shop.master.clone(),
    })
}

/// The secret with which a provider's events are signed for the local shop.
pub fn signing_secret(shop: &Shop, provider: &Provider) -> String {
    let given = shop.secrets.get(provider.name());
    let first = given.and_then(|texts| texts.first()).cloned();
    first.unwrap_or_else(|| local_secret(provider.name()))
}

/// Adds a partner of a sample story, on the sample shop's terms.
///
/// # Errors
/// When the table does not answer.
pub async fn enroll<T: Table>(
    table: &T,
    partner: &PartnerId,
    offer: Option<&ProgramTerms>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut row = PartnerRow::new(partner.clone());
    if let Some(offer) = offer {
        row.set_terms(offer, 0, now);
    }
    store::partners::put_new(table, row).await.map(drop)
}
