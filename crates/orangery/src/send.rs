//! `orangery send`: signs and delivers a sample, a file or a story.

use crate::set_fields::with_fields_set;
use crate::table;
use crate::terminal;
use anyhow::{Context, bail};
use domain::ids::PartnerId;
use jiff::Timestamp;
use local_shop::chaos::Chaos;
use local_shop::clock;
use local_shop::delivery::{Delivery, Signer, sample, set, shift_times};
use local_shop::provider_stubs::{self, ApiDocuments};
use local_shop::samples::{sample_story, story_names};
use local_shop::shop::enroll;
use local_shop::shop::{LOCAL_MASTER, local_secret};
use local_shop::stack_catalog;
use local_shop::story::{Signers, Story};
use local_shop::visible_text::visible_line;
use providers::{PROVIDERS, Provider, Secret};
use serde_json::Value;
use std::io::Write;
use std::path::Path;

/// What to send, and where.
#[derive(Debug)]
pub struct SendOptions {
    /// The gateway's address.
    pub gateway: String,
    /// The provider's name, or `partner/` and a partner's.
    pub provider: String,
    /// A sample, a file or a story.
    pub content: String,
    /// Fields to set.
    pub set: Vec<(String, String)>,
    /// The secret to sign with.
    pub secret: Option<String>,
    /// The port of the table that partners of a story are added to.
    pub table_port: Option<u16>,
    /// Every delivery twice.
    pub duplicate: bool,
    /// In a random order.
    pub shuffle: bool,
    /// Some are not made.
    pub drop: bool,
    /// Decides chance.
    pub seed: u64,
}

/// Sends it and prints a line a delivery.
///
/// # Errors
/// When there is nothing to send, nobody answers, or an endpoint answers otherwise than 2xx.
pub async fn run(send: &SendOptions) -> anyhow::Result<()> {
    let sender = parse_sender(&send.provider)?;
    // A deployed endpoint has no clock of its own to ask.
    let now = match clock::read_status(&send.gateway) {
        Ok(status) => status.now,
        Err(error) if error.is::<clock::TablePort>() => return Err(error),
        Err(_) => Timestamp::now(),
    };
    let chaos = Chaos {
        duplicate: send.duplicate,
        shuffle: send.shuffle,
        drop: send.drop,
        kill: false,
    };
    let deliveries = match &sender {
        SenderKind::Provider(provider) => deliveries(send, provider, now).await?,
        SenderKind::Partner(partner) => vec![report(send, partner, now)?.into()],
    };
    let deliveries = chaos.apply(deliveries, send.seed);
    let mut out = terminal::stdout();
    let mut refused = 0_usize;
    let mut announced = false;
    let sent = deliveries.len();
    for PreparedDelivery {
        delivery,
        documents,
    } in deliveries
    {
        let documents = documents_for(&delivery, documents, now)?;
        if let SenderKind::Provider(provider) = &sender
            && !documents.is_empty()
            && provider_stubs::send_documents(&send.gateway, provider, &documents)?
            && !announced
        {
            announced = true;
            writeln!(
                out,
                "{STANDS_IN} {}'s API; it is given the answers for this",
                send.provider
            )?;
        }
        let answer = delivery.send(&send.gateway, now)?;
        refused = refused.saturating_add(usize::from(!(200..300).contains(&answer.status)));
        writeln!(
            out,
            "{} {} {}",
            answer.status,
            delivery.name,
            visible_line(answer.body.trim())
        )?;
    }
    if refused > 0 {
        bail!("{refused} of {sent} deliveries were not accepted");
    }
    Ok(())
}

/// Who speaks.
enum SenderKind {
    Provider(&'static Provider),
    Partner(PartnerId),
}

fn parse_sender(name: &str) -> anyhow::Result<SenderKind> {
    if let Some(partner) = name.strip_prefix(PARTNER) {
        let partner = PartnerId::parse(partner).with_context(|| {
            format!("`{partner}` can't be a partner: lower-case letters, digits and dashes")
        })?;
        return Ok(SenderKind::Partner(partner));
    }
    match providers::provider(name) {
        Some(provider) => Ok(SenderKind::Provider(provider)),
        None => {
            let names = known_providers();
            bail!("`{name}` is not a provider; there are: {names}, and {PARTNER}NAME")
        }
    }
}

/// What its provider's API knows by then, the event itself among it where it must confirm it.
fn documents_for(
    delivery: &Delivery,
    mut documents: ApiDocuments,
    now: Timestamp,
) -> anyhow::Result<ApiDocuments> {
    if let Some(path) = delivery.signer.confirmation_path(&delivery.body, now) {
        let event = serde_json::from_slice(&delivery.body)?;
        documents.insert(path.to_string(), event);
    }
    Ok(documents)
}

/// The providers' names, for people.
pub fn known_providers() -> String {
    let names: Vec<&str> = PROVIDERS.iter().map(|provider| provider.name()).collect();
    names.join(", ")
}

/// Whether something can stand in for the API of the provider of this name.
///
/// # Errors
/// When nobody ever asks it for anything.
pub fn check_has_api(name: &str) -> anyhow::Result<()> {
    match providers::provider(name).and_then(Provider::api) {
        Some(_) => Ok(()),
        None => bail!("`--api {name}=…`: no provider of this name is ever asked for anything"),
    }
}

/// A delivery, and what its provider's API knows by then.
#[derive(Clone)]
struct PreparedDelivery {
    delivery: Delivery,
    documents: ApiDocuments,
}

impl From<Delivery> for PreparedDelivery {
    fn from(delivery: Delivery) -> Self {
        Self {
            delivery,
            documents: ApiDocuments::new(),
        }
    }
}

async fn deliveries(
    send: &SendOptions,
    provider: &'static Provider,
    now: Timestamp,
) -> anyhow::Result<Vec<PreparedDelivery>> {
    let secret = send
        .secret
        .clone()
        .unwrap_or_else(|| local_secret(provider.name()));
    let path = Path::new(&send.content);
    let story = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Some(read(path)?),
        Some(_) | None => sample_story(&send.content).map(str::to_owned),
    };
    if !send.set.is_empty() && (story.is_some() || send.content == SCENARIO) {
        bail!(
            "`--set` changes one sample or one file, and `{}` is several events",
            send.content
        );
    }
    if let Some(text) = story {
        let story = Story::parse(&text).with_context(|| format!("in {}", send.content))?;
        let partners = story.partners();
        if !partners.is_empty() {
            // The stack's own, whichever the environment names.
            let status = clock::read_status(&send.gateway).with_context(|| {
                format!(
                    "`{}` has reports of partners, who are added to stacks of this machine alone",
                    send.content
                )
            })?;
            let table = table::open_local(send.table_port.unwrap_or(status.table_port))?;
            let catalog = stack_catalog::read(&send.gateway)?.unwrap_or_default();
            for partner in &partners {
                let added = enroll(&table, partner, catalog.program.as_ref(), now).await;
                added
                    .map_err(table::readable_error)
                    .with_context(|| format!("partner {partner} can't be made known"))?;
            }
        }
        let signers = Signers {
            provider,
            secret,
            master: LOCAL_MASTER.into(),
        };
        let events = story.deliveries(&signers, now)?;
        return Ok(events.into_iter().map(PreparedDelivery::from).collect());
    }
    if send.content == SCENARIO {
        return scenario(provider, &Signer::provider(provider, &secret)?, now);
    }
    let (body, documents) = if is_path(&send.content) {
        (file(send, path)?, ApiDocuments::new())
    } else {
        fresh_sample(send, provider, now)?
    };
    let delivery = Delivery {
        name: send.content.clone(),
        path: format!("/webhooks/{}", provider.name()),
        body,
        signer: Signer::provider(provider, &secret)?,
    };
    Ok(vec![PreparedDelivery {
        delivery,
        documents,
    }])
}

/// A partner's report: a sample as if it happened now, or a file.
fn report(send: &SendOptions, partner: &PartnerId, now: Timestamp) -> anyhow::Result<Delivery> {
    let path = Path::new(&send.content);
    let body = if is_path(&send.content) {
        file(send, path)?
    } else {
        with_fields_set(sample_report(&send.content, now)?, &send.set)?
    };
    let signer = match &send.secret {
        Some(secret) => Signer::Partner(Secret::standard(secret)?),
        None => Signer::partner(LOCAL_MASTER, partner)?,
    };
    Ok(Delivery {
        name: send.content.clone(),
        path: format!("/partners/{partner}/events"),
        body,
        signer,
    })
}

/// What a partner would report, as if it had sent the customer now.
///
/// # Errors
/// When there is no such sample.
pub(crate) fn sample_report(name: &str, now: Timestamp) -> anyhow::Result<Value> {
    let mut body = serde_json::from_str(&sample(providers::partner::samples(), name)?)?;
    let second = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    set(&mut body, "data.occurred_at", second.into())?;
    Ok(body)
}

/// A provider's scenario of one customer, its last event put at `now`.
fn scenario(
    provider: &'static Provider,
    signer: &Signer,
    now: Timestamp,
) -> anyhow::Result<Vec<PreparedDelivery>> {
    let mut events = Vec::new();
    for (name, text) in provider.scenario() {
        let name = format!("{SCENARIO}/{name}");
        let documents = provider_stubs::documents(provider, &name)?;
        events.push((name, *text, documents));
    }
    if events.is_empty() {
        bail!("{} has no scenario", provider.name());
    }
    let mut moments = events
        .iter()
        .rev()
        .filter_map(|(_, text, documents)| provider_stubs::event_time(provider, text, documents));
    let by = moments.next();
    let by = by.map_or(0, |last| now.as_second().saturating_sub(last));
    let deliver = |(name, text, documents): (String, &str, ApiDocuments)| {
        let body = match serde_json::from_str::<Value>(text) {
            Ok(mut body) => {
                shift_times(&mut body, by);
                serde_json::to_vec(&body)?
            }
            // A form names an object; what happened to it, and when, its provider's API says.
            Err(_) => text.as_bytes().to_vec(),
        };
        let delivery = Delivery {
            name,
            path: format!("/webhooks/{}", provider.name()),
            body,
            signer: signer.clone(),
        };
        let documents = provider_stubs::shift_documents(documents, by);
        Ok(PreparedDelivery {
            delivery,
            documents,
        })
    };
    events.into_iter().map(deliver).collect()
}

/// A file goes out byte for byte, unless a field is to be set.
fn file(send: &SendOptions, path: &Path) -> anyhow::Result<Vec<u8>> {
    if send.set.is_empty() {
        return std::fs::read(path).with_context(|| format!("{} can't be read", path.display()));
    }
    let body = serde_json::from_str(&read(path)?);
    let why = || format!("{} is not JSON, so no field can be set", path.display());
    with_fields_set(body.with_context(why)?, &send.set)
}

/// Samples' names have neither a slash nor this ending.
fn is_path(what: &str) -> bool {
    what.contains('/') || what.ends_with(".json") || Path::new(what).is_file()
}

/// A sample as if it happened now, under an id of its own, and what its provider's API knows.
fn fresh_sample(
    send: &SendOptions,
    provider: &Provider,
    now: Timestamp,
) -> anyhow::Result<(Vec<u8>, ApiDocuments)> {
    let sample = sample(provider.samples(), &send.content).with_context(|| {
        let stories: Vec<&str> = story_names().collect();
        let stories = stories.join(", ");
        format!(
            "`{}` is neither a story ({stories}, {SCENARIO}) nor a file",
            send.content
        )
    })?;
    let documents = provider_stubs::documents(provider, &send.content)?;
    let at = provider_stubs::event_time(provider, &sample, &documents);
    let by = at.map_or(0, |at| now.as_second().saturating_sub(at));
    let documents = provider_stubs::shift_documents(documents, by);
    // Some endpoints take forms, which name an object and nothing that could be set.
    let Ok(mut body) = serde_json::from_str::<Value>(&sample) else {
        if !send.set.is_empty() {
            bail!(
                "`{}` is a form, not JSON, so no field can be set",
                send.content
            );
        }
        return Ok((sample.into_bytes(), documents));
    };
    shift_times(&mut body, by);
    if let Some(path) = provider.id_path() {
        let id = format!("evt_{:x}", now.as_microsecond());
        set(&mut body, path, id.into())?;
    }
    Ok((with_fields_set(body, &send.set)?, documents))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

/// In front of a partner's name.
const PARTNER: &str = "partner/";

/// So that nobody takes it for the provider's own word.
const STANDS_IN: &str = "the stack stands in for";

/// The story that every provider tells in its own words.
const SCENARIO: &str = "scenario";
