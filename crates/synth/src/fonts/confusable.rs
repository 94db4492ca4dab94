//! Characters that a font draws alike.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A line for each font with such characters: its name, then the pairs.
const LIST: &str = include_str!("../../fonts/confusable.txt");

/// The pairs of a font, each in the order of the list.
pub(super) fn pairs(font: &str) -> &'static [[char; 2]] {
    static PAIRS: LazyLock<HashMap<&'static str, Vec<[char; 2]>>> = LazyLock::new(|| {
        let lines = LIST.lines().filter_map(|line| line.split_once(' '));
        lines.map(|(font, pairs)| (font, parse(pairs))).collect()
    });
    PAIRS.get(font).map_or(&[], Vec::as_slice)
}

fn parse(pairs: &str) -> Vec<[char; 2]> {
    let pairs = pairs.split(' ').filter_map(|pair| {
        let mut characters = pair.chars();
        Some([characters.next()?, characters.next()?])
    });
    pairs.collect()
}

#[cfg(test)]
mod tests;
