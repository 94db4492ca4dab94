use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, Tolerance};
use captcha_model::config::{BlockConfig, Proportions};
use captcha_model::image::RgbImage;
use captcha_model::{Character, Inputs, Recognizer, Vocabulary, Weights};
use pollster::block_on;

use crate::support::{code, fresh, golden, images, through_a_file, tiny};

fn recognizer() -> Recognizer {
    Recognizer::new(&golden(), &Device::flex()).unwrap()
}

/// Some images as one batch.
fn inputs(recognizer: &Recognizer, count: u8) -> Inputs {
    let images = images(count);
    let inputs = images
        .iter()
        .map(|image| recognizer.preprocess(image).unwrap());
    let batches = Inputs::batches(inputs.collect());
    assert_eq!(batches.len(), 1);
    batches.into_iter().next().unwrap().inputs
}

#[test]
fn recognize_gives_the_answers_of_the_network() {
    let recognizer = recognizer();
    let config = recognizer.config();
    let vocabulary = config.vocabulary().unwrap();
    let inputs = inputs(&recognizer, 4);
    let decoded = golden()
        .network(&Device::flex())
        .unwrap()
        .forward(inputs.images().clone(), config.steps());
    let [_, steps, size] = decoded.logits.dims();
    let likely: Vec<f32> = softmax(decoded.logits, 2).to_data().try_to_vec().unwrap();
    let attention: Vec<f32> = decoded.attention.to_data().try_to_vec().unwrap();

    let predictions = block_on(recognizer.recognize(&images(4), 0)).unwrap();
    assert_eq!(predictions.len(), 4);
    for (i, prediction) in predictions.iter().enumerate() {
        let rows: Vec<&[f32]> = likely.chunks(size).skip(i * steps).take(steps).collect();
        let mut confidence = 1.0;
        for (step, character) in prediction.characters.iter().enumerate() {
            let id = vocabulary.id(character.character).unwrap();
            assert!(rows[step].iter().all(|other| *other <= rows[step][id]));
            assert!((character.confidence - rows[step][id]).abs() < 1e-5);
            let positions = config.grid().positions();
            let expected = &attention[(i * steps + step) * positions..][..positions];
            assert_eq!(character.attention.len(), positions);
            for (weight, expected) in character.attention.iter().zip(expected) {
                // The recognizer folds biases, which changes the rounding.
                assert!((weight - expected).abs() < 1e-5);
            }
            assert!((character.attention.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let candidates = &character.alternatives;
            assert_eq!(candidates.len(), Character::ALTERNATIVES);
            assert_eq!(candidates[0].character, Some(character.character));
            assert!(candidates.is_sorted_by(|a, b| a.confidence >= b.confidence));
            for candidate in candidates {
                let id = candidate.character.map_or(Vocabulary::END, |character| {
                    vocabulary.id(character).unwrap()
                });
                assert!((candidate.confidence - rows[step][id]).abs() < 1e-5);
            }
            confidence *= rows[step][id];
        }
        let end: f32 = rows[prediction.characters.len()][..3].iter().sum();
        assert!((prediction.confidence - confidence * end).abs() < 1e-5);
        assert!(
            prediction
                .characters
                .iter()
                .map(|character| character.character)
                .eq(prediction.text.chars())
        );
        assert!(prediction.characters.len() <= config.max_length);
        assert_eq!(prediction.grid, config.grid());
        assert!(prediction.alternatives.is_empty());
    }
}

#[test]
fn recognize_of_a_batch_gives_the_answer_of_each_image() {
    let recognizer = recognizer();
    let images = images(3);
    let together = block_on(recognizer.recognize(&images, 3)).unwrap();
    for (image, expected) in images.iter().zip(&together) {
        let alone = block_on(recognizer.recognize(std::slice::from_ref(image), 3)).unwrap();
        assert_eq!(alone[0].text, expected.text);
        assert!((alone[0].confidence - expected.confidence).abs() < 1e-5);
        let [alone, expected] = [&alone[0], expected].map(|prediction| &prediction.alternatives);
        assert_eq!(alone.len(), expected.len());
        for (alone, expected) in alone.iter().zip(expected) {
            assert_eq!(alone.text, expected.text);
            assert!((alone.confidence - expected.confidence).abs() < 1e-5);
        }
    }
}

#[test]
fn preprocess_encode_decode_give_the_answer_of_recognize() {
    let recognizer = recognizer();
    let inputs = inputs(&recognizer, 2);
    assert_eq!(inputs.images().dims(), [2, 3, 20, 40]);
    let encoded = recognizer.encode(inputs.clone()).unwrap();
    let staged = block_on(recognizer.decode(encoded, 0)).unwrap();
    assert_eq!(
        staged,
        block_on(recognizer.recognize(&images(2), 0)).unwrap()
    );
    assert_eq!(
        staged,
        block_on(recognizer.recognize_inputs(vec![inputs], 0)).unwrap()
    );
}

#[test]
fn packed_blocks_have_the_features_of_the_network() {
    let device = Device::flex();
    for pool_first in [false, true] {
        let mut config = tiny("abc", 3);
        config.encoder.pool_first = pool_first;
        let last = BlockConfig::new(13, true, true, true).with_pool_cols(false);
        config.encoder.blocks.push(last);
        let mut network = fresh(&config);
        for norm in network
            .encoder
            .blocks
            .iter_mut()
            .flat_map(|block| &mut block.norm)
        {
            // Factors from -1.5 to 1.5: pooling and batch norm must keep their order.
            let values = |like: Tensor<1>, low: f32, high: f32| {
                let [count] = like.dims();
                let value = |i| low + (high - low) * i as f32 / (count - 1) as f32;
                let values: Vec<f32> = (0..count).map(value).collect();
                Tensor::<1>::from_floats(values.as_slice(), &device)
            };
            norm.gamma = norm.gamma.clone().map(|gamma| values(gamma, -1.5, 1.5));
            norm.beta = norm.beta.clone().map(|beta| values(beta, 0.5, -0.5));
            norm.running_mean
                .update(values(norm.running_mean.value(), -0.3, 0.3));
            norm.running_var
                .update(values(norm.running_var.value(), 0.3, 1.0));
        }
        let weights = through_a_file(&network, &config);
        let recognizer = Recognizer::new(&weights, &device).unwrap();
        let inputs = inputs(&recognizer, 3);
        let network = weights.network(&device).unwrap();
        let expected = network.encoder.forward(inputs.images().clone());
        // The second time, the weights are packed already.
        for _ in 0..2 {
            let encoded = recognizer.encode(inputs.images().clone()).unwrap();
            encoded
                .features()
                .clone()
                .into_data()
                .assert_approx_eq::<f32>(&expected.clone().into_data(), Tolerance::absolute(1e-4));
        }
    }
}

#[test]
fn recognize_gives_each_image_an_input_of_its_proportions() {
    let mut config = tiny("abc", 3);
    config.input.proportions = Proportions::Image;
    // Inputs of several sizes share the packed weights.
    for block in &mut config.encoder.blocks {
        block.filters = 12;
    }
    config
        .encoder
        .blocks
        .push(BlockConfig::new(12, true, true, false));
    let weights = through_a_file(&fresh(&config), &config);
    let recognizer = Recognizer::new(&weights, &Device::flex()).unwrap();
    let wide = |image: &RgbImage| {
        let mut wide =
            RgbImage::from_pixel(4 * image.height(), image.height(), image::Rgb([255; 3]));
        image::imageops::replace(&mut wide, image, 0, 0);
        wide
    };
    let mut images = images(4);
    images[1] = wide(&images[1]);
    images[2] = wide(&images[2]);
    for alternatives in [0, 2] {
        let together = block_on(recognizer.recognize(&images, alternatives)).unwrap();
        assert_eq!(together.len(), 4);
        for (image, read) in images.iter().zip(&together) {
            let (width, height) = image.dimensions();
            let sized = config.for_image(width, height);
            assert_eq!(read.grid, sized.grid());
            // A network with this fixed input gives the same answer.
            let fixed = through_a_file(&weights.network(&Device::flex()).unwrap(), &sized);
            let fixed = Recognizer::new(&fixed, &Device::flex()).unwrap();
            let alone =
                block_on(fixed.recognize(std::slice::from_ref(image), alternatives)).unwrap();
            assert_eq!(alone[0].text, read.text);
            assert!((alone[0].confidence - read.confidence).abs() < 1e-5);
        }
    }
    assert_ne!(
        config.for_image(40, 20).grid(),
        config.for_image(80, 20).grid()
    );
}

#[test]
fn recognize_of_no_images_is_empty() {
    assert!(block_on(recognizer().recognize(&[], 3)).unwrap().is_empty());
}

#[test]
fn recognize_on_an_autodiff_device_gives_the_same_answer() {
    let weights = through_a_file(&fresh(&tiny("abc", 3)), &tiny("abc", 3));
    let read = |weights: &Weights, device: &Device| {
        let recognizer = Recognizer::new(weights, device).unwrap();
        assert!(!recognizer.device().is_autodiff());
        let input = Tensor::<4>::ones([1, 3, 20, 40], device);
        (
            block_on(recognizer.recognize(&images(2), 2)).unwrap(),
            block_on(recognizer.recognize_inputs(vec![input.into()], 0)).unwrap(),
        )
    };
    let expected = read(&weights, &Device::flex());
    assert_eq!(read(&weights, &Device::flex().autodiff()), expected);
}

#[test]
fn recognize_takes_512_characters_and_16_places() {
    // Letters, digits and characters of other scripts, also outside of the first 65,536.
    let characters = ('0'..='z').filter(char::is_ascii_alphanumeric);
    let ideographs = characters.chain('\u{4e00}'..).take(500);
    let alphabet: String = ideographs.chain('\u{20000}'..).take(512).collect();
    let config = tiny(&alphabet, 16);
    let mut network = fresh(&config);
    // The bias forbids an early end.
    let bias = network.decoder.output.bias.clone().unwrap();
    network.decoder.output.bias = Some(bias.map(|bias| {
        let special = Tensor::full([Vocabulary::FIRST_CHARACTER], -10.0, &bias.device());
        let characters = bias.dims()[0] - Vocabulary::FIRST_CHARACTER;
        Tensor::cat(
            vec![special, Tensor::zeros([characters], &bias.device())],
            0,
        )
    }));
    let weights = through_a_file(&network, &config);
    let recognizer = Recognizer::new(&weights, &Device::flex()).unwrap();
    let vocabulary = config.vocabulary().unwrap();
    let known = |text: &str| text.chars().all(|c| vocabulary.id(c).is_some());
    for prediction in block_on(recognizer.recognize(&images(3), 0)).unwrap() {
        assert_eq!(prediction.text.chars().count(), 16, "{prediction:?}");
        assert!(known(&prediction.text));
    }
    for prediction in block_on(recognizer.recognize(&images(3), 5)).unwrap() {
        assert_eq!(prediction.alternatives.len(), 5);
        assert!(prediction.alternatives.iter().all(|one| known(&one.text)));
    }
}

#[test]
fn recognize_with_uniform_logits_gives_no_text() {
    let config = tiny("abc", 3);
    let mut network = fresh(&config);
    network.decoder.output.weight = network
        .decoder
        .output
        .weight
        .map(|weight| weight.zeros_like());
    let recognizer = Recognizer::new(&through_a_file(&network, &config), &Device::flex()).unwrap();
    let prediction = block_on(recognizer.recognize(&images(1), 1))
        .unwrap()
        .remove(0);
    // Of six equally likely tokens the first is taken, which is not a character. Three of them end
    // the text.
    assert_eq!(prediction.text, "");
    assert!((prediction.confidence - 0.5).abs() < 1e-6);
    assert_eq!(prediction.alternatives[0].text, "");
}

#[test]
fn decode_of_values_that_are_not_finite_is_an_error() {
    let recognizer = recognizer();
    let inputs = inputs(&recognizer, 1);
    let encoded = recognizer.encode(inputs).unwrap();
    for value in [f32::NAN, f32::INFINITY] {
        let [_, positions, size] = encoded.features().dims();
        let features = Tensor::<3>::full([1, positions, size], value, &Device::flex());
        assert_eq!(
            code(block_on(recognizer.decode(features, 2))),
            "device-lost"
        );
    }
}

#[test]
fn recognize_marks_blank_images() {
    let recognizer = recognizer();
    let white = RgbImage::from_pixel(200, 100, image::Rgb([255; 3]));
    let with = |square: [u8; 3]| {
        let mut image = white.clone();
        for (x, y) in (60..140).flat_map(|x| (30..70).map(move |y| (x, y))) {
            image.put_pixel(x, y, image::Rgb(square));
        }
        image
    };
    let cases = [
        (white.clone(), true),
        (RgbImage::new(1, 1), true),
        (
            RgbImage::from_pixel(30, 90, image::Rgb([10, 200, 30])),
            true,
        ),
        // White after JPEG compression.
        (with([253, 254, 255]), true),
        (with([240, 255, 255]), false),
        (with([0; 3]), false),
    ];
    let (images, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    for alternatives in [0, 3] {
        let read = block_on(recognizer.recognize(&images, alternatives)).unwrap();
        let blank: Vec<_> = read.iter().map(|prediction| prediction.blank).collect();
        assert_eq!(blank, expected, "with {alternatives} alternatives");
        for prediction in read.iter().filter(|prediction| prediction.blank) {
            assert_eq!(prediction.text, "");
            assert!(prediction.characters.is_empty() && prediction.alternatives.is_empty());
        }
    }
}

#[test]
fn encode_and_decode_of_another_shape_are_errors() {
    let recognizer = recognizer();
    let tensor = |shape: [usize; 4]| Tensor::<4>::zeros(shape, &Device::flex());
    let wrong = [
        [1, 3, 21, 40],
        [1, 3, 20, 42],
        [1, 1, 20, 40],
        [1, 3, 40, 20],
        [0, 3, 20, 40],
    ];
    for _ in 0..2 {
        for shape in wrong {
            let refused = recognizer.encode(tensor(shape));
            assert_eq!(code(refused), "invalid-input", "{shape:?}");
            let refused = block_on(recognizer.recognize_inputs(vec![tensor(shape).into()], 0));
            assert_eq!(code(refused), "invalid-input", "{shape:?}");
        }
        block_on(recognizer.recognize_inputs(vec![tensor([2, 3, 20, 40]).into()], 0)).unwrap();
    }
    let features = Tensor::<3>::zeros([1, 35, 10], &Device::flex());
    assert_eq!(
        code(block_on(recognizer.decode(features, 0))),
        "invalid-input"
    );
}

#[test]
fn prediction_to_json_has_the_documented_fields() {
    let prediction = block_on(recognizer().recognize(&images(1), 1))
        .unwrap()
        .remove(0);
    let json = serde_json::to_value(&prediction).unwrap();
    let mut keys: Vec<_> = json.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "alternatives",
            "blank",
            "characters",
            "confidence",
            "grid",
            "text"
        ]
    );
    assert_eq!(json["grid"], serde_json::json!({ "rows": 4, "cols": 9 }));
    assert_eq!(
        json["characters"][0]["attention"].as_array().unwrap().len(),
        36
    );
    assert!(json["characters"][0]["character"].is_string());
    assert!(json["alternatives"][0]["confidence"].is_number());
}
