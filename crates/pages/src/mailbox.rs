//! The mailbox: every letter that went out, in both bodies, at a phone's and a desk's width.

use crate::checks::{self, checks};
use crate::console::Console;
use crate::display_prefs::DisplayPrefs;
use crate::page_result::{BeforeQuery, PageError, PageResult, next_page};
use crate::render::values;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use local_cloud::mail::CapturedMail;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A mail in the list.
#[derive(Serialize)]
struct MailRow {
    id: String,
    at: String,
    to: String,
    subject: String,
    failing: usize,
}

pub(crate) async fn list(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(asked): Query<BeforeQuery>,
) -> PageResult {
    let mails = console
        .endpoints
        .mailbox
        .before(asked.number(), PAGE_SIZE)?;
    let next = next_page(&mails, PAGE_SIZE, |(number, _)| *number);
    let rows: Vec<MailRow> = mails
        .into_iter()
        .map(|(_, mail)| MailRow {
            failing: run_checks(&mail)
                .iter()
                .filter(|check| !check.passed)
                .count(),
            id: mail.id,
            at: mail.at,
            to: mail.to.join(", "),
            subject: mail.subject,
        })
        .collect();
    console.page(&display, "mailbox.html", values! { rows, next })
}

/// Which mail.
#[derive(Deserialize)]
pub(crate) struct MailQuery {
    id: String,
}

/// How a mail is to be shown.
#[derive(Deserialize)]
pub(crate) struct MailViewQuery {
    #[serde(default)]
    view: MailView,
    #[serde(default)]
    width: FrameWidth,
    #[serde(default)]
    light: FrameTheme,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum MailView {
    #[default]
    Html,
    Text,
    Headers,
    Source,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum FrameWidth {
    #[default]
    Desktop,
    Phone,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum FrameTheme {
    #[default]
    Light,
    Dark,
}

pub(crate) async fn one(
    State(console): State<Console>,
    display: DisplayPrefs,
    Query(which): Query<MailQuery>,
    Query(shown): Query<MailViewQuery>,
) -> PageResult {
    let mail = console.mail(&which.id)?;
    let query = format!("id={}", crate::render::encoded(&mail.id));
    let at = (format!("/mail?{query}"), format!("/mail/body?{query}"));
    let customer = console.recipient(&mail);
    console.letter(&display, &mail, customer, at, &shown)
}

pub(crate) async fn body(
    State(console): State<Console>,
    Query(which): Query<MailQuery>,
) -> PageResult {
    Ok(sandboxed(console.mail(&which.id)?.html))
}

/// A letter's HTML, which may do nothing: no script, no form, no request.
pub(crate) fn sandboxed(html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, html).into_response()
}

impl Console {
    /// The page of a mail, which stands at `this` and has its HTML at `body`.
    pub(crate) fn letter(
        &self,
        display: &DisplayPrefs,
        mail: &CapturedMail,
        customer: Option<String>,
        (this, body): (String, String),
        shown: &MailViewQuery,
    ) -> PageResult {
        let values = values! {
            mail, customer, this, body,
            checks => run_checks(mail),
            source => source(mail),
            view => shown.view, width => shown.width, light => shown.light,
        };
        self.page(display, "mail.html", values)
    }

    fn mail(&self, id: &str) -> Result<CapturedMail, PageError> {
        let mail = self.endpoints.mailbox.mail(id)?;
        mail.ok_or_else(|| PageError::NotFound(format!("no mail {id} went out")))
    }

    /// The customers with this address, as the index knows them.
    fn recipient(&self, mail: &CapturedMail) -> Option<String> {
        let index = self.index.current();
        let to = mail.to.first()?;
        let mut of_it = index.customers.iter().filter(|(_, line)| line.email == *to);
        of_it.next().map(|(key, _)| key.to_string())
    }
}

/// What is to be said for and against a mail.
pub(crate) fn run_checks(mail: &CapturedMail) -> Vec<checks::Check> {
    let letter = mail.tags.iter().find(|tag| tag.name == "letter");
    let mut headers = mail.headers.iter();
    checks(&checks::CheckedLetter {
        name: letter.map_or("", |tag| tag.value.as_str()),
        subject: &mail.subject,
        text: &mail.text,
        html: &mail.html,
        unsubscribe: headers.any(|header| header.name.eq_ignore_ascii_case("list-unsubscribe")),
    })
}

/// As it would stand on the wire, for people: parts in the clear.
fn source(mail: &CapturedMail) -> String {
    let mut out = String::new();
    let (from, to, subject) = (&mail.from, mail.to.join(", "), &mail.subject);
    // Writing to a string can't fail.
    let _ = writeln!(
        out,
        "From: {from}\nTo: {to}\nSubject: {subject}\nDate: {}",
        mail.at
    );
    for header in &mail.headers {
        let _ = writeln!(out, "{}: {}", header.name, header.value);
    }
    for tag in &mail.tags {
        let _ = writeln!(out, "X-SES-MESSAGE-TAGS: {}={}", tag.name, tag.value);
    }
    let _ = writeln!(
        out,
        "Content-Type: multipart/alternative; boundary=\"part\"\n"
    );
    let _ = writeln!(
        out,
        "--part\nContent-Type: text/plain; charset=utf-8\n\n{}",
        mail.text
    );
    let _ = writeln!(
        out,
        "--part\nContent-Type: text/html; charset=utf-8\n\n{}\n--part--",
        mail.html
    );
    out
}

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
     sandbox; frame-ancestors 'self'";
const PAGE_SIZE: u32 = 50;
