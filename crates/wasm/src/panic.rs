//! Reports panics to the page. A panic leaves the instance unusable, and its promise never settles.
//! The page can notice an `error` event of the global scope, so the message is sent there.

use captcha_model::error::plain_cause;
use js_sys::Error;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = reportError)]
    fn report_error(error: &Error);
}

/// Runs when the module is instantiated.
#[wasm_bindgen(start)]
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // The message without the paths of the machine that built this module.
        report_error(&Error::new(&plain_cause(&panic.to_string())))
    }));
}
