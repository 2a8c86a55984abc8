//! The SES v2 API on loopback: `SendEmail` with simple or raw content.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::error::StackError;
use crate::mail::{CapturedMail, MailFault, StackMailbox};
use crate::name_value::NameValue;

/// Answers one `POST /v2/email/outbound-emails`.
pub(crate) fn send_email(mailbox: &StackMailbox, body: &[u8]) -> Response {
    let request: SendEmail = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(cause) => return error_response(400, "BadRequestException", &cause.to_string()),
    };
    let mail = match request.into_mail() {
        Ok(mail) => mail,
        Err(cause) => return error_response(400, "BadRequestException", cause),
    };
    match mailbox.next_fault() {
        None => send_response(mailbox.keep(mail)),
        Some(MailFault::Throttled) => error_response(
            429,
            "TooManyRequestsException",
            "Maximum sending rate exceeded.",
        ),
        Some(MailFault::Rejected) => {
            error_response(400, "MessageRejected", "Email address is not verified.")
        }
        Some(MailFault::AnswerLost) => match mailbox.keep(mail) {
            // Unwinding ends this connection's task, and with it the connection, before a
            // byte is answered: the sender learns nothing. No panic hook runs.
            Ok(_) => std::panic::resume_unwind(Box::new("the answer is lost on purpose")),
            Err(cause) => error_response(500, "InternalServiceErrorException", &cause.to_string()),
        },
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    #[serde(default)]
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    content: Content,
    #[serde(default)]
    email_tags: Vec<WireNameValue>,
    #[serde(default)]
    configuration_set_name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
    raw: Option<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Part,
    body: Body,
    #[serde(default)]
    headers: Vec<WireNameValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Body {
    text: Part,
    html: Part,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Part {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireNameValue {
    name: String,
    value: String,
}

impl SendEmail {
    fn into_mail(self) -> Result<CapturedMail, &'static str> {
        let Destination {
            mut to_addresses,
            cc_addresses,
            bcc_addresses,
        } = self.destination;
        to_addresses.extend(cc_addresses);
        to_addresses.extend(bcc_addresses);
        let mail = CapturedMail {
            from: self.from_email_address,
            to: to_addresses,
            tags: name_values(self.email_tags),
            configuration_set: self.configuration_set_name,
            ..CapturedMail::default()
        };
        match (self.content.simple, self.content.raw) {
            (Some(simple), None) => Ok(CapturedMail {
                subject: simple.subject.data,
                text: simple.body.text.data,
                html: simple.body.html.data,
                headers: name_values(simple.headers),
                ..mail
            }),
            (None, Some(raw)) => raw_mail(mail, &raw.data),
            (Some(_), Some(_)) | (None, None) => {
                Err("the content must be either Simple or Raw; templates are not spoken here")
            }
        }
    }
}

/// A raw mail's headers, unfolded; its body is kept as text, whatever its parts.
fn raw_mail(mail: CapturedMail, data: &str) -> Result<CapturedMail, &'static str> {
    let bytes = STANDARD
        .decode(data)
        .map_err(|_| "the raw mail is not base64")?;
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut headers: Vec<NameValue> = Vec::new();
    for line in head.lines() {
        match (
            line.starts_with([' ', '\t']),
            headers.last_mut(),
            line.split_once(':'),
        ) {
            (true, Some(last), _) => {
                last.value.push(' ');
                last.value.push_str(line.trim());
            }
            (false, _, Some((name, value))) => headers.push(NameValue {
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
            (true, None, _) | (false, _, None) => return Err("the raw mail's head is unreadable"),
        }
    }
    let header = |wanted: &str| {
        let found = headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(wanted));
        found.map(|header| header.value.clone()).unwrap_or_default()
    };
    let from = if mail.from.is_empty() {
        header("from")
    } else {
        mail.from
    };
    let to = if mail.to.is_empty() {
        header("to")
            .split(',')
            .map(|address| address.trim().to_owned())
            .collect()
    } else {
        mail.to
    };
    let subject = header("subject");
    Ok(CapturedMail {
        from,
        to,
        subject,
        text: body.to_owned(),
        headers,
        ..mail
    })
}

fn name_values(wire: Vec<WireNameValue>) -> Vec<NameValue> {
    wire.into_iter()
        .map(|WireNameValue { name, value }| NameValue { name, value })
        .collect()
}

fn send_response(kept: Result<String, StackError>) -> Response {
    match kept {
        Ok(id) => (
            StatusCode::OK,
            [("content-type", "application/json")],
            json!({ "MessageId": id }).to_string(),
        )
            .into_response(),
        Err(cause) => error_response(500, "InternalServiceErrorException", &cause.to_string()),
    }
}

fn error_response(status: u16, kind: &'static str, message: &str) -> Response {
    (
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        [
            ("content-type", "application/json"),
            ("x-amzn-errortype", kind),
        ],
        json!({ "message": message }).to_string(),
    )
        .into_response()
}
