#![allow(missing_docs, clippy::unwrap_used)]
use burn::module::Module;
use burn::tensor::Device;
use captcha_model::weights::{Precision, save};
use captcha_model::{ModelConfig, Recognizer, Weights};

#[test]
fn smoke() {
    let device = Device::flex();
    for name in ModelConfig::PRESETS {
        let config = ModelConfig::preset(name).unwrap();
        let network = config.init(&device).unwrap();
        println!("{name} {} {:?} {}", network.num_params(), config.grid(), config.encoder_multiply_adds());
        let bytes = save(&network, &config, &serde_json::json!({"seed": 1}), Precision::Half).unwrap();
        let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        println!("{} {}", bytes.len(), String::from_utf8_lossy(&bytes[8..8 + n]));
        let weights = Weights::from_bytes(bytes).unwrap();
        let recognizer = Recognizer::new(&weights, &device).unwrap();
        let image = captcha_model::image::RgbImage::from_pixel(600, 320, image::Rgb([200, 3, 9]));
        let p = pollster::block_on(recognizer.recognize(&[image.clone(), image], 5)).unwrap();
        println!("{:?} {} {:?}", p[0].text, p[0].confidence, p[0].alternatives);
        assert_eq!(p[0], p[1]);
    }
}
