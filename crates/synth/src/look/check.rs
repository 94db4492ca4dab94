//! Checks the values of a look.

use super::sections::Pen;
use super::{Layer, Look, Mark, Palette, Span};
use crate::alphabet::{LONGEST_TEXT, expand_alphabet};

/// Largest width and height of an image, in pixels.
const LARGEST: f32 = 1000.0;
/// Smallest width and height of an image, in pixels.
const SMALLEST: f32 = 12.0;

impl Look {
    /// What is wrong with the values, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_text()?;
        if self.pen != Pen::Outline {
            return self.check_has_no_other_section();
        }
        self.check_picture()?;
        self.check_text_shape()?;
        for (number, layer) in self.clutter.iter().enumerate() {
            check_layer(layer).map_err(|problem| format!("clutter {}: {problem}", number + 1))?;
        }
        Ok(())
    }

    fn check_text(&self) -> Result<(), String> {
        let text = &self.text;
        let alphabet = expand_alphabet(&text.alphabet).ok_or_else(|| {
            format!(
                "text.alphabet: {:?} is not an alphabet; it may have the characters 0-9, A-Z and a-z",
                text.alphabet
            )
        })?;
        within("text.length", text.length, 1.0, LONGEST_TEXT as f32)?;
        let has_words = alphabet.contains("abcdefghijklmnopqrstuvwxyz");
        if text.words && !(has_words && text.length.low <= 3.0 && text.length.high >= 5.0) {
            return Err(
                "text.words: the words have 3 to 5 letters a to z; the alphabet and the \
                        length must allow them"
                    .into(),
            );
        }
        Ok(())
    }

    fn check_has_no_other_section(&self) -> Result<(), String> {
        let bare = Self {
            name: self.name.clone(),
            pen: self.pen,
            title: self.title.clone(),
            text: self.text.clone(),
            image: Default::default(),
            ground: Default::default(),
            ink: Default::default(),
            font: Default::default(),
            layout: Default::default(),
            distortion: Default::default(),
            outline: Default::default(),
            shadow: Default::default(),
            clutter: Vec::new(),
            finish: Default::default(),
        };
        if bare == *self {
            Ok(())
        } else {
            Err("pen: this pen draws the whole picture; leave out all sections but text".into())
        }
    }

    fn check_picture(&self) -> Result<(), String> {
        let Self {
            image,
            ground,
            ink,
            finish,
            ..
        } = self;
        within("image.width", image.width, SMALLEST, LARGEST)?;
        within("image.height", image.height, SMALLEST, LARGEST)?;
        let per_character = Span::of(image.width_per_character);
        within("image.width_per_character", per_character, 0.0, 100.0)?;
        share("image.smooth", image.smooth)?;
        share("image.border", image.border)?;
        palette("ground.palette", &ground.palette)?;
        share("ground.gradient", ground.gradient)?;
        palette("ink.palette", &ink.palette)?;
        share("ink.per_character", ink.per_character)?;
        within("ink.contrast", Span::of(ink.contrast), 0.0, 0.9)?;
        within("ink.opacity", ink.opacity, 0.2, 1.0)?;
        within("finish.blur", finish.blur, 0.0, 5.0)?;
        within("finish.grain", finish.grain, 0.0, 1.0)?;
        share("finish.jpeg", finish.jpeg)?;
        within("finish.quality", finish.quality, 1.0, 100.0)?;
        share("finish.invert", finish.invert)
    }

    fn check_text_shape(&self) -> Result<(), String> {
        let Self {
            font,
            layout,
            distortion,
            outline,
            shadow,
            ..
        } = self;
        share("font.per_character", font.per_character)?;
        within("font.weight", font.weight, -0.1, 0.2)?;
        share("font.distorted", font.distorted)?;
        within("layout.size", layout.size, 0.05, 1.0)?;
        within("layout.stretch", layout.stretch, 0.3, 3.0)?;
        within("layout.slant", layout.slant, -1.0, 1.0)?;
        within("layout.rotation", layout.rotation, -180.0, 180.0)?;
        within("layout.scale", layout.scale, 0.3, 3.0)?;
        within("layout.baseline", layout.baseline, 0.0, 0.5)?;
        within("layout.spacing", layout.spacing, -0.5, 3.0)?;
        within("layout.margin", Span::of(layout.margin), 0.0, 0.4)?;
        for (name, span) in [
            ("distortion.wave_vertical", distortion.wave_vertical),
            ("distortion.wave_horizontal", distortion.wave_horizontal),
            ("distortion.warp", distortion.warp),
        ] {
            within(name, span, 0.0, 0.5)?;
        }
        within("distortion.wavelength", distortion.wavelength, 0.2, 20.0)?;
        within("distortion.shear", distortion.shear, -1.0, 1.0)?;
        within("distortion.turn", distortion.turn, -60.0, 60.0)?;
        within("distortion.arch", distortion.arch, -1.0, 1.0)?;
        within("distortion.taper", distortion.taper, -0.8, 2.0)?;
        share("outline.hollow", outline.hollow)?;
        share("outline.edged", outline.edged)?;
        within("outline.width", outline.width, 0.0, 0.3)?;
        palette("outline.palette", &outline.palette)?;
        share("shadow.share", shadow.share)?;
        within("shadow.offset", shadow.offset, -0.5, 0.5)?;
        palette("shadow.palette", &shadow.palette)
    }
}

fn check_layer(layer: &Layer) -> Result<(), String> {
    let most = if layer.kind == Mark::Specks {
        0.3
    } else {
        1000.0
    };
    within("count", layer.count, 0.0, most)?;
    within("width", layer.width, 0.1, 50.0)?;
    within("size", layer.size, 0.01, 10.0)?;
    share("over", layer.over)?;
    palette("palette", &layer.palette)?;
    within("opacity", layer.opacity, 0.0, 1.0)
}

fn within(name: &str, span: Span, least: f32, most: f32) -> Result<(), String> {
    if span.low > span.high {
        return Err(format!(
            "{name}: the lowest value comes first, but {} is above {}",
            span.low, span.high
        ));
    }
    // Not-a-number is in no range.
    let possible = least..=most;
    if possible.contains(&span.low) && possible.contains(&span.high) {
        Ok(())
    } else {
        Err(format!("{name}: {span} is not within {least} and {most}"))
    }
}

fn share(name: &str, share: f32) -> Result<(), String> {
    within(name, Span::of(share), 0.0, 1.0)
}

fn palette(name: &str, palette: &Palette) -> Result<(), String> {
    within(&format!("{name}.hue"), palette.hue, 0.0, 360.0)?;
    within(&format!("{name}.saturation"), palette.saturation, 0.0, 1.0)?;
    within(&format!("{name}.lightness"), palette.lightness, 0.0, 1.0)
}
