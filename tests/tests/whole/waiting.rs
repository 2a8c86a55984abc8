//! An event whose provider's API is silent waits, and ends as if it had answered: whoever asks
//! again, dies over it, or is told once more.

use crate::orders::Dice;
use crate::support::house::opening;
use crate::support::memory::Memory;
use crate::support::mortal::{Death, Mortal};
use crate::support::small_house::{Orders, journaled, told, unread};
use calendar::{Calendar, Enrichment, Looked};
use domain::ids::{CustomerKey, Mode};
use domain::reading::{About, Fact};
use domain::record::{Entry, Folded};
use jiff::{SignedDuration, Timestamp};
use orangery::delivery::{Delivery, Signer};
use orangery::wiring::{LOCAL_MASTER, local_secret};
use providers::{Answer, Call, Fetched, Provider, Received, provider};
use runtime::Clock;
use runtime::api::Api;
use runtime::secrets::{SecretCache, Source, person_key};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use store::accept::receive;
use store::audit::walk;
use store::folding::read_record;
use store::waiting::waiting;

/// One event of each whose API is asked for what its events mean.
const THIN: [(&str, &str); 4] = [
    ("gocardless", "payments.confirmed"),
    ("gocardless", "subscriptions.created"),
    ("mollie", "sales-invoice.paid-simple"),
    ("paypal", "PAYMENT.SALE.COMPLETED"),
];

/// What may happen to one such event.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// It is delivered while the API is silent.
    ToldInSilence,
    /// It is delivered while the API answers.
    Told,
    /// Calendar asks, and is answered.
    Asked,
    /// Calendar asks, and nobody answers.
    AskedInSilence,
    /// Calendar asks, is answered, and dies.
    Dies(Death),
    /// The audit walks.
    Audited,
}

fn all_that_may_happen() -> Vec<Happens> {
    let mut all = vec![
        Happens::ToldInSilence,
        Happens::Told,
        Happens::Asked,
        Happens::AskedInSilence,
        Happens::Audited,
    ];
    for after in 0..7 {
        all.extend([true, false].map(|lost| Happens::Dies(Death { after, lost })));
    }
    all
}

#[test]
fn whatever_happens_to_an_event_that_waits_its_record_is_as_if_the_api_had_answered() {
    let all = all_that_may_happen();
    let mut worlds = 0;
    for (name, sample) in THIN {
        let thin = Thin::new(name, sample);
        let expected = thin.lived(&[Happens::Told]);
        for second in &all {
            for third in &all {
                let lived = [Happens::ToldInSilence, *second, *third];
                assert_eq!(thin.lived(&lived), expected, "{name} {sample}: {lived:?}");
                worlds += 1;
            }
        }
        let mut dice = Dice(7);
        for _ in 0..SAMPLES {
            let mut lived = vec![Happens::ToldInSilence];
            lived.extend((0..8).map(|_| all[dice.below(all.len())]));
            assert_eq!(thin.lived(&lived), expected, "{name} {sample}: {lived:?}");
            worlds += 1;
        }
    }
    println!("{worlds} worlds in which an event waited, was told again, or met a death");
}

const SAMPLES: usize = 200;

#[tokio::test]
async fn while_the_api_is_silent_it_stays_and_its_age_is_known() {
    let thin = Thin::new("gocardless", "payments.confirmed");
    let house = thin.house();
    house.tell(thin.silent.clone()).await;
    house.later(SignedDuration::from_hours(2));
    let looked = house.ask(Says::Nothing).await;
    assert_eq!((looked.waiting, looked.waiting_age), (1, 2 * 60 * 60));
    assert_eq!(looked.completed, 0);
    let looked = house.ask(Says::Known).await;
    assert_eq!((looked.completed, looked.waiting), (1, 0));
    let nothing = Looked {
        complete: true,
        ..Looked::default()
    };
    assert_eq!(house.ask(Says::Known).await, nothing);
}

#[tokio::test]
async fn what_the_api_knows_no_more_is_quarantined_and_waits_no_longer() {
    // A sale stands for itself: agreements of old are no subscriptions that the API knows.
    for ((name, sample), quarantined) in THIN.into_iter().zip([1, 1, 1, 0]) {
        let thin = Thin::new(name, sample);
        let house = thin.house();
        house.tell(thin.silent.clone()).await;
        let looked = house.ask(Says::Unknown).await;
        assert_eq!((looked.completed, looked.waiting), (1, 0), "{name}");
        let report = walk(&house.table, 10, opening()).await.unwrap();
        assert_eq!(
            report.quarantined, quarantined,
            "{name} {sample}: {report:?}"
        );
    }
}

#[tokio::test]
async fn what_turns_out_not_to_concern_us_is_let_go() {
    let of_no_concern = "{\"id\":\"EV1\",\"created_at\":\"2026-02-28T00:00:00Z\",\
                         \"resource_type\":\"payouts\",\"action\":\"paid\"}";
    let provider = provider("gocardless").unwrap();
    let house = House::of(provider, Fetched::closed());
    let account = provider.account(Mode::Test);
    let mut waits = unread(provider, of_no_concern.as_bytes());
    waits.reading.about = About::Behind(vec![account.waiting()]);
    let what = "payment".into();
    waits.reading.facts = vec![Fact::Waiting { what }];
    receive(&house.table, &[Arc::new(waits)], opening())
        .await
        .unwrap();
    let looked = house.ask(Says::Nothing).await;
    assert_eq!((looked.completed, looked.waiting), (1, 0));
    assert!(house.waits().await.is_empty());
    assert_eq!(house.table.changes(0).len(), 1, "nothing else was written");
}

#[tokio::test]
async fn a_long_list_is_worked_off_whatever_is_never_answered_at_its_head() {
    let thin = Thin::new("gocardless", "payments.confirmed");
    let house = thin.house();
    for number in 0..500 {
        let other = thin.renamed(&format!("EV{number:03}"), "PM000Grove01");
        house.tell(told(&other, &Fetched::closed())).await;
    }
    let looked = house.ask(Says::Known).await;
    assert_eq!(looked.completed, 200, "five batches of forty");
    // These come first, and are about a payment of which the API never says anything.
    for number in 0..100 {
        let stuck = thin.renamed(&format!("EV-{number:03}"), "PM000Never01");
        house.tell(told(&stuck, &Fetched::closed())).await;
    }
    let mut runs = 1;
    let mut left = 500 - looked.completed;
    while left > 0 {
        left -= house.ask(Says::Known).await.completed;
        runs += 1;
        assert!(runs < 20, "{left} left");
    }
    assert_eq!(house.waits().await.len(), 100);
    println!("500 events beside 100 that are never answered took {runs} runs");
}

/// One event, and what its provider's API knows of it.
struct Thin {
    provider: &'static Provider,
    delivery: Delivery,
    known: Fetched,
    /// What it tells while its API is silent, and while it answers.
    silent: Vec<Received>,
    whole: Vec<Received>,
}

impl Thin {
    fn new(name: &str, sample: &str) -> Self {
        let provider = provider(name).unwrap();
        let samples = provider.samples().iter();
        let (_, body) = samples
            .copied()
            .find(|(known, _)| *known == sample)
            .unwrap();
        let delivery = Delivery {
            name: sample.to_owned(),
            path: format!("/webhooks/{name}"),
            body: body.as_bytes().to_vec(),
            signer: Signer::provider(provider, &local_secret(name)).unwrap(),
        };
        let known = Fetched::recorded(provider.answers(sample)).unwrap();
        Self {
            provider,
            silent: told(&delivery, &Fetched::closed()),
            whole: told(&delivery, &known),
            delivery,
            known,
        }
    }

    fn house(&self) -> House {
        House::of(self.provider, self.known.clone())
    }

    /// The same event under another id, of another payment.
    fn renamed(&self, id: &str, payment: &str) -> Delivery {
        let body = String::from_utf8(self.delivery.body.clone()).unwrap();
        let body = body.replace("EV000000001011", id);
        let body = body.replace("PM000Grove01", payment).into_bytes();
        Delivery {
            body,
            ..self.delivery.clone()
        }
    }

    /// What its customer's record says once all this has happened and the API answers at last.
    fn lived(&self, lived: &[Happens]) -> Folded {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut house = self.house();
            for happens in lived {
                house.lives(self, *happens).await;
            }
            house.ask(Says::Known).await;
            assert!(house.waits().await.is_empty(), "{lived:?}");
            let record = read_record(&house.table, &self.customer()).await.unwrap();
            let record = record.unwrap_or_else(|| panic!("{lived:?}: no record"));
            assert_eq!(record.folded.count, 1, "{lived:?}");
            record.folded.clone()
        })
    }

    fn customer(&self) -> CustomerKey {
        let entry = journaled(self.provider, self.whole[0].clone(), "r").unwrap();
        match &entry.reading.about {
            About::Customer(customer) => customer.clone(),
            About::Behind(references) => panic!("is behind {references:?}"),
        }
    }
}

/// What an API says to everything it is asked.
#[derive(Clone, Copy)]
enum Says {
    /// What it knows; nothing of what it does not.
    Known,
    /// That there is no such thing.
    Unknown,
    /// Nothing.
    Nothing,
}

#[derive(Clone)]
struct Spoken {
    known: Fetched,
    says: Arc<Mutex<Says>>,
}

impl Api for Spoken {
    async fn call(&self, call: &Call) -> Option<Answer> {
        match *self.says.lock().unwrap() {
            Says::Known => self.known.answer(call).ok().cloned(),
            Says::Unknown => Some(Answer {
                status: 404,
                body: b"{}"[..].into(),
            }),
            Says::Nothing => None,
        }
    }
}

/// A table, a calendar that may die at it, and the API that it asks.
struct House {
    provider: &'static Provider,
    table: Memory,
    mortal: Mortal,
    api: Spoken,
    now: Arc<Mutex<Timestamp>>,
    calendar: Calendar<Mortal, Orders, Spoken>,
}

impl House {
    fn of(provider: &'static Provider, known: Fetched) -> Self {
        let table = Memory::default();
        let mortal = Mortal::at(&table);
        let says = Arc::new(Mutex::new(Says::Nothing));
        let api = Spoken { known, says };
        let now = Arc::new(Mutex::new(opening()));
        Self {
            provider,
            calendar: calendar(&mortal, &api, &now),
            table,
            mortal,
            api,
            now,
        }
    }

    async fn lives(&mut self, thin: &Thin, happens: Happens) {
        match happens {
            Happens::ToldInSilence => self.tell(thin.silent.clone()).await,
            Happens::Told => self.tell(thin.whole.clone()).await,
            Happens::Asked => _ = self.ask(Says::Known).await,
            Happens::AskedInSilence => _ = self.ask(Says::Nothing).await,
            Happens::Audited => _ = walk(&self.table, 10, opening()).await.unwrap(),
            Happens::Dies(death) => {
                self.mortal.dies(Some(death));
                *self.api.says.lock().unwrap() = Says::Known;
                let _ = self.calendar.sweep().await;
                self.mortal.dies(None);
                self.calendar = calendar(&self.mortal, &self.api, &self.now);
            }
        }
    }

    /// What a door does, in a request of its own.
    async fn tell(&self, received: Vec<Received>) {
        let receipt = self.table.changes(0).len().to_string();
        let entries = received.into_iter();
        let entries = entries.filter_map(|one| journaled(self.provider, one, &receipt));
        let entries: Vec<_> = entries.collect();
        receive(&self.table, &entries, opening()).await.unwrap();
    }

    async fn ask(&self, says: Says) -> Looked {
        *self.api.says.lock().unwrap() = says;
        self.calendar.sweep().await.unwrap()
    }

    async fn waits(&self) -> Vec<Arc<Entry>> {
        let reference = self.provider.account(Mode::Test).waiting();
        let batch = waiting(&self.table, &reference, None, 1000).await;
        batch.unwrap().entries
    }

    fn later(&self, by: SignedDuration) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }
}

fn calendar(
    table: &Mortal,
    api: &Spoken,
    now: &Arc<Mutex<Timestamp>>,
) -> Calendar<Mortal, Orders, Spoken> {
    let now = Arc::clone(now);
    let clock = Clock::new(move || *now.lock().unwrap());
    let master = Source::Given(vec![LOCAL_MASTER.into()]);
    let asked = |_| Ok::<_, Infallible>(api.clone());
    Calendar {
        table: table.clone(),
        letters: Orders::default(),
        notices: Orders::default(),
        enrichments: Enrichment::of_all(Mode::Test, asked).unwrap(),
        person_key: SecretCache::new(master, person_key, clock.clone()),
        clock,
    }
}
