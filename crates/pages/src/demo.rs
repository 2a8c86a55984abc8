//! The demonstration: sample lives at a button, and trouble at a switch.

use crate::console::Console;
use crate::display_prefs::DisplayPrefs;
use crate::page_result::{PageResult, blocking};
use crate::render::values;
use anyhow::Context;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect};
use jiff::Timestamp;
use local_shop::chaos::Chaos;
use local_shop::delivery::{Delivery, DeliveryResponse};
use local_shop::samples::{sample_story, sample_titles, story_names};
use local_shop::shop::enroll;
use local_shop::shop::signers;
use local_shop::story::Story;
use serde::Deserialize;
use std::sync::PoisonError;

#[derive(Deserialize)]
pub(crate) struct DemoQuery {
    story: Option<String>,
    sent: Option<u32>,
    accepted: Option<u32>,
}

pub(crate) async fn page(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(played): Query<DemoQuery>,
) -> PageResult {
    let stories = sample_titles(display.language);
    let values = values! {
        stories,
        chaos => console.chaos_settings(),
        allowed => console.may_be_killed(),
        story => played.story, sent => played.sent, accepted => played.accepted,
    };
    console.page(&display, "demo.html", values)
}

#[derive(Deserialize)]
pub(crate) struct StoryForm {
    story: String,
}

pub(crate) async fn play(
    State(console): State<Console>,
    Form(which): Form<StoryForm>,
) -> PageResult {
    let (mut sent, mut accepted) = (0_u32, 0_u32);
    for name in story_names().filter(|name| which.story == "all" || which.story == *name) {
        for answer in console.play_story(name).await? {
            sent = sent.saturating_add(1);
            let taken = (200..300).contains(&answer.status);
            accepted = accepted.saturating_add(taken.into());
        }
    }
    let story = crate::render::encoded(&which.story);
    let to = format!("/demo?story={story}&sent={sent}&accepted={accepted}");
    Ok(Redirect::to(&to).into_response())
}

/// Which switches are on: a form sends only those.
#[derive(Deserialize)]
pub(crate) struct ChaosForm {
    duplicate: Option<String>,
    shuffle: Option<String>,
    drop: Option<String>,
}

pub(crate) async fn chaos(State(console): State<Console>, Form(on): Form<ChaosForm>) -> PageResult {
    let mut chaos = console.chaos.lock().unwrap_or_else(PoisonError::into_inner);
    *chaos = Chaos {
        duplicate: on.duplicate.is_some(),
        shuffle: on.shuffle.is_some(),
        drop: on.drop.is_some(),
        kill: chaos.kill,
    };
    drop(chaos);
    Ok(Redirect::to("/demo").into_response())
}

/// Plays every story and dies among the deliveries, as `kill -9` would have it.
pub(crate) async fn kill(State(console): State<Console>) -> PageResult {
    if !console.may_be_killed() {
        return Ok(Redirect::to("/demo").into_response());
    }
    let mut deliveries = Vec::new();
    for name in story_names() {
        deliveries.extend(console.deliveries(name).await?);
    }
    let half = deliveries.len().checked_div(2).unwrap_or(0);
    deliveries.truncate(half);
    let (url, now) = (
        console.endpoints.gateway_url.clone(),
        console.endpoints.clock.now(),
    );
    let sent = blocking(move || send(&deliveries, &url, now)).await;
    tracing::warn!(
        sent = sent.map_or(0, |answers| answers.len()),
        "killed from its page"
    );
    std::process::abort()
}

impl Console {
    fn chaos_settings(&self) -> Chaos {
        *self.chaos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only what was kept can be found again.
    fn may_be_killed(&self) -> bool {
        self.shop.persistent && self.chaos_settings().kill
    }

    async fn play_story(&self, name: &str) -> anyhow::Result<Vec<DeliveryResponse>> {
        let deliveries = self.deliveries(name).await?;
        let (url, now) = (
            self.endpoints.gateway_url.clone(),
            self.endpoints.clock.now(),
        );
        blocking(move || send(&deliveries, &url, now)).await
    }

    /// A story's deliveries with the trouble that is switched on.
    async fn deliveries(&self, name: &str) -> anyhow::Result<Vec<Delivery>> {
        let story = Story::parse(sample_story(name).context("no such story")?)?;
        let now = self.endpoints.clock.now();
        for partner in story.partners() {
            let program = self.shop.catalog.program.as_ref();
            enroll(&self.table, &partner, program, now).await?;
        }
        let deliveries =
            story.deliveries(&signers(&self.shop)?, self.first_played_at(name, now)?)?;
        let seed = u64::try_from(now.as_millisecond()).unwrap_or(1);
        Ok(self.chaos_settings().apply(deliveries, seed))
    }
}

impl Console {
    /// The moment as of which a story is played: that of the first time, kept, because a provider
    /// that sends again sends the same bytes.
    fn first_played_at(&self, name: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
        let key = format!("story-{name}");
        let state = &self.endpoints.state;
        if let Some(kept) = state.value(&key)?.and_then(|text| text.parse().ok()) {
            return Ok(kept);
        }
        state.set_value(&key, &now.to_string())?;
        Ok(now)
    }
}

fn send(
    deliveries: &[Delivery],
    url: &str,
    now: Timestamp,
) -> anyhow::Result<Vec<DeliveryResponse>> {
    deliveries
        .iter()
        .map(|delivery| delivery.send(url, now))
        .collect()
}
