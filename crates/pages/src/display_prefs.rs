//! How a person wants the pages: language and light, from a cookie or from the browser.

use axum::extract::{Form, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// Language, light and the page's own address.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DisplayPrefs {
    /// `en` or `fr`.
    pub(crate) language: &'static str,
    /// `auto`, `light` or `dark`.
    pub(crate) theme: &'static str,
    /// Path and query, to come back to.
    pub(crate) current_path: String,
}

impl<S: Sync> FromRequestParts<S> for DisplayPrefs {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let chosen =
            cookie(&parts.headers, LANGUAGE).and_then(|text| known_value(&LANGUAGES, text));
        let language = chosen.unwrap_or_else(|| preferred_language(&parts.headers));
        let theme = cookie(&parts.headers, THEME).and_then(|text| known_value(&THEMES, text));
        let here = parts.uri.path_and_query().map_or("/", |here| here.as_str());
        Ok(Self {
            language,
            theme: theme.unwrap_or("auto"),
            current_path: here.to_owned(),
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct DisplayPrefsForm {
    language: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    back: String,
}

/// Keeps a choice for a year and comes back.
pub(crate) async fn change(Form(wish): Form<DisplayPrefsForm>) -> Response {
    let language = wish
        .language
        .and_then(|text| known_value(&LANGUAGES, &text));
    let theme = wish.theme.and_then(|text| known_value(&THEMES, &text));
    let cookies: Vec<(HeaderName, String)> = [(LANGUAGE, language), (THEME, theme)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| {
            let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Strict");
            (header::SET_COOKIE, cookie)
        })
        .collect();
    // Back to a page of ours: a path, and never `//host` or `/\host`.
    let ours = wish.back.starts_with('/') && !wish.back.starts_with("//");
    let is_printable = wish
        .back
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let back = if ours && is_printable {
        wish.back.as_str()
    } else {
        "/"
    };
    (AppendHeaders(cookies), Redirect::to(back)).into_response()
}

fn known_value(all: &[&'static str], text: &str) -> Option<&'static str> {
    all.iter().copied().find(|known| *known == text)
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The first language of the list that we write; browsers list the preferred one first.
fn preferred_language(headers: &HeaderMap) -> &'static str {
    let list = headers.get(header::ACCEPT_LANGUAGE);
    let list = list
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    list.split(',')
        .filter_map(|item| item.trim().get(..2))
        .find_map(|tag| known_value(&LANGUAGES, &tag.to_ascii_lowercase()))
        .unwrap_or("en")
}

/// The languages of the pages.
pub(crate) const LANGUAGES: [&str; 2] = ["en", "fr"];
const THEMES: [&str; 3] = ["auto", "light", "dark"];
const LANGUAGE: &str = "orangery_language";
const THEME: &str = "orangery_theme";
