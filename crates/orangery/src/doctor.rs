//! `orangery doctor signature`: why a saved request was refused, in words one can act on.

use anyhow::bail;
use jiff::Timestamp;
use local_shop::saved_request::{DiagnosisContext, SavedRequest};
use pages::diagnosis_text;
use std::fmt::Write;

/// The finding on a saved request, as printed.
///
/// # Errors
/// When the file holds no request, or one to no endpoint.
pub fn signature(bytes: &[u8], context: &DiagnosisContext) -> anyhow::Result<String> {
    let saved = SavedRequest::read(bytes)?;
    let Some(diagnosis) = saved.diagnosis(context, Timestamp::now())? else {
        bail!(
            "`{}` is not an endpoint that checks signatures; those are /webhooks/<provider> and \
             /partners/<partner>/events",
            saved.path
        );
    };
    let text = diagnosis_text("en", &diagnosis);
    let mut out = String::new();
    let sure = if diagnosis.certain {
        ""
    } else {
        " (the likeliest; nothing shows it)"
    };
    // Writing to a string can't fail.
    let _ = writeln!(out, "{}: {}{sure}", diagnosis.cause.as_str(), text.cause);
    let _ = writeln!(out, "what to do: {}", text.act);
    Ok(out)
}
