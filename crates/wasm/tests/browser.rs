//! The module in a browser's worker. The tests fail in a browser without WebGPU, so that they never
//! pass because they were skipped.

#![cfg(target_arch = "wasm32")]

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use captcha_model::ModelConfig;
use captcha_model::config::{BlockConfig, DecoderConfig, EncoderConfig, InputConfig, Resampling};
use captcha_model::decoder::Decoder;
use captcha_model::weights::{Precision, save};
use captcha_wasm::{LensError, Recognizer};
use futures_util::future::join;
use js_sys::{Array, Error, Float32Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{Clamped, JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Blob, ImageData};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const TOLERANCE: f32 = 1e-2;
const IMAGE: &[u8] = include_bytes!("../../model/src/golden.png");
/// The weights that the page ships.
const SHIPPED: &[u8] = include_bytes!("../../../web/models/compact.safetensors");

// ---- WebGPU and the CPU

#[wasm_bindgen_test]
async fn recognize_on_webgpu_gives_the_result_of_the_cpu() {
    for weights in [&weights(), SHIPPED] {
        let (cpu, gpu) = (open(weights, "cpu").await, open(weights, "webgpu").await);
        let backend = gpu.backend().expect("the backend is an object");
        assert_eq!(string(&backend, "kind"), "webgpu");
        assert_ne!(string(&backend, "adapter"), "");
        assert!(get(&backend, "reason").is_null());

        let (cpu, gpu) = (read(&cpu, image()).await, read(&gpu, image()).await);
        assert_eq!(string(&gpu, "text"), string(&cpu, "text"));
        assert_ne!(string(&cpu, "text"), "", "the comparison needs characters");
        for (on_gpu, on_cpu) in attentions(&gpu).iter().zip(&attentions(&cpu)) {
            assert_close(on_gpu, on_cpu);
        }
    }
}

#[wasm_bindgen_test]
async fn recognize_on_webgpu_with_saturated_tanh_gives_the_result_of_the_cpu() {
    const UNITS: usize = 16;
    let large = |size: usize| Tensor::<1>::full([size], 100.0, &Device::flex());
    let weights = weights_with(|decoder| {
        decoder.attention.key.bias = Some(Param::from_tensor(large(8)));
        let gates = Tensor::zeros([2 * UNITS], &Device::flex());
        let bias = Tensor::cat(vec![gates, large(UNITS)], 0);
        decoder.gru.input.bias = Some(Param::from_tensor(bias));
    });
    let (cpu, gpu) = (open(&weights, "cpu").await, open(&weights, "webgpu").await);
    let (cpu, gpu) = (read(&cpu, image()).await, read(&gpu, image()).await);
    assert_eq!(string(&gpu, "text"), string(&cpu, "text"));
    let sure = [&gpu, &cpu].map(|read| number(read, "confidence") as f32);
    assert_close(&sure[..1], &sure[1..]);
}

#[wasm_bindgen_test]
async fn load_auto_chooses_webgpu() {
    let backend = load("auto")
        .await
        .backend()
        .expect("the backend is an object");
    assert_eq!(
        string(&backend, "kind"),
        "webgpu",
        "{}",
        string(&backend, "reason")
    );
}

#[wasm_bindgen_test]
async fn load_and_recognize_overlapping_share_the_device() {
    let (one, other) = join(load("webgpu"), load("webgpu")).await;
    let (first, second) = join(read(&one, image()), read(&one, image())).await;
    assert_eq!(string(&first, "text"), string(&second, "text"));
    assert_eq!(
        string(&read(&other, image()).await, "text"),
        string(&first, "text")
    );
}

// ---- Without WebGPU

/// Replaces a property of an object while `work` runs; `getter` is the body of its getter.
async fn with_property<T>(
    object: &str,
    name: &str,
    getter: &str,
    work: impl Future<Output = T>,
) -> T {
    let patch = format!(
        "globalThis.kept = Object.getOwnPropertyDescriptor({object}, '{name}');
         Object.defineProperty({object}, '{name}', {{ configurable: true, get() {{ {getter} }} }});"
    );
    let restore = format!(
        "if (kept) Object.defineProperty({object}, '{name}', kept); else delete {object}.{name};"
    );
    js_sys::eval(&patch).expect("the property can be replaced");
    let done = work.await;
    js_sys::eval(&restore).expect("and put back");
    done
}

/// The reason for the CPU that `auto` gives; `webgpu` must be an error.
async fn refusal(object: &str, name: &str, getter: &str) -> String {
    let loaded = async {
        let webgpu = Recognizer::load(options(&weights(), "webgpu")).await;
        (load("auto").await, webgpu)
    };
    let (auto, webgpu) = with_property(object, name, getter, loaded).await;
    let backend = auto.backend().expect("the backend is an object");
    assert_eq!(string(&backend, "kind"), "cpu");
    assert_error(&thrown(webgpu), "no-webgpu");
    let reason = string(&backend, "reason");
    assert!(
        !reason.contains("JsValue") && !reason.contains('/'),
        "{reason}"
    );
    reason
}

#[wasm_bindgen_test]
async fn load_without_a_usable_adapter_gives_a_plain_reason() {
    let without_timestamps = refusal(
        "GPUAdapter.prototype",
        "features",
        "return new Set(['shader-f16']);",
    )
    .await;
    assert!(
        without_timestamps.ends_with("timestamp queries"),
        "{without_timestamps}"
    );
    for (request, expected) in [
        ("throw new Error('sync')", "no graphics adapter (sync)"),
        ("throw 'word'", "no graphics adapter (word)"),
        (
            "return Promise.reject(new DOMException('asleep', 'OperationError'))",
            "no graphics adapter (asleep)",
        ),
        ("return Promise.resolve(null)", "no graphics adapter"),
    ] {
        let getter = format!("return function () {{ {request} }};");
        let reason = refusal("GPU.prototype", "requestAdapter", &getter).await;
        assert!(reason.ends_with(expected), "{reason}, not {expected}");
    }
    // The failures leave nothing behind.
    let backend = load("webgpu")
        .await
        .backend()
        .expect("the backend is an object");
    assert_eq!(string(&backend, "kind"), "webgpu");
}

// ---- Results

#[wasm_bindgen_test]
async fn recognize_gives_a_plain_object() {
    let cpu = load("cpu").await;
    let recognition = Recognizer::recognize(&cpu, image(), object(&[("alternatives", 3.into())]))
        .await
        .expect("the image is good");
    let grid = get(&recognition, "grid");
    let positions = number(&grid, "rows") * number(&grid, "cols");
    for weights in attentions(&recognition) {
        assert_eq!(weights.len() as f64, positions);
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-4);
    }
    let alternatives: Array = get(&recognition, "alternatives").unchecked_into();
    assert_eq!(alternatives.length(), 3);
    let confidence = |index| number(&alternatives.get(index), "confidence");
    assert!(confidence(0) >= confidence(1) && confidence(1) >= confidence(2));
    assert_eq!(
        (
            number(&recognition, "width"),
            number(&recognition, "height")
        ),
        (100.0, 50.0)
    );
    assert_eq!(string(&get(&recognition, "backend"), "kind"), "cpu");
    assert_eq!(get(&recognition, "blank"), JsValue::FALSE);
    let first = get(&alternatives.get(0), "text");
    assert_eq!(get(&recognition, "text"), first);
    let milliseconds = get(&recognition, "milliseconds");
    let stages =
        ["decode", "preprocess", "encode", "read"].map(|stage| number(&milliseconds, stage));
    assert!(stages.iter().sum::<f64>() <= number(&milliseconds, "total") + 0.1);

    let config = cpu.config().expect("the configuration is an object");
    assert_eq!(string(&config, "alphabet"), small().alphabet);
    assert_eq!(number(&config, "maxLength"), 3.0);
}

#[wasm_bindgen_test]
async fn recognize_of_any_source_gives_the_same_text() {
    let cpu = load("cpu").await;
    let expected = string(&read(&cpu, image()).await, "text");
    let bytes = Uint8Array::from(IMAGE);
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&bytes)).expect("bytes make a blob");
    let rgba = captcha_model::image::decode_image(IMAGE).expect("the image is good");
    let rgba: Vec<u8> = rgba
        .pixels()
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255])
        .collect();
    let pixels = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), 100, 50)
        .expect("the pixels fit the size");
    for source in [bytes.buffer().into(), blob.into(), pixels.into()] {
        assert_eq!(string(&read(&cpu, source).await, "text"), expected);
    }
}

#[wasm_bindgen_test]
async fn recognize_all_gives_the_result_of_each_image_and_errors_in_place() {
    for backend in ["cpu", "webgpu"] {
        let recognizer = load(backend).await;
        let alone = read(&recognizer, image()).await;
        let images = vec![image(), bytes(b"no image at all"), image(), JsValue::NULL];
        let read = recognizer
            .recognize_all(images, JsValue::UNDEFINED)
            .await
            .expect("bad images keep no other from being read");
        assert_eq!(read.len(), 4);
        for together in [&read[0], &read[2]] {
            assert_eq!(string(together, "text"), string(&alone, "text"));
            for (one, other) in attentions(together).iter().zip(&attentions(&alone)) {
                assert_close(one, other);
            }
        }
        assert_error(&read[1], "unreadable-image");
        assert_error(&read[3], "bad-argument");
        let none = recognizer
            .recognize_all(Vec::new(), JsValue::UNDEFINED)
            .await;
        assert_eq!(none.expect("nothing is no fault").len(), 0);
    }
}

// ---- Errors, after which a good image is still recognized

#[wasm_bindgen_test]
async fn recognize_of_bad_images_gives_their_codes_and_the_next_works() {
    let cpu = load("cpu").await;
    let huge = Uint8Array::new_with_length(20 * 1024 * 1024 + 1);
    let huge_blob =
        Blob::new_with_u8_array_sequence(&Array::of1(&huge)).expect("bytes make a blob");
    for (source, code) in [
        (bytes(b""), "unreadable-image"),
        (bytes(b"no image at all"), "unreadable-image"),
        (bytes(&IMAGE[..IMAGE.len() / 2]), "unreadable-image"),
        (bytes(&png_header(30_000, 30_000)), "image-too-large"),
        (huge.into(), "image-too-large"),
        (huge_blob.into(), "image-too-large"),
        ("a path".into(), "bad-argument"),
        (JsValue::NULL, "bad-argument"),
    ] {
        let thrown = cpu
            .recognize(source, JsValue::UNDEFINED)
            .await
            .expect_err(code);
        assert_error(&thrown, code);
    }
    for wrong in [
        JsValue::from(-1),
        JsValue::from(0.5),
        JsValue::from(101),
        "3".into(),
    ] {
        let thrown = cpu
            .recognize(image(), object(&[("alternatives", wrong)]))
            .await;
        assert_error(
            &thrown.expect_err("alternatives are checked"),
            "bad-argument",
        );
    }
    read(&cpu, image()).await;
}

#[wasm_bindgen_test]
async fn recognize_of_too_many_pixels_fails_before_the_copy() {
    let cpu = load("cpu").await;
    let pixels = js_sys::eval(
        "Object.create(ImageData.prototype, {
           width: { value: 20000 }, height: { value: 20000 },
           data: { get() { throw new Error('copied'); } },
         })",
    )
    .expect("an object is made");
    let refused = cpu.recognize(pixels, JsValue::UNDEFINED).await;
    assert_error(&refused.expect_err("they are too many"), "image-too-large");
}

#[wasm_bindgen_test]
fn validate_of_sizes_beyond_32_bits_fails() {
    let mut config = small();
    (config.input.height, config.input.width) = (4096, 4096);
    config.encoder.blocks[0] = BlockConfig::new(256, true, false, true);
    assert!(config.validate().is_err());
}

#[wasm_bindgen_test]
async fn load_of_bad_weights_gives_their_codes() {
    let good = weights();
    let other_version = replaced(&good, b"captcha-lens/1", b"captcha-lens/9");
    for (weights, code) in [
        (bytes(b""), "bad-weights"),
        (bytes(b"no weights at all"), "bad-weights"),
        (bytes(&good[..good.len() - 1]), "bad-weights"),
        (bytes(&other_version), "bad-weights"),
        (JsValue::UNDEFINED, "bad-argument"),
    ] {
        let loaded = Recognizer::load(object(&[("weights", weights)])).await;
        assert_error(&thrown(loaded), code);
    }
    let odd = object(&[("weights", bytes(&good)), ("backend", "quantum".into())]);
    assert_error(&thrown(Recognizer::load(odd).await), "bad-argument");
    assert_error(
        &thrown(Recognizer::load(JsValue::UNDEFINED).await),
        "bad-argument",
    );
}

// ---- Helpers

/// The small network on a backend.
async fn load(backend: &str) -> Recognizer {
    open(&weights(), backend).await
}

async fn open(weights: &[u8], backend: &str) -> Recognizer {
    let options = options(weights, backend);
    match Recognizer::load(options).await {
        Ok(recognizer) => recognizer,
        Err(error) => panic!("{backend}: {error}"),
    }
}

fn options(weights: &[u8], backend: &str) -> JsValue {
    object(&[("weights", bytes(weights)), ("backend", backend.into())])
}

async fn read(recognizer: &Recognizer, source: JsValue) -> JsValue {
    recognizer
        .recognize(source, JsValue::UNDEFINED)
        .await
        .expect("the image is good")
}

/// A network small enough for a software GPU, with every kind of layer.
fn small() -> ModelConfig {
    ModelConfig {
        input: InputConfig::new(24, 48, Resampling::Area),
        encoder: EncoderConfig::new(
            vec![
                BlockConfig::new(8, false, false, true),
                BlockConfig::new(8, true, true, true),
            ],
            0.1,
            16,
            0.1,
        ),
        decoder: DecoderConfig {
            embedding: 8,
            units: 16,
            attention: 8,
            carry_state: true,
        },
        alphabet: "abcdefghijklmnopqrstuvwxyz".into(),
        max_length: 3,
    }
}

fn weights() -> Vec<u8> {
    weights_with(|_| ())
}

fn weights_with(change: impl FnOnce(&mut Decoder)) -> Vec<u8> {
    let device = Device::flex();
    device.seed(1);
    let config = small();
    let mut network = config.init(&device).expect("the configuration is valid");
    change(&mut network.decoder);
    save(&network, &config, &serde_json::json!({}), Precision::Half).expect("weights can be saved")
}

fn image() -> JsValue {
    bytes(IMAGE)
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// The beginning of a PNG of any size, up to its pixels.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [
        (b"IHDR", [&size[..], &[8, 2, 0, 0, 0]].concat()),
        (b"IDAT", vec![]),
    ] {
        let chunk = [&kind[..], &content].concat();
        png.extend((content.len() as u32).to_be_bytes());
        png.extend(&chunk);
        png.extend(crc32(&chunk).to_be_bytes());
    }
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(old.len())
        .position(|window| window == old)
        .expect("it is there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value).expect("a fresh object takes fields");
    }
    object.into()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).expect("fields are looked up in objects")
}

fn number(object: &JsValue, name: &str) -> f64 {
    get(object, name)
        .as_f64()
        .unwrap_or_else(|| panic!("{name} is a number"))
}

fn string(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap_or_default()
}

fn attentions(recognition: &JsValue) -> Vec<Vec<f32>> {
    let characters: Array = get(recognition, "characters").unchecked_into();
    let attention = |character| -> Float32Array {
        get(&character, "attention")
            .dyn_into()
            .expect("attention is a Float32Array")
    };
    characters
        .iter()
        .map(|character| attention(character).to_vec())
        .collect()
}

fn assert_close(one: &[f32], other: &[f32]) {
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(other) {
        assert!((a - b).abs() <= TOLERANCE, "{a} differs from {b}");
    }
}

fn thrown(loaded: Result<Recognizer, LensError>) -> JsValue {
    match loaded {
        Ok(_) => panic!("it loaded"),
        Err(error) => error.into(),
    }
}

fn assert_error(thrown: &JsValue, code: &str) {
    let error: &Error = thrown.dyn_ref().expect("an Error is thrown");
    assert_eq!(string(error, "code"), code, "{}", error.message());
    assert!(
        error.message().length() > 20,
        "{} is no sentence",
        error.message()
    );
}
