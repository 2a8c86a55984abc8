//! Statements and payouts for spreadsheets: comma-separated values with a head line.
//!
//! A spreadsheet takes a field that begins with `=`, `+`, `-` or `@` for a formula and runs it;
//! texts that come from others get an apostrophe in front, which it does not show. Amounts are
//! our own, so a minus in front of one stays a number.

use domain::ids::PartnerId;
use domain::money::Money;
use domain::partner::payout::Balance;
use domain::partner::statement::{MonthlyStatement, RowView};
use jiff::civil::Date;

/// A payout's amount in one currency, for the sheet.
#[derive(Clone, Debug)]
pub struct PayoutSheetRow {
    /// For which day.
    pub date: Date,
    /// To whom.
    pub partner: PartnerId,
    /// Its number among the partner's payouts.
    pub payout: u64,
    /// How much.
    pub amount: Money,
    /// Account holder, IBAN and BIC, where a bank account is known.
    pub account: [String; 3],
    /// The message to the bank that it is in, or why it is in none.
    pub transfer: String,
}

/// The payouts of a run.
///
/// # Errors
/// When memory has no room.
pub fn payouts(lines: &[PayoutSheetRow]) -> csv::Result<Vec<u8>> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record([
        "date", "payout", "partner", "amount", "currency", "holder", "iban", "bic", "transfer",
    ])?;
    for line in lines {
        let [holder, iban, bic] = &line.account;
        sheet.write_record([
            line.date.to_string(),
            format!("{}-{}", line.partner, line.payout),
            line.partner.to_string(),
            line.amount.decimal(),
            code(line.amount),
            without_formula(holder),
            without_formula(iban),
            without_formula(bic),
            without_formula(&line.transfer),
        ])?;
    }
    into_bytes(sheet)
}

/// A month's statement: what was owed at the opening, each row, what is owed at the closing.
///
/// # Errors
/// When memory has no room.
pub fn month(month: &MonthlyStatement) -> csv::Result<Vec<u8>> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record([
        "at",
        "kind",
        "amount",
        "currency",
        "state",
        "releases_at",
        "cause",
        "text",
        "referral_id",
        "sub_ids",
    ])?;
    let owed = |kind: &'static str, balance: &Balance| {
        let amount = money(balance.outstanding_minor(), balance);
        let of = |minor| money(minor, balance).decimal();
        let text = format!(
            "pending {}, released {}, held {}; paid so far {}",
            of(balance.pending_minor),
            of(balance.released_minor),
            of(balance.held_minor),
            of(balance.paid_minor)
        );
        let (amount, code) = (amount.decimal(), code(amount));
        let none = String::new;
        [
            none(),
            kind.into(),
            amount,
            code,
            none(),
            none(),
            none(),
            text,
            none(),
            none(),
        ]
    };
    for balance in &month.opening {
        sheet.write_record(owed("opening", balance))?;
    }
    for row in &month.rows {
        sheet.write_record(row_fields(row))?;
    }
    for balance in &month.closing {
        sheet.write_record(owed("closing", balance))?;
    }
    into_bytes(sheet)
}

fn row_fields(row: &RowView) -> [String; 10] {
    let amount = Money {
        minor: row.amount_minor,
        currency: row.currency,
        exponent: row.exponent,
    };
    let releases_at = row.releases_at.map(|at| at.to_string());
    let sub_ids = row.sub_ids.iter();
    let sub_ids: Vec<String> = sub_ids.map(|(name, id)| format!("{name}={id}")).collect();
    [
        row.at.to_string(),
        row.kind.into(),
        amount.decimal(),
        code(amount),
        row.state.into(),
        releases_at.unwrap_or_default(),
        without_formula(&row.cause),
        without_formula(&row.text),
        without_formula(row.referral_id.as_deref().unwrap_or_default()),
        without_formula(&sub_ids.join("; ")),
    ]
}

fn money(minor: i64, balance: &Balance) -> Money {
    Money {
        minor,
        currency: balance.currency,
        exponent: balance.exponent,
    }
}

fn code(amount: Money) -> String {
    amount.currency.code().to_uppercase()
}

/// A text that no spreadsheet takes for a formula.
fn without_formula(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let sign = if formula { "'" } else { "" };
    format!("{sign}{text}")
}

fn into_bytes(sheet: csv::Writer<Vec<u8>>) -> csv::Result<Vec<u8>> {
    sheet
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests;
