//! `captcha-lens average`

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use captcha_evaluation::weights_file::{read_weights, write_weights};
use captcha_trainer::weights::average::average;
use clap::Args;

use crate::args::command_line;

/// Arguments of `average`.
#[derive(Args, Debug)]
pub(crate) struct AverageArgs {
    /// Files to average equally. Smaller networks are enlarged to the size of the last.
    #[arg(required = true, num_args = 2.., value_name = "WEIGHTS")]
    weights: Vec<PathBuf>,
    /// Output file. The result is not calibrated.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &AverageArgs) -> Result<()> {
    let all = args.weights.iter().map(|path| read_weights(path));
    let mean = average(&all.collect::<Result<Vec<_>>>()?, &command_line())?;
    write_weights(&args.out, &mean)?;
    writeln!(stdout(), "{}", args.out.display())?;
    Ok(())
}
