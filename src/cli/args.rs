//! The command line as it is written: names, values and their help. Does nothing by itself.

use crate::nn::DeviceChoice;
use crate::nn::kernels::Stored;
use crate::project::Split;
use crate::store::Charset;
use crate::store::export::ExportFormat;
use crate::store::formats::{Kind, Unit};
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
    Import(Box<ImportArgs>),
    /// Bring a colleague's answers into a project, by document, to compare them with one's own
    Merge(MergeArgs),
    /// Train a model on the labelled documents of a project
    Train(TrainArgs),
    /// Look for good settings: tries rates, epochs and frozen layers as runs, and gives up the worse ones early
    Search(SearchArgs),
    /// Have an encoder read the project's own reviews, labelled or not, with pieces hidden: a folder to train from
    Pretrain(PretrainArgs),
    /// Read a text a line on standard input, write a JSON object a line on standard output
    Predict(PredictArgs),
    /// Write the documents for another tool, or the model of a run as a folder in Hugging Face layout
    Export(ExportArgs),
    /// List the runs of a project, compare two, delete one, write one for TensorBoard
    Runs(RunsArgs),
    /// Fetch an encoder by its name from a Hugging Face hub or a mirror; goes on where it stopped
    Encoder(EncoderArgs),
    /// Say what a project holds: lengths, scripts, answers, marks, what is longer than a model reads
    Stats(StatsArgs),
    /// Find documents that say nearly the same, also across the parts in training
    Duplicates(DuplicatesArgs),
    /// Copy a project with its journal and its runs
    Duplicate(CopyArgs),
    /// Put a project with its journal and its runs into one file
    Archive(ArchiveArgs),
    /// Take a project out of an archive
    Unarchive(CopyArgs),
    /// Make a new project of some of the documents, for a colleague
    Extract(ExtractArgs),
    /// Make a new project without names, phone numbers, mail addresses or ids
    Anonymise(AnonymiseArgs),
    /// Make a new project with the words that a key brings back
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
pub struct RunsArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// A JSON object a run
    #[arg(long)]
    pub json: bool,
    #[command(subcommand)]
    pub what: Option<RunsCommand>,
}

/// What can be done with runs; a run is named by its id or by its number.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Say how far two runs differ on the documents that both were judged by, and whether it can be chance
    Compare {
        #[arg(value_name = "A")]
        first: String,
        #[arg(value_name = "B")]
        second: String,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Remove a run for good: its weights, curves and predictions
    Delete {
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Make a run of several finished ones that answers as their mean: of other seeds, settings or folds
    Join {
        #[arg(value_name = "RUN", num_args = 2..)]
        runs: Vec<String>,
    },
    /// Keep a note about a run; an empty one takes it away
    Note {
        #[arg(value_name = "RUN")]
        run: String,
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Write the curves of a run for another tool
    Export {
        #[arg(value_name = "RUN")]
        run: String,
        /// The folder that TensorBoard is pointed at; the run gets a folder in it
        #[arg(long, value_name = "DIR")]
        tensorboard: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct EncoderArgs {
    /// As the hub writes it, such as owner/name
    pub name: String,
    /// The hub or a mirror of it; without it the variable HF_ENDPOINT, else https://huggingface.co
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// A branch, a tag or a commit
    #[arg(long, default_value = "main")]
    pub revision: String,
    /// The folder to make; without it one of this name among the program's encoders
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StatsArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The encoder whose pieces are counted, a folder in Hugging Face layout; without it the one inside the program
    #[arg(long, value_name = "DIR")]
    pub encoder: Option<PathBuf>,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DuplicatesArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The least share of runs of four characters that two texts have in common
    #[arg(long, value_name = "SHARE", default_value_t = 0.7)]
    pub likeness: f64,
    /// What to do with all but the first of each group, as one step that can be undone
    #[arg(long = "do", value_enum)]
    pub what: Option<WhatToDo>,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What happens to near-duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhatToDo {
    Remove,
    Flag,
    /// A comment on each says which document it is like
    Link,
}

#[derive(Debug, Args)]
pub struct CopyArgs {
    /// It is only read
    #[arg(value_name = "FROM")]
    pub project: PathBuf,
    /// The project to make
    #[arg(value_name = "TO.gloss")]
    pub to: PathBuf,
}

#[derive(Debug, Args)]
pub struct ArchiveArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The archive to write, replaced if it is there
    #[arg(value_name = "OUT.zip")]
    pub to: PathBuf,
    /// The project alone
    #[arg(long)]
    pub without_runs: bool,
}

/// [`crate::project::State`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StateName {
    Todo,
    Done,
    Skipped,
}

#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// It is only read
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The project to make
    #[arg(value_name = "TO.gloss")]
    pub to: PathBuf,
    /// Words that stand in the text; what follows a / is a pattern
    #[arg(long, value_name = "WORDS")]
    pub search: Option<String>,
    #[arg(long, value_enum)]
    pub state: Option<StateName>,
    #[arg(long)]
    pub flagged: bool,
    /// Answered with this class; may be given many times
    #[arg(long, value_name = "NAME")]
    pub class: Vec<String>,
    /// Has a span of this label; may be given many times
    #[arg(long, value_name = "NAME")]
    pub span: Vec<String>,
    /// Has this value in a column; may be given many times
    #[arg(long, value_name = "COL=VALUE", value_parser = key_value)]
    pub column: Vec<(String, String)>,
    /// One of these is enough; otherwise all must hold
    #[arg(long)]
    pub any: bool,
}

#[derive(Debug, Args)]
pub struct AnonymiseArgs {
    /// It is only read
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The project to make; it has no journal and no runs
    #[arg(value_name = "TO.gloss")]
    pub to: PathBuf,
    /// A text file with a name a line
    #[arg(long, value_name = "FILE")]
    pub names: Option<PathBuf>,
    #[arg(long)]
    pub phones: bool,
    #[arg(long)]
    pub mails: bool,
    /// What ids look like; may be given many times
    #[arg(long, value_name = "REGEX")]
    pub pattern: Vec<regex::Regex>,
    /// Keeps what was taken out, for `restore`; without it nobody can bring it back
    #[arg(long, value_name = "KEY.json")]
    pub key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// It is only read
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The project to make
    #[arg(value_name = "TO.gloss")]
    pub to: PathBuf,
    #[arg(long, value_name = "KEY.json")]
    pub key: PathBuf,
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
    /// The file to read, or a folder: pairs of brat, TSV of WebAnno, a data set of Argilla or Hugging Face
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
    /// Column of labels of which several may hold, such as joy,fear: a question of that kind, called as the column is
    #[arg(long, value_name = "COL")]
    pub labels: Option<String>,
    /// Column of an id, kept as the field id
    #[arg(long, value_name = "COL")]
    pub id: Option<String>,
    /// Column of a date, kept as the field date
    #[arg(long, value_name = "COL")]
    pub date: Option<String>,
    /// Column of who gave the label; a text may stand in a row for each of them
    #[arg(long, value_name = "COL")]
    pub annotator: Option<String>,
    /// Column of the part in training: train, dev or test
    #[arg(long, value_name = "COL")]
    pub part: Option<String>,
    /// Column of the conversation that a row is a turn of, kept as the field conversation
    #[arg(long, value_name = "COL")]
    pub conversation: Option<String>,
    /// Column of the place of a turn in its conversation; without it the order of the rows
    #[arg(long, value_name = "COL", requires = "conversation")]
    pub turn: Option<String>,
    /// Column of who speaks a turn
    #[arg(long, value_name = "COL", requires = "conversation")]
    pub speaker: Option<String>,
    /// A column that is not kept; may be given many times
    #[arg(long, value_name = "COL")]
    pub leave_out: Vec<String>,
    /// What a label of the file is called here, such as 1=positive; may be given many times
    #[arg(long = "map", value_name = "VALUE=CLASS", value_parser = key_value)]
    pub values: Vec<(String, String)>,
    /// The first row is a review, not a header: columns go by number. Without it names of columns, or else the rows, tell
    #[arg(long)]
    pub no_header: bool,
    /// How the file is encoded: utf-8, utf-16le, utf-16be, gb18030, big5, shift-jis or latin-1; without it the bytes tell
    #[arg(long, value_name = "NAME", value_parser = charset)]
    pub encoding: Option<Charset>,
    /// What stands between the columns, or "tab"; without it the first rows tell
    #[arg(long, value_name = "SIGN", value_parser = delimiter)]
    pub delimiter: Option<char>,
    /// Quotes are letters and enclose no fields
    #[arg(long)]
    pub no_quotes: bool,
    /// The sheet of a workbook; without it the first one
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// What the offsets of an annotated file count: codepoints, utf16, graphemes or bytes; without it the one under which
    /// its spans fit
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub offsets: Option<Unit>,
    /// Write the remarks on rows to a CSV file
    #[arg(long, value_name = "FILE")]
    pub save_list: Option<PathBuf>,
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
    /// Go on with a run that was interrupted, with its own data and settings
    #[arg(long, value_name = "RUN", conflicts_with_all = ["settings", "encoder"])]
    pub resume: Option<String>,
    /// Cross-validation: as many runs, each judged by another part of the documents, and the mean of their scores
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=100), conflicts_with = "resume")]
    pub folds: Option<u8>,
    /// One event a line on standard output, as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SearchArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// How many settings are tried, the given ones first
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u8).range(2..=100))]
    pub trials: u8,
    /// An encoder of the BERT family, a folder in Hugging Face layout; without it the one inside the program
    #[arg(long, value_name = "DIR")]
    pub encoder: Option<PathBuf>,
    /// Change a setting of all trials, such as batch_examples=16; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub settings: Vec<(String, String)>,
    /// One piece of news a line on standard output, as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PretrainArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The folder to write, for `train --encoder`
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// An encoder of the BERT family, a folder in Hugging Face layout; without it the one inside the program
    #[arg(long, value_name = "DIR")]
    pub encoder: Option<PathBuf>,
    /// Change a setting: epochs (1), lr (5e-5), batch_examples (16), max_length, layers, freeze_layers, seed
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub settings: Vec<(String, String)>,
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
    /// Each line is a turn of a conversation, answered in the light of those before it; an empty line begins another one
    #[arg(long)]
    pub conversation: bool,
    /// The tag of each character (or piece, where the model tags those) with the probability of every tag
    #[arg(long)]
    pub tags: bool,
    /// How the encoder's weights are held: float32, bfloat16 or int8; the latter are faster and a little less exact
    #[arg(long, value_name = "PRECISION", default_value = "float32", value_parser = stored)]
    pub precision: Stored,
    /// Say on standard error how many texts were answered in how long
    #[arg(long)]
    pub time: bool,
    /// Where to compute: auto takes a graphics card where this program was built for one and one is there
    #[arg(long, value_name = "auto|cpu|cuda|metal", default_value = "auto")]
    pub device: DeviceChoice,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[arg(value_name = "P.gloss")]
    pub project: PathBuf,
    /// The run whose model to export
    #[arg(long, value_name = "R", required_unless_present = "format", conflicts_with_all = ["format", "dry_run"])]
    pub run: Option<String>,
    /// Export the documents: jsonl, csv, xlsx, conll, doccano, labelstudio, prodigy, aste, atepc, apc, e2e, semeval14,
    /// semeval16, brat, webanno, argilla, hf or fasttext
    #[arg(long, value_name = "NAME", value_parser = export_format)]
    pub format: Option<ExportFormat>,
    /// Say what the format can't hold and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write our own JSON Lines beside the file too, which hold all that the format can't
    #[arg(long, conflicts_with = "run")]
    pub sidecar: bool,
    /// Read the file back and compare it with the project
    #[arg(long, conflicts_with_all = ["run", "dry_run"])]
    pub verify: bool,
    /// Write what the format can't hold to a CSV file, document by document
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    pub save_list: Option<PathBuf>,
    /// The folder of the model, made if it is not there, or, if its name ends in .onnx, one file of it; or the file of
    /// the documents; files are replaced
    #[arg(value_name = "MODELDIR|FILE")]
    pub out: PathBuf,
}

fn charset(name: &str) -> Result<Charset, String> {
    Charset::parse(name).ok_or_else(|| format!("encodings are {}", Charset::ALL.map(Charset::name).join(", ")))
}

fn unit(name: &str) -> Result<Unit, String> {
    let keys = || Unit::ALL.map(Unit::key).join(", ");
    Unit::ALL.into_iter().find(|unit| unit.key() == name).ok_or_else(|| format!("offsets count {}", keys()))
}

fn delimiter(sign: &str) -> Result<char, String> {
    match sign {
        "tab" | "\\t" => Ok('\t'),
        sign => sign.parse::<char>().ok().filter(char::is_ascii).ok_or_else(|| "a delimiter is one sign, such as ; or tab".to_owned()),
    }
}

fn import_format(name: &str) -> Result<Format, String> {
    let kinds = || Kind::ALL.map(Kind::key).join(", ");
    Format::parse(name).ok_or_else(|| format!("formats are csv, tsv, xlsx, json, jsonl, parquet, arrow, text, {}", kinds()))
}

fn export_format(name: &str) -> Result<ExportFormat, String> {
    let found = ExportFormat::ALL.into_iter().find(|format| format.key() == name);
    found.ok_or_else(|| format!("formats are {}", ExportFormat::ALL.map(ExportFormat::key).join(", ")))
}

fn stored(name: &str) -> Result<Stored, String> {
    let found = Stored::ALL.into_iter().find(|stored| stored.name() == name);
    found.ok_or_else(|| format!("precisions are {}", Stored::ALL.map(Stored::name).join(", ")))
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
