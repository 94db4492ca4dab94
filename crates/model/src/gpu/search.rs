//! Beam search by the kernels: the device keeps the beams, and the host makes texts of the record of
//! all steps.

use std::collections::HashSet;

use burn::tensor::Tensor;

use crate::beam::{Beam, with_greedy};
use crate::error::ModelError;
use crate::prediction::{Prediction, PredictionBuilder};
use crate::readback::read_back;
use crate::vocabulary::Vocabulary;

/// The sizes of a search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Images.
    pub(crate) images: usize,
    /// Steps of each.
    pub(crate) steps: usize,
    /// Most texts that are continued at a step.
    pub(crate) width: usize,
    /// Values of a step of greedy decoding: logits, then attention.
    pub(crate) row: usize,
    /// Values of a text of a beam in one step: those, its parent and its last token, and more.
    pub(crate) beam_row: usize,
}

/// What the device has found, and has not given yet.
#[derive(Debug)]
pub(crate) struct Search {
    /// Steps of greedy decoding `[images, steps, row]`, then of the beams
    /// `[images, steps, width, beam_row]`, flat.
    pub(crate) record: Tensor<1>,
    pub(crate) sizes: Sizes,
}

impl Search {
    /// Predictions with up to `count` alternatives. Copies all results to the host at once.
    ///
    /// # Errors
    ///
    /// [`ModelError::DeviceLost`] if the device fails.
    pub(crate) async fn predictions(
        self,
        builder: PredictionBuilder<'_>,
        blank: Vec<bool>,
        count: usize,
    ) -> Result<Vec<Prediction>, ModelError> {
        let record = Record {
            values: read_back(self.record).await?,
            sizes: self.sizes,
        };
        let images = blank.into_iter().enumerate();
        images
            .map(|(image, blank)| match blank {
                // As without alternatives.
                true => Ok(builder.teacher_forced(record.greedy(image), blank, &[])),
                false => record.prediction(image, &builder, count),
            })
            .collect()
    }
}

/// The record of a search, on the host.
struct Record {
    values: Vec<f32>,
    sizes: Sizes,
}

impl Record {
    /// The steps of greedy decoding of one image.
    fn greedy(&self, image: usize) -> &[f32] {
        let length = self.sizes.steps * self.sizes.row;
        &self.values[image * length..][..length]
    }

    /// A text of a beam in one step.
    fn row(&self, image: usize, step: usize, row: usize) -> &[f32] {
        let Sizes {
            images,
            steps,
            width,
            row: greedy,
            beam_row,
        } = self.sizes;
        let start = images * steps * greedy;
        let at = (image * steps + step) * width + row;
        &self.values[start + at * beam_row..][..beam_row]
    }

    fn prediction(
        &self,
        image: usize,
        builder: &PredictionBuilder<'_>,
        count: usize,
    ) -> Result<Prediction, ModelError> {
        let mut prediction = builder.greedy(self.greedy(image), false);
        let texts = self.search(image, builder)?.finish();
        let found = texts
            .iter()
            .map(|text| text.alternative(builder.vocabulary));
        let mut found = with_greedy(found.collect(), &prediction, count);
        if let Some(first) = found.first_mut() {
            let best = &texts[0];
            // Otherwise it is the text of greedy decoding.
            if first.text != prediction.text {
                let steps = best.rows.iter().enumerate();
                let steps: Vec<f32> = steps
                    .flat_map(|(step, row)| &self.row(image, step, *row)[..self.sizes.row])
                    .copied()
                    .collect();
                prediction = builder.teacher_forced(&steps, false, &best.tokens);
            }
            // They differ by rounding only.
            first.confidence = prediction.confidence;
        }
        prediction.alternatives = found;
        Ok(prediction)
    }

    /// Repeats the search that the device has done.
    fn search(&self, image: usize, builder: &PredictionBuilder<'_>) -> Result<Beam, ModelError> {
        let vocabulary = builder.vocabulary.size();
        let mut beam = Beam::new(self.sizes.width, builder.temperature);
        for step in 0..self.sizes.steps {
            let open = beam.open.len();
            let logits = (0..open).map(|row| &self.row(image, step, row)[..vocabulary]);
            let next = step + 1;
            let characters = vocabulary - Vocabulary::FIRST_CHARACTER;
            let chosen = match next < self.sizes.steps {
                true => (0..self.sizes.width.min(open * characters))
                    .map(|row| self.choice(image, next, row, open, vocabulary))
                    .collect::<Result<Vec<_>, _>>()?,
                false => Vec::new(),
            };
            check_distinct(&chosen)?;
            if !beam.advance(logits, Some(&chosen)) {
                break;
            }
        }
        Ok(beam)
    }

    /// The text of the step before that a text continues, and its last token.
    fn choice(
        &self,
        image: usize,
        step: usize,
        row: usize,
        open: usize,
        vocabulary: usize,
    ) -> Result<(usize, usize), ModelError> {
        let values = &self.row(image, step, row)[self.sizes.row..];
        let (parent, token) = (values[0] as usize, values[1] as usize);
        // A broken driver can answer with anything.
        if parent < open && (Vocabulary::FIRST_CHARACTER..vocabulary).contains(&token) {
            return Ok((parent, token));
        }
        Err(impossible())
    }
}

/// Checks that no text is chosen twice.
fn check_distinct(chosen: &[(usize, usize)]) -> Result<(), ModelError> {
    let distinct: HashSet<_> = chosen.iter().collect();
    match distinct.len() == chosen.len() {
        true => Ok(()),
        false => Err(impossible()),
    }
}

fn impossible() -> ModelError {
    ModelError::DeviceLost("it answered with texts that cannot be".into())
}
