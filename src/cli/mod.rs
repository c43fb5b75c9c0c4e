//! Headless commands for scripts and checks, over the same rooms as the window. Never draws.
//!
//! Exit codes: 0 done, 1 failed with a sentence on standard error, 2 wrong usage.

mod args;
mod encoder;
mod export;
mod import;
mod merge;
mod predict;
mod pretrain;
mod projects;
mod runs;
mod search;
mod stats;
mod train;

pub use args::{
    AnonymiseArgs, ArchiveArgs, Command, CopyArgs, DuplicatesArgs, EncoderArgs, ExportArgs, ExtractArgs, ImportArgs, MergeArgs, Names,
    NewArgs, PredictArgs, PretrainArgs, RestoreArgs, RunsArgs, RunsCommand, SearchArgs, SplitName, StateName, StatsArgs, TrainArgs,
    WhatToDo,
};

use crate::project::Schema;
use crate::store::{ProjectFile, StoreError};
use crate::train::ConfigError;
use clap::Parser;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the arguments ask for.
#[derive(Debug)]
pub enum Invocation {
    /// Open the window, on this file or on the last project.
    Window(Option<PathBuf>),
    Command(Box<Command>),
    /// The arguments were wrong, or only help was wanted; all is said. End with this code.
    Over(u8),
}

/// Why a command ended without being done.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// What was asked for makes no sense: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It could not be done: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The reader of standard output has gone: nothing more to do, nobody to tell.
    #[error("standard output was closed")]
    NobodyReads,
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Reads the arguments of the process.
pub fn parse() -> Invocation {
    parse_from(std::env::args_os())
}

/// Reads these arguments, the first being the program's name.
pub fn parse_from(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Invocation {
    match args::Arguments::try_parse_from(arguments) {
        Ok(args::Arguments { command: Some(command), .. }) => Invocation::Command(Box::new(command)),
        Ok(args::Arguments { file: Some(file), .. }) if looks_like_a_command(&file) => {
            eprintln!("gloss: there is no command and no file {}; gloss --help names the commands", file.display());
            Invocation::Over(2)
        }
        Ok(args::Arguments { file, .. }) => Invocation::Window(file),
        Err(error) => {
            error.print().ok(); // a closed standard error can't be told about
            Invocation::Over(error.exit_code().clamp(0, 255) as u8)
        }
    }
}

/// A bare word that names no file is a mistyped command.
fn looks_like_a_command(file: &Path) -> bool {
    let is_word = file.to_str().is_some_and(|name| name.chars().all(|c| c.is_ascii_alphabetic()));
    is_word && !file.exists()
}

/// Carries out a command; what went wrong stands on standard error.
pub fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::New(args) => make(&args),
        Command::Import(args) => import::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Pretrain(args) => pretrain::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Runs(args) => runs::run(&args),
        Command::Encoder(args) => encoder::run(&args),
        Command::Stats(args) => stats::stats(&args),
        Command::Duplicates(args) => stats::duplicates(&args),
        Command::Duplicate(args) => projects::duplicate(&args),
        Command::Archive(args) => projects::archive(&args),
        Command::Unarchive(args) => projects::unarchive(&args),
        Command::Extract(args) => projects::extract(&args),
        Command::Anonymise(args) => projects::anonymise(&args),
        Command::Restore(args) => projects::restore(&args),
    };
    match outcome {
        Ok(()) | Err(CliError::NobodyReads) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gloss: {error}");
            ExitCode::from(if matches!(error, CliError::Usage(_)) { 2 } else { 1 })
        }
    }
}

/// Logging to standard error and the threads that compute; once, before anything else.
pub fn prepare() {
    // The graphics stack warns about every driver it looks at.
    let filter = env_logger::Env::default().default_filter_or("warn,wgpu_hal=error,wgpu_core=error,naga=error,egui_winit=error");
    env_logger::Builder::from_env(filter).init();
    if let Ok(asked) = std::env::var("GLOSS_SIMD") {
        crate::nn::kernels::narrow_to(&asked);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(wanted.unwrap_or(cores)).thread_name(|at| format!("gloss-work-{at}"));
    if let Err(error) = pool.build_global() {
        log::warn!("computing on the default threads: {error}");
    }
}

fn make(args: &NewArgs) -> Result<(), CliError> {
    if args.classes.0.is_empty() && args.spans.0.is_empty() {
        return Err(CliError::Usage("a project needs a class or a span label".to_owned()));
    }
    ProjectFile::create(&args.project, &Schema::with_names(&args.classes.0, &args.spans.0))?;
    Ok(())
}

/// The path if there is such a file: reading a finished run needs no lock on the project, so it may be open elsewhere.
fn existing(path: &Path) -> Result<PathBuf, CliError> {
    if path.exists() { Ok(path.to_owned()) } else { Err(StoreError::Missing { path: path.to_owned() }.into()) }
}

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A line on standard error that is rewritten on a terminal; elsewhere only what matters is written, a line each.
struct ProgressLine {
    on_terminal: bool,
    is_open: bool,
}

impl ProgressLine {
    fn new() -> Self {
        Self { on_terminal: std::io::stderr().is_terminal(), is_open: false }
    }

    /// Shown on a terminal until the next text.
    fn passing(&mut self, text: &str) {
        if self.on_terminal {
            eprint!("\r\x1b[K{text}");
            self.is_open = true;
        }
    }

    /// Stays.
    fn lasting(&mut self, text: &str) {
        self.clear();
        eprintln!("{text}");
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_open) {
            eprint!("\r\x1b[K");
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}
