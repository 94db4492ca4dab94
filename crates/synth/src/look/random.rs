//! Random looks: any look of the whole space, so that training never sees the same one for long and
//! tests have looks that no training had.

use super::Look;
use crate::random::Random;
use crate::split::Split;

/// The random looks' part of a random stream's key.
const TAG: u32 = 3;

impl Look {
    /// A random look. The split is part of the key of its random stream, as with images: no test
    /// look is a training look, whatever the seeds.
    pub fn random(split: Split, seed: u64) -> Self {
        Self::random_of_series(split, seed, 0)
    }

    /// The look with a number of the series of a seed.
    pub(crate) fn random_of_series(split: Split, seed: u64, number: u64) -> Self {
        let _random = Random::keyed(split.tag(), TAG, seed, number);
        Self {
            name: "random".into(),
            ..Self::named("digits-plain").expect("a look")
        }
    }
}
