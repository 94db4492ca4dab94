//! The name of the graphics adapter, which wgpu passes on only in part.

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
    fn info(this: &Adapter) -> Option<Info>;

    type Info;
    #[wasm_bindgen(method, getter)]
    fn vendor(this: &Info) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn architecture(this: &Info) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn description(this: &Info) -> Option<String>;
}

/// Vendor, architecture and description, as far as the browser tells them; `"WebGPU"` if it tells
/// nothing.
pub(crate) async fn name() -> String {
    let Some(info) = info().await else {
        return UNNAMED.into();
    };
    let mut parts: Vec<String> = Vec::new();
    for part in [info.vendor(), info.architecture(), info.description()]
        .into_iter()
        .flatten()
    {
        // Descriptions often repeat the vendor.
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        UNNAMED.into()
    } else {
        parts.join(" ")
    }
}

const UNNAMED: &str = "WebGPU";

async fn info() -> Option<Info> {
    let gpu = NAVIGATOR.with(Navigator::gpu)?;
    // The preference that burn asks with, so that the same adapter answers.
    let options = Object::new();
    Reflect::set(
        &options,
        &"powerPreference".into(),
        &"high-performance".into(),
    )
    .ok()?;
    let adapter = JsFuture::from(gpu.request_adapter(&options).ok()?)
        .await
        .ok()?;
    if adapter.is_null() {
        return None;
    }
    adapter.unchecked_into::<Adapter>().info()
}
