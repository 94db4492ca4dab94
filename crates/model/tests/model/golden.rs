use burn::module::Param;
use burn::tensor::{Device, Tensor};
use captcha_model::golden::{GoldenError, compare};
use captcha_model::{Network, Recognizer, Vocabulary};
use pollster::block_on;

use crate::support::{fresh, golden, through_a_file, tiny};

/// What a network is compared to when a device computes as if it were another one.
fn compared(right: &Network, wrong: &Network) -> Result<(), GoldenError> {
    let config = tiny("abc", 3);
    let [right, wrong] = [right, wrong].map(|network| {
        Recognizer::new(&through_a_file(network, &config), &Device::flex()).unwrap()
    });
    block_on(compare(&right, &wrong))
}

/// A network that sees no character in any image.
fn silent() -> Network {
    let mut network = fresh(&tiny("abc", 3));
    let mut bias = [0.0; 6];
    bias[Vocabulary::END] = 50.0;
    let bias = Tensor::from_floats(bias, &Device::flex());
    network.decoder.output.bias = Some(Param::from_tensor(bias));
    network
}

#[test]
fn a_device_that_computes_right_is_trusted() {
    let recognizer = Recognizer::new(&golden(), &Device::flex()).unwrap();
    block_on(compare(&recognizer, &recognizer)).unwrap();
    let network = silent();
    compared(&network, &network).unwrap();
}

#[test]
fn wrong_attention_is_seen_even_where_nothing_is_read() {
    let right = silent();
    let mut wrong = right.clone();
    wrong.decoder.attention.score.weight = wrong
        .decoder
        .attention
        .score
        .weight
        .map(|weight| weight.mul_scalar(-30.0));
    assert!(matches!(
        compared(&right, &wrong),
        Err(GoldenError::Differs)
    ));
}

#[test]
fn wrong_logits_are_seen_even_where_the_text_is_the_same() {
    let right = silent();
    let mut wrong = right.clone();
    wrong.decoder.output.bias = wrong
        .decoder
        .output
        .bias
        .map(|bias| bias.map(|bias| bias.mul_scalar(1.1)));
    assert!(matches!(
        compared(&right, &wrong),
        Err(GoldenError::Differs)
    ));
}

#[test]
fn another_networks_answers_are_no_match() {
    let [right, other] = [golden(), through_a_file(&silent(), &tiny("abc", 3))]
        .map(|weights| Recognizer::new(&weights, &Device::flex()).unwrap());
    let refused = block_on(compare(&right, &other));
    assert!(matches!(refused, Err(GoldenError::Differs)));
}
