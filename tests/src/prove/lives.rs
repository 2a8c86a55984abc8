//! Random but plausible lives: what customers, their provider and a partner do, and what is
//! told of it.

use super::random::Rng;
use super::told::{ACCOUNT, BEGIN, Draft, Story, at, object};
use domain::billing::{InvoiceSeen, InvoiceState};
use domain::ids::{CustomerKey, PersonHash, Reference};
use domain::money::{Currency, Money};
use domain::reading::{About, Fact, Profile, ReferralSeen};
use domain::terms::{
    Before, Item, Known, Pause, Period, SubscriptionSeen, SubscriptionStatus, Terms,
};

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
    subscription: Option<SubscriptionSeen>,
    /// Statements told of this instant: beyond a few, a provider's clock is no clock.
    crowd: (i64, u32),
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

pub(crate) fn referral(id: &str, seconds: i64) -> Fact {
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
            self.report_referral();
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
        match self.rng.index(14) {
            0..=2 => self.renew(),
            3 => self.fail_and_recover(),
            4 => self.change_plan(),
            5 => self.set_to_end(),
            6 => self.end(),
            7 => self.buy_once(),
            8 => self.say_who(),
            9 => self.report_referral(),
            10 => self.unclear(),
            11 => self.pause(),
            12 if self.rng.one_in(3) => self.poison(),
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
        self.start();
    }

    /// A subscription begins.
    pub(super) fn start(&mut self) {
        let trial = self.rng.one_in(3);
        let status = if trial {
            SubscriptionStatus::Trialing
        } else if self.rng.one_in(2) {
            SubscriptionStatus::Incomplete
        } else {
            SubscriptionStatus::Active
        };
        let length = if trial { 14 } else { 30 } * 86_400;
        let period = Period {
            start: at(self.clock),
            end: at(self.clock + length),
        };
        let seen = SubscriptionSeen {
            id: object(&format!("sub{}", self.name)),
            started_at: at(self.clock),
            currency: self.rng.one_in(2).then(|| euro(0).currency),
            terms: Terms {
                status,
                items: vec![item("price_s", 1)],
                period: Some(period),
                trial: trial.then_some(period),
                cancel_at: None,
                cancel_at_period_end: false,
                pause: None,
            },
            canceled_at: None,
            ended_at: None,
            before: None,
        };
        self.subscription = Some(seen.clone());
        let id = seen.id.to_string();
        self.say(
            "sub.created",
            1,
            vec![Fact::Subscription(Box::new(seen))],
            &[&id],
        );
        if !trial {
            self.pass_a_little();
            self.pay(1000, true);
            self.change(|terms| terms.status = SubscriptionStatus::Active);
        }
    }

    fn pass_a_little(&mut self) {
        if self.rng.one_in(2) {
            self.clock += self.rng.between(0, 2);
        }
    }

    /// A change of the subscription's terms, told with what was before.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Terms)) {
        let Some(mut seen) = self.subscription.take() else {
            return;
        };
        let was = seen.terms.clone();
        if !was.status.is_final() {
            change(&mut seen.terms);
        }
        if seen.terms != was {
            if self.crowd.0 != self.clock {
                self.crowd = (self.clock, 0);
            }
            self.crowd.1 += 1;
            if self.crowd.1 > 4 {
                self.clock += 1;
            }
            seen.before = Some(Box::new(before(&was, &seen.terms)));
            let id = seen.id.to_string();
            let last = seen.terms.status.is_final();
            if last {
                seen.ended_at = Some(at(self.clock));
                seen.before = None;
            }
            let (kind, rank) = if last {
                ("sub.deleted", 9)
            } else {
                ("sub.updated", 2)
            };
            let fact = Fact::Subscription(Box::new(seen.clone()));
            self.say(kind, rank, vec![fact], &[&id]);
        }
        self.subscription = Some(seen);
    }

    pub(super) fn renew(&mut self) {
        let now = self.clock;
        self.change(|terms| {
            terms.status = SubscriptionStatus::Active;
            terms.period = Some(Period {
                start: at(now),
                end: at(now + 30 * 86_400),
            });
        });
        self.pay(1000, true);
    }

    pub(super) fn fail_and_recover(&mut self) {
        let invoice = self.id("in");
        let failed = |state, attempts| InvoiceSeen {
            id: object(&invoice),
            subscription: None,
            state,
            due: euro(1000),
            attempts,
            next_attempt_at: None,
        };
        for attempt in 1..=1 + self.rng.below(2) as u32 {
            let fact = Fact::Invoice(failed(InvoiceState::Failed, attempt));
            self.say("invoice.failed", 4, vec![fact], &[&invoice]);
            self.change(|terms| terms.status = SubscriptionStatus::PastDue);
            self.pass();
        }
        if self.rng.one_in(3) {
            let fact = Fact::Invoice(failed(InvoiceState::Voided, 2));
            return self.say("invoice.voided", 6, vec![fact], &[&invoice]);
        }
        self.pay_as(&invoice, 1000, true);
        let fact = Fact::Invoice(failed(InvoiceState::Paid, 2));
        self.say("invoice.paid", 6, vec![fact], &[&invoice]);
        self.change(|terms| terms.status = SubscriptionStatus::Active);
    }

    pub(super) fn change_plan(&mut self) {
        let price = ["price_s", "price_m", "price_l"][self.rng.index(3)];
        let quantity = 1 + self.rng.below(3);
        self.change(|terms| terms.items = vec![item(price, quantity)]);
        if self.rng.one_in(2) {
            self.change(|terms| terms.items.push(item("price_x", 1)));
        }
    }

    pub(super) fn set_to_end(&mut self) {
        self.change(|terms| {
            terms.cancel_at_period_end = true;
            terms.cancel_at = terms.period.map(|period| period.end);
        });
        if self.rng.one_in(3) {
            self.pass();
            self.change(|terms| {
                terms.cancel_at_period_end = false;
                terms.cancel_at = None;
            });
        }
    }

    pub(super) fn end(&mut self) {
        self.change(|terms| terms.status = SubscriptionStatus::Canceled);
    }

    pub(super) fn pause(&mut self) {
        self.change(|terms| {
            terms.pause = match terms.pause {
                Some(_) => None,
                None => Some(Pause {
                    behavior: "void".into(),
                    resumes_at: None,
                }),
            };
        });
    }
}

fn item(price: &str, quantity: u64) -> Item {
    Item {
        id: object("si"),
        price: domain::ids::PriceId::new(price),
        metered: false,
        quantity: Some(quantity),
        unit_minor: Some(1000),
        period: None,
    }
}

/// What the provider says of a change: the fields that changed, as they were.
fn before(was: &Terms, is: &Terms) -> Before {
    let sold = |terms: &Terms| -> Vec<_> {
        let items = terms.items.iter();
        let mut sold: Vec<_> = items.map(|i| (i.price.clone(), i.quantity)).collect();
        sold.sort();
        sold
    };
    let known = |value: Option<_>| value.map_or(Known::Absent, Known::Is);
    let end = |terms: &Terms| terms.period.map(|period| period.end);
    let set = was.cancel_at_period_end != is.cancel_at_period_end;
    Before {
        status: (was.status != is.status).then_some(was.status),
        items: (sold(was) != sold(is)).then(|| sold(was)),
        period_end: if end(was) == end(is) { None } else { end(was) },
        cancel_at: (was.cancel_at != is.cancel_at).then(|| known(was.cancel_at)),
        cancel_at_period_end: set.then_some(was.cancel_at_period_end),
        trial_end: None,
        paused: (was.pause != is.pause).then_some(was.pause.is_some()),
    }
}
