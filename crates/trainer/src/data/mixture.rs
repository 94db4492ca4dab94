//! Several data sets in one, each with a share of the images.

use std::ops::RangeInclusive;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use captcha_evaluation::data::{Dataset, Example};
use captcha_synth::Look;

use crate::data::synthetic::Looks;

/// Its multiples, without their whole parts, are spread evenly between 0 and 1.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
/// The name that stands for all built-in looks.
const BUILT_IN: &str = "built-in";

/// Several data sets. An image has the same index in the mixture and in its own data set.
pub struct Mixture {
    /// Each data set with its share.
    sources: Vec<(Arc<dyn Dataset>, f64)>,
}

impl Mixture {
    /// A mixture of data sets of equal length, each with its share of the images. Only the ratios of
    /// the shares count.
    ///
    /// # Errors
    ///
    /// If there is no data set, their lengths differ, or a share is not above zero.
    pub fn new(sources: Vec<(Arc<dyn Dataset>, f64)>) -> Result<Self> {
        let (first, _) = sources.first().context("a mixture has at least one part")?;
        let length = first.len();
        ensure!(
            sources.iter().all(|(source, _)| source.len() == length),
            "the parts of a mixture must have the same length"
        );
        ensure!(
            sources
                .iter()
                .all(|(_, share)| *share > 0.0 && share.is_finite()),
            "each share of a mixture must be above zero"
        );
        Ok(Self { sources })
    }
}

impl Dataset for Mixture {
    fn len(&self) -> usize {
        self.sources.first().map_or(0, |(source, _)| source.len())
    }

    fn example(&self, epoch: usize, index: usize) -> Result<Example> {
        let total: f64 = self.sources.iter().map(|(_, share)| share).sum();
        // The golden ratio spreads the places evenly, whatever the shares.
        let number = epoch * self.len() + index;
        let mut place = total * (number as f64 * GOLDEN_RATIO).fract();
        let found = self.sources.iter().find(|(_, share)| {
            let found = place < *share;
            place -= share;
            found
        });
        let (source, _) = found
            .or(self.sources.last())
            .context("the mixture has no parts")?;
        source.example(epoch, index)
    }
}

/// Looks of synthetic images, each with its share.
#[derive(Clone, Debug, PartialEq)]
pub struct MixedLooks(Vec<(Looks, f64)>);

impl MixedLooks {
    /// Parses looks with their shares, such as `random=5,words=2,built-in=3`: `built-in` stands for
    /// all built-in looks, and [`Looks::parse`] says what else a look can be. Only the ratios of the
    /// shares count. A single look needs no share.
    ///
    /// # Errors
    ///
    /// If there is no such look, its file cannot be used, or a share is not a number above zero.
    pub fn parse(text: &str) -> Result<Self> {
        // A path may contain any character.
        match Looks::parse(text) {
            Ok(looks) => return Ok(Self(vec![(looks, 1.0)])),
            Err(error) if !text.contains('=') => return Err(error),
            Err(_) => (),
        }
        let mut looks = Vec::new();
        for part in text.split(',') {
            let example = "write LOOK=SHARE,LOOK=SHARE, such as random=5,words=2,built-in=3";
            let (look, share) = part
                .rsplit_once('=')
                .with_context(|| format!("{part:?} has no share: {example}"))?;
            let share: f64 = share
                .trim()
                .parse()
                .ok()
                .with_context(|| format!("the share {share:?} is not a number: {example}"))?;
            ensure!(
                share > 0.0 && share.is_finite(),
                "the share of {look} must be a number above zero"
            );
            match look.trim() {
                BUILT_IN => {
                    let names = Look::names();
                    let share = share / names.len() as f64;
                    for name in names {
                        looks.push((Looks::parse(name)?, share));
                    }
                }
                look => looks.push((Looks::parse(look)?, share)),
            }
        }
        Ok(Self(looks))
    }

    /// The only look; `None` if there are several.
    pub fn single(&self) -> Option<&Looks> {
        match self.0.as_slice() {
            [(looks, _)] => Some(looks),
            _ => None,
        }
    }

    /// Those of them that `keep` accepts, with their shares; `None` if there are none.
    pub fn filtered(&self, keep: impl Fn(&Looks) -> bool) -> Option<Self> {
        let kept = self.0.iter().filter(|(looks, _)| keep(looks));
        let kept: Vec<_> = kept.cloned().collect();
        (!kept.is_empty()).then_some(Self(kept))
    }

    /// The characters of their texts, sorted.
    pub fn alphabet(&self) -> String {
        let mut characters: Vec<char> = self
            .0
            .iter()
            .flat_map(|(looks, _)| looks.alphabet().chars().collect::<Vec<_>>())
            .collect();
        characters.sort_unstable();
        characters.dedup();
        characters.into_iter().collect()
    }

    /// The numbers of characters of their texts.
    pub fn lengths(&self) -> RangeInclusive<usize> {
        let lengths = || self.0.iter().map(|(looks, _)| looks.lengths());
        let shortest = lengths().map(|lengths| *lengths.start()).min();
        let longest = lengths().map(|lengths| *lengths.end()).max();
        shortest.unwrap_or(1)..=longest.unwrap_or(1)
    }

    /// The images of these looks. `dataset` makes those of one look; all must have the same length.
    ///
    /// # Errors
    ///
    /// Those of [`Mixture::new`].
    pub fn dataset(
        &self,
        dataset: impl Fn(&Looks) -> Arc<dyn Dataset>,
    ) -> Result<Arc<dyn Dataset>> {
        if let Some(looks) = self.single() {
            return Ok(dataset(looks));
        }
        let sources = self.0.iter();
        let sources = sources.map(|(looks, share)| (dataset(looks), *share));
        Ok(Arc::new(Mixture::new(sources.collect())?))
    }
}

#[cfg(test)]
mod tests {
    use captcha_synth::LONGEST_TEXT;

    use super::*;

    struct Constant(&'static str);

    impl Dataset for Constant {
        fn len(&self) -> usize {
            100
        }

        fn example(&self, _: usize, _: usize) -> Result<Example> {
            Ok(Example {
                text: self.0.into(),
                image: captcha_model::image::RgbImage::new(1, 1),
                characters: None,
                rendering: None,
            })
        }
    }

    #[test]
    fn mixture_has_the_shares() {
        let sources: Vec<(Arc<dyn Dataset>, f64)> = vec![
            (Arc::new(Constant("a")), 3.0),
            (Arc::new(Constant("b")), 1.0),
        ];
        let mixture = Mixture::new(sources).expect("valid");
        for epoch in 0..3 {
            let first = (0..100)
                .filter(|&index| mixture.example(epoch, index).expect("an example").text == "a");
            assert!((72..=78).contains(&first.count()));
        }
        assert!(Mixture::new(Vec::new()).is_err());
        assert!(Mixture::new(vec![(Arc::new(Constant("a")), 0.0)]).is_err());
    }

    #[test]
    fn looks_are_parsed_with_shares() {
        let looks = MixedLooks::parse("random=5, words=2,built-in=3.5").expect("valid");
        let names = Look::names().len();
        assert_eq!(looks.0.len(), 2 + names);
        assert_eq!(looks.0[0], (Looks::Random, 5.0));
        let shares: f64 = looks.0[2..].iter().map(|(_, share)| share).sum();
        assert!((shares - 3.5).abs() < 1e-9);
        assert_eq!(looks.alphabet().len(), 62);
        assert_eq!(looks.lengths(), 3..=LONGEST_TEXT);
        assert_eq!(looks.single(), None);
        let hard = MixedLooks::parse("random-hard=2,words=1").expect("valid");
        assert_eq!(hard.0[0], (Looks::RandomHard, 2.0));
        assert_eq!(hard.alphabet().len(), 62);
        let words = MixedLooks::parse("words").expect("valid");
        assert_eq!(words.single(), Some(&Looks::parse("words").expect("valid")));
        for wrong in [
            "words=",
            "words=0",
            "words=-1",
            "words=1,waves",
            "no-look=1",
            "no-look",
            "",
        ] {
            assert!(MixedLooks::parse(wrong).is_err(), "{wrong}");
        }
    }
}
