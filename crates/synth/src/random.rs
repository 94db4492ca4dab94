//! The source of every random choice: a keyed ChaCha8 stream and a few ways to read it.
//!
//! The helpers are our own, so that a new version of a random-number library cannot change a
//! picture; only the ChaCha stream itself, which has a specification, comes from outside.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random values, the same on every platform for the same key.
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

    /// Another stream of the same key, from its start; drawing from it leaves this one as it is.
    pub(crate) fn aside(&self, stream: u64) -> Self {
        let mut other = self.0.clone();
        other.set_stream(stream);
        other.set_word_pos(0);
        Self(other)
    }

    /// All 32-bit values alike.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A whole number in `0..n`, by one multiplication; its bias, under `n / 2^32`, is of no
    /// consequence here.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.bits()) * n as u64) >> 32) as usize
    }

    /// A whole number in `low..=high`.
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
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_key_matters() {
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
    fn a_stream_aside_is_another_one_and_always_the_same() {
        let mut random = Random::keyed(1, 1, 1, 1);
        let (own, mut early) = (random.clone().bits(), random.aside(1));
        assert_ne!(early.bits(), own);
        assert_ne!(random.aside(1).bits(), random.aside(2).bits());
        assert_eq!(random.bits(), own);
        assert_eq!(random.aside(1).bits(), random.clone().aside(1).bits());
        assert_eq!(early.bits(), {
            let mut late = random.aside(1);
            late.bits();
            late.bits()
        });
    }

    #[test]
    fn ranges_hold_their_bounds_and_reach_them() {
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
