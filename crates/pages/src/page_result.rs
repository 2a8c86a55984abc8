//! A page or why there is none, pages of long lists, and work that blocks.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

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
    pub(crate) fn number(&self) -> i64 {
        self.before.unwrap_or(i64::MAX)
    }
}

/// Where the next page begins, if this one is full.
pub(crate) fn next_page<T>(rows: &[T], size: u32, number: impl Fn(&T) -> i64) -> Option<i64> {
    let full = rows.len() >= usize::try_from(size).unwrap_or(usize::MAX);
    rows.last().filter(|_| full).map(number)
}

/// Runs what blocks, as the local client does, where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
}
