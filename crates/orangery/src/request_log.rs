//! What came to the local stack's endpoints and what became of it: a line for each event, for the
//! terminal of `dev` and for `connect`, which waits for the first.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use local_cloud::recorded_requests::RequestObserver;
use local_cloud::routes::Route;
use runtime::{Clock, Function, Invocation, Warming};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// One event that came, or a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLine {
    /// Its number, counting up from 1.
    pub number: u64,
    /// When, by the stack's clock.
    pub at: Timestamp,
    /// Who sent it: the provider, `partner/acme`, or the path asked.
    pub sender: String,
    /// The sender's name of the event, where it was read.
    pub event: Option<String>,
    /// What became of it.
    pub verdict: String,
    /// The customer's key, where the event names one.
    pub customer: Option<String>,
    /// Why it was refused.
    pub cause: Option<String>,
    /// The status that it was answered with.
    pub status: u16,
}

/// The latest lines; clones share them.
#[derive(Clone)]
pub struct RequestLog(Arc<LogInner>);

struct LogInner {
    lines: Mutex<VecDeque<RequestLine>>,
    print: Option<PrintLine>,
    clock: Clock,
}

/// Shows a line as it comes.
pub(crate) type PrintLine = Box<dyn Fn(&RequestLine) + Send + Sync>;

impl RequestLog {
    /// An empty one, which shows its lines where it is told how.
    pub(crate) fn new(clock: Clock, print: Option<PrintLine>) -> Self {
        listen();
        Self(Arc::new(LogInner {
            lines: Mutex::default(),
            print,
            clock,
        }))
    }

    /// The route, with its function watched.
    pub(crate) fn watched(&self, route: Route) -> Route {
        let watched = WatchedFunction {
            function: route.function,
            log: self.clone(),
        };
        Route {
            function: Arc::new(watched),
            ..route
        }
    }

    /// What is told of requests that no function answers.
    pub(crate) fn unrouted(&self) -> RequestObserver {
        let log = self.clone();
        Arc::new(move |seen| {
            log.add(RequestLine {
                number: 0,
                at: log.0.clock.now(),
                sender: seen.path.clone(),
                event: None,
                verdict: "refused".to_owned(),
                customer: None,
                cause: seen.answer.lines().next().map(str::to_owned),
                status: seen.status,
            });
        })
    }

    /// Where `connect` asks: `/_stack/requests?after=7` gives the lines behind that number.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route(PATH, get(answer))
            .with_state(self.clone())
    }

    fn after(&self, number: u64) -> Vec<RequestLine> {
        let lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = lines.iter().filter(|line| line.number > number);
        newer.cloned().collect()
    }

    fn add(&self, seen: RequestLine) {
        let line = {
            let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let number = lines.back().map_or(0, |last| last.number).saturating_add(1);
            let line = RequestLine { number, ..seen };
            lines.push_back(line.clone());
            if lines.len() > MAX_LINES {
                lines.pop_front();
            }
            line
        };
        if let Some(print) = &self.0.print {
            print(&line);
        }
    }

    /// The lines of one request: one for each decision of an event, else one for its answer.
    fn note(&self, request: &[u8], answer: Option<&[u8]>, decisions: Vec<EventDecision>) {
        let request = AskedPath::of(request);
        let answer = GivenAnswer::of(answer);
        let line = RequestLine {
            number: 0,
            at: self.0.clock.now(),
            sender: request.sender(),
            event: None,
            verdict: answer.verdict().to_owned(),
            customer: None,
            cause: answer.cause(),
            status: answer.status,
        };
        if decisions.is_empty() {
            return self.add(line);
        }
        for decision in decisions {
            let is_refused = answer.status >= 400;
            self.add(RequestLine {
                event: decision.kind,
                verdict: decision.verdict,
                customer: decision.customer,
                cause: decision.why.or(line.cause.clone()).filter(|_| is_refused),
                ..line.clone()
            });
        }
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestLog")
    }
}

#[derive(Deserialize)]
struct LinesAfter {
    #[serde(default)]
    after: u64,
}

async fn answer(State(log): State<RequestLog>, Query(asked): Query<LinesAfter>) -> Json<Value> {
    Json(serde_json::json!({ "requests": log.after(asked.after) }))
}

/// A function whose requests leave lines.
struct WatchedFunction {
    function: Arc<dyn Function>,
    log: RequestLog,
}

impl Function for WatchedFunction {
    fn invoke<'a>(&'a self, payload: &'a [u8]) -> Invocation<'a> {
        Box::pin(DECISIONS.scope(RefCell::default(), async move {
            let answer = self.function.invoke(payload).await;
            let decisions = DECISIONS.with(RefCell::take);
            self.log.note(payload, answer.as_deref().ok(), decisions);
            answer
        }))
    }

    fn warm(&self) -> Warming<'_> {
        self.function.warm()
    }
}

/// What a request asked, of its event as the gateway hands it over.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AskedPath {
    raw_path: String,
}

impl AskedPath {
    fn of(request: &[u8]) -> Self {
        serde_json::from_slice(request).unwrap_or_default()
    }

    /// The provider or partner whose endpoint it is; else the path, of which the shop's own
    /// references are left out.
    fn sender(&self) -> String {
        let mut parts = self.raw_path.trim_start_matches('/').split('/');
        match (parts.next(), parts.next()) {
            (Some("webhooks"), Some(provider)) => provider.to_owned(),
            (Some("partners"), Some(partner)) => format!("partner/{partner}"),
            (Some("v1"), Some(what)) => format!("shop/{what}"),
            _ => self.raw_path.clone(),
        }
    }
}

/// What was answered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenAnswer {
    status_code: Option<u16>,
    #[serde(default)]
    body: String,
    #[serde(skip)]
    status: u16,
}

impl GivenAnswer {
    fn of(answer: Option<&[u8]>) -> Self {
        let read = answer.and_then(|answer| serde_json::from_slice::<Self>(answer).ok());
        let mut read = read.unwrap_or(Self {
            status_code: Some(500),
            body: "the function failed; GET /_stack/refusals says why".to_owned(),
            status: 500,
        });
        read.status = read.status_code.unwrap_or(200);
        read
    }

    fn verdict(&self) -> &'static str {
        match self.status {
            200..400 => "answered",
            400..500 => "refused",
            _ => "failed",
        }
    }

    /// Why it was refused: `error` of a JSON answer, else all of it.
    fn cause(&self) -> Option<String> {
        if self.status < 400 {
            return None;
        }
        let read: Option<Value> = serde_json::from_str(&self.body).ok();
        let named = read.as_ref().and_then(|read| {
            let error = read.get("message").or(read.get("error"))?;
            error.as_str()
        });
        Some(named.unwrap_or(&self.body).trim().to_owned())
    }
}

/// What a function decided of an event, as its log line says.
#[derive(Default)]
struct EventDecision {
    id: Option<String>,
    kind: Option<String>,
    verdict: String,
    why: Option<String>,
    customer: Option<String>,
}

tokio::task_local! {
    /// The decisions of the request that is under way in this task.
    static DECISIONS: RefCell<Vec<EventDecision>>;
}

/// Has functions' log lines heard in this process. A second time changes nothing.
fn listen() {
    let heard = tracing_subscriber::registry().with(DecisionLayer);
    // Somebody else may listen already; then lines say no more than the answers do.
    let _ = tracing::subscriber::set_global_default(heard);
}

struct DecisionLayer;

impl<S: Subscriber> Layer<S> for DecisionLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let from = metadata.target().split("::").next().unwrap_or_default();
        HEARD.contains(&from) && *metadata.level() <= Level::DEBUG
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = EventDecision::default();
        event.record(&mut said);
        // What is said outside of a request is none of ours.
        let _ = DECISIONS.try_with(|decisions| {
            let mut decisions = decisions.borrow_mut();
            if !said.verdict.is_empty() {
                decisions.push(said);
            } else if let Some(customer) = said.customer
                && let Some(last) = decisions.last_mut().filter(|last| last.id == said.id)
            {
                last.customer = Some(customer);
            }
        });
    }
}

impl Visit for EventDecision {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let value = value.to_owned();
        match field.name() {
            "id" => self.id = Some(value),
            "kind" | "operation" => self.kind = Some(value),
            "verdict" => self.verdict = value,
            "why" => self.why = Some(value),
            "customer" => self.customer = Some(value),
            _ => {}
        }
    }
}

/// Whose log lines say what became of an event.
const HEARD: [&str; 4] = ["runtime", "payment_webhook", "partner_referral", "shop_api"];
/// Lines that are remembered.
const MAX_LINES: usize = 500;
/// Where they are asked for.
pub(crate) const PATH: &str = "/_stack/requests";
