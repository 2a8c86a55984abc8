//! Random but plausible lives: what customers, their provider and a partner do, and what is
//! told of it.

use super::random::Rng;
use super::told::{ACCOUNT, BEGIN, Draft, Story, at};
use domain::ids::{CustomerKey, PersonHash, Reference};
use domain::money::{Currency, Money};
use domain::reading::{About, Fact, Profile, ReferralSeen};
use domain::terms::SubscriptionSeen;

/// Most events of one world; a mask of them is one number.
pub(super) const MOST: usize = 64;

/// A euro amount.
pub(super) fn euro(minor: i64) -> Money {
    Money {
        minor,
        currency: Currency::parse("eur").expect("in ISO 4217"),
        exponent: 2,
    }
}

/// One customer's life being told.
pub(super) struct Life<'a> {
    /// What has been told.
    pub(super) story: &'a mut Story,
    /// Chance.
    pub(super) rng: &'a mut Rng,
    /// Whose.
    pub(super) customer: CustomerKey,
    /// A short name that all its objects carry.
    pub(super) name: String,
    /// Now.
    pub(super) clock: i64,
    pub(super) mail: String,
    pub(super) subscription: Option<SubscriptionSeen>,
    /// Statements told of this instant: beyond a few, a provider's clock is no clock.
    pub(super) crowd: (i64, u32),
    count: u32,
    guest: bool,
}

/// A world's whole story.
pub(super) fn story(seed: u64) -> Story {
    let mut rng = Rng::fork(seed, 1);
    let mut story = Story::default();
    let customers = 1 + rng.index(3);
    for number in 0..customers {
        let mut life = Life::new(&mut story, &mut rng, number);
        life.live();
    }
    strangers(&mut story, &mut rng);
    super::tellings::tell(&mut story, &mut rng);
    if story.told.len() > MOST {
        // A life cut short: its books would tell what nobody is told.
        story.sales.clear();
    }
    story.told.truncate(MOST);
    story.requests.truncate(MOST);
    together(&mut story, &mut rng);
    let end = story.told.iter().map(|told| told.readings[0].occurred_at);
    story.span = end.max().map_or(0, |end| end.as_second() - BEGIN);
    story
}

/// Some senders put several items into one request.
fn together(story: &mut Story, rng: &mut Rng) {
    let mut index = 1;
    while index < story.requests.len() {
        if rng.one_in(12) {
            let items = story.requests.remove(index);
            story.requests[index - 1].extend(items);
        }
        index += 1;
    }
}

/// Events that lead to nobody, and events we know and that tell nothing.
fn strangers(story: &mut Story, rng: &mut Rng) {
    if rng.one_in(6) {
        let about = About::Behind(super::told::references(&["chx", "pix"]));
        let facts = vec![Fact::Unclear { what: "x".into() }];
        let draft = Draft {
            kind: "dispute",
            rank: 5,
            about,
            facts: if rng.one_in(2) { facts } else { Vec::new() },
            leads: &[],
        };
        story.tell("xs", BEGIN + rng.between(0, 9000), draft);
    }
    if rng.one_in(8) {
        let about = About::Behind(vec![Reference::code("nobody")]);
        let facts = vec![referral("xr", BEGIN)];
        let draft = Draft {
            kind: "referral",
            rank: 1,
            about,
            facts,
            leads: &[],
        };
        story.tell("xr", BEGIN + rng.between(0, 9000), draft);
    }
}

fn referral(id: &str, seconds: i64) -> Fact {
    Fact::Referral(ReferralSeen {
        partner: domain::ids::PartnerId::new("acme"),
        referral: id.into(),
        referred_at: at(seconds),
    })
}

impl<'a> Life<'a> {
    /// The life of customer `number`; some share an e-mail address, some are guests.
    pub(super) fn new(story: &'a mut Story, rng: &'a mut Rng, number: usize) -> Self {
        let name = ["a", "b", "c", "d"][number % 4].to_owned();
        let guest = rng.one_in(8);
        let id = if guest {
            format!("pi{name}0")
        } else {
            format!("cus{name}")
        };
        let mail = if rng.one_in(4) {
            "m".to_owned()
        } else {
            format!("m{name}")
        };
        let clock = BEGIN + rng.between(0, 7200);
        Self {
            customer: ACCOUNT.customer(&id),
            story,
            rng,
            name,
            clock,
            mail,
            subscription: None,
            crowd: (0, 0),
            count: 0,
            guest,
        }
    }

    /// Nothing is known of this customer but one payment.
    pub(super) fn make_guest(&mut self) {
        self.guest = true;
        self.customer = ACCOUNT.customer(&format!("pi{}0", self.name));
    }

    fn live(&mut self) {
        if self.rng.one_in(4) {
            self.report();
        }
        if self.guest {
            return self.buy_once();
        }
        self.check_out();
        for _ in 0..self.rng.index(8) {
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        self.pass();
        match self.rng.index(16) {
            0..=2 => self.renew(),
            3 => self.fail_and_recover(),
            4 => self.change_plan(),
            5 => self.set_to_end(),
            6 => self.end(),
            7 => self.buy_once(),
            8 => self.say_who(),
            9..=11 => self.refer(),
            12 => self.unclear(),
            13 => self.pause(),
            14 if self.rng.one_in(3) => self.poison(),
            _ => self.ignored(),
        }
    }

    /// Time goes by: nothing at all, minutes, or a month.
    pub(super) fn pass(&mut self) {
        self.clock += match self.rng.index(6) {
            0 | 1 => 0,
            2 => 1,
            3 => self.rng.between(2, 600),
            4 => self.rng.between(3_600, 200_000),
            _ => 30 * 86_400,
        };
    }

    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.count += 1;
        // The sender's ids say nothing about the order.
        let salt = self.rng.below(36);
        format!("{prefix}{}{salt}_{}", self.name, self.count)
    }

    /// Tells something about this customer by its own id.
    pub(super) fn say(&mut self, kind: &'static str, rank: u8, facts: Vec<Fact>, leads: &[&str]) {
        let about = About::Customer(self.customer.clone());
        self.say_of(kind, rank, about, facts, leads);
    }

    pub(super) fn say_of(
        &mut self,
        kind: &'static str,
        rank: u8,
        about: About,
        facts: Vec<Fact>,
        leads: &[&str],
    ) {
        let id = self.id("e");
        let draft = Draft {
            kind,
            rank,
            about,
            facts,
            leads,
        };
        self.story.tell(&id, self.clock, draft);
    }

    pub(super) fn say_behind(
        &mut self,
        kind: &'static str,
        rank: u8,
        behind: &[&str],
        facts: Vec<Fact>,
    ) {
        let about = About::Behind(super::told::references(behind));
        self.say_of(kind, rank, about, facts, behind);
    }

    /// A session in which a subscription is bought, with or without a trial.
    pub(super) fn check_out(&mut self) {
        self.show_up();
        self.start();
    }

    /// The session alone: who it is, and the code that the customer shows.
    pub(super) fn show_up(&mut self) {
        let session = format!("cs{}", self.name);
        let profile = Profile {
            email: Some(format!("{}@x.org", self.mail).into()),
            name: self.rng.one_in(2).then(|| "N".into()),
            locale: Some("fr".into()),
            ..Profile::default()
        };
        let person = Reference::person(&PersonHash::new(self.mail.clone()));
        let facts = vec![
            Fact::Profile(profile),
            Fact::ReferralCode {
                code: "spring".into(),
            },
        ];
        self.say("session", 1, facts, &[&session]);
        let told = self.story.told.last_mut().expect("just told");
        for reading in &mut told.readings {
            reading.references.push(person.clone());
            reading.references.push(Reference::code("spring"));
        }
        // N + 1 reads more out of it than N.
        if self.rng.one_in(3) {
            told.readings[1]
                .references
                .push(Reference::shop(&self.name));
            if let Some(Fact::Profile(profile)) = told.readings[1].facts.first_mut() {
                profile.country = Some("FR".into());
            }
        }
    }
}
