//! A message to the bank: SEPA credit transfers as ISO 20022's pain.001.001.09 has them.
//!
//! A function of what the table keeps of the message and of who pays, so the same file can be
//! written again; its id is the message's, by which a bank refuses a second upload.

use deunicode::deunicode;
use domain::bank::BankAccount;
use domain::money::{Currency, Money};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;
use store::payouts::{Transfer, Transfers};

/// The most that one transfer may be: eleven digits.
const MOST_MINOR: i64 = 99_999_999_999;

/// Why a transfer of this amount can't be ordered by SEPA; none where it can.
pub fn refused(amount: Money) -> Option<&'static str> {
    let euro = amount.currency.code() == "eur" && amount.exponent == 2;
    match amount.minor {
        _ if !euro => Some("SEPA transfers euros alone"),
        minor if minor > MOST_MINOR => Some("SEPA transfers at most 999999999.99 at once"),
        _ => None,
    }
}

/// The message's id, up to 35 characters: one for each message that the table keeps.
pub fn message_id(message: &Transfers) -> String {
    let day = message.date.strftime("%Y%m%d");
    format!("ORANGERY-{day}-{}", message.n)
}

/// The message as XML, paid from this account.
///
/// # Errors
/// When the sum is none of euros.
pub fn pain_001(message: &Transfers, payer: &BankAccount) -> io::Result<Vec<u8>> {
    let sum = sum(&message.list)
        .ok_or_else(|| io::Error::other("the transfers have no sum in euros"))?
        .decimal();
    let count = message.list.len().to_string();
    let id = message_id(message);
    let mut document = Writer::new_with_indent(Vec::new(), b' ', 2);
    document.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let head = group(
        "GrpHdr",
        vec![
            text("MsgId", &id),
            text("CreDtTm", message.at.strftime("%Y-%m-%dT%H:%M:%SZ")),
            text("NbOfTxs", &count),
            text("CtrlSum", &sum),
            group("InitgPty", vec![text("Nm", written(payer.holder(), 70))]),
        ],
    );
    let mut payment = vec![
        text("PmtInfId", &id),
        text("PmtMtd", "TRF"),
        text("NbOfTxs", &count),
        text("CtrlSum", &sum),
        group("PmtTpInf", vec![group("SvcLvl", vec![text("Cd", "SEPA")])]),
        // When it was decided, not the payouts' day: banks take no order for a day that is over.
        group(
            "ReqdExctnDt",
            vec![text("Dt", message.at.strftime("%Y-%m-%d"))],
        ),
    ];
    payment.extend(party("Dbtr", payer));
    payment.push(text("ChrgBr", "SLEV"));
    payment.extend(message.list.iter().map(|transfer| order(message, transfer)));
    let initiation = group("CstmrCdtTrfInitn", vec![head, group("PmtInf", payment)]);
    Element {
        attribute: Some(("xmlns", "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09")),
        ..group("Document", vec![initiation])
    }
    .write(&mut document)?;
    let mut bytes = document.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

/// One transfer. Its id goes with it to the partner's own statement of account.
fn order(message: &Transfers, transfer: &Transfer) -> Element {
    let number = format!("-{}", transfer.payout);
    let room = 35_usize.saturating_sub(number.len());
    let partner: String = transfer.partner.as_str().chars().take(room).collect();
    let name = format!("{partner}{number}");
    let amount = Element {
        attribute: Some(("Ccy", "EUR")),
        ..text("InstdAmt", transfer.amount.decimal())
    };
    let mut inner = vec![
        group("PmtId", vec![text("EndToEndId", written(&name, 35))]),
        group("Amt", vec![amount]),
    ];
    let [holder, account, bank] = party("Cdtr", &transfer.account);
    if transfer.account.bic().is_some() {
        inner.push(bank);
    }
    let about = format!("Commission payout {} {name}", message.date);
    inner.extend([
        holder,
        account,
        group("RmtInf", vec![text("Ustrd", written(&about, 140))]),
    ]);
    group("CdtTrfTxInf", inner)
}

/// Who pays or is paid, the account, and its bank.
fn party(role: &'static str, account: &BankAccount) -> [Element; 3] {
    let (of_account, of_bank) = match role {
        "Dbtr" => ("DbtrAcct", "DbtrAgt"),
        _ => ("CdtrAcct", "CdtrAgt"),
    };
    let bank = match account.bic() {
        Some(bic) => text("BICFI", bic),
        None => group("Othr", vec![text("Id", "NOTPROVIDED")]),
    };
    [
        group(role, vec![text("Nm", written(account.holder(), 70))]),
        group(
            of_account,
            vec![group("Id", vec![text("IBAN", account.iban())])],
        ),
        group(of_bank, vec![group("FinInstnId", vec![bank])]),
    ]
}

fn sum(transfers: &[Transfer]) -> Option<Money> {
    let minor = transfers.iter().try_fold(0_i64, |sum, transfer| {
        let euros = refused(transfer.amount).is_none();
        sum.checked_add(transfer.amount.minor).filter(|_| euros)
    });
    Some(Money {
        minor: minor?,
        currency: Currency::parse("eur").ok()?,
        exponent: 2,
    })
}

/// A text in the letters that every bank of the area transfers, cut to its field's length.
pub fn written(text: &str, most: usize) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(c);
    let plain: String = deunicode(text)
        .replace('&', "+")
        .chars()
        .map(|c| if known(c) { c } else { ' ' })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let mut line = words.join(" ");
    while line.contains("//") {
        line = line.replace("//", "/");
    }
    let cut: String = line.trim_matches(['/', ' ']).chars().take(most).collect();
    match cut.trim_end_matches(['/', ' ']) {
        "" => "NOTPROVIDED".into(),
        cut => cut.into(),
    }
}

struct Element {
    name: &'static str,
    attribute: Option<(&'static str, &'static str)>,
    inner: Inner,
}

enum Inner {
    Text(String),
    Elements(Vec<Element>),
}

fn text(name: &'static str, text: impl ToString) -> Element {
    Element {
        name,
        attribute: None,
        inner: Inner::Text(text.to_string()),
    }
}

fn group(name: &'static str, inner: Vec<Element>) -> Element {
    Element {
        name,
        attribute: None,
        inner: Inner::Elements(inner),
    }
}

impl Element {
    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let element = writer.create_element(self.name);
        let element = element.with_attributes(self.attribute);
        match &self.inner {
            Inner::Text(text) => element.write_text_content(BytesText::new(text))?,
            Inner::Elements(inner) => element.write_inner_content(|writer| {
                inner.iter().try_for_each(|element| element.write(writer))
            })?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
