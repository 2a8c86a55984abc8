//! Random but plausible scenarios: what customers, their provider and a partner do, and what is
//! told of it.

use super::scenario_builder::ScenarioBuilder;
use crate::proof::simulation::random::Rng;
use crate::proof::simulation::script::{START_SECOND, Script, ScriptedEventDraft, at};
use domain::event::{About, Fact};
use domain::ids::{PersonHash, Reference, ReferralCode};
use domain::partner::referral::ReferralSnapshot;
use domain::person::Profile;

/// Most events of one simulation; a mask of them is one number.
pub(crate) const MAX_EVENTS: usize = 64;

/// A simulation's whole story.
pub(crate) fn random_script(seed: u64) -> Script {
    let mut rng = Rng::fork(seed, 1);
    let mut script = Script::default();
    let customers = 1 + rng.index(3);
    for number in 0..customers {
        let mut scenario = ScenarioBuilder::new(&mut script, &mut rng, number);
        scenario.run();
    }
    add_unroutable_events(&mut script, &mut rng);
    make_partly_unclear(&mut script, &mut rng);
    super::provider_scripts::add_provider_scripts(&mut script, &mut rng);
    if script.events.len() > MAX_EVENTS {
        // A scenario cut short: its books would tell what nobody is told.
        script.sales.clear();
    }
    script.events.truncate(MAX_EVENTS);
    script.requests.truncate(MAX_EVENTS);
    merge_requests(&mut script, &mut rng);
    let end = script
        .events
        .iter()
        .map(|scripted| scripted.normalized[0].occurred_at);
    script.span_seconds = end.max().map_or(0, |end| end.as_second() - START_SECOND);
    script
}

/// Some senders put several items into one request.
fn merge_requests(script: &mut Script, rng: &mut Rng) {
    let mut index = 1;
    while index < script.requests.len() {
        if rng.one_in(12) {
            let items = script.requests.remove(index);
            script.requests[index - 1].extend(items);
        }
        index += 1;
    }
}

/// Of some events a part can't be read: by version N alone, or by both. The rest says what it said.
fn make_partly_unclear(script: &mut Script, rng: &mut Rng) {
    for scripted in &mut script.events {
        if !scripted.normalized[0].facts.is_empty() && rng.one_in(16) {
            scripted.add_unclear_part();
            if rng.one_in(2) {
                scripted.normalized[1] = scripted.normalized[0].clone();
            }
        }
    }
}

/// Events that lead to nobody, and events we know and that tell nothing.
fn add_unroutable_events(script: &mut Script, rng: &mut Rng) {
    if rng.one_in(6) {
        let about = About::ByReference(crate::proof::simulation::script::references(&[
            "chx", "pix",
        ]));
        let facts = vec![Fact::Unclear { what: "x".into() }];
        let draft = ScriptedEventDraft {
            kind: "dispute",
            rank: 5,
            about,
            facts: if rng.one_in(2) { facts } else { Vec::new() },
            references: &[],
        };
        script.add_event("xs", START_SECOND + rng.between(0, 9000), draft);
    }
    if rng.one_in(8) {
        let about = About::ByReference(vec![Reference::code("nobody").expect("is a code")]);
        let facts = vec![referral("xr", START_SECOND)];
        let draft = ScriptedEventDraft {
            kind: "referral",
            rank: 1,
            about,
            facts,
            references: &[],
        };
        script.add_event("xr", START_SECOND + rng.between(0, 9000), draft);
    }
}

fn referral(id: &str, seconds: i64) -> Fact {
    Fact::Referral(ReferralSnapshot {
        partner: domain::ids::PartnerId::parse("acme").expect("is a name"),
        referral: id.into(),
        referred_at: at(seconds),
        reported_at: Some(at(seconds)),
        names: Vec::new(),
        sub_ids: Default::default(),
    })
}

impl ScenarioBuilder<'_> {
    fn run(&mut self) {
        if self.rng.one_in(4) {
            self.report();
        }
        if self.guest {
            return self.buy_once();
        }
        self.check_out();
        for _ in 0..self.rng.index(8) {
            self.next_step();
        }
    }

    fn next_step(&mut self) {
        self.advance();
        match self.rng.index(16) {
            0..=2 => self.renew(),
            3 => self.fail_and_recover(),
            4 => self.change_plan(),
            5 => self.set_to_end(),
            6 => self.end(),
            7 => self.buy_once(),
            8 => self.add_customer_object(),
            9..=11 => self.refer(),
            12 => self.add_unclear_event(),
            13 => self.pause(),
            14 if self.rng.one_in(3) => self.add_poison_event(),
            _ => self.add_ignored_event(),
        }
    }

    /// A session in which a subscription is bought, with or without a trial.
    pub(crate) fn check_out(&mut self) {
        self.add_checkout_session();
        self.start();
    }

    /// The session alone: who it is, and the code that the customer shows.
    pub(crate) fn add_checkout_session(&mut self) {
        let session = format!("cs{}", self.name);
        let profile = Profile {
            email: Some(format!("{}@x.org", self.email).into()),
            name: self.rng.one_in(2).then(|| "N".into()),
            locale: Some("fr".into()),
            ..Profile::default()
        };
        let person = Reference::person(&PersonHash::parse(self.email.clone()).expect("is an id"));
        let facts = vec![
            Fact::Profile(profile),
            Fact::ReferralCode {
                code: ReferralCode::parse("spring").expect("is a code"),
            },
        ];
        self.add_event("session", 1, facts, &[&session]);
        let scripted = self.script.events.last_mut().expect("just told");
        for reading in &mut scripted.normalized {
            reading.references.push(person.clone());
            reading
                .references
                .push(Reference::code("spring").expect("is a code"));
        }
        // N + 1 reads more out of it than N.
        if self.rng.one_in(3) {
            scripted.normalized[1]
                .references
                .push(Reference::shop(&self.name).expect("is an id"));
            if let Some(Fact::Profile(profile)) = scripted.normalized[1].facts.first_mut() {
                profile.country = Some("FR".into());
            }
        }
    }
}
