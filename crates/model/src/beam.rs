//! The most likely texts: beam search over the decoder's steps.

use burn::tensor::{Device, Int, Tensor};

use crate::decoder::Decoder;
use crate::distribution::Distribution;
use crate::error::ModelError;
use crate::prediction::Alternative;
use crate::readback::read_back;
use crate::vocabulary::Vocabulary;

/// The beginning of a text, or a complete text.
#[derive(Clone, Debug)]
struct Hypothesis {
    tokens: Vec<usize>,
    probability: f64,
}

/// The most likely texts of one image that a beam of this width finds, most likely first. Of
/// equally likely texts, the shorter one comes first, then the earlier one in the alphabet.
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
    let mut open = vec![Hypothesis {
        tokens: Vec::new(),
        probability: 1.0,
    }];
    let mut complete: Vec<Hypothesis> = Vec::new();
    for length in 0..=max_length {
        let last = open
            .iter()
            .map(|text| text.tokens.last().map_or(Vocabulary::START, |id| *id));
        let tokens = decoder.embed(indices(last, &device));
        let step = decoder.step(&memory, tokens, state);
        let logits = read_back(step.logits).await?;

        let mut longer = Vec::new();
        for (parent, (text, row)) in open
            .iter()
            .zip(logits.chunks_exact(vocabulary.size()))
            .enumerate()
        {
            let next = Distribution::new(row, temperature);
            complete.push(Hypothesis {
                tokens: text.tokens.clone(),
                probability: text.probability * next.end_probability(),
            });
            longer.extend(
                next.characters()
                    .map(|(id, likely)| (parent, id, text.probability * likely)),
            );
        }
        keep_most_likely(&mut complete, width, |text| text.probability);
        keep_most_likely(&mut longer, width, |(_, _, probability)| *probability);

        // A longer text is never more likely than its beginning.
        let settled = complete.len() == width && longer[0].2 <= complete[width - 1].probability;
        if settled || length == max_length {
            break;
        }
        state = step.state.select(
            0,
            indices(longer.iter().map(|(parent, ..)| *parent), &device),
        );
        open = longer
            .into_iter()
            .map(|(parent, id, probability)| Hypothesis {
                tokens: open[parent].tokens.iter().copied().chain([id]).collect(),
                probability,
            })
            .collect();
    }
    Ok(complete
        .into_iter()
        .map(|text| Alternative {
            text: text
                .tokens
                .iter()
                .filter_map(|id| vocabulary.character(*id))
                .collect(),
            confidence: text.probability as f32,
        })
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
