//! How a font is chosen.

use super::{Font, FontCategory, FontSet, fonts};
use crate::random::Random;

/// Frequency of each category, in percent. The first four are the categories of the paper's set, in
/// about equal parts.
const CATEGORIES: [(FontCategory, usize); 6] = [
    (FontCategory::Brush, 27),
    (FontCategory::Marker, 24),
    (FontCategory::Pen, 21),
    (FontCategory::Sans, 20),
    (FontCategory::Serif, 5),
    (FontCategory::Mono, 3),
];

/// The fonts that an image may have.
pub(crate) struct FontPool {
    fonts: Vec<&'static Font>,
}

impl FontPool {
    /// The fonts of a set that have all characters of an alphabet.
    ///
    /// # Panics
    /// If no font of the set has them.
    pub(crate) fn new(set: FontSet, alphabet: &str) -> Self {
        let fonts: Vec<_> = fonts(set).filter(|font| font.has(alphabet)).collect();
        assert!(
            !fonts.is_empty(),
            "some fonts of each set have all characters"
        );
        Self { fonts }
    }

    /// Only the fonts of some categories, if there are any; no categories stand for all.
    pub(crate) fn of_categories(self, categories: &[FontCategory]) -> Self {
        self.filtered(|font| categories.is_empty() || categories.contains(&font.category))
    }

    /// Only the fonts that draw no two characters of an alphabet alike, if there are any.
    pub(crate) fn telling_apart(self, alphabet: &str) -> Self {
        self.filtered(|font| {
            let mut pairs = font.confusable();
            !pairs.any(|pair| pair.into_iter().all(|one| alphabet.contains(one)))
        })
    }

    fn filtered(self, keep: impl Fn(&Font) -> bool) -> Self {
        let kept = self.fonts.iter().copied().filter(|font| keep(font));
        let fonts: Vec<_> = kept.collect();
        if fonts.is_empty() {
            self
        } else {
            Self { fonts }
        }
    }

    /// A random font: first a category by its frequency, then a font of that category.
    pub(crate) fn draw(&self, random: &mut Random) -> &'static Font {
        let count = |category| self.of(category).count();
        let counts = CATEGORIES.map(|(category, weight)| (category, weight, count(category)));
        let present = counts.iter().filter(|&&(_, _, count)| count > 0);
        let mut ticket = random.below(present.clone().map(|&(_, weight, _)| weight).sum());
        for &(category, weight, count) in present {
            if ticket < weight {
                let number = random.below(count);
                let found = self.of(category).nth(number);
                return found.expect("number is below the count");
            }
            ticket -= weight;
        }
        unreachable!("a ticket is below the sum of the weights")
    }

    fn of(&self, category: FontCategory) -> impl Iterator<Item = &'static Font> {
        let fonts = self.fonts.iter().copied();
        fonts.filter(move |font| font.category == category)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn drawn(pool: &FontPool) -> BTreeSet<&'static str> {
        let mut random = Random::keyed(0, 0, 0, 0);
        (0..5_000).map(|_| pool.draw(&mut random).name()).collect()
    }

    #[test]
    fn pool_of_a_set_draws_every_font_of_it_only() {
        for set in [FontSet::Train, FontSet::HeldOut] {
            let all = fonts(set).map(Font::name).collect();
            assert_eq!(drawn(&FontPool::new(set, "az")), all);
        }
    }

    #[test]
    fn pool_with_digits_draws_only_fonts_with_digits() {
        for set in [FontSet::Train, FontSet::HeldOut] {
            let expected: BTreeSet<_> = fonts(set)
                .filter(|font| font.has("7"))
                .map(Font::name)
                .collect();
            assert_eq!(drawn(&FontPool::new(set, "a7")), expected);
            assert!(expected.len() < fonts(set).count());
        }
    }

    #[test]
    fn pool_of_a_category_that_a_set_lacks_keeps_the_others() {
        let pool = FontPool::new(FontSet::HeldOut, "a").of_categories(&[FontCategory::Mono]);
        assert_eq!(drawn(&pool).len(), fonts(FontSet::HeldOut).count());
        let pool = FontPool::new(FontSet::Train, "a").of_categories(&[FontCategory::Mono]);
        let mono = fonts(FontSet::Train).filter(|font| font.category == FontCategory::Mono);
        assert_eq!(drawn(&pool), mono.map(Font::name).collect());
    }

    #[test]
    fn pool_that_tells_an_alphabet_apart_has_no_font_that_confuses_it() {
        let pool = FontPool::new(FontSet::Train, "Il").telling_apart("Il");
        for font in &pool.fonts {
            assert!(
                font.confusable().all(|pair| pair != ['I', 'l']),
                "{}",
                font.name()
            );
        }
        let all = FontPool::new(FontSet::Train, "Il").fonts.len();
        assert!((1..all).contains(&pool.fonts.len()));
    }
}
