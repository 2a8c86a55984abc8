//! Stories of subscriptions: what may be used at each step.

use crate::life::{DAY, Life, SHOP, paid, runs, snapshot};
use crate::scenarios::{at, dispute, refund, subscription_fact};
use domain::entitlement::answer::{AccessReason as Why, Want};
use domain::payment::snapshot::{DisputeState, RefundState};
use domain::subscription::terms::SubscriptionStatus::{
    Active, Canceled, Incomplete, IncompleteExpired, PastDue, Paused, Trialing, Unpaid,
};
use domain::subscription::terms::{Pause, Period, SubscriptionTerms, TrialFallback};

const GROVE: (&str, u64) = ("price_grove", 1);
const SEED: (&str, u64) = ("price_seed", 1);
const SEAT: (&str, u64) = ("price_seat", 1);

/// The shop with this policy.
fn with_policy(rules: &str) -> String {
    format!("{SHOP}\n[access]\n{rules}\n")
}

#[test]
fn s4_an_upgrade_counts_at_once_and_a_downgrade_at_the_end_of_the_period() {
    let life = Life::default()
        .shows(0, runs(Active, &[SEED], 0))
        .shows(10, runs(Active, &[GROVE], 0));
    // What the customer asked for on day 20 the provider does at the renewal.
    let after = life.clone().shows(30, runs(Active, &[SEED], 30));
    let seats = |life: &Life, day| life.ask(SHOP, "seats", day).limit;
    let before = Life(life.0[..1].to_vec());
    assert_eq!(seats(&before, 9), Some(1));
    assert_eq!(before.verdict(SHOP, "export", 9), (false, Why::None));
    assert_eq!(seats(&life, 10), Some(5));
    assert_eq!(life.verdict(SHOP, "export", 29), (true, Why::InPlan));
    assert_eq!(seats(&after, 30), Some(1));
    assert_eq!(after.verdict(SHOP, "export", 30), (false, Why::None));
}

#[test]
fn a1_an_add_on_counts_at_once_and_to_the_end_of_the_period_and_ends_with_its_base() {
    let added = Life::default()
        .shows(0, runs(Active, &[GROVE], 0))
        .shows(5, runs(Active, &[GROVE, ("price_seat", 3)], 0));
    assert_eq!(added.ask(SHOP, "seats", 5).limit, Some(5 + 2 * 3));
    assert_eq!(added.ask(SHOP, "seats", 5).next_change, None);

    let removed = added.clone().shows(10, runs(Active, &[GROVE], 0));
    let answer = removed.ask(SHOP, "seats", 10);
    assert_eq!((answer.limit, answer.until), (Some(11), None));
    assert_eq!(answer.next_change, Some(at(30 * DAY)));
    assert_eq!(answer.sources[1].until, Some(at(30 * DAY)));
    assert_eq!(removed.ask(SHOP, "seats", 30).limit, Some(5));
    // Nothing is left of it in the next period, nor twice where it comes back.
    let renewed = removed.clone().shows(30, runs(Active, &[GROVE], 30));
    assert!(
        renewed
            .state()
            .subscriptions
            .values()
            .all(|s| s.removed_items.is_empty())
    );
    let back = removed.clone().shows(12, runs(Active, &[GROVE, SEAT], 0));
    assert_eq!(back.ask(SHOP, "seats", 12).limit, Some(7));
    let stops = with_policy("removed_add_on = \"stop\"");
    assert_eq!(removed.ask(&stops, "seats", 10).limit, Some(5));

    let ended = removed.shows(20, runs(Canceled, &[GROVE], 0));
    let answer = ended.ask(SHOP, "seats", 20);
    assert_eq!(
        (answer.allowed, answer.why, answer.limit),
        (false, Why::Ended, Some(0))
    );
}

#[test]
fn an_add_on_that_was_not_paid_is_gone_when_it_is_removed() {
    let life = Life::default()
        .shows(0, runs(PastDue, &[GROVE, SEAT], 0))
        .shows(1, runs(Active, &[GROVE], 0));
    assert_eq!(life.ask(SHOP, "seats", 2).limit, Some(5));
}

#[test]
fn an_answer_about_very_many_ends_says_when_to_ask_again() {
    let one = |life: Life, n: i64| {
        let terms = SubscriptionTerms {
            cancel_at: Some(at((10 + n) * DAY)),
            ..runs(Active, &[SEAT], 0)
        };
        let mut seat = snapshot(terms);
        seat.id = crate::scenarios::id(&format!("sub_{n}"));
        life.on(0, subscription_fact(seat))
    };
    let many = (0..200).fold(Life::default(), one);
    let answer = many.ask(SHOP, "seats", 1);
    assert_eq!(
        (answer.limit, answer.next_change),
        (Some(400), Some(at(10 * DAY)))
    );
    assert_eq!(answer.until, None);
    // Nothing of these gives `export`; what does goes on at least until then.
    let grove = many.on(0, paid("pi_1", 900, 0, &[("price_export", 1)]));
    let answer = grove.ask(SHOP, "export", 1);
    assert_eq!(
        (answer.until, answer.next_change),
        (None, Some(at(73 * DAY)))
    );
}

#[test]
fn a_plan_that_was_changed_is_no_removed_add_on() {
    let life = Life::default()
        .shows(0, runs(Active, &[GROVE], 0))
        .shows(5, runs(Active, &[SEED], 0));
    assert_eq!(life.ask(SHOP, "seats", 6).limit, Some(1));
}

#[test]
fn a4_a_plan_that_gains_a_feature_gives_it_to_existing_customers_at_once() {
    let life = Life::default().shows(0, runs(Active, &[SEED], 0));
    assert_eq!(life.verdict(SHOP, "export", 400), (false, Why::None));
    let gains = SHOP.replace("{ seats = 1 }", "{ seats = 1, export = true }");
    assert_eq!(life.verdict(&gains, "export", 400), (true, Why::InPlan));
}

#[test]
fn a_trial_gives_what_the_plan_gives_and_ends_where_nothing_follows() {
    let trial = |fallback| SubscriptionTerms {
        trial: Some(Period {
            start: at(0),
            end: at(14 * DAY),
        }),
        trial_fallback: fallback,
        ..runs(Trialing, &[GROVE], 0)
    };
    let converts = Life::default().shows(0, trial(None));
    let answer = converts.ask(SHOP, "export", 3);
    assert_eq!(
        (answer.allowed, answer.why, answer.until),
        (true, Why::Trial, None)
    );
    // The provider has not said yet that it is over.
    assert_eq!(converts.verdict(SHOP, "export", 14), (true, Why::Trial));
    for fallback in [TrialFallback::Ends, TrialFallback::Pauses] {
        let ends = Life::default().shows(0, trial(Some(fallback)));
        let answer = ends.ask(SHOP, "export", 3);
        assert_eq!(
            (answer.until, answer.next_change),
            (Some(at(14 * DAY)), Some(at(14 * DAY)))
        );
        assert_eq!(ends.verdict(SHOP, "export", 14), (false, Why::Expired));
    }
    let paid = converts.shows(14, runs(Active, &[GROVE], 14));
    assert_eq!(paid.verdict(SHOP, "export", 14), (true, Why::InPlan));
}

#[test]
fn a_failed_renewal_leaves_seven_days_from_the_first_failure() {
    let failed = Life::default()
        .shows(0, runs(Active, &[GROVE], 0))
        .shows(30, runs(PastDue, &[GROVE], 30))
        .shows(34, runs(PastDue, &[GROVE], 30));
    let answer = failed.ask(SHOP, "export", 35);
    assert_eq!(
        (answer.allowed, answer.why, answer.soft),
        (true, Why::GracePastDue, false)
    );
    assert_eq!(
        (answer.until, answer.next_change),
        (Some(at(37 * DAY)), Some(at(37 * DAY)))
    );
    assert_eq!(failed.verdict(SHOP, "export", 37), (false, Why::Expired));
    let recovered = failed.clone().shows(40, runs(Active, &[GROVE], 30));
    assert_eq!(recovered.verdict(SHOP, "export", 40), (true, Why::InPlan));
    // The next failure has days of its own.
    let again = recovered.shows(60, runs(PastDue, &[GROVE], 60));
    assert_eq!(again.ask(SHOP, "export", 61).until, Some(at(67 * DAY)));
    let given_up = failed.clone().shows(36, runs(Unpaid, &[GROVE], 30));
    assert_eq!(given_up.verdict(SHOP, "export", 36), (false, Why::Expired));
    // Unpaid counts from the first failure too.
    let patient = with_policy("unpaid = { keep = \"20 days\" }");
    assert_eq!(
        given_up.ask(&patient, "export", 36).until,
        Some(at(50 * DAY))
    );
}

#[test]
fn a_policy_keeps_softens_or_stops() {
    let failed = Life::default().shows(30, runs(PastDue, &[GROVE], 30));
    let stops = with_policy("past_due = \"stop\"");
    assert_eq!(failed.verdict(&stops, "export", 30), (false, Why::Expired));
    let keeps = with_policy("past_due = \"keep\"");
    assert_eq!(failed.ask(&keeps, "export", 900).until, None);
    assert_eq!(
        failed.verdict(&keeps, "export", 900),
        (true, Why::GracePastDue)
    );
    let softens = with_policy("past_due = { soften = \"3 days\" }");
    let answer = failed.ask(&softens, "export", 31);
    assert_eq!((answer.allowed, answer.soft), (true, true));
    assert_eq!(answer.until, Some(at(33 * DAY)));
    assert!(answer.sources[0].soft);
    // What something else gives as well is not soft.
    let bought = failed.on(30, paid("pi_1", 900, 30, &[("price_export", 1)]));
    let answer = bought.ask(&softens, "export", 31);
    assert_eq!(
        (answer.soft, answer.why, answer.until),
        (false, Why::Purchase, None)
    );
    assert_eq!(answer.next_change, Some(at(33 * DAY)));
}

#[test]
fn a_pause_stops_and_a_pause_of_collection_does_not() {
    let paused = Life::default().shows(0, runs(Paused, &[GROVE], 0));
    assert_eq!(paused.verdict(SHOP, "export", 1), (false, Why::Paused));
    let keeps = with_policy("paused = { keep = \"5 days\" }");
    assert_eq!(paused.ask(&keeps, "export", 1).until, Some(at(5 * DAY)));

    let uncollected = Life::default().shows(
        2,
        SubscriptionTerms {
            pause: Some(Pause {
                behavior: "void".into(),
                resumes_at: Some(at(20 * DAY)),
            }),
            ..runs(Active, &[GROVE], 0)
        },
    );
    assert_eq!(uncollected.verdict(SHOP, "export", 3), (true, Why::InPlan));
    let stops = with_policy("collection_paused = \"stop\"");
    let answer = uncollected.ask(&stops, "export", 3);
    assert_eq!((answer.allowed, answer.why), (false, Why::Paused));
    assert_eq!(answer.next_change, Some(at(20 * DAY)));
    assert_eq!(
        uncollected.verdict(&stops, "export", 20),
        (true, Why::InPlan)
    );
    let resumed = uncollected.shows(10, runs(Active, &[GROVE], 0));
    assert_eq!(resumed.verdict(&stops, "export", 10), (true, Why::InPlan));
}

#[test]
fn a_subscription_that_is_set_to_end_gives_until_then() {
    let ending = Life::default().shows(
        3,
        SubscriptionTerms {
            cancel_at_period_end: true,
            ..runs(Active, &[GROVE, SEAT], 0)
        },
    );
    let answer = ending.ask(SHOP, "seats", 3);
    assert_eq!(
        (answer.until, answer.next_change),
        (Some(at(30 * DAY)), Some(at(30 * DAY)))
    );
    // Nobody has said yet that it ended.
    assert_eq!(ending.verdict(SHOP, "seats", 30), (false, Why::Ended));
    let ended = ending.shows(30, runs(Canceled, &[GROVE, SEAT], 0));
    assert_eq!(ended.verdict(SHOP, "seats", 31), (false, Why::Ended));
    for status in [Incomplete, IncompleteExpired] {
        let never = Life::default().shows(0, runs(status, &[GROVE], 0));
        assert_eq!(never.verdict(SHOP, "seats", 1), (false, Why::None));
    }
}

#[test]
fn the_money_of_the_running_period_decides() {
    let life = Life::default()
        .shows(0, runs(Active, &[GROVE], 0))
        .on(0, paid("pi_1", 1000, 0, &[]));
    let part = life
        .clone()
        .on(3, refund("re_1", &["pi_1"], 400, RefundState::Succeeded, 3));
    assert_eq!(part.verdict(SHOP, "export", 3), (true, Why::InPlan));
    let softens = with_policy("partly_refunded = \"soften\"");
    assert!(part.ask(&softens, "export", 3).soft);
    let whole = part
        .clone()
        .on(4, refund("re_2", &["pi_1"], 600, RefundState::Succeeded, 4));
    assert_eq!(whole.verdict(SHOP, "export", 4), (false, Why::Refunded));
    let keeps = with_policy("refunded = \"keep\"");
    assert_eq!(whole.verdict(&keeps, "export", 4), (true, Why::InPlan));
    let failed = whole
        .clone()
        .on(5, refund("re_2", &["pi_1"], 600, RefundState::Failed, 4));
    assert_eq!(failed.verdict(SHOP, "export", 5), (true, Why::InPlan));
    // An upgrade of the same period was paid and stays.
    let upgraded = whole.clone().on(5, paid("pi_2", 300, 5, &[]));
    assert_eq!(upgraded.verdict(SHOP, "export", 5), (true, Why::InPlan));
    let renewed = whole
        .shows(30, runs(Active, &[GROVE], 30))
        .on(30, paid("pi_3", 1000, 30, &[]));
    assert_eq!(renewed.verdict(SHOP, "export", 30), (true, Why::InPlan));

    let disputed = life
        .clone()
        .on(6, dispute(&["pi_1"], 1000, DisputeState::Open));
    assert_eq!(disputed.verdict(SHOP, "export", 6), (false, Why::Disputed));
    let keeps = with_policy("disputed = \"keep\"");
    assert_eq!(disputed.verdict(&keeps, "export", 6), (true, Why::InPlan));
    let won = disputed
        .clone()
        .on(9, dispute(&["pi_1"], 1000, DisputeState::Won));
    assert_eq!(won.verdict(SHOP, "export", 9), (true, Why::InPlan));
    let lost = disputed.on(9, dispute(&["pi_1"], 1000, DisputeState::Lost));
    assert_eq!(lost.verdict(SHOP, "export", 9), (false, Why::Disputed));
    assert_eq!(lost.verdict(&keeps, "export", 9), (false, Why::Disputed));
    // An open dispute of an earlier period counts, what it took is over with that period.
    let renewed = life
        .clone()
        .shows(30, runs(Active, &[GROVE], 30))
        .on(30, paid("pi_2", 1000, 30, &[]))
        .on(31, dispute(&["pi_1"], 1000, DisputeState::Open));
    assert_eq!(renewed.verdict(SHOP, "export", 31), (false, Why::Disputed));
    let lost = renewed.on(40, dispute(&["pi_1"], 1000, DisputeState::Lost));
    assert_eq!(lost.verdict(SHOP, "export", 40), (true, Why::InPlan));
    let inquiry = life.on(6, dispute(&["pi_1"], 1000, DisputeState::Inquiry));
    assert_eq!(inquiry.verdict(SHOP, "export", 6), (true, Why::InPlan));
}

#[test]
fn limits_add_up_by_quantity_and_tiers_take_the_highest() {
    let life = Life::default()
        .shows(0, runs(Active, &[("price_grove", 2), ("price_seat", 3)], 0))
        .on(
            1,
            paid("pi_9", 900, 1, &[("price_export", 2), ("price_cover", 1)]),
        );
    let seats = life.ask(SHOP, "seats", 2);
    assert_eq!(seats.limit, Some(2 * 5 + 3 * 2 + 2 * 3));
    let support = life.ask(SHOP, "support", 2);
    assert_eq!(support.level.as_deref(), Some("premium"));
    assert_eq!((support.why, support.sources.len()), (Why::Purchase, 2));
    let none = Life::default().shows(0, runs(Active, &[("price_grove", 0)], 0));
    assert_eq!(none.verdict(SHOP, "export", 1), (false, Why::None));
    assert_eq!(none.ask(SHOP, "support", 1).level.as_deref(), Some("none"));
    let endless = SHOP.replace("seats = 5", "seats = \"unlimited\"");
    let endless = life.ask(&endless, "seats", 2);
    assert_eq!((endless.limit, endless.unlimited), (None, true));
}

#[test]
fn what_is_wanted_is_compared_with_what_there_is_and_until_when() {
    let ending = SubscriptionTerms {
        cancel_at: Some(at(20 * DAY)),
        ..runs(Active, &[("price_seat", 2)], 0)
    };
    let mut extra = snapshot(ending);
    extra.id = crate::scenarios::id("sub_2");
    let life = Life::default()
        .shows(0, runs(Active, &[GROVE], 0))
        .on(0, subscription_fact(extra));
    let ask = |want: Want, day: i64| life.want(SHOP, "seats", Some(want), at(day * DAY));
    assert_eq!(ask(Want::Quantity(5), 1).until, None);
    assert_eq!(ask(Want::Quantity(5), 1).next_change, Some(at(20 * DAY)));
    assert_eq!(ask(Want::Quantity(9), 1).until, Some(at(20 * DAY)));
    let much = ask(Want::Quantity(10), 1);
    assert_eq!(
        (much.allowed, much.why, much.limit),
        (false, Why::None, Some(9))
    );
    assert!(ask(Want::Level("9".into()), 1).allowed && !ask(Want::Level("9".into()), 20).allowed);
    let level = |word: &str| {
        let want = Some(Want::Level(word.into()));
        life.want(SHOP, "support", want, at(DAY)).allowed
    };
    assert_eq!(
        [level("standard"), level("premium"), level("gold")],
        [true, false, false]
    );
    assert!(
        !life
            .want(SHOP, "export", Some(Want::Quantity(1)), at(DAY))
            .allowed
    );
}
