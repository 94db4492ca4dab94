use std::collections::BTreeMap;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use captcha_model::{
    Alternative, ModelConfig, Network, Prediction, Recognizer, Vocabulary, Weights,
};
use pollster::block_on;

use crate::support::{fresh, golden, images, through_a_file, tiny};

fn recognizer(network: &Network, config: &ModelConfig) -> Recognizer {
    Recognizer::new(&through_a_file(network, config), &Device::flex()).unwrap()
}

fn alternatives(recognizer: &Recognizer, count: usize) -> Vec<Alternative> {
    block_on(recognizer.recognize(&images(1), count))
        .unwrap()
        .remove(0)
        .alternatives
}

/// The probability of every text, by teacher forcing.
fn all_texts(
    network: &Network,
    config: &ModelConfig,
    features: &Tensor<3>,
) -> BTreeMap<String, f32> {
    let vocabulary = config.vocabulary().unwrap();
    let mut texts = vec![String::new()];
    let mut done = 0;
    while texts[done].chars().count() < config.max_length {
        let longer: Vec<_> = config
            .alphabet
            .chars()
            .map(|character| format!("{}{character}", texts[done]))
            .collect();
        texts.extend(longer);
        done += 1;
    }
    let probability = |text: &String| {
        let mut tokens = vec![Vocabulary::START as i32];
        tokens.extend(
            text.chars()
                .map(|character| vocabulary.id(character).unwrap() as i32),
        );
        let steps = tokens.len();
        let inputs: Tensor<2, Int> =
            Tensor::from_data(TensorData::new(tokens.clone(), [1, steps]), &Device::flex());
        let logits = network
            .decoder
            .teacher_forced(features.clone(), inputs)
            .logits;
        let rows: Vec<f32> = softmax(logits, 2).to_data().try_to_vec().unwrap();
        let row = |step: usize| &rows[step * vocabulary.size()..][..vocabulary.size()];
        let characters: f32 = (1..steps)
            .map(|step| row(step - 1)[tokens[step] as usize])
            .product();
        characters * row(steps - 1)[..3].iter().sum::<f32>()
    };
    texts
        .into_iter()
        .map(|text| (text.clone(), probability(&text)))
        .collect()
}

#[test]
fn alternatives_of_a_wide_beam_hold_every_text() {
    for carry_state in [true, false] {
        let mut config = tiny("ab", 3);
        config.decoder.carry_state = carry_state;
        let network = fresh(&config);
        let recognizer = recognizer(&network, &config);
        let inputs = recognizer.preprocess(&images(1)[0]).unwrap();
        let encoded = recognizer.encode(inputs).unwrap();
        let expected = all_texts(&network, &config, encoded.features());
        assert_eq!(expected.len(), 15);

        let found = alternatives(&recognizer, 100);
        assert_eq!(found.len(), 15);
        for Alternative { text, confidence } in &found {
            assert!((confidence - expected[text]).abs() < 1e-5, "{text}");
        }
        assert!(found.iter().map(|answer| answer.confidence).sum::<f32>() <= 1.0 + 1e-5);
        assert!(found.is_sorted_by(|a, b| a.confidence >= b.confidence));
        // A beam that holds all eight texts of three characters drops none.
        assert_eq!(alternatives(&recognizer, 8), found[..8]);
    }
}

#[test]
fn alternatives_of_a_confident_network_start_with_its_answer() {
    let Weights { config, .. } = golden();
    let mut network = golden().network(&Device::flex()).unwrap();
    network.decoder.output.weight = network
        .decoder
        .output
        .weight
        .map(|weight| weight.mul_scalar(10.0));
    let predictions = block_on(recognizer(&network, &config).recognize(&images(4), 5)).unwrap();
    for Prediction {
        text,
        confidence,
        alternatives,
        ..
    } in predictions
    {
        assert!(confidence > 0.5, "{text}: {confidence}");
        assert_eq!(alternatives[0].text, text);
        assert!((alternatives[0].confidence - confidence).abs() < 1e-4);
    }
}

#[test]
fn alternatives_are_as_many_as_asked_for_sorted_and_sum_to_at_most_one() {
    let recognizer = Recognizer::new(&golden(), &Device::flex()).unwrap();
    for count in [1, 3, 10, usize::MAX] {
        for prediction in block_on(recognizer.recognize(&images(3), count)).unwrap() {
            let found = &prediction.alternatives;
            assert_eq!(found.len(), count.min(Recognizer::MAX_ALTERNATIVES));
            assert!(found.is_sorted_by(|a, b| a.confidence >= b.confidence));
            assert!(found.iter().map(|answer| answer.confidence).sum::<f32>() <= 1.0 + 1e-5);
            let mut texts: Vec<_> = found.iter().map(|answer| &answer.text).collect();
            texts.sort();
            texts.dedup();
            assert_eq!(texts.len(), found.len(), "no text twice");
        }
    }
    assert_eq!(alternatives(&recognizer, 10), alternatives(&recognizer, 10));
}

#[test]
fn answer_is_the_first_alternative_for_any_count() {
    let mut differing = 0;
    for seed in 0..40 {
        Device::flex().seed(seed);
        let config = tiny("abc", 3);
        let mut network = fresh(&config);
        // Unsure enough that greedy decoding may miss the most likely text.
        network.decoder.output.weight = network
            .decoder
            .output
            .weight
            .map(|weight| weight.mul_scalar(6.0));
        let recognizer = recognizer(&network, &config);
        let read = |count| {
            block_on(recognizer.recognize(&images(1), count))
                .unwrap()
                .remove(0)
        };
        let greedy = read(0);
        let answers = [1, 2, 5, 10].map(read);
        for answer in &answers {
            let first = &answer.alternatives[0];
            assert_eq!(
                (&first.text, first.confidence),
                (&answer.text, answer.confidence)
            );
            assert!(answer.confidence >= greedy.confidence - 1e-6);
            assert_eq!(answer.text, answers[0].text);
            let characters: String = answer
                .characters
                .iter()
                .map(|character| character.character)
                .collect();
            assert_eq!(characters, answer.text);
            for character in &answer.characters {
                assert_eq!(
                    character.alternatives[0].character,
                    Some(character.character)
                );
                assert!((character.attention.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            }
        }
        differing += usize::from(greedy.text != answers[0].text);
    }
    assert!(differing > 0, "greedy decoding never missed the answer");
}
