//! The most likely texts: beam search over the decoder's steps.

use burn::tensor::{Device, Int, Tensor};

use crate::decoder::Decoder;
use crate::distribution::Distribution;
use crate::error::ModelError;
use crate::prediction::{Alternative, Prediction};
use crate::readback::read_back;
use crate::vocabulary::Vocabulary;

/// The beginning of a text, or a complete text.
#[derive(Clone, Debug)]
pub(crate) struct Hypothesis {
    /// The characters.
    pub(crate) tokens: Vec<usize>,
    /// Its row in the beam at each step: one more than characters.
    pub(crate) rows: Vec<usize>,
    probability: f64,
}

/// The texts of one image's search, at one step.
///
/// Of equally likely texts, the shorter one comes first, then the earlier one in the alphabet.
#[derive(Clone, Debug)]
pub(crate) struct Beam {
    /// The texts that are continued, in the order of their rows.
    pub(crate) open: Vec<Hypothesis>,
    complete: Vec<Hypothesis>,
    width: usize,
    temperature: f64,
}

impl Beam {
    /// The beam before the first step.
    pub(crate) fn new(width: usize, temperature: f64) -> Self {
        let empty = Hypothesis {
            tokens: Vec::new(),
            rows: vec![0],
            probability: 1.0,
        };
        Self {
            open: vec![empty],
            complete: Vec::new(),
            width,
            temperature,
        }
    }

    /// Continues with `chosen` texts, each an open text and a token, or with the most likely ones.
    /// False if no longer text can be among the most likely.
    ///
    /// `logits` holds those of each open text.
    pub(crate) fn advance<'a>(
        &mut self,
        logits: impl Iterator<Item = &'a [f32]>,
        chosen: Option<&[(usize, usize)]>,
    ) -> bool {
        let next: Vec<Distribution> = logits
            .map(|logits| Distribution::new(logits, self.temperature))
            .collect();
        let texts = || self.open.iter().zip(&next);
        self.complete.extend(texts().map(|(text, next)| Hypothesis {
            probability: text.probability * next.end_probability(),
            ..text.clone()
        }));
        let likely =
            |parent: usize, id: usize| self.open[parent].probability * next[parent].probability(id);
        let longer: Vec<(usize, usize, f64)> = match chosen {
            Some(chosen) => chosen
                .iter()
                .map(|(parent, id)| (*parent, *id, likely(*parent, *id)))
                .collect(),
            None => {
                let mut longer: Vec<_> = texts()
                    .enumerate()
                    .flat_map(|(parent, (text, next))| {
                        next.characters()
                            .map(move |(id, likely)| (parent, id, text.probability * likely))
                    })
                    .collect();
                keep_most_likely(&mut longer, self.width, |(_, _, probability)| *probability);
                longer
            }
        };
        keep_most_likely(&mut self.complete, self.width, |text| text.probability);

        // A longer text is never more likely than its beginning.
        let least = self.complete.get(self.width - 1);
        let is_settled = match (longer.first(), least) {
            (Some((_, _, longest)), Some(least)) => *longest <= least.probability,
            (None, _) => true,
            (_, None) => false,
        };
        if is_settled {
            return false;
        }
        self.open = longer
            .into_iter()
            .enumerate()
            .map(|(row, (parent, id, probability))| {
                let parent = &self.open[parent];
                Hypothesis {
                    tokens: parent.tokens.iter().copied().chain([id]).collect(),
                    rows: parent.rows.iter().copied().chain([row]).collect(),
                    probability,
                }
            })
            .collect();
        true
    }

    /// The most likely texts, most likely first.
    pub(crate) fn finish(self) -> Vec<Hypothesis> {
        self.complete
    }
}

impl Hypothesis {
    /// The text as an alternative.
    pub(crate) fn alternative(&self, vocabulary: &Vocabulary) -> Alternative {
        Alternative {
            text: self
                .tokens
                .iter()
                .filter_map(|id| vocabulary.character(*id))
                .collect(),
            confidence: self.probability as f32,
        }
    }
}

/// Adds the text of greedy decoding if the beam has dropped it, and keeps the most likely.
pub(crate) fn with_greedy(
    mut found: Vec<Alternative>,
    greedy: &Prediction,
    count: usize,
) -> Vec<Alternative> {
    if found.iter().all(|other| other.text != greedy.text) {
        found.push(Alternative {
            text: greedy.text.clone(),
            confidence: greedy.confidence,
        });
        found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    }
    found.truncate(count);
    found
}

/// The most likely texts of one image that a beam of this width finds, most likely first.
///
/// The hypotheses are the decoder's batch. They are sorted on the host, with one small read-back
/// for each step, because burn's sort needs a synchronous read-back, which browsers do not have.
///
/// # Shapes
///
/// - `features`: `[1, positions, features]`
///
/// # Errors
///
/// [`ModelError::DeviceLost`] if the device fails.
pub(crate) async fn beam_search(
    decoder: &Decoder,
    features: Tensor<3>,
    vocabulary: &Vocabulary,
    max_length: usize,
    width: usize,
    temperature: f64,
) -> Result<Vec<Alternative>, ModelError> {
    let device = features.device();
    let memory = decoder.attention.project_keys(features);
    let mut state = decoder.start_state(1, &device);
    let mut beam = Beam::new(width, temperature);
    for length in 0..=max_length {
        let last = beam
            .open
            .iter()
            .map(|text| text.tokens.last().map_or(Vocabulary::START, |id| *id));
        let tokens = decoder.embed(indices(last, &device));
        let step = decoder.step(&memory, tokens, state);
        let logits = read_back(step.logits).await?;
        let goes_on = beam.advance(logits.chunks_exact(vocabulary.size()), None);
        if !goes_on || length == max_length {
            break;
        }
        let parents = beam.open.iter().map(|text| text.rows[length]);
        state = step.state.select(0, indices(parents, &device));
    }
    let texts = beam.finish();
    Ok(texts
        .iter()
        .map(|text| text.alternative(vocabulary))
        .collect())
}

/// Keeps the most likely items, sorted; equally likely ones stay in their order.
fn keep_most_likely<T>(items: &mut Vec<T>, count: usize, probability: impl Fn(&T) -> f64) {
    items.sort_by(|a, b| probability(b).total_cmp(&probability(a)));
    items.truncate(count);
}

fn indices(ids: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let ids: Vec<i32> = ids.map(|id| id as i32).collect();
    Tensor::from_ints(ids.as_slice(), device)
}
