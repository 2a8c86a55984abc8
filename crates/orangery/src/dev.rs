//! `orangery dev`: the local stack with a few sample customers in it.

use crate::customer::{text_table, view};
use crate::request_lines::write_line;
use crate::request_log::PrintLine;
use crate::terminal::{self, Terminal};
use crate::wiring::wire_logged;
use anyhow::Context;
use domain::ids::{CustomerKey, Mode, ObjectId, ProviderAccount};
use domain::view::CustomerView;
use jiff::Timestamp;
use local_cloud::{Stack, StackSettings};
use local_shop::amounts::amount;
use local_shop::connection::dynamo_table;
use local_shop::delivery::Delivery;
pub use local_shop::samples::sample_story;
use local_shop::samples::{SAMPLES, sample_titles};
use local_shop::shop::enroll;
pub use local_shop::shop::signers;
use local_shop::shop::{Shop, local_secret};
use local_shop::story::Story;
use std::io::{Stdout, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::dynamo::DynamoTable;

/// How the stack is to be run.
#[derive(Debug)]
pub struct DevOptions {
    /// The gateway's port.
    pub port: u16,
    /// The table's port.
    pub table_port: u16,
    /// Where it keeps what it knows; none is in memory.
    pub data: Option<PathBuf>,
    /// The moment to begin at.
    pub clock: Option<Timestamp>,
    /// Whether the sample customers are played.
    pub samples: bool,
    /// Whether nothing is shown of what comes.
    pub quiet: bool,
    /// The shop.
    pub shop: Shop,
}

/// Runs the stack until Ctrl-C.
///
/// # Errors
/// When a port is taken, a folder can't be used, or a setting is wrong.
pub async fn run(dev: DevOptions) -> anyhow::Result<()> {
    let settings = StackSettings {
        port: dev.port,
        table_port: dev.table_port,
        data: dev.data.clone(),
        clock: dev.clock,
    };
    let mut wrong = None;
    let showing = Arc::new(AtomicBool::new(false));
    let print = (!dev.quiet).then(|| printing(showing.clone()));
    let stack = Stack::start(settings, |endpoints| {
        wire_logged(endpoints, &dev.shop, print).unwrap_or_else(|error| {
            wrong = Some(error);
            local_cloud::Wiring::default()
        })
    })
    .await
    .with_context(|| match &dev.data {
        Some(folder) => format!("the stack can't start in {}", folder.display()),
        None => "the stack can't start".into(),
    })?;
    if let Some(error) = wrong {
        return Err(error.into());
    }
    let mut out = TolerantStdout(terminal::stdout());
    writeln!(out, "ready {}", stack.gateway_url())?;
    out.flush()?;
    if dev.samples {
        play_samples(&stack, &dev.shop, &mut out).await?;
    }
    print_addresses(&stack, &dev, &mut out)?;
    showing.store(true, Ordering::Relaxed);
    tokio::signal::ctrl_c().await?;
    stack.shutdown().await;
    let ended = match &dev.data {
        Some(folder) => format!("its data stays in {}", folder.display()),
        None => "its data was in memory and is gone (--data DIR keeps it)".into(),
    };
    writeln!(out, "\nended; {ended}")?;
    Ok(())
}

/// Shows a line of what comes once the samples are played, which come as a table.
fn printing(showing: Arc<AtomicBool>) -> PrintLine {
    let in_color = terminal::stdout().takes_color();
    Box::new(move |line| {
        if showing.load(Ordering::Relaxed) {
            let mut out = terminal::stdout();
            // With nobody there to read, nothing is left to be done.
            let _ = write_line(&mut out, line, in_color);
        }
    })
}

/// Standard output for as long as somebody reads it: a stack must outlive `| head -1`.
struct TolerantStdout(Terminal<Stdout>);

impl Write for TolerantStdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // With nobody there to read, nothing is left to be done.
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// Plays the sample customers as signed requests over HTTP and prints what came of them.
async fn play_samples(stack: &Stack, shop: &Shop, out: &mut impl Write) -> anyhow::Result<()> {
    let table = dynamo_table(stack.endpoints())?;
    let signers = signers(shop)?;
    let now = stack.clock().now();
    writeln!(
        out,
        "\nplaying {} sample customers, with repeated and reordered events",
        SAMPLES.len()
    )?;
    let mut sent = 0_u32;
    let mut failed = 0_u32;
    for (_, _, text) in SAMPLES {
        let story = Story::parse(text)?;
        for partner in story.partners() {
            enroll(&table, &partner, shop.catalog.program.as_ref(), now).await?;
        }
        for delivery in story.deliveries(&signers, now)? {
            let answer = send(delivery, stack.gateway_url().to_owned(), now).await?;
            sent = sent.saturating_add(1);
            failed = failed.saturating_add(u32::from(!(200..300).contains(&answer)));
        }
    }
    stack.settle().await?;
    writeln!(
        out,
        "{sent} requests, {} answered 2xx\n",
        sent.saturating_sub(failed)
    )?;
    let views = views(&table, shop).await?;
    if let Some(rows) = customers_table(&views) {
        writeln!(out, "{rows}")?;
    }
    for (_, title) in sample_titles("en") {
        writeln!(out, "  {title}")?;
    }
    Ok(())
}

async fn send(delivery: Delivery, gateway: String, now: Timestamp) -> anyhow::Result<u16> {
    let sent = tokio::task::spawn_blocking(move || delivery.send(&gateway, now));
    Ok(sent.await.context("a delivery was cut off")??.status)
}

async fn views(table: &DynamoTable, shop: &Shop) -> anyhow::Result<Vec<CustomerView>> {
    let account = ProviderAccount {
        provider: "stripe",
        mode: Mode::Test,
    };
    let mut views = Vec::new();
    for (_, id, _) in SAMPLES {
        let customer: CustomerKey = account.customer(&ObjectId::parse(id)?);
        views.push(view(table, &customer, &shop.catalog).await?);
    }
    Ok(views)
}

fn customers_table(views: &[CustomerView]) -> Option<comfy_table::Table> {
    let rows = views.iter().map(|view| {
        let subscription = view.subscriptions.first();
        let payments: Vec<String> = view
            .payments
            .iter()
            .map(|payment| {
                let mut text = amount(payment, payment.paid.minor);
                if payment.refunded_minor > 0 {
                    text = format!("{text}, {} back", amount(payment, payment.refunded_minor));
                }
                text
            })
            .collect();
        let letters: Vec<String> = view
            .letters
            .iter()
            .map(|letter| format!("{} {}", letter.kind, letter.state))
            .collect();
        let quarantined = view
            .events
            .iter()
            .filter(|e| e.verdict == "quarantined")
            .count();
        let events = match quarantined {
            0 => view.events.len().to_string(),
            _ => format!("{}, {quarantined} quarantined", view.events.len()),
        };
        vec![
            view.customer.id.to_string(),
            subscription
                .map(|s| s.status.to_owned())
                .unwrap_or_default(),
            subscription
                .and_then(|s| s.plan.clone())
                .unwrap_or_default(),
            payments.join("; "),
            letters.join(", "),
            view.attribution
                .as_ref()
                .map(|came| came.partner.clone())
                .unwrap_or_default(),
            events,
        ]
    });
    let head = [
        "customer", "status", "plan", "paid", "e-mails", "through", "events",
    ];
    text_table(head, rows.collect())
}

fn print_addresses(stack: &Stack, dev: &DevOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let gateway = stack.gateway_url();
    let table = &stack.endpoints().table_url;
    // As it was started, so that what is printed works where it is read.
    let command = std::env::args().next().unwrap_or_default();
    let port = match port_of(gateway) {
        GATEWAY_PORT => String::new(),
        other => format!(" --port {other}"),
    };
    let example = if dev.samples {
        "cus_ada"
    } else {
        "cus_Valencia01"
    };
    let rows = [
        ("pages", format!("{gateway}/")),
        (
            "one customer",
            format!("{command} customer stripe/test/{example}{port}"),
        ),
        (
            "one more event",
            format!("{command} send stripe customer.subscription.updated{port}"),
        ),
        ("the clock", format!("{command} clock advance 3d{port}")),
        ("a partner", format!("{command} partner add acme{port}")),
        (
            "asking from code",
            format!("{command} key create --scope read --name backend{port}"),
        ),
        ("e-mails sent", format!("{gateway}/mailbox.json")),
        ("what was refused", format!("{gateway}/_stack/refusals")),
        ("the table", format!("{table} (any DynamoDB tool)")),
        ("webhooks", format!("POST {gateway}/webhooks/stripe")),
        (
            "providers' APIs",
            "this stack stands in for them with what `send` gives it (--api)".into(),
        ),
    ];
    writeln!(out, "\nwhere to look")?;
    for (what, place) in rows {
        writeln!(out, "  {what:<17}{place}")?;
    }
    if !dev.shop.secrets.contains_key("stripe") {
        let secret = local_secret("stripe");
        writeln!(out, "  {:<17}signed with {secret}", "")?;
    }
    let kept = match &dev.data {
        Some(folder) => format!("stays in {}", folder.display()),
        None => "is in memory and goes with it (--data DIR keeps it)".into(),
    };
    writeln!(out, "Ctrl-C ends it; its data {kept}")?;
    Ok(())
}

fn port_of(url: &str) -> &str {
    url.rsplit(':').next().unwrap_or_default()
}

/// The gateway's port unless it is told another.
const GATEWAY_PORT: &str = "9090";
