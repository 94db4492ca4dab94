//! `captcha-lens info`

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use captcha_model::config::Proportions;
use clap::Args;
use serde_json::{Value, json};

use crate::args::read_or_built_in;

/// Arguments of `info`.
#[derive(Args, Debug)]
pub(crate) struct InfoArgs {
    /// Weights file; by default the built-in weights.
    weights: Option<PathBuf>,
    /// Print one JSON object with the whole configuration and the whole record of the training.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InfoArgs) -> Result<()> {
    let weights = read_or_built_in(args.weights.as_deref())?;
    let config = &weights.config;
    let parameters = weights.network(&Device::flex())?.num_params();
    let grid = config.grid();
    if args.json {
        let all = json!({
            "parameters": parameters,
            "multiply_adds": config.encoder_multiply_adds(),
            "grid": grid,
            "temperature": weights.temperature,
            "configuration": config,
            "training": weights.training,
        });
        writeln!(stdout(), "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    let (height, width) = (config.input.height, config.input.width);
    let mut lines = vec![
        ("parameters", parameters.to_string()),
        (
            "multiply-adds",
            format!("{} (encoder, one image)", config.encoder_multiply_adds()),
        ),
        (
            "input",
            match config.input.proportions {
                Proportions::Fixed => format!("{height} x {width} pixels"),
                Proportions::Image => {
                    format!("about {height} x {width} pixels, in each image's proportions")
                }
            },
        ),
        (
            "grid",
            match config.input.proportions {
                Proportions::Fixed => format!("{} x {}", grid.rows, grid.cols),
                Proportions::Image => format!(
                    "{} x {} for an input of {height} x {width}",
                    grid.rows, grid.cols
                ),
            },
        ),
        ("alphabet", config.alphabet.clone()),
        ("maximum length", config.max_length.to_string()),
        ("temperature", weights.temperature.to_string()),
    ];
    for (name, key) in [
        ("data", "data"),
        ("seed", "seed"),
        ("epoch", "epoch"),
        ("images seen", "images_seen"),
        ("validation", "validation_accuracy"),
        ("version", "version"),
        ("command", "command"),
    ] {
        match &weights.training[key] {
            Value::Null => {}
            Value::String(text) => lines.push((name, text.clone())),
            other => lines.push((name, other.to_string())),
        }
    }
    for (name, value) in lines {
        writeln!(stdout(), "{name:<14} {value}")?;
    }
    writeln!(stdout(), "For the whole record: captcha-lens info --json")?;
    Ok(())
}
