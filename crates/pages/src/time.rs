//! The clock: set it, move it on, and see what that made happen.

use crate::activity::ActivityEntry;
use crate::console::Console;
use crate::display_prefs::DisplayPrefs;
use crate::page_result::{PageError, PageResult, blocking};
use crate::render::values;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect};
use local_shop::clock;
use local_shop::delivery::agent;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct ClockQuery {
    /// What happened after this number is what a move made happen.
    since: Option<u64>,
}

pub(crate) async fn page(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(asked): Query<ClockQuery>,
) -> PageResult {
    let latest: Vec<ActivityEntry> = {
        let index = console.index.current();
        let since = asked.since.unwrap_or(u64::MAX);
        index
            .latest_activity
            .iter()
            .filter(|entry| entry.number > since)
            .cloned()
            .collect()
    };
    let values = values! {
        latest, moved => asked.since.is_some(), wrong => "",
        offset => console.endpoints.clock.offset() / 1_000,
    };
    console.page(&display, "clock.html", values)
}

#[derive(Deserialize)]
pub(crate) struct ClockForm {
    advance: Option<String>,
    to: Option<String>,
}

pub(crate) async fn change(
    State(console): State<Console>,
    display: DisplayPrefs,
    Form(turn): Form<ClockForm>,
) -> PageResult {
    let since = console.index.current().activity_count;
    let url = console.endpoints.gateway_url.clone();
    let moved = blocking(move || {
        match (&turn.advance, &turn.to) {
            (Some(by), _) if !by.is_empty() => clock::advance(&url, by)?,
            (_, Some(to)) => clock::set(&url, &moment(to))?,
            (_, None) => clock::now(&url)?,
        };
        agent(&url)
            .post(format!("{url}/_stack/settle"))
            .send_empty()?;
        Ok(())
    });
    if let Err(error) = moved.await {
        let latest: Vec<ActivityEntry> = Vec::new();
        let values = values! { latest, moved => false, wrong => format!("{error:#}"), offset => 0 };
        return console.page(&display, "clock.html", values);
    }
    Ok::<_, PageError>(Redirect::to(&format!("/clock?since={since}")).into_response())
}

/// What a browser's field gives, `2026-03-01T09:00`, as a moment in UTC.
fn moment(text: &str) -> String {
    let text = text.trim();
    match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ => text.to_owned(),
    }
}
