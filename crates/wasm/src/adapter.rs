//! The graphics adapter: whether it can be used, and its full name, of which wgpu gives only a
//! part.

use captcha_model::error::plain_cause;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

// The few members that are needed. web-sys has them behind a compiler flag for unstable APIs.
#[wasm_bindgen]
extern "C" {
    type Navigator;
    #[wasm_bindgen(thread_local_v2, js_name = navigator)]
    static NAVIGATOR: Navigator;
    #[wasm_bindgen(method, getter)]
    fn gpu(this: &Navigator) -> Option<Gpu>;

    type Gpu;
    #[wasm_bindgen(method, catch, js_name = requestAdapter)]
    fn request_adapter(this: &Gpu, options: &JsValue) -> Result<Promise, JsValue>;

    type Adapter;
    #[wasm_bindgen(method, getter)]
    fn features(this: &Adapter) -> Features;
    #[wasm_bindgen(method, getter)]
    fn info(this: &Adapter) -> Option<Info>;

    type Features;
    #[wasm_bindgen(method)]
    fn has(this: &Features, name: &str) -> bool;

    type Info;
    #[wasm_bindgen(method, getter)]
    fn vendor(this: &Info) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn architecture(this: &Info) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn description(this: &Info) -> Option<String>;
}

/// The reason for the CPU if the browser has no adapter.
pub(crate) const NONE: &str = "the browser offers no graphics adapter";

/// Requests an adapter. Returns its name: vendor, architecture and description, as far as the
/// browser gives them.
///
/// # Errors
///
/// The reason why no adapter can be used.
pub(crate) async fn usable_adapter() -> Result<String, String> {
    let adapter = request().await?;
    // cubecl measures kernels with it, and panics without it (`WgpuStream::new`).
    if !adapter.features().has("timestamp-query") {
        return Err("the graphics adapter does not support timestamp queries".into());
    }
    Ok(name(&adapter))
}

async fn request() -> Result<Adapter, String> {
    let gpu = NAVIGATOR
        .with(Navigator::gpu)
        .ok_or("this browser has no WebGPU")?;
    // As burn requests it, so that it is the same adapter.
    let options = Object::new();
    // Setting a field of a new object cannot fail.
    let _ = Reflect::set(
        &options,
        &"powerPreference".into(),
        &"high-performance".into(),
    );
    let refused = |thrown: JsValue| format!("{NONE} ({})", message(&thrown));
    let adapter = JsFuture::from(gpu.request_adapter(&options).map_err(refused)?)
        .await
        .map_err(refused)?;
    if adapter.is_null() || adapter.is_undefined() {
        return Err(NONE.into());
    }
    Ok(adapter.unchecked_into())
}

fn name(adapter: &Adapter) -> String {
    let info = adapter.info();
    let known = info.map(|info| [info.vendor(), info.architecture(), info.description()]);
    let mut parts: Vec<String> = Vec::new();
    for part in known.into_iter().flatten().flatten() {
        // Descriptions often repeat the vendor.
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        "WebGPU".into()
    } else {
        parts.join(" ")
    }
}

/// The message of a thrown value.
fn message(thrown: &JsValue) -> String {
    let message = Reflect::get(thrown, &"message".into()).ok();
    let message = message.and_then(|message| message.as_string());
    let message = message
        .or_else(|| thrown.as_string())
        .filter(|text| !text.is_empty());
    message.map_or_else(|| "no reason given".into(), |text| plain_cause(&text))
}
