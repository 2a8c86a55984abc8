//! What a run of payouts says of itself: JSON for programs, a table for people.

use crate::customer::text_table;
use domain::ids::PartnerId;
use domain::money::Money;
use domain::partner::payout::{HoldReason, Payout, PayoutOutcome, UnpaidBalance};
use jiff::Timestamp;
use jiff::civil::Date;
use local_shop::amounts::money;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What a run says of itself.
#[derive(Serialize)]
pub(super) struct PayoutReport {
    /// The day, in UTC.
    pub(super) date: Date,
    /// Whether nothing was changed.
    dry_run: bool,
    /// What is paid, an amount a line.
    payouts: Vec<PaidAmount>,
    /// What is not, and why.
    unpaid: Vec<UnpaidAmount>,
    /// Partners whose payout was refused.
    pub(super) refused: Vec<String>,
    /// Amounts that are in no message to the bank, and why.
    pub(super) not_transferred: Vec<String>,
    /// What was written.
    pub(super) files: Vec<WrittenFile>,
    /// The payouts themselves.
    #[serde(skip)]
    pub(super) decided_payouts: Vec<Payout>,
}

#[derive(Serialize)]
pub(super) struct PaidAmount {
    partner: PartnerId,
    /// The number among the partner's payouts.
    payout: u64,
    #[serde(flatten)]
    amount: Money,
    /// `paid`, `paid_before` or `would_be_paid`.
    state: &'static str,
    /// When it was decided.
    at: Timestamp,
}

#[derive(Serialize)]
pub(super) struct UnpaidAmount {
    partner: PartnerId,
    #[serde(flatten)]
    amount: Money,
    reason: String,
}

#[derive(Serialize)]
pub(super) struct WrittenFile {
    file: PathBuf,
    /// Payouts or transfers in it.
    lines: usize,
    /// Of a message to the bank, its id.
    message: Option<String>,
}

impl WrittenFile {
    pub(super) fn new(file: &Path, lines: usize, message: Option<String>) -> Self {
        Self {
            file: file.to_owned(),
            lines,
            message,
        }
    }
}

impl PayoutReport {
    pub(super) fn new(date: Date, dry_run: bool) -> Self {
        Self {
            date,
            dry_run,
            payouts: Vec::new(),
            unpaid: Vec::new(),
            refused: Vec::new(),
            not_transferred: Vec::new(),
            files: Vec::new(),
            decided_payouts: Vec::new(),
        }
    }

    pub(super) fn add_run(&mut self, partner: PartnerId, run: PayoutOutcome) {
        let (payout, state, left) = match run {
            PayoutOutcome::Pay(payout, left) if self.dry_run => {
                (Some(payout), "would_be_paid", left)
            }
            PayoutOutcome::Pay(payout, left) => (Some(payout), "paid", left),
            PayoutOutcome::AlreadyPaid(payout) => (Some(payout), "paid_before", Vec::new()),
            PayoutOutcome::Nothing(left) => (None, "", left),
        };
        if let Some(payout) = payout {
            self.payouts
                .extend(payout.amounts.iter().map(|amount| PaidAmount {
                    partner: partner.clone(),
                    payout: payout.n,
                    amount: *amount,
                    state,
                    at: payout.at,
                }));
            self.decided_payouts.push(payout);
        }
        self.unpaid
            .extend(left.into_iter().map(|left| UnpaidAmount {
                partner: partner.clone(),
                amount: left.amount,
                reason: unpaid_reason(left),
            }));
    }

    /// The same for people.
    pub(super) fn text(&self) -> String {
        let paid = self.payouts.iter().map(|paid| {
            let name = format!("{}-{}", paid.partner, paid.payout);
            let text = match paid.state {
                "would_be_paid" => "would be paid; this is a dry run".to_owned(),
                "paid" => "paid".to_owned(),
                _ => format!("paid before, at {}, and stays as it is", paid.at),
            };
            vec![paid.partner.to_string(), name, money(paid.amount), text]
        });
        let left = self.unpaid.iter().map(|left| {
            let text = format!("not paid: {}", left.reason);
            vec![
                left.partner.to_string(),
                String::new(),
                money(left.amount),
                text,
            ]
        });
        let head = ["partner", "payout", "amount", "what"];
        let mut lines = match text_table(head, paid.chain(left).collect()) {
            Some(table) => vec![table.to_string()],
            None => vec![format!("nothing is released and not paid by {}", self.date)],
        };
        lines.extend(self.refused.iter().map(|why| format!("refused: {why}")));
        let not = self.not_transferred.iter();
        lines.extend(not.map(|why| format!("not transferred: {why}")));
        lines.extend(self.files.iter().map(|written| {
            let (file, lines) = (written.file.display(), written.lines);
            match &written.message {
                Some(id) => format!("{file}: message {id} to the bank, {lines} transfers"),
                None => format!("{file}: {lines} amounts"),
            }
        }));
        lines.join("\n")
    }
}

fn unpaid_reason(left: UnpaidBalance) -> String {
    match left.reason {
        HoldReason::BelowMinimum(minimum) => format!("it is below {}", money(minimum)),
        HoldReason::Negative => "more went back than was earned since".into(),
    }
}
