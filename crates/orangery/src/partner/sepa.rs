//! A message to the bank: SEPA credit transfers as ISO 20022's pain.001.001.09 has them.
//!
//! A function of what the table keeps of the message and of who pays, so the same file can be
//! written again; its id is the message's, by which a bank refuses a second upload.

use deunicode::deunicode;
use domain::money::{Currency, Money};
use domain::partner::bank_account::BankAccount;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;
use store::payouts::{Transfer, TransferBatch};

/// The most that one transfer may be: eleven digits.
const MAX_MINOR: i64 = 99_999_999_999;

/// Why a transfer of this amount can't be ordered by SEPA; none where it can.
pub fn refusal_reason(amount: Money) -> Option<&'static str> {
    let euro = amount.currency.code() == "eur" && amount.exponent == 2;
    match amount.minor {
        _ if !euro => Some("SEPA transfers euros alone"),
        minor if minor > MAX_MINOR => Some("SEPA transfers at most 999999999.99 at once"),
        _ => None,
    }
}

/// The message's id, up to 35 characters: one for each message that the table keeps.
pub fn message_id(message: &TransferBatch) -> String {
    let day = message.date.strftime("%Y%m%d");
    format!("ORANGERY-{day}-{}", message.n)
}

/// The message as XML, paid from this account.
///
/// # Errors
/// When the sum is none of euros.
pub fn pain_001(message: &TransferBatch, payer: &BankAccount) -> io::Result<Vec<u8>> {
    let sum = sum(&message.transfers)
        .ok_or_else(|| io::Error::other("the transfers have no sum in euros"))?
        .decimal();
    let count = message.transfers.len().to_string();
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
            group("InitgPty", vec![text("Nm", sepa_text(payer.holder(), 70))]),
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
    payment.extend(
        message
            .transfers
            .iter()
            .map(|transfer| transfer_element(message, transfer)),
    );
    let initiation = group("CstmrCdtTrfInitn", vec![head, group("PmtInf", payment)]);
    XmlElement {
        attribute: Some(("xmlns", "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09")),
        ..group("Document", vec![initiation])
    }
    .write(&mut document)?;
    let mut bytes = document.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

/// One transfer. Its id goes with it to the partner's own statement of account.
fn transfer_element(message: &TransferBatch, transfer: &Transfer) -> XmlElement {
    let number = format!("-{}", transfer.payout);
    let room = 35_usize.saturating_sub(number.len());
    let partner: String = transfer.partner.as_str().chars().take(room).collect();
    let name = format!("{partner}{number}");
    let amount = XmlElement {
        attribute: Some(("Ccy", "EUR")),
        ..text("InstdAmt", transfer.amount.decimal())
    };
    let mut inner = vec![
        group("PmtId", vec![text("EndToEndId", sepa_text(&name, 35))]),
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
        group("RmtInf", vec![text("Ustrd", sepa_text(&about, 140))]),
    ]);
    group("CdtTrfTxInf", inner)
}

/// Who pays or is paid, the account, and its bank.
fn party(role: &'static str, account: &BankAccount) -> [XmlElement; 3] {
    let (of_account, of_bank) = match role {
        "Dbtr" => ("DbtrAcct", "DbtrAgt"),
        _ => ("CdtrAcct", "CdtrAgt"),
    };
    let bank = match account.bic() {
        Some(bic) => text("BICFI", bic),
        None => group("Othr", vec![text("Id", "NOTPROVIDED")]),
    };
    [
        group(role, vec![text("Nm", sepa_text(account.holder(), 70))]),
        group(
            of_account,
            vec![group("Id", vec![text("IBAN", account.iban())])],
        ),
        group(of_bank, vec![group("FinInstnId", vec![bank])]),
    ]
}

fn sum(transfers: &[Transfer]) -> Option<Money> {
    let minor = transfers.iter().try_fold(0_i64, |sum, transfer| {
        let euros = refusal_reason(transfer.amount).is_none();
        sum.checked_add(transfer.amount.minor).filter(|_| euros)
    });
    Some(Money {
        minor: minor?,
        currency: Currency::parse("eur").ok()?,
        exponent: 2,
    })
}

/// A text in the letters that every bank of the area transfers, cut to its field's length.
pub fn sepa_text(text: &str, most: usize) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(c);
    let latin: String = deunicode(text)
        .replace('&', "+")
        .chars()
        .map(|c| if known(c) { c } else { ' ' })
        .collect();
    let words: Vec<&str> = latin.split_whitespace().collect();
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

struct XmlElement {
    name: &'static str,
    attribute: Option<(&'static str, &'static str)>,
    content: XmlContent,
}

enum XmlContent {
    Text(String),
    Elements(Vec<XmlElement>),
}

fn text(name: &'static str, text: impl ToString) -> XmlElement {
    XmlElement {
        name,
        attribute: None,
        content: XmlContent::Text(text.to_string()),
    }
}

fn group(name: &'static str, inner: Vec<XmlElement>) -> XmlElement {
    XmlElement {
        name,
        attribute: None,
        content: XmlContent::Elements(inner),
    }
}

impl XmlElement {
    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let element = writer.create_element(self.name);
        let element = element.with_attributes(self.attribute);
        match &self.content {
            XmlContent::Text(text) => element.write_text_content(BytesText::new(text))?,
            XmlContent::Elements(inner) => element.write_inner_content(|writer| {
                inner.iter().try_for_each(|element| element.write(writer))
            })?,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
