//! Annotated files of other tools. Each parser turns a text into rows with names and offsets as the file has them;
//! `offsets` finds out what the offsets count, `place` makes drafts of the rows and counts what is lost.
//!
//! Nothing here changes a project, and nothing panics on damaged input: a bad row is an issue, a bad file an error.

mod absa;
mod argilla;
mod brat;
mod conll;
mod details;
mod detect;
mod doccano;
mod hf;
mod json;
mod labelstudio;
mod loss;
mod offsets;
mod place;
mod prodigy;
mod raw;
mod semeval;
mod source;
mod tokens;
mod webanno;
mod xml;

pub(super) use absa::{ASPECT, MARK};
pub(super) use conll::TEXT_COMMENT;
pub(super) use details::{DETAILS, Detail, Details, Joined};
pub(super) use detect::detect;
pub(super) use doccano::{FAST, UNIT};
pub(super) use hf::OWN_NOTES;
pub use loss::{Fate, Loss, SpanReport};
pub(super) use loss::{Losses, list_cell, short, write_list};
pub use offsets::Unit;
pub(super) use prodigy::ATTRIBUTES;
pub(super) use raw::{PART_LINK, PLAIN_LINK, is_about_polarity, polarity};
pub(super) use semeval::{BETWEEN, CATEGORY};
pub(super) use tokens::{is_wide, join};

use super::import::{Draft, Intake, Look};
use super::{Charset, StoreError};
use raw::Parsed;
use source::{Source, Tick};
use std::ops::ControlFlow;
use std::path::Path;

/// A format of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    LabelStudio,
    Doccano,
    Prodigy,
    Conll,
    SemEval14,
    SemEval16,
    Apc,
    Atepc,
    Aste,
    E2e,
    Brat,
    WebAnno,
    Argilla,
    HuggingFace,
    FastText,
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::LabelStudio,
        Self::Doccano,
        Self::Prodigy,
        Self::Conll,
        Self::SemEval14,
        Self::SemEval16,
        Self::Apc,
        Self::Atepc,
        Self::Aste,
        Self::E2e,
        Self::Brat,
        Self::WebAnno,
        Self::Argilla,
        Self::HuggingFace,
        Self::FastText,
    ];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LabelStudio => "Label Studio",
            Self::Doccano => "doccano",
            Self::Prodigy => "Prodigy",
            Self::Conll => "CoNLL",
            Self::SemEval14 => "SemEval 2014",
            Self::SemEval16 => "SemEval 2015/16",
            Self::Apc => "APC",
            Self::Atepc => "ATEPC",
            Self::Aste => "ASTE",
            Self::E2e => "E2E",
            Self::Brat => "brat",
            Self::WebAnno => "WebAnno TSV",
            Self::Argilla => "Argilla",
            Self::HuggingFace => "Hugging Face",
            Self::FastText => "fastText",
        }
    }

    /// As it is written on a command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::LabelStudio => "labelstudio",
            Self::Doccano => "doccano",
            Self::Prodigy => "prodigy",
            Self::Conll => "conll",
            Self::SemEval14 => "semeval14",
            Self::SemEval16 => "semeval16",
            Self::Apc => "apc",
            Self::Atepc => "atepc",
            Self::Aste => "aste",
            Self::E2e => "e2e",
            Self::Brat => "brat",
            Self::WebAnno => "webanno",
            Self::Argilla => "argilla",
            Self::HuggingFace => "hf",
            Self::FastText => "fasttext",
        }
    }

    /// Whether a text stands once for each of its aspects.
    fn repeats_texts(self) -> bool {
        matches!(self, Self::Apc | Self::Atepc)
    }
}

/// What a folder holds: pairs of brat, files of WebAnno, records of Argilla, or a data set.
pub(super) fn of_folder(folder: &Path) -> Kind {
    if brat::files(folder).is_ok_and(|files| !files.is_empty()) {
        Kind::Brat
    } else if argilla::records_file(folder).is_some() {
        Kind::Argilla
    } else if webanno::files(folder).iter().any(|file| webanno::is_one(file)) {
        Kind::WebAnno
    } else if hf::is_folder(folder) {
        Kind::HuggingFace
    } else {
        Kind::Brat
    }
}

pub(super) use hf::is_annotated_table;

/// Whether the beginning of a file holds an object, or what stands for one, as a whole.
pub(super) fn holds_an_object(text: &str) -> bool {
    !json::first(text, 1).is_empty()
}

/// What was read, in which encoding, and whether somebody ended it.
struct Reading {
    parsed: Parsed,
    encoding: &'static str,
    is_cancelled: bool,
}

/// Reads and parses a file, or a folder where the format has some: `most` rows, telling `tick` how far it is.
fn parse(kind: Kind, path: &Path, charset: Option<Charset>, most: usize, tick: Tick) -> Result<Reading, StoreError> {
    let folder = |(parsed, encoding, is_cancelled)| Reading { parsed, encoding, is_cancelled };
    let file = match kind {
        Kind::Brat => return brat::read(path, charset, most, tick).map(folder),
        Kind::WebAnno => return webanno::read(path, charset, most, tick).map(folder),
        Kind::HuggingFace => {
            let (parsed, is_cancelled) = hf::read(path, most, tick)?;
            return Ok(Reading { parsed, encoding: "UTF-8", is_cancelled });
        }
        Kind::Argilla => argilla::file(path)?,
        _ => path.to_owned(),
    };
    let mut source = Source::open(kind, &file, charset, most, tick)?;
    let source = &mut source;
    let parsed = match kind {
        Kind::LabelStudio => labelstudio::parse(source)?,
        Kind::Doccano => doccano::parse(source)?,
        Kind::Prodigy => prodigy::parse(source)?,
        Kind::Conll => conll::parse(source, false)?,
        Kind::Atepc => conll::parse(source, true)?,
        Kind::SemEval14 | Kind::SemEval16 => semeval::parse(source)?,
        Kind::Apc => absa::apc(source)?,
        Kind::Aste => absa::aste(source)?,
        Kind::E2e => absa::e2e(source)?,
        Kind::FastText => doccano::fast_text(source)?,
        Kind::Argilla => argilla::parse(source)?,
        Kind::Brat | Kind::WebAnno | Kind::HuggingFace => Parsed::default(),
    };
    Ok(Reading { parsed, encoding: source.encoding(), is_cancelled: source.is_cancelled })
}

/// Reads a whole file into the import.
pub(super) fn read(kind: Kind, path: &Path, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    /// Of the time, until all rows are parsed.
    const PARSING: f32 = 0.6;
    let charset = intake.options.charset;
    let Reading { parsed, encoding, is_cancelled } = parse(kind, path, charset, usize::MAX, &mut |share| intake.tick(share * PARSING))?;
    if is_cancelled {
        return Ok(ControlFlow::Break(()));
    }
    intake.report.encoding = encoding;
    place::take(parsed, kind, intake, PARSING)
}

/// Names of the columns a preview shows.
pub(super) const COLUMNS: [&str; 3] = ["text", "class", "spans"];

/// The beginning of a file.
pub(super) struct Head {
    /// The first rows as they would come in.
    pub rows: Vec<Vec<String>>,
    pub encoding: &'static str,
    /// What the offsets count, and why that could not be told for certain.
    pub unit: Option<&'static str>,
    pub unit_doubt: Option<String>,
}

pub(super) fn head(kind: Kind, path: &Path, look: &Look, rows: usize) -> Result<Head, StoreError> {
    // What offsets count is told by many rows, and by no more than are read at once.
    const LOOKED_AT: usize = 20_000;
    let Reading { parsed, encoding, .. } = parse(kind, path, look.charset, LOOKED_AT.max(rows), &mut |_| ControlFlow::Continue(()))?;
    let (all, report, _) = place::drafts(parsed, kind, look.unit);
    let rows = all.iter().take(rows).map(|ready| row_of(&ready.draft)).collect();
    Ok(Head { rows, encoding, unit: report.unit, unit_doubt: report.unit_doubt })
}

/// A draft under [`COLUMNS`].
pub(super) fn row_of(draft: &Draft) -> Vec<String> {
    let answers = draft.annotation.iter().flat_map(|said| said.answers.values().filter_map(|answer| answer.class().map(str::to_owned)));
    let classes: Vec<String> = draft.label.iter().cloned().chain(answers).collect();
    vec![draft.text.clone(), classes.join(", "), place::cell(draft)]
}
