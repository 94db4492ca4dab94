//! Time in the browser, in windows and in workers.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// Measures consecutive stages.
pub(crate) struct Stopwatch {
    started: f64,
    lap: f64,
}

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        let now = now();
        Self {
            started: now,
            lap: now,
        }
    }

    /// Milliseconds since the last lap, or since the start.
    pub(crate) fn lap(&mut self) -> f64 {
        let now = now();
        now - std::mem::replace(&mut self.lap, now)
    }

    /// Milliseconds since the start.
    pub(crate) fn total(&self) -> f64 {
        now() - self.started
    }
}
