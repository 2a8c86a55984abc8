//! Months keep the day on which charges fall due.

use crate::civil::{CalendarUnit, Day, DayOfMonth, Interval};

#[test]
fn a_period_begins_on_the_day_of_the_month_that_charges_have() {
    use DayOfMonth::{Day as On, Last};
    for (charge, due, months, begins) in [
        ("2026-02-28", Last, 1, "2026-01-31"),
        ("2026-03-31", Last, 1, "2026-02-28"),
        ("2028-03-31", Last, 1, "2028-02-29"),
        ("2026-01-30", Last, 1, "2025-12-31"), // the 31st is a Saturday: before it
        ("2026-04-30", Last, 3, "2026-01-31"),
        ("2026-02-28", On(31), 1, "2026-01-31"),
        ("2026-03-31", On(31), 1, "2026-02-28"),
        ("2026-04-30", On(31), 1, "2026-03-31"),
        ("2026-03-30", On(30), 1, "2026-02-28"),
        ("2026-03-02", On(28), 1, "2026-01-28"), // the 28th is a Saturday: after it
        ("2026-03-15", On(15), 12, "2025-03-15"),
        // A day that the rule does not explain: one interval back.
        ("2026-04-28", On(15), 1, "2026-03-28"),
        ("2026-04-10", Last, 1, "2026-03-10"),
    ] {
        let interval = Interval {
            count: months,
            unit: CalendarUnit::Month,
        };
        let period = interval.period_before(day(charge), None, Some(due));
        let period = period.expect("is in reach").expect("is one");
        assert_eq!(
            period.start.to_string(),
            format!("{begins}T00:00:00Z"),
            "{charge} {due:?}"
        );
        assert_eq!(period.end.to_string(), format!("{charge}T00:00:00Z"));
    }
}

#[test]
fn without_such_a_day_a_period_is_an_interval_and_before_the_first_charge_there_is_none() {
    let month = Interval {
        count: 1,
        unit: CalendarUnit::Month,
    };
    let period = month
        .period_before(day("2026-03-31"), None, None)
        .expect("is in reach");
    assert_eq!(
        period.expect("is one").start.to_string(),
        "2026-02-28T00:00:00Z"
    );
    let first = Some(day("2026-01-31"));
    let due = first.map(Day::of_month);
    assert_eq!(month.period_before(day("2026-01-31"), first, due), Ok(None));
    let late = Some(day("2026-02-02"));
    let period = month.period_before(day("2026-03-01"), late, Some(DayOfMonth::Day(1)));
    let period = period.expect("is in reach").expect("is one");
    assert_eq!(
        period.start.to_string(),
        "2026-02-02T00:00:00Z",
        "not before the first"
    );
    let week = Interval {
        count: 2,
        unit: CalendarUnit::Week,
    };
    let period = week
        .period_before(day("2026-02-15"), first, due)
        .expect("is in reach");
    assert_eq!(
        period.expect("is one").start.to_string(),
        "2026-02-01T00:00:00Z"
    );
}

fn day(text: &str) -> Day {
    serde_json::from_str(&format!("\"{text}\"")).expect("is a day")
}
