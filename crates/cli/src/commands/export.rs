//! `captcha-lens export`

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::Result;
use captcha_trainer::training::export::{Exported, export};
use captcha_trainer::training::run_folder::RunFolder;
use clap::Args;

use crate::args::print_notes;

/// Arguments of `export`.
#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// Folder of the run.
    run: PathBuf,
    /// Epoch; by default the one with the best validation accuracy.
    #[arg(long)]
    epoch: Option<usize>,
}

pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let Exported { weights, note } = export(&RunFolder::open(&args.run)?, args.epoch)?;
    print_notes(note);
    writeln!(stdout(), "{}", weights.display())?;
    Ok(())
}
