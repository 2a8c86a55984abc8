//! Reports: one id has one content, which stands under the report and under its referral.

use crate::actors::{actor, after, heard, seam};
use crate::fallbacks::Net;
use crate::seam::{Actor, Holds, Seam, explore};
use crate::support::{acme, at};
use store::Item;
use store::memory::TableState;
use store::reports::{ReportIndex, StoredReport, record_report};

const NETS: [(Net, Holds); 1] = [(Net::Sender, Holds::Whole)];

pub(crate) fn seams() -> Vec<Seam> {
    let told = |case, actors| Seam {
        nets: NETS.to_vec(),
        together: NETS.to_vec(),
        law: one_content,
        compares_answers: true,
        ..seam(case, after(&[]), actors)
    };
    vec![
        told(
            "one report, sent twice",
            vec![reports("first", "d1", 1), reports("again", "d1", 2)],
        ),
        told(
            "two contents under one id",
            vec![reports("one", "d1", 1), reports("other", "d2", 1)],
        ),
    ]
}

fn reports(what: &'static str, digest: &'static str, hour: i64) -> Actor {
    actor(what, move |table, _| async move {
        let report = StoredReport {
            partner: acme(),
            message: "m1".into(),
            kind: "referral.created".into(),
            referral: "r-1".into(),
            references: Vec::new(),
            sub_ids: Default::default(),
            digest: digest.into(),
            signed_at: at(hour),
            received_at: at(hour),
            content: None,
        };
        heard(record_report(&table, report, digest.as_bytes()).await)
    })
}

/// Under the referral stands what stands under the report's id, and what was another stands apart.
fn one_content(_: &TableState, table: &TableState) -> Result<(), String> {
    let of = |wanted: ReportIndex| {
        let reports = table.items().filter_map(move |item| match item {
            Item::Report(index, report) if *index == wanted => Some(report.clone()),
            _ => None,
        });
        reports.collect::<Vec<_>>()
    };
    let (reports, referrals) = (of(ReportIndex::Message), of(ReportIndex::Referral));
    let conflicts = of(ReportIndex::Conflict);
    if !referrals.iter().all(|report| reports.contains(report)) {
        return Err("its referral knows another report".into());
    }
    let known = |conflict: &StoredReport| {
        reports
            .iter()
            .any(|report| report.digest == conflict.digest)
    };
    match conflicts.iter().any(|conflict| known(conflict)) {
        true => Err("it is its own conflict".into()),
        false => Ok(()),
    }
}

#[test]
fn an_id_has_one_content_whoever_tells_it() {
    explore("report", &seams());
}
