//! The source of every random choice: keyed ChaCha8 streams.
//!
//! The distributions are our own code, so that a new version of a random-number library cannot
//! change an image. Only the ChaCha stream, which has a specification, comes from a crate.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A part of an image that has a substream of its own, so that changing that part leaves the rest of
/// the image unchanged. The numbers belong to the images: never change or reuse one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// Whether the font is distorted.
    Distorted = 1,
    /// The parameters of the distortion.
    GlyphDistortion = 2,
    /// The strokes of the style `waves`.
    Strokes = 3,
    /// The noise of the style `waves`.
    Noise = 4,
    /// Whether the font is one of the extra fonts, and which.
    #[cfg(feature = "extra-fonts")]
    ExtraFonts = 5,
    /// The size of the image and its border line.
    Frame = 6,
    /// The colours of the ground.
    Ground = 7,
    /// The colours of the characters, their outline and their shadow.
    Ink = 8,
    /// Where the characters stand.
    Layout = 9,
    /// The displacement of the whole text.
    Displacement = 10,
    /// What is done to the finished picture.
    Finish = 11,
    /// The fonts of the characters, if each has its own.
    Fonts = 12,
    /// The first layer of marks; the others follow.
    Marks = 1_000,
}

/// A stream of random values. The same key gives the same values on every platform.
#[derive(Clone)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The stream of one image. The tags, the seed and the index fill disjoint bytes of the
    /// 256-bit key, so two images share a stream only if they agree in all four.
    pub(crate) fn keyed(split: u32, style: u32, seed: u64, index: u64) -> Self {
        let mut key = [0; 32];
        key[0..4].copy_from_slice(&split.to_le_bytes());
        key[4..8].copy_from_slice(&style.to_le_bytes());
        key[8..16].copy_from_slice(&seed.to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// The substream of the same key, from its start. Drawing from it does not advance this stream.
    pub(crate) fn substream(&self, stream: Stream) -> Self {
        self.numbered(stream as u64)
    }

    /// The substream of a layer of marks.
    pub(crate) fn marks(&self, layer: usize) -> Self {
        self.numbered(Stream::Marks as u64 + layer as u64)
    }

    fn numbered(&self, stream: u64) -> Self {
        let mut other = self.0.clone();
        other.set_stream(stream);
        other.set_word_pos(0);
        Self(other)
    }

    /// A uniform 32-bit value.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// An integer in `0..n`, by one multiplication. The bias is below `n / 2^32`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.bits()) * n as u64) >> 32) as usize
    }

    /// An integer in `low..=high`.
    pub(crate) fn count(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// A number in `0.0..1.0`, a multiple of 2^-24.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// A number between `low` and `high`.
    pub(crate) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with the given probability.
    pub(crate) fn bernoulli(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyed_with_other_key_part_differs() {
        let first = |split, style, seed, index| Random::keyed(split, style, seed, index).bits();
        let base = first(1, 1, 1, 1);
        assert_eq!(base, first(1, 1, 1, 1));
        for other in [
            first(2, 1, 1, 1),
            first(1, 2, 1, 1),
            first(1, 1, 2, 1),
            first(1, 1, 1, 2),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn substream_is_independent_and_reproducible() {
        let mut random = Random::keyed(1, 1, 1, 1);
        let (own, mut early) = (random.clone().bits(), random.substream(Stream::Distorted));
        assert_ne!(early.bits(), own);
        assert_ne!(
            random.substream(Stream::Distorted).bits(),
            random.substream(Stream::GlyphDistortion).bits()
        );
        assert_eq!(random.bits(), own);
        assert_eq!(
            random.substream(Stream::Distorted).bits(),
            random.clone().substream(Stream::Distorted).bits()
        );
        assert_eq!(early.bits(), {
            let mut late = random.substream(Stream::Distorted);
            late.bits();
            late.bits()
        });
    }

    #[test]
    fn ranges_stay_in_bounds_and_reach_them() {
        let mut random = Random::keyed(0, 0, 0, 0);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[random.count(3, 7) - 3] = true;
            assert!((0.0..1.0).contains(&random.unit()));
            assert!((-2.0..=5.0).contains(&random.range(-2.0, 5.0)));
        }
        assert_eq!(seen, [true; 5]);
    }
}
