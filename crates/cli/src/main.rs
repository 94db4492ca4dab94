//! The `captcha-lens` program.

use std::io;
use std::process::ExitCode;

use captcha_trainer::cli::Cli;
use captcha_trainer::cli::commands::run;
use clap::Parser;

fn main() -> ExitCode {
    use_the_cpu_unless_told();
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads the answers has had enough of them, as `| head` has.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the CPU burn's default device: `--device` alone says where to compute. burn-optim loads an
/// optimizer's state there, whatever device the training runs on, and would open a GPU for it.
#[allow(unsafe_code)]
fn use_the_cpu_unless_told() {
    // SAFETY: this is the first call of `main`, so no other thread reads the environment.
    unsafe { std::env::set_var("BURN_DEVICE", "flex") };
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
