//! The generator in the browser. It converts options to pixels; `types.d.ts` is the contract with the
//! page.

#![cfg(target_arch = "wasm32")]

use captcha_synth::{FontSet, Generator, SampleOverrides, Split, Style, TextSource};
use js_sys::{Error, Reflect, Uint8ClampedArray};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &'static str = include_str!("types.d.ts");

/// The style that stands for a random look.
const RANDOM: &str = "random";
/// The style that stands for a hard random look.
const RANDOM_HARD: &str = "random-hard";

/// `DrawOptions` of `types.d.ts`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawOptions {
    seed: u64,
    style: Option<String>,
    look: Option<u64>,
    text: Option<String>,
    length: Option<usize>,
    random: Option<bool>,
    font: Option<String>,
    distorted: Option<bool>,
    strokes: Option<usize>,
    noise: Option<f32>,
}

/// `Drawing` of `types.d.ts`.
#[derive(Serialize)]
struct Drawing {
    width: u32,
    height: u32,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    rgba: Uint8ClampedArray,
    text: String,
    font: &'static str,
    strokes: u32,
    characters: Vec<Character>,
    look: Look,
}

#[derive(Serialize)]
struct Character {
    character: char,
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

/// `Look` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Look {
    name: String,
    title: String,
    alphabet: String,
    shortest: usize,
    longest: usize,
    has_words: bool,
    has_strokes: bool,
    has_noise: bool,
}

impl From<&captcha_synth::Look> for Look {
    fn from(look: &captcha_synth::Look) -> Self {
        let (shortest, longest) = look.lengths();
        Self {
            name: look.name().to_owned(),
            title: look.title().to_owned(),
            alphabet: look.alphabet(),
            shortest,
            longest,
            has_words: look.has_words(),
            has_strokes: look.has_strokes(),
            has_noise: look.has_noise(),
        }
    }
}

/// `Font` of `types.d.ts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Font {
    name: &'static str,
    family: &'static str,
    held_out: bool,
}

/// Draws an image.
///
/// @throws {Error} with the code `bad-argument`, if an option is out of range.
#[wasm_bindgen(unchecked_return_type = "Drawing")]
pub fn draw(
    #[wasm_bindgen(unchecked_param_type = "DrawOptions")] options: JsValue,
) -> Result<JsValue, JsValue> {
    let options: DrawOptions = serde_wasm_bindgen::from_value(options).map_err(bad_argument)?;
    // The test split: no network was trained on these images, nor on these random looks.
    let split = Split::Test;
    let look = match options.style.as_deref() {
        Some(RANDOM) => captcha_synth::Look::random(split, options.look.unwrap_or(options.seed)),
        Some(RANDOM_HARD) => {
            captcha_synth::Look::random_hard(split, options.look.unwrap_or(options.seed))
        }
        Some(name) => captcha_synth::Look::named(name).map_err(bad_argument)?,
        None => Style::Words.into(),
    };
    let described = Look::from(&look);
    let random_texts = options.random.unwrap_or(false) && look.has_words();
    let generator = Generator::of_look(look, FontSet::Train, split, options.seed);
    let generator = if random_texts {
        generator.with_texts(TextSource::Random)
    } else {
        generator
    };
    let overrides = SampleOverrides {
        text: options.text,
        length: options.length,
        font: options.font,
        distorted: options.distorted,
        strokes: options.strokes,
        noise: options.noise,
    };
    let sample = generator.sample_with(0, &overrides).map_err(bad_argument)?;
    let rgba: Vec<u8> = sample
        .rgb
        .chunks_exact(3)
        .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], u8::MAX])
        .collect();
    let characters = sample.characters.iter().map(|place| Character {
        character: place.character,
        x: place.x,
        y: place.y,
        width: place.width,
        height: place.height,
    });
    to_object(&Drawing {
        width: sample.width,
        height: sample.height,
        rgba: rgba.as_slice().into(),
        characters: characters.collect(),
        text: sample.text,
        font: sample.font,
        strokes: sample.strokes,
        look: described,
    })
}

/// The built-in looks.
#[wasm_bindgen(unchecked_return_type = "Look[]")]
pub fn looks() -> Result<JsValue, JsValue> {
    let looks = captcha_synth::Look::names().map(|name| {
        let look = captcha_synth::Look::named(name).map_err(bad_argument)?;
        Ok(Look::from(&look))
    });
    to_object(&looks.collect::<Result<Vec<_>, JsValue>>()?)
}

/// The fonts: first those that networks are trained on, then the held-out ones.
#[wasm_bindgen(unchecked_return_type = "Font[]")]
pub fn fonts() -> Result<JsValue, JsValue> {
    let all: Vec<Font> = [FontSet::Train, FontSet::HeldOut]
        .into_iter()
        .flat_map(captcha_synth::fonts)
        .map(|font| Font {
            name: font.name(),
            family: font.family(),
            held_out: font.set() == FontSet::HeldOut,
        })
        .collect();
    to_object(&all)
}

fn to_object(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value.serialize(&Serializer::new()).map_err(bad_argument)
}

fn bad_argument(error: impl std::fmt::Display) -> JsValue {
    let thrown = Error::new(&format!("The image cannot be drawn: {error}."));
    // Cannot fail: a fresh error is extensible.
    let _ = Reflect::set(&thrown, &"code".into(), &"bad-argument".into());
    thrown.into()
}
