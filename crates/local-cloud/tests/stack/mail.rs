//! SES as the SDK meets it, and the mailbox as people and tests read it.

use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag, RawMessage,
};
use local_cloud::mail::MailFault;
use local_cloud::{Stack, Wiring};
use serde_json::json;

use crate::support::{get, post, ses, stack};

fn text(data: &str) -> Content {
    Content::builder().data(data).build().unwrap()
}

fn letter(stack: &Stack) -> SendEmailFluentBuilder {
    let header = MessageHeader::builder()
        .name("List-Unsubscribe")
        .value("<https://a>");
    let body = Body::builder()
        .text(text("plain"))
        .html(text("<p>html</p>"))
        .build();
    let message = Message::builder().subject(text("Hellö")).body(body);
    let message = message.headers(header.build().unwrap()).build();
    ses(stack.aws_endpoint())
        .send_email()
        .from_email_address("Shop <shop@example.com>")
        .destination(
            Destination::builder()
                .to_addresses("ann@example.com")
                .build(),
        )
        .content(EmailContent::builder().simple(message).build())
        .email_tags(
            MessageTag::builder()
                .name("letter")
                .value("welcome")
                .build()
                .unwrap(),
        )
        .configuration_set_name("contract")
}

#[tokio::test]
async fn a_mail_is_in_the_mailbox_when_ses_answers() {
    let stack = stack(|_| Wiring::default()).await;
    stack
        .clock()
        .set("2026-03-01T09:00:00Z".parse().unwrap())
        .unwrap();
    let sent = letter(&stack).send().await.unwrap();
    let answer = get(stack.gateway_url(), "/mailbox.json").await;
    let mut mails = answer.json();
    let mail = mails["mails"][0].as_object_mut().unwrap();
    let at = mail.remove("at").unwrap();
    assert!(
        at.as_str().unwrap().starts_with("2026-03-01T09:00:"),
        "{at}"
    );
    let expected = json!({
        "id": sent.message_id().unwrap(),
        "from": "Shop <shop@example.com>",
        "to": ["ann@example.com"],
        "subject": "Hellö",
        "headers": [{ "name": "List-Unsubscribe", "value": "<https://a>" }],
        "text": "plain",
        "html": "<p>html</p>",
        "tags": [{ "name": "letter", "value": "welcome" }],
        "configuration_set": "contract",
    });
    assert_eq!(serde_json::Value::Object(mail.clone()), expected);
}

#[tokio::test]
async fn a_raw_mail_is_read_for_its_headers() {
    let stack = stack(|_| Wiring::default()).await;
    let raw = "From: a@example.com\r\nTo: b@example.com, c@example.com\r\nSubject: one\r\n two\r\n\
               X-Kind: raw\r\n\r\nthe body\r\n";
    let raw = RawMessage::builder().data(Blob::new(raw)).build().unwrap();
    let content = EmailContent::builder().raw(raw).build();
    ses(stack.aws_endpoint())
        .send_email()
        .content(content)
        .send()
        .await
        .unwrap();
    let mail = stack.mailbox().mails().unwrap().remove(0);
    assert_eq!(
        (mail.from.as_str(), mail.subject.as_str()),
        ("a@example.com", "one two")
    );
    assert_eq!(mail.to, ["b@example.com", "c@example.com"]);
    assert_eq!(
        (mail.headers[3].value.as_str(), mail.text.as_str()),
        ("raw", "the body\n")
    );
}

#[tokio::test]
async fn the_next_sends_fail_as_told_and_the_one_after_them_does_not() {
    let stack = stack(|_| Wiring::default()).await;
    let faults = json!({ "times": 1, "fault": "throttled" });
    assert_eq!(
        post(stack.gateway_url(), "/_stack/mail-faults", &faults)
            .await
            .status,
        200
    );
    stack.mailbox().fail_next(1, MailFault::Rejected);
    let throttled = letter(&stack).send().await.unwrap_err();
    assert_eq!(throttled.raw_response().unwrap().status().as_u16(), 429);
    assert!(
        throttled
            .into_service_error()
            .is_too_many_requests_exception()
    );
    let rejected = letter(&stack).send().await.unwrap_err();
    assert_eq!(rejected.raw_response().unwrap().status().as_u16(), 400);
    assert!(rejected.into_service_error().is_message_rejected());
    assert!(stack.mailbox().mails().unwrap().is_empty());
    letter(&stack).send().await.unwrap();
    assert_eq!(stack.counts().unwrap().mails, 1);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_mail_sent_and_the_sender_ignorant() {
    let stack = stack(|_| Wiring::default()).await;
    stack.mailbox().fail_next(1, MailFault::AnswerLost);
    let lost = letter(&stack).send().await.unwrap_err();
    assert!(matches!(lost, SdkError::DispatchFailure(_)), "{lost:?}");
    assert_eq!(stack.mailbox().mails().unwrap().len(), 1);
    letter(&stack).send().await.unwrap();
    stack.shutdown().await;
}
