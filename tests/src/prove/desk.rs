//! The shop's people see to partners' endpoints: they set, move, rotate, put on and take away, and
//! say it again when nobody answers.

use super::happening::{DAY, HOUR, MINUTE};
use super::mistelling;
use super::mutants::Mutant;
use super::port::Port;
use super::referring::PARTNERS;
use super::world::{End, Happening, Process, Role, World};
use domain::ids::PartnerId;
use jiff::Timestamp;
use store::StoreError;
use store::endpoints::{enable, endpoint, remove, rotate, set};

/// What somebody of the shop's wishes of a partner's endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// That it be this, by number.
    Set(u32),
    Rotate,
    Enable,
    Remove,
}

impl World<'_> {
    pub(super) fn wish(&mut self, delay: i64, partner: &PartnerId, wish: Wish) {
        self.noticing.wishes.push((partner.clone(), wish));
        self.after(delay, Happening::SeeTo(self.noticing.wishes.len() - 1));
    }

    /// Somebody sees to an endpoint.
    pub(super) fn see_to(&mut self, wish: usize) {
        let now = self.skewed();
        let (partner, wished) = self.noticing.wishes[wish].clone();
        let process = see_to(self.port.clone(), partner, wished, now, self.mutant);
        self.spawn(Role::Endpoint(wish), process);
    }

    /// Whoever was not answered says it again; a secret that may be rotated is not rotated again.
    pub(super) fn seen_to(&mut self, wish: usize, done: bool) {
        let (partner, wished) = self.noticing.wishes[wish].clone();
        match wished {
            Wish::Set(_) | Wish::Enable | Wish::Remove if done => {
                if let Some(receiver) = self.noticing.partners.get_mut(&partner) {
                    receiver.given_up = false;
                }
            }
            Wish::Set(_) | Wish::Enable | Wish::Remove => {
                let wait = self.rng.between(MINUTE, 30 * MINUTE);
                self.after(wait, Happening::SeeTo(wish));
            }
            Wish::Rotate => {}
        }
    }

    /// Its endpoint was put off: after hours or days somebody puts it on again. One that was taken
    /// away may come back as another.
    pub(super) fn put_on_again(&mut self, partner: &PartnerId, is_wanted: bool) {
        let wait = self.rng.between(HOUR, 4 * DAY);
        if is_wanted {
            self.wish(wait, partner, Wish::Enable);
        } else if self.rng.one_in(2) {
            self.wish(wait, partner, Wish::Set(9));
        }
    }

    /// At the end every endpoint is put on once more, which brings what nothing else can.
    pub(super) fn put_on_at_last(&mut self) {
        if self.broken.is_some() {
            return;
        }
        for partner in PARTNERS {
            let partner = PartnerId::new(partner);
            if self.endpoint_of(&partner).is_some() {
                self.wish(MINUTE, &partner, Wish::Enable);
            }
        }
        self.rest();
        self.after(HOUR, Happening::Audit);
        self.rest();
    }
}

/// `orangery partner endpoint`; whether it need not be said again.
fn see_to(
    port: Port,
    partner: PartnerId,
    wish: Wish,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Process {
    Box::pin(async move {
        let done = match wish {
            Wish::Set(number) => {
                let url = format!("https://{partner}.example/{number}");
                set(&port, &partner, &url, now)
                    .await
                    .map(|set| set.is_some())
            }
            Wish::Rotate => rotate(&port, &partner, now).await.map(|_| true),
            Wish::Remove => remove(&port, &partner).await,
            Wish::Enable => put_on(&port, &partner, now, mutant).await,
        };
        End::SeenTo(done.unwrap_or(false))
    })
}

/// Whether it is on, or there is none.
async fn put_on(
    port: &Port,
    partner: &PartnerId,
    now: Timestamp,
    mutant: Option<Mutant>,
) -> Result<bool, StoreError> {
    if endpoint(port, partner).await?.is_none() {
        return Ok(true);
    }
    let on = match mutant {
        Some(Mutant::PutOnUnreminded) => mistelling::put_on_unreminded(port, partner).await,
        _ => enable(port, partner, now).await,
    };
    on.map(|on| on.is_some())
}
