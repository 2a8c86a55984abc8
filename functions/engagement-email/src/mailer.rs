//! Mail out, through SES v2: one attempt, and an honest word on what came of it.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::Builder;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag,
};
use aws_smithy_types::retry::RetryConfig;
use runtime::aws::SdkConfig;
use std::future::Future;
use std::sync::Arc;

/// A letter as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedLetter {
    /// Sender.
    pub from: String,
    /// Receiver.
    pub to: String,
    /// Where replies go, if not to the sender.
    pub reply_to: Option<String>,
    /// Subject.
    pub subject: String,
    /// HTML body.
    pub html: String,
    /// Plain text body.
    pub text: String,
    /// Headers of its own.
    pub headers: Vec<(&'static str, String)>,
    /// Names and values that come back with every event of this mail.
    pub tags: Vec<(&'static str, String)>,
}

/// Something that sends mail.
pub trait Mailer: Send + Sync {
    /// Tries once. Returns the mail service's id of the message.
    fn send(
        &self,
        mail: &RenderedLetter,
    ) -> impl Future<Output = Result<Arc<str>, SendError>> + Send;
}

/// Why SES returned no message id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Certainly not accepted, and it may be tried again later.
    Busy(String),
    /// Certainly not accepted, and never will be.
    Refused(String),
    /// It may have been accepted.
    Unknown(String),
}

/// SES v2. It knows no idempotency token, so the SDK's own retries are off.
#[derive(Clone, Debug)]
pub struct SesMailer {
    client: Client,
    configuration_set: Option<String>,
}

impl SesMailer {
    /// A client with this configuration.
    pub fn new(config: &SdkConfig, configuration_set: Option<String>) -> Self {
        let config = Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            client: Client::from_conf(config),
            configuration_set,
        }
    }
}

impl Mailer for SesMailer {
    async fn send(&self, mail: &RenderedLetter) -> Result<Arc<str>, SendError> {
        let unbuilt = |error: BuildError| SendError::Refused(error.to_string());
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let body = Body::builder()
            .html(content(&mail.html).map_err(unbuilt)?)
            .text(content(&mail.text).map_err(unbuilt)?)
            .build();
        let message = Message::builder()
            .subject(content(&mail.subject).map_err(unbuilt)?)
            .body(body)
            .set_headers(headers(mail).map_err(unbuilt)?)
            .build();
        let mut request = self
            .client
            .send_email()
            .from_email_address(&mail.from)
            .destination(Destination::builder().to_addresses(&mail.to).build())
            .content(EmailContent::builder().simple(message).build())
            .set_reply_to_addresses(mail.reply_to.clone().map(|address| vec![address]))
            .set_configuration_set_name(self.configuration_set.clone());
        for (name, value) in &mail.tags {
            let tag = MessageTag::builder()
                .name(*name)
                .value(value)
                .build()
                .map_err(unbuilt)?;
            request = request.email_tags(tag);
        }
        match request.send().await {
            Ok(answer) => Ok(answer.message_id.unwrap_or_default().into()),
            Err(error) => Err(classify_error(&error)),
        }
    }
}

fn headers(mail: &RenderedLetter) -> Result<Option<Vec<MessageHeader>>, BuildError> {
    let headers = mail
        .headers
        .iter()
        .map(|(name, value)| MessageHeader::builder().name(*name).value(value).build());
    let headers: Vec<_> = headers.collect::<Result<_, _>>()?;
    Ok((!headers.is_empty()).then_some(headers))
}

/// Only what the service itself says is definite; a lost answer never is.
fn classify_error<R>(error: &SdkError<SendEmailError, R>) -> SendError {
    let name = || error.code().unwrap_or("unnamed error").to_owned();
    match error.as_service_error() {
        Some(
            SendEmailError::TooManyRequestsException(_)
            | SendEmailError::LimitExceededException(_)
            | SendEmailError::SendingPausedException(_)
            | SendEmailError::AccountSuspendedException(_),
        ) => SendError::Busy(name()),
        Some(
            SendEmailError::BadRequestException(_)
            | SendEmailError::MessageRejected(_)
            | SendEmailError::MailFromDomainNotVerifiedException(_)
            | SendEmailError::NotFoundException(_),
        ) => SendError::Refused(name()),
        Some(_) => SendError::Unknown(name()),
        None if matches!(error, SdkError::ConstructionFailure(_)) => {
            SendError::Refused("the request could not be built".into())
        }
        None => SendError::Unknown("no answer".into()),
    }
}
