//! The program: arguments, logging, thread pool; then the window or one headless command.

use gloss::cli::{self, Invocation};
use std::process::ExitCode;

fn main() -> ExitCode {
    let invocation = cli::parse();
    if !matches!(invocation, Invocation::Over(_)) {
        cli::prepare();
    }
    match invocation {
        Invocation::Over(code) => ExitCode::from(code),
        Invocation::Command(command) => cli::run(*command),
        Invocation::Window(file) => match gloss::ui::app::run(file) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                eprintln!("gloss: {reason}");
                ExitCode::FAILURE
            }
        },
    }
}
