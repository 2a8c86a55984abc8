//! Why a request was refused, in the words of a language.

use crate::render;

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
