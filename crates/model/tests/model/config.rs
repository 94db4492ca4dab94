use burn::module::Module;
use burn::tensor::{Device, Tensor};
use captcha_model::config::{BlockConfig, Grid, Proportions};
use captcha_model::image::{RgbImage, batch, preprocess};
use captcha_model::{ModelConfig, ModelError};
use image::Rgb;

use crate::support::{code, fresh, tiny};

#[test]
fn paper_preset_has_the_size_of_the_paper() {
    let config = ModelConfig::paper();
    assert_eq!(fresh(&config).num_params(), 5_832_606);
    assert_eq!(config.encoder_multiply_adds(), 856_525_824);
    assert_eq!(config.vocabulary().unwrap().size(), 29);
    assert_eq!(config.steps(), 6);
}

#[test]
fn paper_preset_has_the_shapes_of_the_paper() {
    let encoder = fresh(&ModelConfig::paper()).encoder;
    let mut maps = Tensor::<4>::zeros([1, 3, 50, 100], &Device::flex());
    let shapes = encoder.blocks.iter().map(|block| {
        maps = block.forward(maps.clone());
        maps.dims()
    });
    assert_eq!(
        shapes.collect::<Vec<_>>(),
        [
            [1, 96, 24, 49],
            [1, 128, 24, 49],
            [1, 256, 12, 24],
            [1, 384, 6, 12],
            [1, 384, 3, 6],
            [1, 256, 3, 6],
        ]
    );
    let features = encoder.forward(Tensor::zeros([1, 3, 50, 100], &Device::flex()));
    assert_eq!(features.dims(), [1, 18, 256]);
}

#[test]
fn init_of_convolutions_is_that_of_keras() {
    for block in fresh(&ModelConfig::paper()).encoder.blocks {
        let [_, channels, rows, cols] = block.conv.weight.dims();
        let limit = (6.0 / (channels * rows * cols) as f32).sqrt();
        let largest: f32 = block.conv.weight.val().abs().max().into_scalar();
        assert!(largest <= limit && largest > 0.99 * limit, "he-uniform");
        let bias = block.conv.bias.unwrap().val();
        assert!(bias.into_data().iter::<f32>().all(|value| value == 0.0));
    }
}

#[test]
fn compact_preset_is_small_with_a_fine_grid() {
    let config = ModelConfig::compact();
    assert!(fresh(&config).num_params() <= 1_500_000);
    let paper = ModelConfig::paper().encoder_multiply_adds();
    assert!((paper / 20..2 * paper / 5).contains(&config.encoder_multiply_adds()));
    assert_eq!(config.grid(), Grid { rows: 6, cols: 24 });
    assert!(config.decoder.carry_state);
}

#[test]
fn preset_by_name_is_valid() {
    for name in ModelConfig::PRESETS {
        ModelConfig::preset(name).unwrap().validate().unwrap();
    }
    assert_eq!(ModelConfig::preset("papre"), None);
}

#[test]
fn config_to_json_and_back_is_equal() {
    for config in [
        ModelConfig::paper(),
        ModelConfig::compact(),
        tiny("éß字", 9),
    ] {
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<ModelConfig>(&json).unwrap(), config);
    }
}

#[test]
fn config_without_pool_cols_pools_columns() {
    let json = r#"{ "filters": 8, "padded": true, "norm": true, "pool": true }"#;
    let block: BlockConfig = serde_json::from_str(json).unwrap();
    assert_eq!(block, BlockConfig::new(8, true, true, true));
    assert!(block.pool_cols);
}

#[test]
fn config_without_unshuffle_has_none() {
    let config = tiny("ab", 2);
    let mut json = serde_json::to_value(&config).unwrap();
    json["encoder"].as_object_mut().unwrap().remove("unshuffle");
    assert_eq!(serde_json::from_value::<ModelConfig>(json).unwrap(), config);
}

#[test]
fn unshuffle_moves_each_pixel_of_a_square_to_one_position() {
    let plain = tiny("ab", 2);
    let mut fine = plain.clone();
    fine.encoder.unshuffle = 2;
    (fine.input.height, fine.input.width) = (2 * plain.input.height, 2 * plain.input.width);
    assert_eq!(fine.grid(), plain.grid());
    assert_eq!(
        fine.input_shape(),
        [12, plain.input.height, plain.input.width]
    );
    let encoder = fresh(&fine).encoder;
    let [_, channels, ..] = encoder.blocks[0].conv.weight.dims();
    assert_eq!(channels, 12);
    // Each of the four pixels of a square has an effect.
    let (rows, cols) = (fine.input.height as u32, fine.input.width as u32);
    let features = |image: &RgbImage| {
        let values = preprocess(image, &fine).unwrap();
        encoder.forward(batch(vec![values], &fine, &Device::flex()))
    };
    let blank = features(&RgbImage::new(cols, rows));
    for (row, col) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut dot = RgbImage::new(cols, rows);
        dot.put_pixel(cols / 4 * 2 + col, rows / 4 * 2 + row, Rgb([255; 3]));
        let difference = (features(&dot) - blank.clone()).abs().max();
        assert!(difference.into_scalar::<f32>() > 0.0, "{row}, {col}");
    }
}

#[test]
fn grid_is_the_shape_of_the_features() {
    for config in [tiny("ab", 2), ModelConfig::compact()] {
        let [channels, rows, cols] = config.input_shape();
        let input = Tensor::zeros([2, channels, rows, cols], &Device::flex());
        let [_, positions, features] = fresh(&config).encoder.forward(input).dims();
        assert_eq!(positions, config.grid().positions());
        assert_eq!(features, config.encoder.features);
    }
}

#[test]
fn init_of_an_invalid_config_is_an_error() {
    let mistakes: [fn(&mut ModelConfig); 17] = [
        |config| config.input.height = 0,
        |config| config.input.width = 1 << 40,
        |config| config.encoder.blocks.clear(),
        |config| config.encoder.blocks[0].filters = 0,
        |config| config.encoder.blocks = vec![BlockConfig::new(8, true, false, true); 5],
        |config| config.encoder.unshuffle = 0,
        |config| (config.encoder.unshuffle, config.input.width) = (2, 2 * config.input.width + 1),
        |config| config.encoder.dropout = 1.0,
        |config| config.encoder.dropout = f64::NAN,
        |config| config.encoder.norm_momentum = -0.1,
        |config| config.decoder.units = 1 << 20,
        |config| config.alphabet.clear(),
        |config| config.alphabet = "abca".into(),
        |config| config.max_length = 65,
        // Each size is within its limit, but together they need too much memory.
        |config| (config.input.height, config.input.width) = (4096, 4096),
        // In the browser's 32 bits, the product is zero.
        |config| {
            (config.input.height, config.input.width) = (4096, 4096);
            config.encoder.blocks[0] = BlockConfig::new(256, true, false, true);
        },
        |config| config.alphabet = ('\u{4e00}'..).take(5000).collect(),
    ];
    tiny("ab", 2).validate().unwrap();
    for (i, make) in mistakes.into_iter().enumerate() {
        let mut config = tiny("ab", 2);
        make(&mut config);
        let refused: Result<_, ModelError> = config.init(&Device::flex());
        assert!(refused.is_err(), "case {i} was built");
        assert_eq!(code(refused), "invalid-config", "case {i}");
    }
}

#[test]
fn input_of_grid_is_the_smallest_input_with_that_grid() {
    for config in [ModelConfig::compact(), ModelConfig::paper()] {
        for (rows, cols) in [(3, 6), (6, 24), (4, 51)] {
            let grid = Grid { rows, cols };
            let mut sized = config.clone();
            [sized.input.height, sized.input.width] = config.input_of_grid(grid);
            assert_eq!(sized.grid(), grid);
            let side = config.encoder.unshuffle;
            sized.input.height -= side;
            assert_eq!(sized.grid().rows, rows - 1);
            sized.input.width -= side;
            assert_eq!(sized.grid().cols, cols - 1);
        }
    }
    let compact = ModelConfig::compact();
    assert_eq!(compact.input_of_grid(compact.grid()), [196, 388]);
}

#[test]
fn input_size_has_the_proportions_and_the_pixels() {
    let compact = ModelConfig::compact();
    let pixels = (compact.input.height * compact.input.width) as f64;
    for aspect_ratio in [0.5f64, 1.0, 2.0, 2.67, 4.0, 5.0, 8.0, 10.0] {
        let [height, width] = compact.input_size(aspect_ratio, pixels);
        let aspect_ratio = aspect_ratio.min(4.0);
        compact.with_input([height, width]).validate().unwrap();
        let ratio = width as f64 / height as f64 / aspect_ratio;
        assert!(
            (0.85..1.18).contains(&ratio),
            "{aspect_ratio}: {height} x {width}"
        );
        let share = (height * width) as f64 / pixels;
        assert!(
            (0.7..1.4).contains(&share),
            "{aspect_ratio}: {height} x {width}"
        );
        // Odd maps are slower.
        let grid = compact.with_input([height, width]).grid();
        assert!(grid.cols.is_multiple_of(2) && grid.rows.is_multiple_of(2));
    }
    assert_eq!(compact.input_size(388.0 / 196.0, pixels), [196, 388]);
}

#[test]
fn for_image_follows_the_image_or_not() {
    let mut config = ModelConfig::compact();
    assert_eq!(config.for_image(400, 50), config);
    assert_eq!(config.input_sizes(), [[196, 388]]);
    config.input.proportions = Proportions::Image;
    config.validate().unwrap();
    let size = |width, height| {
        let input = config.for_image(width, height).input;
        assert_eq!(input.proportions, Proportions::Fixed);
        [input.height, input.width]
    };
    // The paper's images have the input of the fixed configuration.
    assert_eq!(size(100, 50), [196, 388]);
    assert_eq!(size(200, 50), [132, 516]);
    assert_eq!(size(50, 200), size(60, 60));
    assert_eq!(size(4000, 20), size(400, 100));
    let sizes = config.input_sizes();
    for (width, height) in [
        (0, 0),
        (1, 1),
        (1, 65_535),
        (65_535, 1),
        (130, 35),
        (222, 50),
    ] {
        assert!(sizes.contains(&size(width, height)), "{width} x {height}");
    }
    // An input's size has the proportions that lead to it.
    for [height, width] in sizes {
        assert_eq!(size(width as u32, height as u32), [height, width]);
    }
}

#[test]
fn config_with_fixed_proportions_is_written_as_before() {
    let mut config = ModelConfig::compact();
    let fixed = serde_json::to_string(&config).unwrap();
    assert!(!fixed.contains("proportions"));
    config.input.proportions = Proportions::Image;
    let json = serde_json::to_string(&config).unwrap();
    assert!(json.contains(r#""proportions":"Image""#));
    assert_eq!(serde_json::from_str::<ModelConfig>(&json).unwrap(), config);
}
