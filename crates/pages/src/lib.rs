//! The pages: what a person sees of the stack, rendered here and asking nothing of anywhere
//! else.

mod changes;
mod index;
mod activity;
mod referrals;
mod display_prefs;
mod render;
mod page_result;
mod snapshots;
mod timeline;
mod journals;
mod console;

mod overview;
mod customers;
mod search;
mod partners;
mod event;
mod replay;
mod refused;
mod diagnosis_text;
mod mailbox;
mod checks;
mod linear;
mod gallery;
mod time;
mod demo;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use console::{Console, ConsoleInner};
use index::Index;
use local_cloud::StackEndpoints;
use local_shop::connection::dynamo_table;
use local_shop::shop::Shop;
use render::Templates;
use runtime::settings::BadSetting;
use std::sync::{Arc, Mutex};

pub use checks::{Check, checks};
pub use diagnosis_text::{DiagnosisText, diagnosis_text};

/// The pages of a stack.
///
/// # Errors
/// [`BadSetting`] when a template or a table of texts can't be read.
pub fn router(endpoints: &StackEndpoints, shop: &Shop) -> Result<Router, BadSetting> {
    let bad = |what: String| BadSetting {
        name: "ORANGERY_PAGES",
        what,
    };
    let console = Console(Arc::new(ConsoleInner {
        table: dynamo_table(endpoints)?,
        index: Index::new(endpoints.engine.clone()),
        templates: Templates::new().map_err(|error| bad(format!("{error:#}")))?,
        chaos: Mutex::new(shop.chaos),
        journals: journals::JournalCache::default(),
        endpoints: endpoints.clone(),
        shop: shop.clone(),
    }));
    let pages = Router::new()
        .route("/", get(overview::page))
        .route("/live", get(overview::live))
        .route("/customers", get(customers::list))
        .route("/customer", get(customers::one))
        .route("/partners", get(partners::list))
        .route("/partner", get(partners::one))
        .route("/event", get(event::page))
        .route("/event/replay", post(event::replay))
        .route("/refused", get(refused::list))
        .route("/refused/one", get(refused::one))
        .route("/refused/save", get(refused::save))
        .route("/mailbox", get(mailbox::list))
        .route("/mail", get(mailbox::one))
        .route("/mail/body", get(mailbox::body))
        .route("/gallery", get(gallery::list))
        .route("/gallery/one", get(gallery::one))
        .route("/gallery/body", get(gallery::body))
        .route("/clock", get(time::page).post(time::change))
        .route("/demo", get(demo::page))
        .route("/demo/play", post(demo::play))
        .route("/demo/chaos", post(demo::chaos))
        .route("/demo/kill", post(demo::kill))
        .route("/display", post(display_prefs::change))
        .route("/pages.css", get(stylesheet))
        .route("/pages.js", get(script))
        .route("/favicon.ico", get(icon))
        .layer(from_fn(set_policies))
        .with_state(console);
    Ok(pages)
}

async fn stylesheet(State(console): State<Console>) -> Response {
    let css = console.templates.file("pages.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response()
}

async fn script(State(console): State<Console>) -> Response {
    let js = console.templates.file("pages.js");
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        js,
    )
        .into_response()
}

async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], ICON).into_response()
}

/// No page asks anything of elsewhere. Who may ask for pages is the stack's own affair.
async fn set_policies(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        // A letter's body brings its own, stricter policy.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

const ICON: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>\
     <circle cx='8' cy='9' r='6' fill='#e8710a'/><path d='M8 4q4-4 6-2-2 3-6 2' fill='#2e7d32'/>\
     </svg>";

#[cfg(test)]
mod tests;
