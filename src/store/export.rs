//! Documents out to files of other tools. What a format can't hold is counted before anything is written.

use super::formats::{Loss, Losses, list_cell, write_list};
use super::{StoreError, jsonl};
use crate::project::{History, Project};
use std::cell::{Cell, RefCell};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

mod absa;
mod argilla;
mod aste;
mod brat;
mod conll;
mod csv;
mod doccano;
mod fasttext;
mod hf;
mod labelstudio;
mod out;
mod prodigy;
mod semeval;
mod verify;
mod webanno;

use out::{No, Out, flat, is_gap, words};
pub use verify::{Difference, Verified, verify, verify_watched};

/// A format documents can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Our own: holds everything.
    Jsonl,
    Csv,
    /// Words with IOB2 tags; characters for Chinese.
    Conll,
    Doccano,
    LabelStudio,
    /// Triplets of aspect, opinion and polarity.
    Aste,
    /// Words with tags and polarities, as PyABSA reads them.
    Atepc,
    /// PyABSA's sentences with marked aspects.
    Apc,
    /// Words with one tag for aspect and polarity.
    E2e,
    /// An Excel workbook, with the columns of CSV.
    Xlsx,
    /// Prodigy's JSON Lines, which spaCy reads too.
    Prodigy,
    /// XML of the restaurants and laptops of 2014.
    SemEval14,
    /// XML of the reviews of 2015 and 2016.
    SemEval16,
    /// A folder with a text and its standoff for each document.
    Brat,
    /// A folder with a TSV for each document, as INCEpTION reads it.
    WebAnno,
    Argilla,
    /// A folder that the library `datasets` loads as it is.
    HuggingFace,
    FastText,
}

impl ExportFormat {
    pub const ALL: [Self; 18] = [
        Self::Jsonl,
        Self::Csv,
        Self::Xlsx,
        Self::Conll,
        Self::Doccano,
        Self::LabelStudio,
        Self::Prodigy,
        Self::Aste,
        Self::Atepc,
        Self::Apc,
        Self::E2e,
        Self::SemEval14,
        Self::SemEval16,
        Self::Brat,
        Self::WebAnno,
        Self::Argilla,
        Self::HuggingFace,
        Self::FastText,
    ];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "JSON Lines",
            Self::Csv => "CSV",
            Self::Conll => "CoNLL",
            Self::Doccano => "doccano",
            Self::LabelStudio => "Label Studio",
            Self::Aste => "ASTE",
            Self::Atepc => "ATEPC",
            Self::Apc => "APC",
            Self::E2e => "E2E",
            Self::Xlsx => "Excel",
            Self::Prodigy => "Prodigy",
            Self::SemEval14 => "SemEval 2014",
            Self::SemEval16 => "SemEval 2015/16",
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
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Conll => "conll",
            Self::Doccano => "doccano",
            Self::LabelStudio => "labelstudio",
            Self::Aste => "aste",
            Self::Atepc => "atepc",
            Self::Apc => "apc",
            Self::E2e => "e2e",
            Self::Xlsx => "xlsx",
            Self::Prodigy => "prodigy",
            Self::SemEval14 => "semeval14",
            Self::SemEval16 => "semeval16",
            Self::Brat => "brat",
            Self::WebAnno => "webanno",
            Self::Argilla => "argilla",
            Self::HuggingFace => "hf",
            Self::FastText => "fasttext",
        }
    }

    /// What the name of such a file ends in; `None` for a folder.
    pub fn extension(self) -> Option<&'static str> {
        Some(match self {
            Self::Jsonl | Self::Doccano | Self::Prodigy => "jsonl",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Conll => "conll",
            Self::LabelStudio | Self::Argilla => "json",
            Self::Aste | Self::Apc | Self::E2e | Self::FastText => "txt",
            Self::Atepc => "atepc",
            Self::SemEval14 | Self::SemEval16 => "xml",
            Self::Brat | Self::WebAnno | Self::HuggingFace => return None,
        })
    }
}

/// A file that is ready to be written, and what it does not hold.
#[derive(Clone, Debug)]
pub struct Exported {
    pub format: ExportFormat,
    /// Empty for a folder.
    pub bytes: Vec<u8>,
    /// The files of a folder by their paths in it.
    pub files: Vec<(String, Vec<u8>)>,
    /// Documents in the file.
    pub documents: usize,
    /// What the offsets in the file count, where it has any.
    pub unit: Option<&'static str>,
    /// `row` is the number of a document of the project, from 1.
    pub losses: Vec<Loss>,
}

impl Exported {
    /// Sentences about what is lost, the first document of each kind as the example, then the numbers of some more.
    pub fn sentences(&self) -> Vec<String> {
        let sentence = |loss: &Loss| {
            let example = if loss.example.is_empty() { String::new() } else { format!(" ({})", loss.example) };
            let places = loss.places();
            let then = if places.is_empty() { String::new() } else { format!(", then in {places}") };
            format!("{} × {}, first in document {}{example}{then}", loss.count, loss.what, loss.row)
        };
        self.losses.iter().map(sentence).collect()
    }

    /// Replaces the file once all is written. A folder must be new or empty.
    ///
    /// # Errors
    /// The disk is full or read-only; the old file is still there then. The folder holds something already.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        if self.format.extension().is_some() {
            return super::write_atomically(path, &self.bytes).map_err(StoreError::io("Exporting", path));
        }
        if fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) || path.is_file() {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        let names = (1..).map(|at| if at == 1 { ".new".to_owned() } else { format!(".new-{at}") });
        let Some(unfinished) = names.map(|name| super::with_suffix(path, &name)).find(|name| !name.exists()) else { return Ok(()) };
        let write = || {
            fs::create_dir_all(&unfinished)?;
            for (name, bytes) in &self.files {
                let file = unfinished.join(name);
                file.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(file, bytes)?;
            }
            if path.exists() {
                fs::remove_dir(path)?;
            }
            fs::rename(&unfinished, path)?;
            super::sync_folder(path);
            Ok(())
        };
        write().inspect_err(|_| drop(fs::remove_dir_all(&unfinished))).map_err(StoreError::io("Exporting", path))
    }

    /// Where the side-car of an export goes: our own JSON Lines beside it, which hold all that the format can't.
    pub fn sidecar(path: &Path) -> PathBuf {
        super::with_suffix(path, ".gloss.jsonl")
    }
}

/// Writes what is lost as CSV: the document, what, and an example; of each reason the first thousand.
///
/// # Errors
/// The file can't be written.
pub fn save_losses(losses: &[Loss], path: &Path) -> Result<(), StoreError> {
    let row = |(document, what, example): (usize, &str, &str)| (document, format!("{},{}", list_cell(what), list_cell(example)));
    let all = losses.iter().flat_map(|loss| loss.all().map(|(document, example)| row((document, &loss.what, example))));
    let list = write_list("document,what,example", all.collect());
    super::write_atomically(path, &list).map_err(StoreError::io("Saving the list", path))
}

/// Makes the file of a project in memory.
///
/// # Errors
/// Only a number that JSON can't hold: not with a sound project.
pub fn export(project: &Project, format: ExportFormat) -> std::io::Result<Exported> {
    export_with(project, None, format)
}

/// [`export`] with the journal, where the format has room: ours has.
///
/// # Errors
/// As [`export`].
pub fn export_with(project: &Project, history: Option<&History>, format: ExportFormat) -> std::io::Result<Exported> {
    let never = || std::io::Error::other("the export was ended");
    export_watched(project, history, format, &mut |_| ControlFlow::Continue(()))?.ok_or_else(never)
}

/// Hears the share that is done (0 to 1), some hundred documents apart; may end it.
pub type Watch<'a> = &'a mut dyn FnMut(f32) -> ControlFlow<()>;

/// [`export_with`], watched. `None` when it was ended.
///
/// # Errors
/// As [`export`].
pub fn export_watched(
    project: &Project,
    history: Option<&History>,
    format: ExportFormat,
    watch: Watch,
) -> std::io::Result<Option<Exported>> {
    const TOLD_EVERY: usize = 500;
    let (watch, done, told, ended) = (RefCell::new(watch), Cell::new(0), Cell::new(0), Cell::new(false));
    let total = project.documents().count().max(1);
    let goes_on = |documents: usize| {
        done.set(done.get() + documents);
        if done.get() >= told.get() + TOLD_EVERY && !ended.get() {
            told.set(done.get());
            ended.set(watch.borrow_mut()((done.get() as f32 / total as f32).min(1.0)).is_break());
        }
        !ended.get()
    };
    let exported = made(project, history, format, &goes_on);
    if ended.get() { Ok(None) } else { exported.map(Some) }
}

fn made(project: &Project, history: Option<&History>, format: ExportFormat, goes_on: &dyn Fn(usize) -> bool) -> std::io::Result<Exported> {
    let mut out = Out { project, goes_on, bytes: Vec::new(), files: Vec::new(), losses: Losses::default(), documents: 0 };
    let unit = match format {
        ExportFormat::Jsonl => {
            match history {
                None => jsonl::export_watched(project, goes_on, &mut out.bytes)?,
                Some(history) => {
                    if !jsonl::export_with_journal(project, history, goes_on, &mut out.bytes)? {
                        out.losses.note("the journal, which is longer than a row may be (an archive holds it)", 1, "");
                    }
                }
            }
            out.documents = project.documents().count();
            Some("code points")
        }
        ExportFormat::Csv => csv::write(&mut out),
        ExportFormat::Conll => conll::write(&mut out),
        ExportFormat::Doccano => doccano::write(&mut out)?,
        ExportFormat::LabelStudio => labelstudio::write(&mut out)?,
        ExportFormat::Aste => aste::write(&mut out),
        ExportFormat::Atepc => absa::atepc(&mut out),
        ExportFormat::Apc => absa::apc(&mut out),
        ExportFormat::E2e => absa::e2e(&mut out),
        ExportFormat::Xlsx => csv::write_workbook(&mut out)?,
        ExportFormat::Prodigy => prodigy::write(&mut out)?,
        ExportFormat::SemEval14 => semeval::write(&mut out, false),
        ExportFormat::SemEval16 => semeval::write(&mut out, true),
        ExportFormat::Brat => brat::write(&mut out),
        ExportFormat::WebAnno => webanno::write(&mut out),
        ExportFormat::Argilla => argilla::write(&mut out)?,
        ExportFormat::HuggingFace => hf::write(&mut out)?,
        ExportFormat::FastText => fasttext::write(&mut out),
    };
    // What was ended needs no last look.
    if goes_on(0) {
        out.repeats();
    }
    Ok(Exported { format, bytes: out.bytes, files: out.files, documents: out.documents, unit, losses: out.losses.0 })
}
