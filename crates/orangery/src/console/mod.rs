//! The pages: what a person sees of the stack, rendered here and asking nothing of anywhere
//! else.

mod changes;
mod index;
mod activity;
mod referrals;
mod display_prefs;
mod render;
mod snapshots;
mod timeline;
mod journals;

mod overview;
mod customers;
mod search;
mod partners;
mod event;
mod replay;
mod refused;
mod mailbox;
mod checks;
mod linear;
mod gallery;
mod time;
mod demo;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use index::Index;
use local_cloud::StackEndpoints;
use local_shop::connection::dynamo_table;
use local_shop::shop::Shop;
use render::Templates;
use runtime::settings::BadSetting;
use std::sync::{Arc, Mutex};
use store::dynamo::DynamoTable;

pub use checks::{Check, checks};
pub use local_shop::chaos::Chaos;

/// What every page is made from; clones share it.
#[derive(Clone)]
pub(crate) struct Console(Arc<ConsoleInner>);

pub(crate) struct ConsoleInner {
    endpoints: StackEndpoints,
    shop: Shop,
    table: DynamoTable,
    index: Index,
    templates: Templates,
    chaos: Mutex<Chaos>,
    journals: journals::JournalCache,
}

impl std::ops::Deref for Console {
    type Target = ConsoleInner;

    fn deref(&self) -> &ConsoleInner {
        &self.0
    }
}

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
        .route("/look", post(display_prefs::change))
        .route("/pages.css", get(stylesheet))
        .route("/pages.js", get(script))
        .route("/favicon.ico", get(icon))
        .layer(from_fn(guard_request))
        .with_state(console);
    Ok(pages)
}

/// Why there is no page.
pub(crate) enum PageError {
    /// What was asked for is not there.
    NotFound(String),
    /// The table, the state or a template failed.
    Internal(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::NotFound(what) => (StatusCode::NOT_FOUND, what),
            Self::Internal(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")),
        };
        (
            status,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            words,
        )
            .into_response()
    }
}

/// A page, or why there is none.
pub(crate) type PageResult = Result<Response, PageError>;

/// Where a page of a list begins that counts down.
#[derive(serde::Deserialize)]
pub(crate) struct BeforeQuery {
    before: Option<i64>,
}

impl BeforeQuery {
    fn number(&self) -> i64 {
        self.before.unwrap_or(i64::MAX)
    }
}

/// Where the next page begins, if this one is full.
fn next_page<T>(rows: &[T], size: u32, number: impl Fn(&T) -> i64) -> Option<i64> {
    let full = rows.len() >= usize::try_from(size).unwrap_or(usize::MAX);
    rows.last().filter(|_| full).map(number)
}

/// Runs what blocks, as the local client does, where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
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

/// Only forms of these pages may change anything, and no page asks anything of elsewhere.
async fn guard_request(request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !is_same_origin(request.headers()) {
        let words = "Only forms of this stack's own pages may do that.\n";
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
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

/// Browsers say where a form came from; what says nothing is no browser.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin == format!("http://{host}"),
        (Some(_), None) => false,
        (None, _) => match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
            None | Some(b"same-origin" | b"none") => true,
            Some(_) => false,
        },
    }
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

const ICON: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>\
     <circle cx='8' cy='9' r='6' fill='#e8710a'/><path d='M8 4q4-4 6-2-2 3-6 2' fill='#2e7d32'/>\
     </svg>";

/// A diagnosis in words.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DiagnosisText {
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub act: String,
}

/// A diagnosis in the words of a language.
pub fn diagnosis_text(language: &str, diagnosis: &providers::diagnose::Diagnosis) -> DiagnosisText {
    let texts = render::read_texts(language).unwrap_or_default();
    let text = |kind: &str| {
        let text = texts.get(&format!("{kind}_{}", diagnosis.cause.as_str()));
        let seconds = diagnosis.seconds.unwrap_or_default().to_string();
        let text = text.map(String::as_str).unwrap_or_default();
        let text = text
            .replace("{seconds}", &seconds)
            .replace("{what}", &diagnosis.what);
        text.trim_end_matches(" ()").to_owned()
    };
    DiagnosisText {
        cause: text("cause"),
        act: text("act"),
    }
}

#[cfg(test)]
mod tests;
