//! The shop's people see to partners' endpoints: they set, move, rotate, put on and take away, and
//! say it again when nobody answers.

use crate::proof::simulation::activity::ProcessEnd;
use crate::proof::simulation::activity::ProcessRole;
use crate::proof::simulation::activity::SimulatedProcess;
use crate::proof::simulation::activity::SimulationActivity;
use crate::proof::simulation::activity::{DAY, HOUR, MINUTE};
use crate::proof::simulation::port::Port;
use crate::proof::simulation::records::EndpointChange;
use crate::proof::simulation::script::PARTNERS;
use crate::proof::simulation::state::Simulation;
use domain::ids::PartnerId;
use jiff::Timestamp;
use store::StoreError;
use store::notice_endpoints::{enable, read_endpoint, remove, rotate, set};

impl Simulation<'_> {
    pub(crate) fn schedule_endpoint_change(
        &mut self,
        delay: i64,
        partner: &PartnerId,
        change: EndpointChange,
    ) {
        self.notices
            .endpoint_changes
            .push((partner.clone(), change));
        self.schedule(
            delay,
            SimulationActivity::ChangeEndpoint(self.notices.endpoint_changes.len() - 1),
        );
    }

    /// Somebody sees to an endpoint.
    pub(crate) fn change_endpoint(&mut self, number: usize) {
        let now = self.skewed_now();
        let (partner, change) = self.notices.endpoint_changes[number].clone();
        let process = change_endpoint(self.port.clone(), partner, change, now);
        self.spawn(ProcessRole::Endpoint(number), process);
    }

    /// Whoever was not answered says it again; a secret that may be rotated is not rotated again.
    pub(crate) fn endpoint_change_ended(&mut self, number: usize, done: bool) {
        let (partner, change) = self.notices.endpoint_changes[number].clone();
        match change {
            EndpointChange::Set(_) | EndpointChange::Enable | EndpointChange::Remove if done => {
                if let Some(receiver) = self.notices.partners.get_mut(&partner) {
                    receiver.message_given_up = false;
                }
            }
            EndpointChange::Set(_) | EndpointChange::Enable | EndpointChange::Remove => {
                let wait = self.rng.between(MINUTE, 30 * MINUTE);
                self.schedule(wait, SimulationActivity::ChangeEndpoint(number));
            }
            EndpointChange::Rotate => {}
        }
    }

    /// Its endpoint was put off: after hours or days somebody puts it on again. One that was taken
    /// away may come back as another.
    pub(crate) fn schedule_enable(&mut self, partner: &PartnerId, is_wanted: bool) {
        let wait = self.rng.between(HOUR, 4 * DAY);
        if is_wanted {
            self.schedule_endpoint_change(wait, partner, EndpointChange::Enable);
        } else if self.rng.one_in(2) {
            self.schedule_endpoint_change(wait, partner, EndpointChange::Set(9));
        }
    }

    /// At the end every endpoint is put on once more, which brings what nothing else can.
    pub(crate) fn enable_all_endpoints(&mut self) {
        if self.violation.is_some() {
            return;
        }
        for partner in PARTNERS {
            let partner = PartnerId::parse(partner).expect("is an id");
            if self.endpoint_of(&partner).is_some() {
                self.schedule_endpoint_change(MINUTE, &partner, EndpointChange::Enable);
            }
        }
        self.run_until_idle();
        self.schedule(HOUR, SimulationActivity::Audit);
        self.run_until_idle();
    }
}

/// `orangery partner endpoint`; whether it need not be said again.
fn change_endpoint(
    port: Port,
    partner: PartnerId,
    change: EndpointChange,
    now: Timestamp,
) -> SimulatedProcess {
    Box::pin(async move {
        let done = match change {
            EndpointChange::Set(number) => {
                let url = format!("https://{partner}.example/{number}");
                set(&port, &partner, &url, now)
                    .await
                    .map(|set| set.is_some())
            }
            EndpointChange::Rotate => rotate(&port, &partner, now).await.map(|_| true),
            EndpointChange::Remove => remove(&port, &partner).await,
            EndpointChange::Enable => enable_endpoint(&port, &partner, now).await,
        };
        ProcessEnd::EndpointChanged(done.unwrap_or(false))
    })
}

/// Whether it is on, or there is none.
async fn enable_endpoint(
    port: &Port,
    partner: &PartnerId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if read_endpoint(port, partner).await?.is_none() {
        return Ok(true);
    }
    Ok(enable(port, partner, now).await?.is_some())
}
