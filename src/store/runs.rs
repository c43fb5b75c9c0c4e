//! Runs: the folder `<project>.runs/` beside the project, one folder for each training run, which is its evidence:
//! settings, data revision and hash, every event, the best weights, every held-out prediction.
//!
//! A run that is not at its end also keeps, now and then, what it takes to go on exactly: see [`RunWriter::keep`].
//! A run's folder is locked while its process lives, so that a run whose process died is known as interrupted.

use super::{StoreError, model_folder, sync_folder, write_atomically};
use crate::nn::ModelFiles;
use crate::project::{DocId, Split};
use crate::train::{Report, SavedAt, SavedRun, TrainConfig, TrainData, TrainEvent};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

mod hashing;
mod joining;
mod writing;

use hashing::data_hash;
pub use writing::RunWriter;

/// The runs of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs(PathBuf);

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    Running,
    Finished,
    /// Why, as a sentence.
    Failed(String),
    Cancelled,
    /// Its process ended before it did. Never stored: it is what a run that looks like running turns out to be.
    Interrupted,
}

/// What is known about a run without reading its events or weights.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// "run-0001"; the name of its folder.
    pub id: String,
    pub started_ms: i64,
    pub config: TrainConfig,
    /// Revision of the project the data was taken from.
    pub revision: u64,
    /// Of the documents and labels it learnt from: equal hashes, equal data.
    pub data_hash: String,
    pub status: RunStatus,
    pub report: Option<Report>,
    /// Names of the classes, in the order of the probabilities.
    pub classes: Vec<String>,
    pub span_labels: Vec<String>,
    /// Whether it ended before its time and has kept what it takes to go on.
    pub can_resume: bool,
    /// What a person wrote about it.
    pub notes: String,
    /// What its folder takes on the disk.
    pub bytes: u64,
    /// The runs that answer together as this one; empty of a run that learnt by itself.
    pub members: Vec<String>,
}

/// run.json: the summary without what its folder says by itself.
#[derive(Serialize, Deserialize)]
struct RunFile {
    started_ms: i64,
    revision: u64,
    data_hash: String,
    classes: Vec<String>,
    span_labels: Vec<String>,
    status: RunStatus,
    config: TrainConfig,
    /// Documents it learnt from, as ranges: first and last.
    #[serde(default)]
    learnt_from: Vec<(u32, u32)>,
    /// Runs that answer together as this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<String>,
}

const RUN: &str = "run.json";
const REPORT: &str = "report.json";
const EVENTS: &str = "events.jsonl";
const MODEL: &str = "model";
const LOCK: &str = "run.lock";
/// What it takes to go on, while the run is not at its end.
const STATE: &str = "state.safetensors";
const DATA: &str = "data.json";
const NOTES: &str = "notes.txt";

impl Runs {
    /// The runs of the project file `project`, which need not be open for this.
    pub fn of(project: &Path) -> Self {
        Self(project.with_extension("runs"))
    }

    /// The folder that holds them; made by the first run.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// All runs, oldest first. A folder that can't be read as a run is left out, with a line in the log.
    pub fn list(&self) -> Vec<RunSummary> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        let mut ids: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(|name| number(name).is_some()).collect();
        ids.sort_by_key(|id| number(id));
        ids.iter().filter_map(|id| self.summary(id).inspect_err(|error| log::warn!("{error}")).ok()).collect()
    }

    /// One run by its id.
    ///
    /// # Errors
    /// There is no such run, or its files are damaged.
    pub fn summary(&self, id: &str) -> Result<RunSummary, StoreError> {
        let folder = self.folder_of(id)?;
        let RunFile { started_ms, revision, data_hash, classes, span_labels, status, config, members, .. } = read_json(&folder, RUN)?;
        let status = if status == RunStatus::Running && !is_alive(&folder) { RunStatus::Interrupted } else { status };
        let report = if status == RunStatus::Finished { Some(read_json(&folder, REPORT)?) } else { None };
        let can_resume = matches!(status, RunStatus::Interrupted | RunStatus::Failed(_)) && folder.join(STATE).is_file();
        let notes = fs::read_to_string(folder.join(NOTES)).unwrap_or_default(); // most runs have none
        let (id, bytes) = (id.to_owned(), bytes_in(&folder));
        Ok(RunSummary {
            id,
            started_ms,
            config,
            revision,
            data_hash,
            status,
            report,
            classes,
            span_labels,
            can_resume,
            notes,
            bytes,
            members,
        })
    }

    /// Makes the folder of a new run. Ids count up and are not used twice while a later run exists.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn start(&self, config: &TrainConfig, data: &TrainData, time_ms: i64) -> Result<RunWriter, StoreError> {
        const DOING: &str = "Starting the run";
        let io = |error| StoreError::io(DOING, &self.0)(error);
        let (id, folder) = self.new_folder().map_err(io)?;
        let run = RunFile {
            started_ms: time_ms,
            revision: data.revision,
            data_hash: data_hash(data),
            classes: data.classes.clone(),
            span_labels: data.span_labels.clone(),
            status: RunStatus::Running,
            config: config.clone(),
            learnt_from: learnt_ranges(data),
            members: Vec::new(),
        };
        let open = || -> io::Result<RunWriter> {
            let lock = File::create(folder.join(LOCK))?;
            lock.lock().or_else(unless_unsupported)?;
            let events = BufWriter::new(File::create(folder.join(EVENTS))?);
            write_json(&folder, RUN, &run)?;
            Ok(RunWriter { id, folder: folder.clone(), run, events, has_data: false, _lock: lock })
        };
        let writer = open().map_err(|error| {
            fs::remove_dir_all(&folder).ok(); // best effort: an empty folder is no run and is skipped
            io(error)
        })?;
        sync_folder(&folder);
        Ok(writer)
    }

    /// Makes an empty folder under the next id.
    fn new_folder(&self) -> io::Result<(String, PathBuf)> {
        fs::create_dir_all(&self.0)?;
        let taken = |entry: io::Result<fs::DirEntry>| number(entry.ok()?.file_name().to_str()?);
        let mut next = fs::read_dir(&self.0)?.filter_map(taken).max().unwrap_or(0) + 1;
        loop {
            let id = format!("run-{next:04}");
            let folder = self.0.join(&id);
            match fs::create_dir(&folder) {
                Ok(()) => return Ok((id, folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => next += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens a run that ended before its time, to go on where it last kept its state. What it told after that is forgotten.
    ///
    /// # Errors
    /// There is no such run, it goes on elsewhere, it kept no state, or its files are damaged.
    pub fn resume(&self, id: &str) -> Result<ResumedRun, StoreError> {
        const DOING: &str = "Continuing the run";
        let folder = self.folder_of(id)?;
        let refuse = |what: String| StoreError::Run { what, path: folder.clone() };
        if is_alive(&folder) {
            return Err(refuse("it is still running".to_owned()));
        }
        if !self.summary(id)?.can_resume {
            return Err(refuse("it kept nothing to go on from".to_owned()));
        }
        let bytes = fs::read(folder.join(STATE)).map_err(StoreError::io_read(DOING, &folder))?;
        let state = SavedRun::read(&bytes).map_err(|error| refuse(error.to_string()))?;
        let kept: KeptData = read_json(&folder, DATA)?;
        let mut run: RunFile = read_json(&folder, RUN)?;
        if data_hash(&kept.data) != run.data_hash {
            return Err(refuse(format!("{DATA} is not what it learnt from")));
        }
        run.config = exact(&run.config, &kept.numbers).ok_or_else(|| refuse(format!("{DATA} is damaged")))?;
        run.status = RunStatus::Running;
        let events: Vec<TrainEvent> = self.events(id)?.into_iter().filter(|event| is_before(event, state.at())).collect();
        let open = || -> io::Result<RunWriter> {
            let lock = File::create(folder.join(LOCK))?;
            lock.lock().or_else(unless_unsupported)?;
            let mut lines = Vec::new();
            for event in &events {
                serde_json::to_writer(&mut lines, event)?;
                lines.push(b'\n');
            }
            write_atomically(&folder.join(EVENTS), &lines)?;
            let file = File::options().append(true).open(folder.join(EVENTS))?;
            write_json(&folder, RUN, &run)?;
            Ok(RunWriter { id: id.to_owned(), folder: folder.clone(), run, events: BufWriter::new(file), has_data: true, _lock: lock })
        };
        let writer = open().map_err(StoreError::io(DOING, &self.folder_of(id)?))?;
        Ok(ResumedRun { config: writer.run.config.clone(), writer, data: kept.data, state, events })
    }

    /// The documents that a run has learnt from; none of runs of older versions of Gloss, which did not say.
    ///
    /// # Errors
    /// There is no such run, or its files are damaged.
    pub fn learnt_from(&self, id: &str) -> Result<BTreeSet<DocId>, StoreError> {
        let run: RunFile = read_json(&self.folder_of(id)?, RUN)?;
        Ok(run.learnt_from.into_iter().flat_map(|(first, last)| first..=last).map(DocId).collect())
    }

    /// The best weights of a finished run, of several that answer together those of each.
    ///
    /// # Errors
    /// The run kept no model, or its files are damaged.
    pub fn model(&self, id: &str) -> Result<ModelFiles, StoreError> {
        let folder = self.folder_of(id)?;
        let run: RunFile = read_json(&folder, RUN)?;
        if let Some((first, others)) = run.members.split_first() {
            let others = others.iter().map(|member| self.model(member)).collect::<Result<_, _>>()?;
            return Ok(ModelFiles { others, ..self.model(first)? });
        }
        if !folder.join(MODEL).is_dir() {
            return Err(StoreError::Run { what: "it kept no model".to_owned(), path: folder });
        }
        model_folder::read(&folder.join(MODEL))
    }

    /// Everything a run told, in order. A last line that was cut short is left out.
    ///
    /// # Errors
    /// There is no such run, or it can't be read.
    pub fn events(&self, id: &str) -> Result<Vec<TrainEvent>, StoreError> {
        let path = self.folder_of(id)?.join(EVENTS);
        let text = fs::read_to_string(&path).map_err(StoreError::io_read("Reading the run", &path))?;
        Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Keeps what a person wrote about a run; nothing takes the notes away.
    ///
    /// # Errors
    /// There is no such run, or the disk is full or read-only.
    pub fn set_notes(&self, id: &str, notes: &str) -> Result<(), StoreError> {
        let path = self.folder_of(id)?.join(NOTES);
        let kept = if notes.is_empty() { fs::remove_file(&path) } else { write_atomically(&path, notes.as_bytes()) };
        match kept {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("Keeping the notes", &path)(error)),
            _ => Ok(()),
        }
    }

    /// The newest run that ended well.
    pub fn newest_finished(&self) -> Option<RunSummary> {
        self.list().into_iter().rfind(|run| run.status == RunStatus::Finished)
    }

    /// Removes a run and its model for good.
    ///
    /// # Errors
    /// There is no such run, it is still running, another one answers by it, or the disk is read-only.
    pub fn delete(&self, id: &str) -> Result<(), StoreError> {
        let folder = self.folder_of(id)?;
        if is_alive(&folder) {
            return Err(StoreError::Run { what: "it is still running".to_owned(), path: folder });
        }
        if let Some(other) = self.list().iter().find(|run| run.members.iter().any(|member| member == id)) {
            let what = format!("{} answers by it; delete that one first", other.id);
            return Err(StoreError::Run { what, path: folder });
        }
        // Renamed first: half a run is never listed.
        let gone = self.0.join(format!("deleted-{id}"));
        fs::remove_dir_all(&gone).ok();
        fs::rename(&folder, &gone).and_then(|()| fs::remove_dir_all(&gone)).map_err(StoreError::io("Deleting the run", &folder))
    }

    fn folder_of(&self, id: &str) -> Result<PathBuf, StoreError> {
        let folder = self.0.join(id);
        // Only names of ours: an id never leads out of the folder.
        if number(id).is_some() && folder.is_dir() {
            Ok(folder)
        } else {
            Err(StoreError::Run { what: format!("there is no run {id:?}"), path: self.0.clone() })
        }
    }
}

/// A run to go on with.
pub struct ResumedRun {
    pub writer: RunWriter,
    pub config: TrainConfig,
    pub data: TrainData,
    pub state: SavedRun,
    /// What it told before.
    pub events: Vec<TrainEvent>,
}

/// data.json: what the run learns from, so that it goes on even when labels have changed since.
#[derive(Serialize, Deserialize)]
struct KeptData {
    data: TrainData,
    /// The settings that are no whole numbers, as bits: text would round them.
    numbers: BTreeMap<String, u64>,
}

fn learnt_ranges(data: &TrainData) -> Vec<(u32, u32)> {
    ranges(data.examples.iter().filter(|example| example.split == Split::Train).map(|example| example.doc.0))
}

/// First and last of those that follow one another.
fn ranges(docs: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for doc in docs.collect::<BTreeSet<_>>() {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == doc => *last = doc,
            _ => ranges.push((doc, doc)),
        }
    }
    ranges
}

/// Some file systems lock nothing.
fn unless_unsupported(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::Unsupported { Ok(()) } else { Err(error) }
}

/// Whether a run that goes on from `at` has told this already.
fn is_before(event: &TrainEvent, at: SavedAt) -> bool {
    let evaluated = |step: usize| step < at.step || step == at.step && at.evaluated;
    match event {
        TrainEvent::Started(_) => true,
        TrainEvent::Step(step) => step.step <= at.step,
        TrainEvent::Layers(layers) => layers.step <= at.step,
        TrainEvent::Evaluated(evaluation) => evaluated(evaluation.step),
        TrainEvent::Checkpoint { step } => evaluated(*step),
        TrainEvent::Finished(_) => false,
    }
}

/// The settings with a fraction, as bits.
fn fractions(config: &TrainConfig) -> BTreeMap<String, u64> {
    let fields = serde_json::to_value(config).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default();
    let fraction = |(key, value): (String, serde_json::Value)| Some((key, value.as_f64().filter(|_| value.is_f64())?.to_bits()));
    fields.into_iter().filter_map(fraction).collect()
}

/// Settings with the fractions they were written with.
fn exact(config: &TrainConfig, fractions: &BTreeMap<String, u64>) -> Option<TrainConfig> {
    let mut fields = serde_json::to_value(config).ok()?;
    for (key, bits) in fractions {
        *fields.get_mut(key)? = f64::from_bits(*bits).into();
    }
    serde_json::from_value(fields).ok()
}

/// The number in "run-0012"; `None` for other names.
fn number(id: &str) -> Option<u32> {
    let digits = id.strip_prefix("run-")?;
    (digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Whether the process that writes the run still lives.
fn is_alive(folder: &Path) -> bool {
    // Opened for writing: some systems lock no file that is only read.
    File::options().write(true).open(folder.join(LOCK)).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// The size of all files of a folder; what can't be looked at counts as nothing.
fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let bytes = entries.filter_map(Result::ok).map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

fn read_json<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> Result<T, StoreError> {
    let path = folder.join(name);
    let bytes = fs::read(&path).map_err(StoreError::io_read("Reading the run", &path))?;
    serde_json::from_slice(&bytes).map_err(|error| StoreError::Run { what: format!("{name} is damaged: {error}"), path: folder.to_owned() })
}

fn write_json(folder: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    write_atomically(&folder.join(name), &serde_json::to_vec_pretty(value)?)
}
