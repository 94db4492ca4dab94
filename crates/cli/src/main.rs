//! The `captcha-lens` program.

#![recursion_limit = "256"]

mod args;
mod commands;
mod learning_curve;
mod progress;
#[cfg(feature = "train")]
mod synthetic;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::commands::Cli;

fn main() -> ExitCode {
    default_to_the_cpu();
    match Cli::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // The reader of the output has ended, like `| head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the CPU burn's default device, because burn-optim loads an optimizer's state there. It
/// would open a GPU for that, although `--device` names another device.
#[allow(unsafe_code)]
fn default_to_the_cpu() {
    // SAFETY: this is the first call of `main`, so no other thread reads the environment.
    unsafe { std::env::set_var("BURN_DEVICE", "flex") };
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
