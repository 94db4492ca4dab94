//! Colours.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::span::Span;
use crate::random::Random;

/// A colour. In a look file it is `"#rrggbb"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) [u8; 3]);

impl Rgb {
    /// Brightness, 0 (black) to 1 (white), as Rec. 601 weights the channels.
    pub(crate) fn luma(self) -> f32 {
        let [r, g, b] = self.0.map(u32::from);
        (299 * r + 587 * g + 114 * b) as f32 / 255_000.0
    }

    /// The colour of a hue in degrees, a saturation and a lightness.
    fn from_hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let chroma = saturation * lightness.min(1.0 - lightness);
        // Each channel is a trapezoid over the hue, at its own place.
        let channel = |place: f32| {
            let sixth = place + hue / 30.0;
            let k = sixth - 12.0 * (sixth / 12.0).floor();
            let value = lightness - chroma * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
            (255.0 * value + 0.5) as u8
        };
        Self([channel(0.0), channel(8.0), channel(4.0)])
    }

    /// The colour that lies `share` of the way to another one.
    pub(crate) fn toward(self, other: Self, share: f32) -> Self {
        let mix = |i: usize| {
            let (from, to) = (f32::from(self.0[i]), f32::from(other.0[i]));
            (from + share * (to - from) + 0.5) as u8
        };
        Self([mix(0), mix(1), mix(2)])
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl Serialize for Rgb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .map(|number| {
                let [_, r, g, b] = number.to_be_bytes();
                Self([r, g, b])
            })
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not a colour; write \"#rrggbb\"")))
    }
}

/// Colours to draw from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Palette {
    /// These colours, each as often. If there are none, a colour of the ranges below.
    pub(crate) colors: Vec<Rgb>,
    /// Hue, in degrees.
    pub(crate) hue: Span,
    /// Saturation, 0 to 1.
    pub(crate) saturation: Span,
    /// Lightness, 0 to 1.
    pub(crate) lightness: Span,
}

impl Palette {
    /// Any hue, with a saturation and a lightness.
    pub(crate) const fn of(saturation: Span, lightness: Span) -> Self {
        Self {
            colors: Vec::new(),
            hue: Span::new(0.0, 360.0),
            saturation,
            lightness,
        }
    }

    /// A colour.
    pub(crate) fn draw(&self, random: &mut Random) -> Rgb {
        let [hue, saturation, lightness] =
            [self.hue, self.saturation, self.lightness].map(|span| span.draw(random));
        match self.colors.len() {
            0 => Rgb::from_hsl(hue, saturation, lightness),
            count => self.colors[random.below(count)],
        }
    }
}

impl Default for Palette {
    fn default() -> Self {
        Self::of(Span::new(0.0, 1.0), Span::new(0.0, 0.6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsl_of_known_colors_is_their_rgb() {
        for (hsl, rgb) in [
            ([0.0, 1.0, 0.5], [255, 0, 0]),
            ([120.0, 1.0, 0.5], [0, 255, 0]),
            ([240.0, 1.0, 0.5], [0, 0, 255]),
            ([60.0, 1.0, 0.25], [128, 128, 0]),
            ([200.0, 0.0, 1.0], [255, 255, 255]),
            ([360.0, 0.5, 0.5], [191, 64, 64]),
        ] {
            assert_eq!(Rgb::from_hsl(hsl[0], hsl[1], hsl[2]), Rgb(rgb), "{hsl:?}");
        }
    }
}
