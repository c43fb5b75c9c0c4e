//! Copies of projects: whole with their journal and runs, as one archive and back, and new projects made of some of the
//! documents. The project that is copied is only read.

use super::{ProjectFile, Runs, StoreError, with_suffix, write_atomically};
use crate::project::{DocId, Document, Edit, EntryKind, History, Project, Schema, Step};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Inside an archive.
const PROJECT: &str = "project.gloss";
const RUNS: &str = "runs";

/// Copies a project with its whole journal and its runs.
///
/// # Errors
/// The project is open elsewhere, the new name is taken, the disk is full.
pub fn duplicate(from: &Path, to: &Path) -> Result<(), StoreError> {
    settle(from)?;
    duplicated(from, to, |unfinished| ProjectFile::copy(from, unfinished))
}

/// A project that this program has open, as it stands now. Its file is held by its owner: the copy is made of this.
pub struct Held {
    pub path: PathBuf,
    pub project: Project,
    /// What [`History::entries`] gives.
    pub entries: Vec<(EntryKind, Step)>,
}

impl Held {
    fn write(&self, to: &Path) -> Result<(), StoreError> {
        let entries: Vec<(EntryKind, &Step)> = self.entries.iter().map(|(kind, step)| (*kind, step)).collect();
        ProjectFile::write(&self.project, &entries, to)
    }
}

/// [`duplicate`] of a project that this program has open.
///
/// # Errors
/// The new name is taken, the disk is full.
pub fn duplicate_open(held: &Held, to: &Path) -> Result<(), StoreError> {
    duplicated(&held.path, to, |unfinished| held.write(unfinished))
}

fn duplicated(from: &Path, to: &Path, copy: impl FnOnce(&Path) -> Result<(), StoreError>) -> Result<(), StoreError> {
    const DOING: &str = "Duplicating the project";
    if to.exists() || Runs::of(to).folder().exists() {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    let unfinished = with_suffix(to, ".new");
    let done = copy(&unfinished).and_then(|()| {
        for (name, file) in run_files(from)? {
            let target = Runs::of(to).folder().join(name);
            target.parent().map_or(Ok(()), fs::create_dir_all).map_err(StoreError::io(DOING, to))?;
            fs::copy(&file, &target).map_err(StoreError::io(DOING, to))?;
        }
        fs::rename(&unfinished, to).map_err(StoreError::io(DOING, to))
    });
    if done.is_err() {
        // Best effort: the error that matters is the first one. The folder was not there before.
        fs::remove_dir_all(Runs::of(to).folder()).ok();
        fs::remove_file(&unfinished).ok();
        fs::remove_file(with_suffix(&unfinished, "-wal")).ok();
    }
    done
}

/// Opens and closes a project, after which all of it is in its one file.
fn settle(path: &Path) -> Result<(), StoreError> {
    ProjectFile::open(path).map(drop)
}

/// The files of the runs by their paths in the folder of runs.
fn run_files(project: &Path) -> Result<Vec<(PathBuf, PathBuf)>, StoreError> {
    fn walk(folder: &Path, inside: &Path, found: &mut Vec<(PathBuf, PathBuf)>) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = inside.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                walk(&entry.path(), &name, found)?;
            } else if kind.is_file() {
                found.push((name, entry.path()));
            }
        }
        Ok(())
    }
    let folder = Runs::of(project).folder().to_owned();
    let mut found = Vec::new();
    if folder.is_dir() {
        walk(&folder, Path::new(""), &mut found).map_err(StoreError::io_read("Reading the runs", &folder))?;
    }
    found.sort();
    Ok(found)
}

/// Puts a project into one file: the project with its journal, and its runs unless they are left out.
///
/// # Errors
/// As [`duplicate`].
pub fn archive(project: &Path, to: &Path, with_runs: bool) -> Result<usize, StoreError> {
    settle(project)?;
    archived(project, to, with_runs, |copy| ProjectFile::copy(project, copy))
}

/// [`archive`] of a project that this program has open.
///
/// # Errors
/// The disk is full, or the place can't be written to.
pub fn archive_open(held: &Held, to: &Path, with_runs: bool) -> Result<usize, StoreError> {
    archived(&held.path, to, with_runs, |copy| held.write(copy))
}

fn archived(project: &Path, to: &Path, with_runs: bool, write: impl FnOnce(&Path) -> Result<(), StoreError>) -> Result<usize, StoreError> {
    let copy = with_suffix(to, ".project");
    let done = write(&copy).and_then(|()| pack(&copy, project, to, with_runs));
    fs::remove_file(&copy).ok(); // it is not there when copying failed
    done
}

fn pack(copy: &Path, project: &Path, to: &Path, with_runs: bool) -> Result<usize, StoreError> {
    const DOING: &str = "Writing the archive";
    let mut files = vec![(PathBuf::from(PROJECT), copy.to_owned())];
    if with_runs {
        files.extend(run_files(project)?.into_iter().map(|(name, file)| (Path::new(RUNS).join(name), file)));
    }
    let unfinished = with_suffix(to, ".new");
    let write = || -> std::io::Result<()> {
        let mut archive = ZipWriter::new(BufWriter::new(File::create(&unfinished)?));
        let packed =
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(6)).large_file(true);
        for (name, file) in &files {
            let name: Vec<String> = name.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            archive.start_file(name.join("/"), packed)?;
            std::io::copy(&mut File::open(file)?, &mut archive)?;
        }
        let mut file = archive.finish()?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&unfinished, to)
    };
    write().map_err(StoreError::io(DOING, to))?;
    Ok(files.len())
}

/// Takes a project out of an archive. What else stands in it, and any path that leads out of the folder, is refused.
///
/// # Errors
/// The file is no archive of ours, is damaged, or unpacks to more than it may; the new name is taken.
pub fn unarchive(from: &Path, to: &Path) -> Result<(), StoreError> {
    let broken = |what: String| StoreError::Archive { what, path: from.to_owned() };
    if to.exists() {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    let file = File::open(from).map_err(StoreError::io_read("Reading the archive", from))?;
    let packed = file.metadata().map_or(0, |meta| meta.len());
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(error.to_string()))?;
    let runs = Runs::of(to).folder().to_owned();
    let unfinished = with_suffix(to, ".new");
    let mut taken = Vec::new();
    let done = unpack(&mut archive, packed, &unfinished, &runs, &mut taken).map_err(|what| broken(what.to_string()));
    let placed = done.and_then(|has_project| match has_project {
        true => ProjectFile::open(&unfinished).map(drop).map_err(|error| error.at(from)),
        false => Err(broken("it holds no project".to_owned())),
    });
    let placed = placed.and_then(|()| fs::rename(&unfinished, to).map_err(StoreError::io("Unpacking the archive", to)));
    if placed.is_err() {
        // Best effort: the error that matters is the first one.
        taken.iter().chain([&unfinished]).for_each(|file| drop(fs::remove_file(file)));
    }
    ["-wal", "-shm", ".lock"].iter().for_each(|suffix| drop(fs::remove_file(with_suffix(&unfinished, suffix))));
    placed
}

fn unpack(
    archive: &mut ZipArchive<impl Read + Seek>,
    packed: u64,
    project: &Path,
    runs: &Path,
    taken: &mut Vec<PathBuf>,
) -> Result<bool, Box<dyn std::error::Error>> {
    const SMALL: u64 = 1 << 30;
    let mut room = SMALL.max(packed.saturating_mul(200));
    let mut has_project = false;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at)?;
        let path = PathBuf::from(entry.name()?.into_owned());
        if entry.is_dir() {
            continue;
        }
        if !path.components().all(|part| matches!(part, Component::Normal(_))) || entry.is_symlink() {
            return Err(format!("it holds the path {:?}, which leads out of it", path.display().to_string()).into());
        }
        let target = match path.strip_prefix(RUNS) {
            Ok(inside) => runs.join(inside),
            Err(_) if path == Path::new(PROJECT) => project.to_owned(),
            Err(_) => return Err(format!("it holds {:?}, which is no part of a project", path.display().to_string()).into()),
        };
        has_project |= target == project;
        target.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).open(&target)?;
        taken.push(target);
        let written = std::io::copy(&mut (&mut entry).take(room.saturating_add(1)), &mut file)?;
        room = room.checked_sub(written).ok_or("it unpacks to more than 200 times its size")?;
    }
    Ok(has_project)
}

/// A new project that holds these documents, as its first step. Ids are given anew; annotators, comments and the schema come
/// along, the journal and the runs do not.
///
/// # Errors
/// As [`ProjectFile::create_filled`].
pub fn new_with(
    path: &Path,
    schema: &Schema,
    team: (&[String], &str),
    documents: Vec<Document>,
    step: (String, String, i64),
) -> Result<(), StoreError> {
    let mut project = Project::new(schema.clone());
    let mut history = History::default();
    let (annotators, guidelines) = team;
    let documents: Vec<Document> =
        documents.into_iter().enumerate().map(|(at, doc)| Document { id: DocId::from_index(at), ..doc }).collect();
    let mut edits = Vec::new();
    if !annotators.is_empty() {
        edits.push(Edit::SetAnnotators { to: annotators.to_vec() });
    }
    if !guidelines.is_empty() {
        edits.push(Edit::SetGuidelines { to: guidelines.to_owned() });
    }
    if !documents.is_empty() {
        edits.push(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents });
    }
    let (name, author, time_ms) = step;
    let step = history.commit(&mut project, name, author, time_ms, edits).map_err(StoreError::edit(path))?;
    let mut file = ProjectFile::create(path, schema)?;
    file.record(EntryKind::Do, &step, &project)
}

/// Writes the key of an anonymised project, readable by its owner only where the system knows owners.
///
/// # Errors
/// There is such a file already, or the folder can't be written to.
pub fn write_key(path: &Path, key: &std::collections::BTreeMap<String, String>) -> Result<(), StoreError> {
    const DOING: &str = "Writing the key";
    if path.exists() {
        return Err(StoreError::Exists { path: path.to_owned() });
    }
    let json = serde_json::to_vec_pretty(key).map_err(std::io::Error::from).map_err(StoreError::io(DOING, path))?;
    write_atomically(path, &json).map_err(StoreError::io(DOING, path))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(StoreError::io(DOING, path))?;
    }
    Ok(())
}

/// [`write_key`] of a copy that was just made: without its key it could never be restored, and goes.
///
/// # Errors
/// As [`write_key`].
pub fn write_key_of(path: &Path, key: &std::collections::BTreeMap<String, String>, copy: &Path) -> Result<(), StoreError> {
    write_key(path, key).inspect_err(|_| drop(fs::remove_file(copy)))
}

/// Reads a key that [`write_key`] wrote.
///
/// # Errors
/// There is none, or it is no key.
pub fn read_key(path: &Path) -> Result<std::collections::BTreeMap<String, String>, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::io_read("Reading the key", path))?;
    serde_json::from_slice(&bytes).map_err(|error| StoreError::Archive { what: format!("it is no key: {error}"), path: path.to_owned() })
}
