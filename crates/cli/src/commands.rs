//! The commands: each has its arguments and what it does in one file.

mod audit;
#[cfg(feature = "train")]
mod average;
#[cfg(feature = "train")]
mod calibrate;
mod evaluate;
#[cfg(feature = "train")]
mod export;
#[cfg(feature = "train")]
mod figures;
#[cfg(feature = "train")]
mod finetune;
#[cfg(feature = "train")]
mod generate;
mod info;
mod quantize;
mod recognize;
#[cfg(feature = "train")]
mod train;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Recognizes text CAPTCHAs with a neural network.
///
/// Use it only on CAPTCHAs that you run or may test. All data stays on this machine.
#[derive(Debug, Parser)]
#[command(name = "captcha-lens", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network, or resume a run.
    #[cfg(feature = "train")]
    Train(train::TrainArgs),
    /// Adapt a network to your own labelled images, with any characters.
    #[cfg(feature = "train")]
    Finetune(finetune::FinetuneArgs),
    /// Measure the accuracy on labelled images.
    Evaluate(evaluate::EvaluateArgs),
    /// Calibrate the confidence of a weights file.
    #[cfg(feature = "train")]
    Calibrate(calibrate::CalibrateArgs),
    /// Draw charts of training runs and accuracy.
    #[cfg(feature = "train")]
    Figures(figures::FiguresArgs),
    /// Recognize a folder of images and write a report on how many this model solves.
    Audit(audit::AuditArgs),
    /// Recognize images.
    Recognize(recognize::RecognizeArgs),
    /// Write labelled synthetic images.
    #[cfg(feature = "train")]
    Generate(generate::GenerateArgs),
    /// Write a checkpoint of a run as a weights file.
    #[cfg(feature = "train")]
    Export(export::ExportArgs),
    /// Write the mean of several networks' weights.
    #[cfg(feature = "train")]
    Average(average::AverageArgs),
    /// Write weights with 8 bits each, or 16 where 8 lose too much, for a smaller file.
    Quantize(quantize::QuantizeArgs),
    /// Describe a weights file.
    Info(info::InfoArgs),
}

impl Cli {
    /// Runs the command. Gives `false` if an image of `recognize` or all images of `audit` could
    /// not be read, or if `train` was interrupted.
    pub(crate) fn run(&self) -> Result<bool> {
        match &self.command {
            #[cfg(feature = "train")]
            Command::Train(args) => return train::run(args),
            #[cfg(feature = "train")]
            Command::Finetune(args) => return finetune::run(args),
            Command::Evaluate(args) => evaluate::run(args)?,
            #[cfg(feature = "train")]
            Command::Calibrate(args) => calibrate::run(args)?,
            #[cfg(feature = "train")]
            Command::Figures(args) => figures::run(args)?,
            Command::Audit(args) => return audit::run(args),
            Command::Recognize(args) => return recognize::run(args),
            #[cfg(feature = "train")]
            Command::Generate(args) => generate::run(args)?,
            #[cfg(feature = "train")]
            Command::Export(args) => export::run(args)?,
            #[cfg(feature = "train")]
            Command::Average(args) => average::run(args)?,
            Command::Quantize(args) => quantize::run(args)?,
            Command::Info(args) => info::run(args)?,
        }
        Ok(true)
    }
}
