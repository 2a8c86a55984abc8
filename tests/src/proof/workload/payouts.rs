//! The shop pays its partners: now and then, over all of them, as the command does it; what dies
//! or is not answered is asked for again, by the same day.

use crate::proof::simulation::activity::ProcessEnd;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::activity::SimulatedProcess;
use crate::proof::simulation::activity::SimulationActivity;
use crate::proof::simulation::activity::{DAY, MINUTE};
use crate::proof::simulation::faults::FaultKind;
use crate::proof::simulation::port::Port;
use crate::proof::simulation::random::Rng;
use crate::proof::simulation::records::PlannedPayout;
use crate::proof::simulation::script::PARTNERS;
use crate::proof::simulation::state::Simulation;
use domain::ids::PartnerId;
use domain::partner::payout::{PayoutOutcome, PayoutRefusal, PayoutRequest, day_of};
use jiff::{Timestamp, ToSpan};
use std::sync::Arc;
use store::memory::TableRequest;
use store::partners::PartnerRow;
use store::payouts::{PayoutError, preview_payout, run};
use store::{Item, Key, WriteCondition};

/// How often somebody asks again for a payout that did not end well.
const MAX_PAYOUT_TRIES: u32 = 6;

impl Simulation<'_> {
    /// Lays out when the shop pays, by chance of its own; what these runs meet is drawn as for all.
    pub(crate) fn schedule_payouts(&mut self) {
        for partner in PARTNERS {
            let row = Arc::new(PartnerRow::new(
                PartnerId::parse(partner).expect("is a name"),
            ));
            self.table.apply(TableRequest::Put(
                Item::Partner(row),
                WriteCondition::Absent,
            ));
        }
        let mut rng = Rng::fork(self.spec.seed, 3);
        let span = self.script.span_seconds.max(3600) * 1000 + 35 * DAY;
        for _ in 0..rng.index(5) {
            self.payouts.planned.push(PlannedPayout {
                for_yesterday: rng.one_in(4),
                minimum_minor: rng.one_in(3).then(|| rng.between(1, 4_000)),
                dry_run: rng.one_in(6),
                ..PlannedPayout::default()
            });
            let number = self.payouts.planned.len() - 1;
            let when = rng.between(0, span);
            self.schedule(when, SimulationActivity::RunPayout(number));
            let (at_once, shortly) = (rng.one_in(3), rng.between(0, 60));
            if self.inject(FaultKind::PayoutsAtOnce, at_once) {
                self.schedule(when + shortly, SimulationActivity::RunPayout(number));
            }
            let (again, later) = (rng.one_in(3), rng.between(MINUTE, 3 * DAY));
            if self.inject(FaultKind::SameDayAgain, again) {
                self.schedule(when + later, SimulationActivity::RunPayout(number));
            }
        }
    }

    /// Somebody pays, for the day that was wished.
    pub(crate) fn run_payout(&mut self, number: usize) {
        let now = self.skewed_now();
        let planned = &mut self.payouts.planned[number];
        let today = day_of(now);
        let date = match planned.for_yesterday {
            true => today.saturating_sub(1.day()),
            false => today,
        };
        let date = *planned.date.get_or_insert(date);
        let least = planned
            .minimum_minor
            .map(crate::proof::simulation::script::euro);
        let order = PayoutRequest {
            date,
            minimums: least.into_iter().collect(),
        };
        let dry = planned.dry_run;
        if !dry {
            let changes = self.table.changes.len();
            self.payouts
                .started_runs
                .entry((date, now))
                .or_insert(changes);
        }
        let process = pay_out(self.port.clone(), order, dry, now);
        self.spawn(ProcessRole::Payout(number), process);
    }

    /// A run died or was not answered: whether it paid nobody knows, so the same is asked again.
    pub(crate) fn retry_payout(&mut self, number: usize) {
        let planned = &mut self.payouts.planned[number];
        planned.tries += 1;
        if planned.tries < MAX_PAYOUT_TRIES {
            let wait = self.rng.between(MINUTE, 300 * MINUTE);
            self.schedule(wait, SimulationActivity::RunPayout(number));
        }
    }

    /// A run ended: what it says was paid stands so.
    pub(crate) fn payout_ended(
        &mut self,
        number: usize,
        result: Result<Vec<PayoutOutcome>, PayoutError>,
    ) {
        let runs = match result {
            Ok(runs) => runs,
            Err(PayoutError::Store(_)) => return self.retry_payout(number),
            Err(PayoutError::Refused(_) | PayoutError::Contended) => return,
        };
        let planned = self.payouts.planned[number].clone();
        for run in runs {
            let payout = match run {
                PayoutOutcome::AlreadyPaid(payout) => payout,
                PayoutOutcome::Pay(payout, _) if !planned.dry_run => payout,
                PayoutOutcome::Pay(..) | PayoutOutcome::Nothing(_) => continue,
            };
            let key = Key::payout(&payout.partner, payout.n);
            let stands = self.payouts.written.get(&key) == Some(&payout);
            if !stands || Some(payout.date) != planned.date {
                self.report_violation(format!("{key} was shown as paid and is not: {payout:?}"));
            }
        }
    }

    /// When all has come to rest, all that is released is paid, and the same day once more.
    pub(crate) fn run_final_payout(&mut self) {
        if self.violation.is_some() || self.decided_rows.count() == 0 {
            return;
        }
        self.payouts.planned.push(PlannedPayout::default());
        let last = self.payouts.planned.len() - 1;
        // Two days on, so that it is a day that nobody asked for.
        self.schedule(2 * DAY, SimulationActivity::RunPayout(last));
        self.run_until_idle();
        self.payouts.final_run_at = self.payouts.started_runs.keys().max().map(|run| run.1);
        let paid = self.payouts.count();
        self.schedule(MINUTE, SimulationActivity::RunPayout(last));
        self.run_until_idle();
        if self.payouts.count() != paid {
            self.report_violation("the same day once more paid once more".into());
        }
    }
}

/// `orangery partner payout --all`, without its files.
fn pay_out(port: Port, order: PayoutRequest, dry: bool, now: Timestamp) -> SimulatedProcess {
    Box::pin(async move { ProcessEnd::PaidOut(pay_all(&port, &order, dry, now).await) })
}

async fn pay_all(
    port: &Port,
    order: &PayoutRequest,
    dry: bool,
    now: Timestamp,
) -> Result<Vec<PayoutOutcome>, PayoutError> {
    let mut runs = Vec::new();
    for row in store::partners::list(port).await? {
        let partner = &row.partner;
        let run = match dry {
            true => preview_payout(port, partner, order, now).await,
            false => run(port, partner, order, now).await,
        };
        match run {
            Ok(run) => runs.push(run),
            // One partner's later payout does not keep the others from theirs.
            Err(PayoutError::Refused(PayoutRefusal::BeforeLastPayout { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(runs)
}
