use burn::module::Param;
use burn::tensor::{Device, Tensor};
use captcha_model::golden::{GoldenError, compare};
use captcha_model::{Network, Recognizer, Vocabulary};
use pollster::block_on;

use crate::support::{fresh, golden, through_a_file, tiny};

/// The comparison of a network with one that stands for a device that computes wrongly.
fn compared(right: &Network, wrong: &Network) -> Result<(), GoldenError> {
    let config = tiny("abc", 3);
    let [right, wrong] = [right, wrong].map(|network| {
        Recognizer::new(&through_a_file(network, &config), &Device::flex()).unwrap()
    });
    block_on(compare(&right, &wrong))
}

/// A network that recognizes no character in any image.
fn silent() -> Network {
    let mut network = fresh(&tiny("abc", 3));
    let mut bias = [0.0; 6];
    bias[Vocabulary::END] = 50.0;
    let bias = Tensor::from_floats(bias, &Device::flex());
    network.decoder.output.bias = Some(Param::from_tensor(bias));
    network
}

#[test]
fn compare_with_the_same_network_succeeds() {
    let recognizer = Recognizer::new(&golden(), &Device::flex()).unwrap();
    block_on(compare(&recognizer, &recognizer)).unwrap();
    let network = silent();
    compared(&network, &network).unwrap();
}

#[test]
fn compare_with_wrong_attention_fails_without_any_text() {
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
fn compare_with_wrong_logits_fails_with_the_same_text() {
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
fn compare_with_another_network_fails() {
    let [right, other] = [golden(), through_a_file(&silent(), &tiny("abc", 3))]
        .map(|weights| Recognizer::new(&weights, &Device::flex()).unwrap());
    let refused = block_on(compare(&right, &other));
    assert!(matches!(refused, Err(GoldenError::Differs)));
}
