//! One function of the protocol by itself: from where it begins, who runs it, and what must hold
//! after any of them died anywhere and one net alone has finished the work.

use crate::alone::{answer_lines, is_right, run_alone, with_short_pages};
use crate::ends::project;
use crate::extent::Extent;
use crate::fallbacks::Net;
use crate::history::{check_history, check_kept, check_settled};
use crate::orders::{orders, subsets};
use domain::event::NormalizedEvent;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use store::memory::{
    Interleavings, Paging, ScheduleEnd, StepFault, SteppedProcess, SteppedTable, TableState,
};

/// What a caller was told; an error makes it try again.
pub(crate) type Answer = Result<String, String>;

/// Runs on a table; the number says how often it was tried before.
type Run = Box<dyn Fn(SteppedTable, u32) -> SteppedProcess<Answer> + Send + Sync>;

/// Somebody who runs a function of the protocol.
pub(crate) struct Actor {
    /// What it does, in a few words.
    pub(crate) what: &'static str,
    pub(crate) run: Run,
    /// What must be durable once it was answered.
    pub(crate) keeps: Vec<NormalizedEvent>,
}

/// Where a net alone makes everything whole.
pub(crate) const ALL_WHOLE: [(Net, Holds); 3] = [
    (Net::Sender, Holds::Whole),
    (Net::Stream, Holds::Whole),
    (Net::Audit, Holds::Whole),
];

/// Where the sender only makes durable what it tells again.
pub(crate) const SENDER_KEEPS: [(Net, Holds); 3] = [
    (Net::Sender, Holds::Kept),
    (Net::Stream, Holds::Whole),
    (Net::Audit, Holds::Whole),
];

/// What must hold after a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holds {
    /// What was answered is durable.
    Kept,
    /// And every record says what its journal says and owes nothing.
    Settled,
    /// And the table is as if nobody had died: what was not answered is there wholly or not at all.
    Whole,
}

impl Holds {
    /// As the table in the README has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Settled => "settled",
            Self::Whole => "whole",
        }
    }
}

/// A law of a seam's own, over the table in which it began and one in which it ended.
type Law = fn(&TableState, &TableState) -> Result<(), String>;

/// One function of the protocol with one beginning.
pub(crate) struct Seam {
    /// Where it begins, in a few words.
    pub(crate) case: &'static str,
    /// What stands there; its changes are what the stream has yet to tell.
    pub(crate) base: TableState,
    pub(crate) actors: Vec<Actor>,
    /// What must hold after each net, when one of them ran alone and died.
    pub(crate) nets: Vec<(Net, Holds)>,
    /// The same where others ran at the same time.
    pub(crate) together: Vec<(Net, Holds)>,
    pub(crate) law: Law,
    /// Whether its laws look at the order in which different items are written.
    pub(crate) in_order: bool,
    /// Whether what they are answered must fit the same order as the end does.
    pub(crate) compares_answers: bool,
    /// When the nets look.
    pub(crate) later: Timestamp,
    /// Runs for one set of interleavings; with a fault a twentieth of them.
    pub(crate) most_runs: u64,
}

/// What a seam's exploration came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) places: u64,
    pub(crate) actors: usize,
    pub(crate) schedules: u64,
    pub(crate) states: u64,
    pub(crate) cut: u64,
}

/// Explores all seams of a function, and prints what that came to.
pub(crate) fn explore(function: &str, seams: &[Seam]) {
    let begun = Instant::now();
    let mut all = Counts::default();
    for seam in seams {
        let mut run = SeamRun::new(seam);
        if let Err(law) = run.explore() {
            panic!("{function}, {}: {law}", seam.case);
        }
        all.places += run.counts.places;
        all.actors = all.actors.max(seam.actors.len());
        all.schedules = all.schedules.saturating_add(run.counts.schedules);
        all.states += run.counts.states;
        all.cut += run.counts.cut;
    }
    println!(
        "{function}: {} places to die, {} actors, {} schedules, {} states, {} sets cut, {:.1} s",
        all.places,
        all.actors,
        all.schedules,
        all.states,
        all.cut,
        begun.elapsed().as_secs_f32()
    );
}

/// Ends that are right, by net and by who ran.
type RightEnds = BTreeMap<(Net, Vec<usize>), BTreeSet<Vec<String>>>;

struct SeamRun<'a> {
    seam: &'a Seam,
    extent: Extent,
    base: TableState,
    counts: Counts,
    right: RightEnds,
    /// Tables in which schedules ended, by who ran and who was not answered: all that follows is
    /// looked at once for each.
    ended: BTreeMap<(Vec<usize>, Vec<usize>, bool), Vec<TableState>>,
}

impl<'a> SeamRun<'a> {
    fn new(seam: &'a Seam) -> Self {
        Self {
            seam,
            extent: Extent::asked_for(),
            base: with_short_pages(&seam.base),
            counts: Counts::default(),
            right: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    fn explore(&mut self) -> Result<(), String> {
        let all: Vec<usize> = (0..self.seam.actors.len()).collect();
        for actor in &all {
            let what = self.seam.actors[*actor].what;
            self.every_fault(&[*actor], &self.seam.nets)
                .map_err(|law| format!("{what}, alone: {law}"))?;
            self.with_empty_pages(*actor)
                .map_err(|law| format!("{what}, with empty pages: {law}"))?;
        }
        if all.len() > 1 {
            self.run(&all, None, &[])
                .map_err(|law| format!("together: {law}"))?;
            self.every_fault(&all, &self.seam.together)
                .map_err(|law| format!("together: {law}"))?;
        }
        Ok(())
    }

    /// An actor comes to the same end where pages are empty although others follow.
    fn with_empty_pages(&mut self, actor: usize) -> Result<(), String> {
        let mut base = self.base.clone();
        (base.paging, base.scan_paging) = (Paging::OneBehindEmpty, Paging::OneBehindEmpty);
        let (table, answer) = run_alone(&self.seam.actors[actor], base, 1);
        let right = self.right_ends(Net::Nobody, &[actor], &[])?;
        let mut lines = project(&table);
        if self.seam.compares_answers {
            lines.extend(answer_lines([(actor, &answer)].into_iter()));
        }
        is_right(&lines, &right).map_err(|law| format!("{law}\n  answered {answer:?}"))
    }

    fn every_fault(&mut self, members: &[usize], nets: &[(Net, Holds)]) -> Result<(), String> {
        if nets.is_empty() {
            return Ok(());
        }
        let stride = self.extent.stride(members.len());
        for process in 0..members.len() {
            for answer_lost in [false, true] {
                for request in (process % stride..).step_by(stride) {
                    let fault = StepFault {
                        process,
                        request,
                        answer_lost,
                    };
                    if !self.run(members, Some(fault), nets)? {
                        break;
                    }
                    self.counts.places += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether the fault was met.
    fn run(
        &mut self,
        members: &[usize],
        fault: Option<StepFault>,
        nets: &[(Net, Holds)],
    ) -> Result<bool, String> {
        let (seam, base) = (self.seam, self.base.clone());
        let table = SteppedTable::default();
        let begin = || {
            let actors = members.iter().map(|member| &seam.actors[*member]);
            actors.map(|actor| (actor.run)(table.clone(), 0)).collect()
        };
        let interleavings = Interleavings {
            table: &table,
            base: &base,
            begin: &begin,
            fault,
            in_order: seam.in_order,
            most_runs: self.extent.runs(match fault {
                None => seam.most_runs,
                Some(_) => seam.most_runs / 20,
            }),
        };
        let found = interleavings.explore(|end| {
            self.check_end(members, fault.is_some(), nets, end)
                .map_err(|law| format!("{fault:?}: {law}"))
        })?;
        self.counts.schedules = self.counts.schedules.saturating_add(found.interleavings);
        self.counts.states += found.states;
        self.counts.cut += u64::from(!found.is_complete);
        Ok(found.is_met)
    }

    fn check_end(
        &mut self,
        members: &[usize],
        is_faulty: bool,
        nets: &[(Net, Holds)],
        end: ScheduleEnd<Answer>,
    ) -> Result<(), String> {
        let unanswered: Vec<usize> = members
            .iter()
            .zip(&end.outputs)
            .filter(|(_, output)| !matches!(output, Some(Ok(_))))
            .map(|(member, _)| *member)
            .collect();
        let answered = || members.iter().filter(|member| !unanswered.contains(member));
        let keeps = || answered().flat_map(|member| &self.seam.actors[*member].keeps);
        check_kept(&end.table, keeps())?;
        self.check_laws(&end.table)?;
        let place = (members.to_vec(), unanswered.clone(), is_faulty);
        let ended = self.ended.entry(place).or_default();
        if ended.contains(&end.table) {
            return Ok(());
        }
        ended.push(end.table.clone());
        if !is_faulty {
            // Where nobody died and no answer was lost, nothing is left to a net.
            check_settled(&end.table, self.seam.later)?;
            // Who lost a race and was told so says it again.
            let table = Net::Sender.run(self.seam, end.table.clone(), &unanswered)?;
            let right = self.right_ends(Net::Nobody, members, &[])?;
            let mut lines = project(&table);
            if self.seam.compares_answers {
                let answers = end.outputs.iter().flatten();
                lines.extend(answer_lines(members.iter().copied().zip(answers)));
            }
            return is_right(&lines, &right)
                .map_err(|law| format!("{law}\n  answered {:?}", end.outputs));
        }
        for (net, holds) in nets {
            let after = |law| format!("after {}: {law}\n  answered {:?}", net.name(), end.outputs);
            let table = net
                .run(self.seam, end.table.clone(), &unanswered)
                .map_err(after)?;
            check_kept(&table, keeps()).map_err(after)?;
            self.check_laws(&table).map_err(after)?;
            // A sender that was answered does not try again.
            let holds = match net {
                Net::Sender if unanswered.is_empty() => &Holds::Kept,
                Net::Sender | Net::Nobody | Net::Stream | Net::Audit | Net::DueScan => holds,
            };
            if *holds >= Holds::Settled {
                check_settled(&table, self.seam.later).map_err(after)?;
            }
            if *holds == Holds::Whole {
                // A sender does not give up; without it, what was not answered may never have been.
                let spared: &[usize] = match net {
                    Net::Sender => &[],
                    Net::Nobody | Net::Stream | Net::Audit | Net::DueScan => &unanswered,
                };
                let right = self.right_ends(*net, members, spared)?;
                is_right(&project(&table), &right).map_err(after)?;
            }
        }
        Ok(())
    }

    fn check_laws(&self, table: &TableState) -> Result<(), String> {
        check_history(&self.base, table)?;
        (self.seam.law)(&self.base, table)
    }

    /// The ends of these actors one after the other, in every order, with or without those who
    /// may be missing.
    fn right_ends(
        &mut self,
        net: Net,
        members: &[usize],
        spared: &[usize],
    ) -> Result<BTreeSet<Vec<String>>, String> {
        let mut ends = BTreeSet::new();
        for subset in subsets(members, spared) {
            let place = (net, subset.clone());
            if !self.right.contains_key(&place) {
                let found = self.serial_ends(net, &subset)?;
                self.right.insert(place.clone(), found);
            }
            ends.extend(self.right[&place].iter().cloned());
        }
        Ok(ends)
    }

    fn serial_ends(&self, net: Net, members: &[usize]) -> Result<BTreeSet<Vec<String>>, String> {
        let mut ends = BTreeSet::new();
        for order in orders(members) {
            let mut table = self.base.clone();
            let mut answers = Vec::new();
            for member in &order {
                let (next, answer) = run_alone(&self.seam.actors[*member], table, 1);
                if let Err(error) = &answer {
                    return Err(format!("undisturbed, {order:?}: {error}"));
                }
                answers.push((*member, answer));
                table = next;
            }
            check_history(&self.base, &table)
                .map_err(|law| format!("undisturbed, {order:?}: {law}"))?;
            let table = net.run(self.seam, table, &[])?;
            let mut lines = project(&table);
            if self.seam.compares_answers && net == Net::Nobody {
                let answers = answers.iter().map(|(member, answer)| (*member, answer));
                lines.extend(answer_lines(answers));
            }
            ends.insert(lines);
        }
        Ok(ends)
    }
}
