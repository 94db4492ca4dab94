//! The graphics adapter: whether it can be used, and its name, which wgpu passes on only in part.

use captcha_model::error::plain_cause;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

// The few members that are read here; web-sys holds them behind a compiler flag for unstable APIs.
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

/// Why WebGPU is not used where the browser has no adapter to give.
pub(crate) const NONE: &str = "the browser offers no graphics adapter";

/// Asks for an adapter and gives its name: vendor, architecture and description, as far as the
/// browser tells them.
///
/// # Errors
///
/// Why there is none that can be used.
pub(crate) async fn usable() -> Result<String, String> {
    let adapter = request().await?;
    // cubecl measures kernels by it, and panics without (`WgpuStream::new`).
    if !adapter.features().has("timestamp-query") {
        return Err("the graphics adapter does not support timestamp queries".into());
    }
    Ok(name(&adapter))
}

async fn request() -> Result<Adapter, String> {
    let gpu = NAVIGATOR
        .with(Navigator::gpu)
        .ok_or("this browser has no WebGPU")?;
    // The preference that burn asks with, so that the same adapter answers.
    let options = Object::new();
    // Does not fail: a fresh object takes fields.
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
    let told = info.map(|info| [info.vendor(), info.architecture(), info.description()]);
    let mut parts: Vec<String> = Vec::new();
    for part in told.into_iter().flatten().flatten() {
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

/// What a thrown value says.
fn message(thrown: &JsValue) -> String {
    let message = Reflect::get(thrown, &"message".into()).ok();
    let message = message.and_then(|message| message.as_string());
    let message = message
        .or_else(|| thrown.as_string())
        .filter(|text| !text.is_empty());
    message.map_or_else(|| "no reason given".into(), |text| plain_cause(&text))
}
