//! A range of numbers, one of which is drawn for each image.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::random::Random;

/// A range, both ends included. In a look file it is a number or `[lowest, highest]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    /// Lowest value.
    pub(crate) low: f32,
    /// Highest value.
    pub(crate) high: f32,
}

impl Span {
    /// From `low` to `high`.
    pub(crate) const fn new(low: f32, high: f32) -> Self {
        Self { low, high }
    }

    /// One value only.
    pub(crate) const fn of(value: f32) -> Self {
        Self::new(value, value)
    }

    /// A value of the range. It always takes one value of the stream, so that a changed range leaves
    /// the rest of an image as it was.
    pub(crate) fn draw(self, random: &mut Random) -> f32 {
        random.range(self.low, self.high)
    }

    /// Whether every value is zero.
    pub(crate) fn is_zero(self) -> bool {
        self.low == 0.0 && self.high == 0.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{} to {}", self.low, self.high)
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.low == self.high {
            serializer.serialize_f32(self.low)
        } else {
            [self.low, self.high].serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrPair)
    }
}

struct NumberOrPair;

impl<'de> Visitor<'de> for NumberOrPair {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or [lowest, highest]")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Span, E> {
        Ok(Span::of(value as f32))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Span, E> {
        Ok(Span::of(value as f32))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Span, E> {
        Ok(Span::of(value as f32))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Span, A::Error> {
        let mut next = |place| {
            sequence
                .next_element()?
                .ok_or_else(|| A::Error::invalid_length(place, &self))
        };
        let span = Span::new(next(0)?, next(1)?);
        match sequence.next_element::<f32>()? {
            None => Ok(span),
            Some(_) => Err(A::Error::invalid_length(3, &self)),
        }
    }
}
