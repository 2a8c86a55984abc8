//! A provider's API in this process, which answers as it is told to.

use providers::{ApiCall, ApiResponse, ApiResponses};
use runtime::api::ApiClient;
use std::sync::{Arc, Mutex};

/// What an API says to everything it is asked.
#[derive(Clone, Copy, Debug)]
pub enum ApiMode {
    /// What it knows; nothing of what it does not.
    Known,
    /// That there is no such thing.
    Unknown,
    /// Nothing.
    Nothing,
}

/// The API, silent at first; clones are the same one.
#[derive(Clone)]
pub struct ScriptedApi {
    known: ApiResponses,
    mode: Arc<Mutex<ApiMode>>,
}

impl ScriptedApi {
    /// Of which this is known.
    pub fn new(known: ApiResponses) -> Self {
        Self {
            known,
            mode: Arc::new(Mutex::new(ApiMode::Nothing)),
        }
    }

    /// Answers so from now on.
    pub fn set_mode(&self, mode: ApiMode) {
        *self.mode.lock().unwrap() = mode;
    }
}

impl ApiClient for ScriptedApi {
    async fn call(&self, call: &ApiCall) -> Option<ApiResponse> {
        match *self.mode.lock().unwrap() {
            ApiMode::Known => self.known.response(call).ok().cloned(),
            ApiMode::Unknown => Some(ApiResponse {
                status: 404,
                body: b"{}"[..].into(),
            }),
            ApiMode::Nothing => None,
        }
    }
}
