//! Sheets as a spreadsheet reads them.
#![allow(clippy::unwrap_used)]

use super::{PayoutSheetRow, month, payouts};
use domain::ids::PartnerId;
use domain::money::{Currency, Money};
use domain::partner::payout::Balance;
use domain::partner::statement::{MonthlyStatement, RowView};
use jiff::Timestamp;
use jiff::civil::date;

#[test]
fn a_payout_is_a_line_and_no_text_is_a_formula() {
    let line = |holder: &str, transfer: &str| PayoutSheetRow {
        date: date(2026, 4, 5),
        partner: PartnerId::parse("acme").unwrap(),
        payout: 1,
        amount: Money {
            minor: 20_000,
            currency: eur(),
            exponent: 2,
        },
        account: [
            holder.into(),
            "DE89370400440532013000".into(),
            String::new(),
        ],
        transfer: transfer.into(),
    };
    let lines = [
        line("=HYPERLINK(\"http://evil.example\")", "ORANGERY-20260405-1"),
        line("@Acme, \"the\" one", "-"),
    ];
    assert_eq!(
        String::from_utf8(payouts(&lines).unwrap()).unwrap(),
        "date,payout,partner,amount,currency,holder,iban,bic,transfer\n\
         2026-04-05,acme-1,acme,200.00,EUR,\"'=HYPERLINK(\"\"http://evil.example\"\")\",\
         DE89370400440532013000,,ORANGERY-20260405-1\n\
         2026-04-05,acme-1,acme,200.00,EUR,\"'@Acme, \"\"the\"\" one\",\
         DE89370400440532013000,,'-\n"
    );
}

#[test]
fn a_month_opens_lists_its_rows_and_closes() {
    let balance = |pending_minor, paid_minor| Balance {
        currency: eur(),
        exponent: 2,
        pending_minor,
        released_minor: -200,
        paid_minor,
        held_minor: 0,
    };
    let row = RowView {
        at: Timestamp::UNIX_EPOCH,
        cause: "+1".into(),
        kind: "refund",
        amount_minor: -80,
        currency: eur(),
        exponent: 2,
        state: "pending",
        referral_id: Some("@r-1".into()),
        sub_ids: [("page", "juicers"), ("sub1", "=1+1; x")]
            .map(|(name, id)| (name.into(), id.into()))
            .into(),
        releases_at: Some(Timestamp::UNIX_EPOCH),
        text: "20 %: of the payment of 1970-01-01 4.00 EUR was refunded".into(),
    };
    let shown = MonthlyStatement {
        month: date(2026, 4, 1),
        opening: vec![balance(480, 0)],
        rows: vec![row],
        closing: vec![balance(400, 200)],
    };
    assert_eq!(
        String::from_utf8(month(&shown).unwrap()).unwrap(),
        "at,kind,amount,currency,state,releases_at,cause,text,referral_id,sub_ids\n\
         ,opening,2.80,EUR,,,,\"pending 4.80, released -2.00, held 0.00; paid so far 0.00\",,\n\
         1970-01-01T00:00:00Z,refund,-0.80,EUR,pending,1970-01-01T00:00:00Z,'+1,\
         20 %: of the payment of 1970-01-01 4.00 EUR was refunded,'@r-1,\
         page=juicers; sub1==1+1; x\n\
         ,closing,2.00,EUR,,,,\"pending 4.00, released -2.00, held 0.00; paid so far 2.00\",,\n"
    );
}

fn eur() -> Currency {
    Currency::parse("eur").unwrap()
}
