//! The mailbox: every letter that went out, in both bodies, at a phone's and a desk's width.

use super::checks::{self, checks};
use super::look::Look;
use super::render::values;
use super::{Before, Console, Fault, Page, next_page};
use crate::stack::mail::Mail;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A mail in the list.
#[derive(Serialize)]
struct Row {
    id: String,
    at: String,
    to: String,
    subject: String,
    failing: usize,
}

pub(crate) async fn list(
    State(console): State<Console>,
    look: Look,
    Query(asked): Query<Before>,
) -> Page {
    let mails = console.endpoints.mailbox.before(asked.number(), PAGE)?;
    let next = next_page(&mails, PAGE, |(number, _)| *number);
    let rows: Vec<Row> = mails
        .into_iter()
        .map(|(_, mail)| Row {
            failing: checked(&mail).iter().filter(|check| !check.passed).count(),
            id: mail.id,
            at: mail.at,
            to: mail.to.join(", "),
            subject: mail.subject,
        })
        .collect();
    console.page(&look, "mailbox.html", values! { rows, next })
}

/// Which mail.
#[derive(Deserialize)]
pub(crate) struct Which {
    id: String,
}

/// How a mail is to be shown.
#[derive(Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    view: View,
    #[serde(default)]
    width: Width,
    #[serde(default)]
    light: Light,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum View {
    #[default]
    Html,
    Text,
    Headers,
    Source,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Width {
    #[default]
    Desk,
    Phone,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Light {
    #[default]
    Light,
    Dark,
}

pub(crate) async fn one(
    State(console): State<Console>,
    look: Look,
    Query(which): Query<Which>,
    Query(shown): Query<Shown>,
) -> Page {
    let mail = console.mail(&which.id)?;
    let query = format!("id={}", super::render::encoded(&mail.id));
    let at = (format!("/mail?{query}"), format!("/mail/body?{query}"));
    let customer = console.written_to(&mail);
    console.letter(&look, &mail, customer, at, &shown)
}

pub(crate) async fn body(State(console): State<Console>, Query(which): Query<Which>) -> Page {
    Ok(shut_in(console.mail(&which.id)?.html))
}

/// A letter's HTML, which may do nothing: no script, no form, no request.
pub(super) fn shut_in(html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, html).into_response()
}

impl Console {
    /// The page of a mail, which stands at `this` and has its HTML at `body`.
    pub(super) fn letter(
        &self,
        look: &Look,
        mail: &Mail,
        customer: Option<String>,
        (this, body): (String, String),
        shown: &Shown,
    ) -> Page {
        let values = values! {
            mail, customer, this, body,
            checks => checked(mail),
            source => source(mail),
            view => shown.view, width => shown.width, light => shown.light,
        };
        self.page(look, "mail.html", values)
    }

    fn mail(&self, id: &str) -> Result<Mail, Fault> {
        let mail = self.endpoints.mailbox.mail(id)?;
        mail.ok_or_else(|| Fault::NotThere(format!("no mail {id} went out")))
    }

    /// The customers with this address, as the index knows them.
    fn written_to(&self, mail: &Mail) -> Option<String> {
        let known = self.index.now();
        let to = mail.to.first()?;
        let mut of_it = known.customers.iter().filter(|(_, line)| line.email == *to);
        of_it.next().map(|(key, _)| key.to_string())
    }
}

/// What is to be said for and against a mail.
pub(super) fn checked(mail: &Mail) -> Vec<checks::Check> {
    let letter = mail.tags.iter().find(|tag| tag.name == "letter");
    let mut headers = mail.headers.iter();
    checks(&checks::Letter {
        name: letter.map_or("", |tag| tag.value.as_str()),
        subject: &mail.subject,
        text: &mail.text,
        html: &mail.html,
        unsubscribe: headers.any(|header| header.name.eq_ignore_ascii_case("list-unsubscribe")),
    })
}

/// As it would stand on the wire, for people: parts in the clear.
fn source(mail: &Mail) -> String {
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
const PAGE: u32 = 50;
