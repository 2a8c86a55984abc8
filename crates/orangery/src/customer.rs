//! A customer as the journal tells it: JSON for programs, tables for people.

use crate::root::RootArgs;
use crate::stage::StageArgs;
use crate::table::readable_error;
use crate::terminal;
use anyhow::{anyhow, bail};
use clap::Args;
use comfy_table::{Table as Text, presets};
use domain::catalog::Catalog;
use domain::ids::{CustomerKey, Mode};
use domain::payment::amounts::OtherCurrencyPart;
use domain::record::Entry;
use domain::record::explain::explain;
use domain::state::fold::fold_with_all_payments;
use domain::view::{CustomerView, LetterView, PaymentView};
use local_shop::amounts::{amount, part};
use local_shop::customer_search::customers_named;
use local_shop::visible_text::visible_line;
use providers::PersonKey;
use runtime::secrets::KeyPurpose;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use store::folding::read_journal;
use store::items::{LETTER, customer_partition};
use store::letters::{LetterRow, LetterState};
use store::port::query_all;
use store::waiting::read_waiting;
use store::{Item, StoreError, Table};

/// Whom to show, of which stage.
#[derive(Args)]
pub struct CustomerArgs {
    /// Provider, mode and the provider's id, as in stripe/test/cus_123; or an e-mail address, the
    /// id of a subscription, invoice or payment, the shop's own id, or a referral code.
    #[arg(value_name = "WHO")]
    who: String,
    /// Stable JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// What the shop calls its prices; without it, as the local stack was started with.
    #[arg(long, value_name = "FILE", env = "ORANGERY_CATALOG")]
    catalog: Option<PathBuf>,
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    root: RootArgs,
}

impl CustomerArgs {
    /// Prints it.
    ///
    /// # Errors
    /// When the table does not answer, or knows nobody of that name, or several.
    pub async fn run(self) -> anyhow::Result<()> {
        let table = self.stage.table().await?;
        let catalog = self.stage.catalog(self.catalog.as_deref())?;
        if catalog.is_none() {
            writeln!(terminal::stderr(), "{NO_CATALOG}")?;
        }
        let catalog = catalog.unwrap_or_default();
        let customer = self.customer(&table).await?;
        let view = view(&table, &customer, &catalog).await?;
        let text = match self.json {
            true => terminal::json(&view)?,
            false => text(&view),
        };
        writeln!(terminal::stdout(), "{}", text.trim_end())?;
        Ok(())
    }

    async fn customer<T: Table>(&self, table: &T) -> anyhow::Result<CustomerKey> {
        let who = self.who.trim();
        // An address is known by its digest alone, and only a stage's own key makes that.
        let person = match who.contains('@') {
            true => Some(PersonKey::derive(
                &self.root.newest(&self.stage, KeyPurpose::Persons).await?,
            )?),
            false => None,
        };
        let mut found = customers_named(table, who, person.as_ref()).await;
        if matches!(&found, Ok(nobody) if nobody.is_empty()) && self.stage.is_local()? {
            found = customers_whose_events_name(table, who).await;
        }
        match found.map_err(readable_error)?.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(unknown_customer(table, who).await),
            several => {
                let keys: Vec<&str> = several.iter().map(CustomerKey::as_str).collect();
                bail!(
                    "{} customers go by that name; say which: {}",
                    keys.len(),
                    keys.join(", ")
                )
            }
        }
    }
}

/// Customers of whom an event has this id, or names anything by it. It reads the whole table, which
/// is a small one on this machine and would be paid for elsewhere.
async fn customers_whose_events_name<T: Table>(
    table: &T,
    id: &str,
) -> Result<Vec<CustomerKey>, StoreError> {
    let quoted = serde_json::to_string(id).unwrap_or_default();
    let names = |entry: &Entry| {
        let event = serde_json::to_string(&entry.event).unwrap_or_default();
        event.contains(&quoted) || entry.event.id.as_str().rsplit('/').next() == Some(id)
    };
    let mut found = BTreeSet::new();
    let mut after = None;
    loop {
        let page = table.scan(after, SCAN_PAGE).await?;
        for item in page.items {
            if let Item::Entry(customer, entry) = item
                && names(&entry)
            {
                found.insert(customer);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(found.into_iter().collect());
        }
    }
}

/// Everything known about a customer, built from the whole journal.
///
/// # Errors
/// When the table does not answer or knows no such customer.
pub async fn view<T: Table>(
    table: &T,
    customer: &CustomerKey,
    catalog: &Catalog,
) -> anyhow::Result<CustomerView> {
    let journal = read_journal(table, customer)
        .await
        .map_err(readable_error)?;
    if journal.is_empty() {
        return Err(unknown_customer(table, customer.as_str()).await);
    }
    let state = fold_with_all_payments(journal.iter().map(|entry| &entry.event));
    let events = explain(&journal, &state);
    let letters = letters(table, customer).await.map_err(readable_error)?;
    Ok(CustomerView::new(
        customer, &state, catalog, letters, &events,
    ))
}

/// What to say of somebody whom the table does not know.
async fn unknown_customer<T: Table>(table: &T, who: &str) -> anyhow::Error {
    let waiting = match waiting_note(table, who).await {
        Ok(note) => note,
        Err(error) => return readable_error(error),
    };
    // Whoever typed an address knows it; an error is no place to repeat one.
    let who = match who.contains('@') {
        true => "with that address",
        false => who,
    };
    anyhow!(
        "there is no customer {who} in this table; one is named by provider/mode/id, as in \
         stripe/test/cus_123, by e-mail address, or by the id of a subscription, invoice or \
         payment, and --port reads another local stack{waiting}"
    )
}

/// Events that may be about somebody of whom nothing else is known: of the same account, and
/// waiting for the provider's API to say whose they are.
async fn waiting_note<T: Table>(table: &T, who: &str) -> Result<String, StoreError> {
    let mut parts = who.splitn(3, '/');
    let (Some(name), Some(mode)) = (parts.next(), parts.next()) else {
        return Ok(String::new());
    };
    let mode = [Mode::Live, Mode::Test]
        .into_iter()
        .find(|known| known.as_str() == mode);
    let (Some(provider), Some(mode)) = (providers::provider(name), mode) else {
        return Ok(String::new());
    };
    let reference = provider.account(mode).waiting_reference();
    let batch = read_waiting(table, &reference, None, MAX_WAITING).await?;
    Ok(match (batch.entries.len(), batch.last) {
        (0, _) => String::new(),
        (some, None) => {
            format!("; {some} of {name}'s events wait for its API to say whose they are")
        }
        (some, Some(_)) => {
            format!("; {some} of {name}'s events and more wait for its API to say whose they are")
        }
    })
}

/// A customer's letters, the first owed first.
async fn letters<T: Table>(
    table: &T,
    customer: &CustomerKey,
) -> Result<Vec<LetterView>, StoreError> {
    let rows = query_all(table, &customer_partition(customer), LETTER).await?;
    let mut letters: Vec<_> = rows
        .into_iter()
        .filter_map(|item| {
            if let Item::Letter(row) = item {
                Some(letter(&row))
            } else {
                None
            }
        })
        .collect();
    letters.sort_by(|a, b| (a.due_at, &a.cause).cmp(&(b.due_at, &b.cause)));
    Ok(letters)
}

fn letter(row: &LetterRow) -> LetterView {
    let reason = match &row.state {
        LetterState::Withdrawn { reason, .. } | LetterState::Failed { reason, .. } => {
            Some(reason.clone())
        }
        LetterState::Due
        | LetterState::Claimed { .. }
        | LetterState::Sent { .. }
        | LetterState::Unknown { .. } => None,
    };
    LetterView {
        kind: row.letter.as_str(),
        cause: row.cause.clone(),
        state: row.state.name(),
        due_at: row.due_at,
        reason,
    }
}

/// The same for people.
pub fn text(view: &CustomerView) -> String {
    let mut out = String::new();
    let person = &view.customer;
    let known = |text: &Option<String>| visible_line(text.as_deref().unwrap_or("–"));
    // Writing to a string can't fail.
    let _ = writeln!(
        out,
        "{}  {}  {}",
        person.id,
        known(&person.name),
        known(&person.email)
    );
    if let Some(came) = &view.attribution {
        let referral = visible_line(&came.referral);
        let _ = writeln!(out, "came through {} ({referral})", came.partner);
    }
    let sections = [
        ("Subscriptions", subscriptions(view)),
        ("Payments", payments(view)),
        ("E-mails", letters_text(view)),
        ("Events", events(view)),
    ];
    for (title, table) in sections {
        if let Some(table) = table {
            let _ = writeln!(out, "\n{title}\n{table}");
        }
    }
    out
}

fn subscriptions(view: &CustomerView) -> Option<Text> {
    let head = ["id", "status", "plan", "items", "until", "ends"];
    let rows = view.subscriptions.iter().map(|subscription| {
        let items: Vec<String> = subscription
            .items
            .iter()
            .map(|item| {
                let name = item.product.as_ref().unwrap_or(&item.price);
                format!("{name} ({})", item.kind)
            })
            .collect();
        let ends = subscription.ended_at.or(subscription.cancel_at);
        let at_period_end = subscription
            .cancel_at_period_end
            .then(|| "with its period".into());
        vec![
            subscription.id.to_string(),
            subscription.status.into(),
            subscription.plan.clone().unwrap_or_default(),
            items.join(", "),
            subscription
                .current_period_end
                .map(|at| at.to_string())
                .unwrap_or_default(),
            ends.map(|at| at.to_string())
                .or(at_period_end)
                .unwrap_or_default(),
        ]
    });
    text_table(head, rows.collect())
}

fn payments(view: &CustomerView) -> Option<Text> {
    let told = |payment: &PaymentView, what, minor| {
        part(payment, what, minor).unwrap_or_else(|| amount(payment, 0))
    };
    let rows = view.payments.iter().map(|payment| {
        vec![
            payment
                .id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            if payment.unlinked {
                format!("{}, unlinked", amount(payment, payment.paid.minor))
            } else {
                amount(payment, payment.paid.minor)
            },
            told(payment, OtherCurrencyPart::Refund, payment.refunded_minor),
            told(payment, OtherCurrencyPart::Dispute, payment.disputed_minor),
            payment.paid_at.map(|at| at.to_string()).unwrap_or_default(),
        ]
    });
    text_table(["id", "paid", "refunded", "disputed", "at"], rows.collect())
}

fn letters_text(view: &CustomerView) -> Option<Text> {
    let rows = view.letters.iter().map(|letter| {
        let reason = letter.reason.as_deref().unwrap_or_default();
        vec![
            letter.kind.into(),
            letter.cause.to_string(),
            letter.state.into(),
            reason.into(),
        ]
    });
    text_table(["e-mail", "about", "state", "why not"], rows.collect())
}

fn events(view: &CustomerView) -> Option<Text> {
    let rows = view.events.iter().map(|event| {
        let at = event.occurred_at.to_string();
        let verdict = match &event.reason {
            Some(reason) => format!("{}: {reason}", event.verdict),
            None => event.verdict.to_owned(),
        };
        vec![at, event.kind.to_string(), verdict, event.id.clone()]
    });
    text_table(["occurred", "type", "verdict", "id"], rows.collect())
}

/// A table for people; none without rows.
pub fn text_table<const N: usize>(head: [&str; N], rows: Vec<Vec<String>>) -> Option<Text> {
    if rows.is_empty() {
        return None;
    }
    let mut table = Text::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(head);
    for row in rows {
        table.add_row(row.iter().map(|cell| visible_line(cell)));
    }
    Some(table)
}

/// Items that one request of a search reads.
const SCAN_PAGE: u32 = 1000;

/// Waiting events that are counted.
const MAX_WAITING: usize = 1000;

const NO_CATALOG: &str = "nothing says what this stage's shop calls its prices, so they are shown \
     by their ids; --catalog FILE or ORANGERY_CATALOG names the file that it was deployed with";
