//! Runs: the folder `<project>.runs/` beside the project, one folder for each training run, which is its evidence:
//! settings, data revision and hash, every event, the best weights, every held-out prediction.
//!
//! A run's folder is locked while its process lives, so that a run whose process died is known as interrupted.

use super::{StoreError, model_folder, sync_folder, write_atomically};
use crate::nn::ModelFiles;
use crate::train::{Report, TrainConfig, TrainData, TrainEvent};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

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
    /// What a person wrote about it.
    pub notes: String,
    /// What its folder takes on the disk.
    pub bytes: u64,
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
}

const RUN: &str = "run.json";
const REPORT: &str = "report.json";
const EVENTS: &str = "events.jsonl";
const MODEL: &str = "model";
const LOCK: &str = "run.lock";
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
        let RunFile { started_ms, revision, data_hash, classes, span_labels, status, config } = read_json(&folder, RUN)?;
        let status = if status == RunStatus::Running && !is_alive(&folder) { RunStatus::Interrupted } else { status };
        let report = if status == RunStatus::Finished { Some(read_json(&folder, REPORT)?) } else { None };
        let notes = fs::read_to_string(folder.join(NOTES)).unwrap_or_default(); // most runs have none
        let (id, bytes) = (id.to_owned(), bytes_in(&folder));
        Ok(RunSummary { id, started_ms, config, revision, data_hash, status, report, classes, span_labels, notes, bytes })
    }

    /// Makes the folder of a new run. Ids count up and are not used twice while a later run exists.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn start(&self, config: &TrainConfig, data: &TrainData, time_ms: i64) -> Result<RunWriter, StoreError> {
        const DOING: &str = "Starting the run";
        let io = |error| StoreError::io(DOING, &self.0)(error);
        fs::create_dir_all(&self.0).map_err(io)?;
        let taken = |entry: io::Result<fs::DirEntry>| number(entry.ok()?.file_name().to_str()?);
        let mut next = fs::read_dir(&self.0).map_err(io)?.filter_map(taken).max().unwrap_or(0) + 1;
        let (id, folder) = loop {
            let id = format!("run-{next:04}");
            let folder = self.0.join(&id);
            match fs::create_dir(&folder) {
                Ok(()) => break (id, folder),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => next += 1,
                Err(error) => return Err(io(error)),
            }
        };
        let run = RunFile {
            started_ms: time_ms,
            revision: data.revision,
            data_hash: data_hash(data),
            classes: data.classes.clone(),
            span_labels: data.span_labels.clone(),
            status: RunStatus::Running,
            config: config.clone(),
        };
        let open = || -> io::Result<RunWriter> {
            let lock = File::create(folder.join(LOCK))?;
            lock.lock().or_else(|error| if error.kind() == io::ErrorKind::Unsupported { Ok(()) } else { Err(error) })?;
            let events = BufWriter::new(File::create(folder.join(EVENTS))?);
            write_json(&folder, RUN, &run)?;
            Ok(RunWriter { id, folder: folder.clone(), run, events, _lock: lock })
        };
        let writer = open().map_err(|error| {
            fs::remove_dir_all(&folder).ok(); // best effort: an empty folder is no run and is skipped
            io(error)
        })?;
        sync_folder(&folder);
        Ok(writer)
    }

    /// The best weights of a finished run.
    ///
    /// # Errors
    /// The run kept no model, or its files are damaged.
    pub fn model(&self, id: &str) -> Result<ModelFiles, StoreError> {
        let folder = self.folder_of(id)?;
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
    /// There is no such run, it is still running, or the disk is read-only.
    pub fn delete(&self, id: &str) -> Result<(), StoreError> {
        let folder = self.folder_of(id)?;
        if is_alive(&folder) {
            return Err(StoreError::Run { what: "it is still running".to_owned(), path: folder });
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

/// A run under way. Dropping it without an ending leaves it interrupted.
pub struct RunWriter {
    id: String,
    folder: PathBuf,
    run: RunFile,
    events: BufWriter<File>,
    _lock: File,
}

impl RunWriter {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Appends an event. All but the frequent steps reach the file at once.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn event(&mut self, event: &TrainEvent) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            serde_json::to_writer(&mut self.events, event)?;
            self.events.write_all(b"\n")?;
            if !matches!(event, TrainEvent::Step(_)) {
                self.events.flush()?;
            }
            Ok(())
        };
        let mut write = write;
        write().map_err(StoreError::io("Writing the run", &self.folder))
    }

    /// Keeps the model and the report; the run is finished when all of it is on the disk.
    ///
    /// # Errors
    /// The disk is full or read-only; the run can still be ended with [`RunWriter::fail`].
    pub fn finish(&mut self, model: &ModelFiles, report: &Report) -> Result<(), StoreError> {
        const DOING: &str = "Keeping the model";
        model_folder::write(&self.folder.join(MODEL), model)?;
        write_json(&self.folder, REPORT, report).map_err(StoreError::io(DOING, &self.folder))?;
        self.end(RunStatus::Finished)
    }

    /// Ends the run with the reason it failed for.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn fail(&mut self, why: &str) -> Result<(), StoreError> {
        self.end(RunStatus::Failed(why.to_owned()))
    }

    /// Ends the run without a result, because a person wanted so.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn cancelled(&mut self) -> Result<(), StoreError> {
        self.end(RunStatus::Cancelled)
    }

    fn end(&mut self, status: RunStatus) -> Result<(), StoreError> {
        let old = std::mem::replace(&mut self.run.status, status);
        let ended =
            self.events.flush().and_then(|()| self.events.get_ref().sync_data()).and_then(|()| write_json(&self.folder, RUN, &self.run));
        ended.map_err(|error| {
            self.run.status = old;
            StoreError::io("Ending the run", &self.folder)(error)
        })
    }
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

/// SHA-256, in hexadecimal, of everything that is learnt from, in order and with its lengths.
fn data_hash(data: &TrainData) -> String {
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for name in data.classes.iter().chain(&data.span_labels) {
        put(name.as_bytes());
    }
    for example in &data.examples {
        put(&example.doc.0.to_le_bytes());
        put(example.text.as_bytes());
        put(example.split.name().as_bytes());
        put(&example.class.map_or(-1i32, i32::from).to_le_bytes());
        put(&example.spans.as_ref().map_or(-1i64, |spans| spans.len() as i64).to_le_bytes());
        for (range, label) in example.spans.iter().flatten() {
            put(&(range.start() as u64).to_le_bytes());
            put(&(range.end() as u64).to_le_bytes());
            put(&label.to_le_bytes());
        }
        for polarity in &example.polarities {
            put(polarity.map_or("", |polarity| polarity.name()).as_bytes());
        }
        put(&example.links.as_ref().map_or(-1i64, |links| links.len() as i64).to_le_bytes());
        for (from, to) in example.links.iter().flatten() {
            put(&from.to_le_bytes());
            put(&to.to_le_bytes());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
