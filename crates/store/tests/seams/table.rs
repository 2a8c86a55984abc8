//! The table in this folder's README says what must hold, and the seams are held to it.

use crate::seam::Seam;

/// Makes the seams of a function.
pub(crate) type MakeSeams = fn() -> Vec<Seam>;

/// Every function of the protocol, with its seams.
pub(crate) fn functions() -> Vec<(&'static str, MakeSeams)> {
    vec![
        ("ingest", crate::ingest::seams),
        ("hand over", crate::hand_over::seams),
        ("retry parked", crate::retry_parked::seams),
        ("effects", crate::effects::seams),
        ("claim", crate::letters::claims),
        ("outcome", crate::letters::outcomes),
        ("decision", crate::decisions::reviews),
        ("grant", crate::decisions::grants),
        ("payout", crate::payouts::seams),
        ("notice", crate::notices::deliveries),
        ("endpoint", crate::notices::endpoints),
        ("tiers", crate::tiers::seams),
        ("audit", crate::audit::seams),
        ("due scan", crate::due_scan::seams),
        ("fan out", crate::fan_out::seams),
        ("waiting", crate::waiting::seams),
        ("long journals", crate::long_journals::seams),
        ("first payment", crate::first_payment::seams),
        ("report", crate::reports::seams),
        ("shop key", crate::shop_keys::seams),
        ("reading", crate::readers::seams),
    ]
}

#[test]
fn the_readme_says_what_is_held() {
    let mut rows = Vec::new();
    for (function, seams) in functions() {
        for seam in seams() {
            let says = |nets: &[(crate::fallbacks::Net, crate::seam::Holds)]| match nets {
                [] => "–".to_owned(),
                nets => nets
                    .iter()
                    .map(|(net, holds)| format!("{} {}", net.name(), holds.name()))
                    .collect::<Vec<_>>()
                    .join(", "),
            };
            let who: Vec<&str> = seam.actors.iter().map(|actor| actor.what).collect();
            rows.push(format!(
                "| {function} | {} | {} | {} | {} |",
                seam.case,
                who.join(", "),
                says(&seam.nets),
                says(&seam.together)
            ));
        }
    }
    let written = include_str!("README.md");
    let written: Vec<&str> = written
        .lines()
        .skip_while(|line| !line.starts_with("| function |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.join("\n"), written.join("\n"));
}
