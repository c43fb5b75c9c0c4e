//! The command line as it is written: names, values and their help. Does nothing by itself.

use crate::project::Split;
use crate::store::export::ExportFormat;
use crate::store::formats::Kind;
use crate::store::import::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Label reviews, fine-tune a model on them, try it out.
///
/// Without a command the window opens, on FILE or on the last project.
#[derive(Debug, Parser)]
#[command(name = "gloss", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    /// The project to open in the window
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be done without a window.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an empty project
    New(NewArgs),
    /// Bring the reviews of a file into a project: tables, plain text, annotated files of other tools
    Import(ImportArgs),
    /// Bring a colleague's answers into a project, by document, to compare them with one's own
    Merge(MergeArgs),
    /// Train a model on the labelled documents of a project
    Train(TrainArgs),
    /// Read a text a line on standard input, write a JSON object a line on standard output
    Predict(PredictArgs),
    /// Write the documents for another tool, or the model of a run as a folder in Hugging Face layout
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub struct NewArgs {
    /// The project file to make
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// Names of the classes, comma-separated
    #[arg(long, value_name = "A,B,C", default_value = "negative,neutral,positive", value_parser = name_list)]
    pub classes: Names,
    /// Names of the span labels, comma-separated; empty for none
    #[arg(long, value_name = "A,B", default_value = "aspect,opinion", value_parser = name_list)]
    pub spans: Names,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The file to read; for brat also a folder of pairs
    #[arg(value_name = "FILE|FOLDER")]
    pub file: PathBuf,
    /// What kind of file it is; without it the name and the content tell
    #[arg(long, value_name = "NAME", value_parser = import_format)]
    pub format: Option<Format>,
    /// Column of the text, by name or by number from 1; plain text and files with one column need none
    #[arg(long, value_name = "COL")]
    pub text: Option<String>,
    /// Column of the class; classes that the project lacks are added
    #[arg(long, value_name = "COL")]
    pub label: Option<String>,
    /// The first row is a review, not a header: columns go by number
    #[arg(long)]
    pub no_header: bool,
    /// The part the documents play in training; without it a share is held out by hash
    #[arg(long, value_enum)]
    pub split: Option<SplitName>,
    /// Report what would come in and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// [`Split`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SplitName {
    Train,
    Dev,
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Dev => Self::Dev,
            SplitName::Test => Self::Test,
        }
    }
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The colleague's project; it is only read
    #[arg(value_name = "COLLEAGUE.gloss")]
    pub colleague: PathBuf,
    /// Whose answers they are; without it whoever made most of its steps
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Report what would come in and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct TrainArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// An encoder of the BERT family, a folder in Hugging Face layout; without it the one inside the program
    #[arg(long, value_name = "DIR")]
    pub encoder: Option<PathBuf>,
    /// Change a setting, such as epochs=3 or lr=5e-5; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub settings: Vec<(String, String)>,
    /// One event a line on standard output, as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A project with a finished run, or a model folder
    #[arg(value_name = "P.gloss|MODELDIR")]
    pub model: PathBuf,
    /// The run whose model answers; without it the newest finished one
    #[arg(long, value_name = "R")]
    pub run: Option<String>,
    /// Which words speak for each answer, and which against it; slower
    #[arg(long)]
    pub why: bool,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The run whose model to export
    #[arg(long, value_name = "R", required_unless_present = "format", conflicts_with_all = ["format", "dry_run"])]
    pub run: Option<String>,
    /// Export the documents: jsonl, csv, conll, doccano, labelstudio or aste
    #[arg(long, value_name = "NAME", value_parser = export_format)]
    pub format: Option<ExportFormat>,
    /// Say what the format can't hold and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The folder of the model, made if it is not there; or the file of the documents, replaced if it is
    #[arg(value_name = "MODELDIR|FILE")]
    pub out: PathBuf,
}

fn import_format(name: &str) -> Result<Format, String> {
    let kinds = || Kind::ALL.map(Kind::key).join(", ");
    Format::parse(name).ok_or_else(|| format!("formats are csv, tsv, jsonl, parquet, text, {}", kinds()))
}

fn export_format(name: &str) -> Result<ExportFormat, String> {
    let found = ExportFormat::ALL.into_iter().find(|format| format.key() == name);
    found.ok_or_else(|| format!("formats are {}", ExportFormat::ALL.map(ExportFormat::key).join(", ")))
}

/// Names from a comma-separated list (a type of its own: clap would take a `Vec` for many arguments).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

fn name_list(list: &str) -> Result<Names, String> {
    if list.trim().is_empty() {
        return Ok(Names(Vec::new()));
    }
    let names: Vec<String> = list.split([',', '，']).map(|name| name.trim().to_owned()).collect();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(format!("name {} of the list is empty", at + 1));
        }
        if names[..at].contains(name) {
            return Err(format!("{name} is named twice"));
        }
    }
    Ok(Names(names))
}

fn key_value(pair: &str) -> Result<(String, String), String> {
    let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is not KEY=VALUE"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
