//! What a partner that wants more than its own can't do: earn by names that are not its
//! customers', date a report before another one, or fill a record.

use crate::model_table::{LedgerTable, day, money, new_event, paid, program};
use crate::rules::{pays, summary_in_both_orders};
use domain::event::{About, Fact, NormalizedEvent};
use domain::ids::{EventId, PartnerId, PersonHash, Reference, ReferralCode};
use domain::partner::attribution::MAX_REFERRALS;
use domain::partner::identity::PartnerIdentity;
use domain::partner::program::{AttributionModel, Program, Reward};
use domain::partner::referral::{AttributionTerms, CodeGranted, Decision, ReferralSnapshot};
use jiff::{SignedDuration, Timestamp};

/// A report as the partners' endpoint makes it.
struct Report<'a> {
    partner: &'a str,
    referral: &'a str,
    /// When the partner says that it sent the customer.
    dated: Timestamp,
    /// When it was heard.
    heard: Timestamp,
    names: Vec<Reference>,
    program: Program,
}

impl Report<'_> {
    fn event(self) -> NormalizedEvent {
        let partner = PartnerId::parse(self.partner).unwrap();
        let snapshot = ReferralSnapshot {
            partner: partner.clone(),
            referral: self.referral.into(),
            referred_at: self.dated,
            reported_at: Some(self.heard),
            names: self.names.clone(),
            sub_ids: [("page".into(), "juicers".into())].into(),
        };
        let terms = AttributionTerms {
            partner,
            referral: self.referral.into(),
            reported_at: self.heard,
            program: self.program,
            identity: PartnerIdentity::default(),
        };
        let facts = vec![
            Fact::Referral(snapshot),
            Fact::AttributionTerms(Box::new(terms)),
        ];
        let heard = self.heard;
        let id = format!("partner/{}/{} {heard}", self.partner, self.referral);
        NormalizedEvent {
            about: About::ByReference(self.names),
            ..new_event(&id, self.dated, facts)
        }
    }
}

fn report(partner: &str, heard: Timestamp, names: Vec<Reference>) -> NormalizedEvent {
    let report = Report {
        partner,
        referral: "r-1",
        dated: heard,
        heard,
        names,
        program: program(),
    };
    report.event()
}

fn code() -> Reference {
    Reference::code("spring").unwrap()
}

fn person(name: &str) -> Reference {
    Reference::person(&PersonHash::parse(name).unwrap())
}

fn granted(partner: &str, at: Timestamp) -> NormalizedEvent {
    let granted = CodeGranted {
        code: ReferralCode::parse("spring").unwrap(),
        partner: PartnerId::parse(partner).unwrap(),
        program: program(),
        identity: PartnerIdentity::default(),
    };
    let fact = Fact::CodeGranted(Box::new(granted));
    new_event(&format!("granted {partner}"), at, vec![fact])
}

/// The customer shows the code, and is this person.
fn shows_the_code(at: Timestamp, name: &str) -> NormalizedEvent {
    let fact = Fact::ReferralCode {
        code: ReferralCode::parse("spring").unwrap(),
    };
    NormalizedEvent {
        references: vec![code(), person(name)],
        ..new_event("shows", at, vec![fact])
    }
}

#[test]
fn a_report_by_a_code_that_is_not_the_partners_earns_nothing() {
    let public = [
        shows_the_code(day(3, 1), "nell"),
        pays("pi_1", 3, 3, 1_000),
        report("zest", day(3, 4), vec![code()]),
    ];
    assert!(summary_in_both_orders(&public).is_empty());
    let of_another = [public.to_vec(), vec![granted("acme", day(2, 1))]].concat();
    let acme = ["acme/eur/due/pi_1 200"];
    assert_eq!(summary_in_both_orders(&of_another), acme);
}

#[test]
fn a_report_by_the_partners_own_code_alone_waits_for_a_person() {
    let before_it_was_given = [
        shows_the_code(day(3, 1), "nell"),
        pays("pi_1", 3, 3, 1_000),
        granted("zest", day(3, 4)),
        report("zest", day(3, 5), vec![code()]),
    ];
    let held = ["zest/eur/shared_code/pi_1 200"];
    assert_eq!(summary_in_both_orders(&before_it_was_given), held);
    let released = Fact::Reviewed {
        partner: PartnerId::parse("zest").unwrap(),
        referral: "r-1".into(),
        decision: Decision::Release,
    };
    let released = [new_event("released", day(3, 6), vec![released])];
    let released = [&before_it_was_given[..], &released].concat();
    assert_eq!(summary_in_both_orders(&released), ["zest/eur/due/pi_1 200"]);
    // Who shows it after it was given earns for the partner by the code itself.
    let by_code = [
        granted("zest", day(2, 1)),
        report("zest", day(2, 2), vec![code()]),
        shows_the_code(day(3, 1), "nell"),
        pays("pi_1", 3, 3, 1_000),
    ];
    assert_eq!(summary_in_both_orders(&by_code), ["zest/eur/due/pi_1 200"]);
}

#[test]
fn a_report_by_a_code_alone_comes_behind_one_by_name_under_either_model() {
    let last = Program {
        attribution_model: AttributionModel::Last,
        ..program()
    };
    for program in [program(), last] {
        let by_name = Report {
            partner: "acme",
            referral: "r-1",
            dated: day(3, 2),
            heard: day(3, 4),
            names: vec![person("nell")],
            program,
        };
        let story = [
            granted("zest", day(3, 6)),
            report("zest", day(2, 2), vec![code()]),
            shows_the_code(day(3, 1), "nell"),
            pays("pi_1", 3, 3, 1_000),
            by_name.event(),
        ];
        // It was heard before the payment, and the one by name after it.
        assert_eq!(summary_in_both_orders(&story), ["acme/eur/due/pi_1 200"]);
    }
}

#[test]
fn several_names_in_one_report_must_all_be_the_customers() {
    let story = |names| {
        let story = [
            shows_the_code(day(3, 1), "nell"),
            pays("pi_1", 3, 3, 1_000),
            report("zest", day(3, 4), names),
        ];
        summary_in_both_orders(&story)
    };
    let due = ["zest/eur/due/pi_1 200"];
    assert_eq!(story(vec![person("nell")]), due);
    assert_eq!(story(vec![person("nell"), code()]), due);
    assert!(story(vec![person("bea"), code()]).is_empty());
    let shop = Reference::shop("42").unwrap();
    assert!(story(vec![shop, person("nell")]).is_empty());
}

#[test]
fn a_second_report_that_is_dated_before_the_first_takes_no_newer_terms() {
    let at_rate = |heard, points| {
        let program = Program {
            reward: Reward::BasisPoints(points),
            ..program()
        };
        Report {
            partner: "acme",
            referral: "r-1",
            dated: if points == 1_000 { heard } else { day(2, 1) },
            heard,
            names: Vec::new(),
            program,
        }
        .event()
    };
    let story = [
        at_rate(day(3, 1), 1_000),
        pays("pi_1", 3, 3, 10_000),
        pays("pi_2", 4, 3, 10_000),
        at_rate(day(4, 20), 3_000),
    ];
    let pinned = ["acme/eur/due/pi_1 1000", "acme/eur/due/pi_2 1000"];
    assert_eq!(summary_in_both_orders(&story), pinned);
}

#[test]
fn what_a_partner_dates_itself_moves_no_order_among_partners() {
    for model in [AttributionModel::First, AttributionModel::Last] {
        let program = Program {
            attribution_model: model,
            ..program()
        };
        let report = |partner, dated, heard| {
            let names = Vec::new();
            let (referral, program) = ("r-1", program.clone());
            Report {
                partner,
                referral,
                dated,
                heard,
                names,
                program,
            }
            .event()
        };
        // Peel says what would help it in either model, after the payment.
        let dated = match model {
            AttributionModel::First => day(2, 1),
            AttributionModel::Last => day(3, 2),
        };
        let story = [
            report("acme", day(3, 1), day(3, 1)),
            pays("pi_1", 3, 3, 1_000),
            report("peel", dated, day(3, 4)),
        ];
        assert_eq!(summary_in_both_orders(&story), ["acme/eur/due/pi_1 200"]);
    }
}

#[test]
fn four_hundred_reports_of_one_partner_leave_a_record_small_and_the_first_one_counts() {
    let mut table = LedgerTable::new();
    let heard = |n: i64| day(3, 1) + SignedDuration::from_secs(n);
    let reports: Vec<NormalizedEvent> = (0..400)
        .map(|n| {
            let report = Report {
                partner: "acme",
                referral: &format!("r-{n:03}"),
                // Each is dated before all that came earlier.
                dated: day(2, 28) - SignedDuration::from_secs(n),
                heard: heard(n),
                names: Vec::new(),
                program: program(),
            };
            report.event()
        })
        .collect();
    for (n, report) in reports.iter().enumerate() {
        table.deliver(report, heard(n as i64));
    }
    table.deliver(&paid("pi_1", day(3, 3), money(1_000, "eur")), day(3, 3));
    let bytes = serde_json::to_vec(&table.record).unwrap().len();
    println!("400 reports of one partner: {bytes} bytes of record");
    assert!(bytes < 12_000, "{bytes} bytes");
    let partners = &table.record.folded.state.partners;
    let kept: Vec<&String> = partners.referrals.keys().collect();
    let first: Vec<String> = (0..MAX_REFERRALS)
        .map(|n| format!("acme/r-{n:03}"))
        .collect();
    assert_eq!(kept, first.iter().collect::<Vec<_>>());
    assert_eq!(table.summary(), ["acme/eur/due/pi_1 200"]);
    assert_eq!(partners.attribution_terms.len(), MAX_REFERRALS);
    // Another partner has room of its own.
    let other = EventId::parse("partner/zest/other").unwrap();
    let other = NormalizedEvent {
        id: other,
        ..report("zest", day(2, 1), Vec::new())
    };
    table.deliver(&other, day(3, 4));
    assert_eq!(table.summary(), ["zest/eur/due/pi_1 200"]);
}

#[test]
fn a_code_that_passed_to_another_partner_takes_no_room_from_the_reports_of_the_first() {
    let mut table = LedgerTable::new();
    let (shown, passed) = (day(2, 2), day(2, 3));
    table.deliver(&granted("acme", day(2, 1)), day(2, 1));
    table.deliver(&shows_the_code(shown, "nell"), shown);
    table.deliver(&granted("zest", passed), passed);
    for n in 0..MAX_REFERRALS {
        let heard = day(3, 1) + SignedDuration::from_secs(n as i64);
        let report = Report {
            partner: "acme",
            referral: &format!("r-{n}"),
            dated: heard,
            heard,
            names: vec![person("nell")],
            program: program(),
        };
        table.deliver(&report.event(), heard);
    }
    let partners = &table.record.folded.state.partners;
    assert!(partners.referrals.contains_key("acme/code/spring"));
    assert_eq!(partners.referrals.len(), MAX_REFERRALS + 1);
}
