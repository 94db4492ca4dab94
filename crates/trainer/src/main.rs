//! The `captcha-lens` program.

use std::process::ExitCode;

use captcha_trainer::cli::Cli;
use captcha_trainer::commands::run;
use clap::Parser;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
