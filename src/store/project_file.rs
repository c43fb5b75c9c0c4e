//! The project file: SQLite with the documents as they are and an append-only journal of the steps that led there.
//!
//! A step is one transaction, on the disk when [`ProjectFile::record`] returns (write-ahead log, synced), so killing the
//! program or the power loses at most the gesture under way. A file that can't be opened is left byte for byte as it was.

use super::rows::{self, Touched};
use super::{Runs, StoreError, sync_folder, with_suffix};
use crate::project::{EntryKind, History, Project, Schema, Step, TextPack};
use connection::{
    APPLICATION_ID, Check, FORMAT, as_damage, check_header, check_pages, connect, connect_immutable, has_log, helpers, keep_log,
    make_writable,
};
use rusqlite::{Connection, TransactionBehavior, params};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

mod connection;
mod lock;

pub(super) use lock::Lock;

/// An open project file. Closing is dropping; there is nothing to save.
pub struct ProjectFile {
    // Dropped first: the database is closed before the lock is given up.
    database: Connection,
    _lock: Lock,
    path: PathBuf,
    next_seq: i64,
}

/// What [`ProjectFile::open`] finds.
pub struct Opened {
    pub file: ProjectFile,
    pub project: Project,
    pub history: History,
    /// The texts, for searching them; only of [`ProjectFile::open_unchecked`].
    pub texts: Vec<TextPack>,
}

/// Looks at every page of a file, on any thread, while its owner records steps: these go into the log beside the file
/// until [`ProjectFile::trust`], and the file itself stays as it was.
pub struct Checker {
    database: Connection,
    path: PathBuf,
}

impl Checker {
    /// Whether the pages of the file are sound.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn run(self) -> Result<(), StoreError> {
        check_pages(&self.database, &self.path)
    }
}

/// A trouble that tests put in the way of the next records.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The file can't grow any more.
    DiskFull,
    ReadOnly,
}

impl ProjectFile {
    /// A new, empty project. Never overwrites.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or the folder can't be written to.
    pub fn create(path: &Path, schema: &Schema) -> Result<Self, StoreError> {
        Self::create_filled(path, &Project::new(schema.clone()), &[])
    }

    /// A new project that already holds documents and the steps that brought them. The file appears under its name
    /// only when it is complete.
    ///
    /// # Errors
    /// As [`ProjectFile::create`].
    pub fn create_filled(path: &Path, project: &Project, steps: &[Step]) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        if path.try_exists().map_err(StoreError::io("Making the project", path))? {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        let unfinished = with_suffix(path, ".new");
        let entries: Vec<(EntryKind, &Step)> = steps.iter().map(|step| (EntryKind::Do, step)).collect();
        let built = discard(&unfinished).and_then(|()| build(&unfinished, project, &entries, path));
        let placed = built.and_then(|()| {
            set_aside_stray_log(path)?;
            fs::rename(&unfinished, path).map_err(StoreError::io("Making the project", path))
        });
        if let Err(error) = placed {
            discard(&unfinished).ok(); // best effort: the error that matters is the first one
            return Err(error);
        }
        sync_folder(path);
        Ok(Self::open_locked(path, lock, Check::Now)?.file)
    }

    /// Reads a project and keeps its file open, for this program alone.
    ///
    /// # Errors
    /// The file is missing, no project, damaged, newer than this program, or open elsewhere; it was not touched then.
    pub fn open(path: &Path) -> Result<Opened, StoreError> {
        Self::open_with(path, Check::Now)
    }

    /// [`ProjectFile::open`] without SQLite's look at every page, which takes a large file most of a second. All rows were
    /// read and made sense. Nothing may be recorded before a [`ProjectFile::checker`] was made, or, where there is none,
    /// before [`ProjectFile::check`] found the file sound.
    ///
    /// # Errors
    /// As [`ProjectFile::open`].
    pub fn open_unchecked(path: &Path) -> Result<Opened, StoreError> {
        Self::open_with(path, Check::Later)
    }

    fn open_with(path: &Path, check: Check) -> Result<Opened, StoreError> {
        if !path.try_exists().map_err(StoreError::io("Opening the project", path))? {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let lock = Lock::take(path)?;
        Self::open_locked(path, lock, check)
    }

    /// For looking at the pages of a file that was opened unchecked while steps are recorded. `None` where its log holds
    /// something or its tables are of an older format: the file has to be checked by itself first.
    pub fn checker(&self) -> Option<Checker> {
        let format: u32 = self.database.query_row("PRAGMA user_version", [], |row| row.get(0)).ok()?;
        // A file without a log is written to in place.
        let mode: String = self.database.query_row("PRAGMA journal_mode", [], |row| row.get(0)).ok()?;
        let database = if format == FORMAT && mode == "wal" && !has_log(&self.path) { connect_immutable(&self.path) } else { None }?;
        Some(Checker { database, path: self.path.clone() })
    }

    /// A [`Checker`] found the file sound: what was recorded meanwhile may join it.
    ///
    /// # Errors
    /// When SQLite refuses the setting.
    pub fn trust(&mut self) -> Result<(), StoreError> {
        make_writable(&mut self.database, &self.path)
    }

    /// A [`Checker`] found the file damaged: closes it and sets the log aside that holds what was recorded meanwhile. The
    /// file is as it was before it was opened.
    pub fn abandon(self) {
        let Self { database, _lock, path, .. } = self;
        drop(database);
        let log = with_suffix(&path, "-wal");
        let cleared = if has_log(&path) { set_aside_stray_log(&path).is_ok() } else { !log.exists() || fs::remove_file(&log).is_ok() };
        if !cleared {
            log::warn!("{} could not be set aside", log.display());
        }
    }

    /// Makes this the file of another project with its journal, in one moment: until then the file is as it was.
    ///
    /// # Errors
    /// The disk is full, the folder can't be written to.
    pub fn replace(self, project: &Project, entries: &[(EntryKind, &Step)]) -> Result<Self, StoreError> {
        let Self { database, _lock: lock, path, .. } = self;
        let unfinished = with_suffix(&path, ".new");
        let built = discard(&unfinished).and_then(|()| build(&unfinished, project, entries, &path));
        database.close().map_err(|(_, error)| StoreError::sql("Making the project", &path)(error))?;
        let placed = built.and_then(|()| {
            set_aside_stray_log(&path)?;
            fs::rename(&unfinished, &path).map_err(StoreError::io("Making the project", &path))
        });
        if let Err(error) = placed {
            discard(&unfinished).ok(); // best effort: the error that matters is the first one
            return Err(error);
        }
        sync_folder(&path);
        Ok(Self::open_locked(&path, lock, Check::Now)?.file)
    }

    /// Writes a project with its journal to a file that nobody has open. What stands there is overwritten.
    ///
    /// # Errors
    /// The disk is full, the folder can't be written to.
    pub fn write(project: &Project, entries: &[(EntryKind, &Step)], to: &Path) -> Result<(), StoreError> {
        let built = discard(to).and_then(|()| build(to, project, entries, to));
        if built.is_err() {
            discard(to).ok(); // best effort: the error that matters is the first one
        }
        built
    }

    /// Copies a project that nobody has open: SQLite writes the copy, log and all in one file.
    ///
    /// # Errors
    /// The file is missing or no project, the copy can't be written.
    pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
        const DOING: &str = "Copying the project";
        discard(to)?;
        check_header(from)?;
        let database = connect(from)?;
        let name = to.to_str().ok_or_else(|| StoreError::damaged(to, "its name is no Unicode"))?;
        let copied = database.execute("VACUUM INTO ?1", [name]).map_err(StoreError::sql(DOING, to));
        // The copy does not know yet that it has a log.
        let copied = copied.and_then(|_| connect(to)).and_then(|copy| keep_log(&copy, to));
        if copied.is_err() {
            discard(to).ok(); // best effort: the error that matters is the first one
        }
        copied
    }

    /// Whether the pages of the file are sound. What was not written before is free to be written after.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]: then the file stays as it is, whatever happens to this value.
    pub fn check(&mut self) -> Result<(), StoreError> {
        check_pages(&self.database, &self.path)?;
        make_writable(&mut self.database, &self.path)
    }

    fn open_locked(path: &Path, lock: Lock, check: Check) -> Result<Opened, StoreError> {
        check_header(path)?;
        let log = with_suffix(path, "-wal");
        let had_log = log.exists();
        let opened = connect(path).and_then(|database| {
            if check == Check::Now {
                check_pages(&database, path)?;
            }
            let read = read(&database, path, check)?;
            let mut database = database;
            match check {
                Check::Now => make_writable(&mut database, path)?,
                // What is recorded stays in the log until the file is known to be sound.
                Check::Later => database.pragma_update(None, "wal_autocheckpoint", 0).map_err(as_damage(path))?,
            }
            Ok((database, read))
        });
        match opened {
            Ok((database, Content { project, history, next_seq, texts })) => {
                Ok(Opened { file: Self { database, _lock: lock, path: path.to_owned(), next_seq }, project, history, texts })
            }
            Err(error) => {
                // The database is closed by now. A log that only looking made is empty: leave the folder as it was.
                if !had_log && log.metadata().is_ok_and(|meta| meta.len() == 0) {
                    fs::remove_file(&log).ok();
                }
                Err(error)
            }
        }
    }

    /// Puts one step on the disk: the journal's line and every row it touched, in one transaction. `project` already
    /// has the change. After an error the file is as before and the same call can be made again later.
    ///
    /// # Errors
    /// A full or read-only disk above all.
    pub fn record(&mut self, kind: EntryKind, step: &Step, project: &Project) -> Result<(), StoreError> {
        self.record_all(&[(kind, step)], project)
    }

    /// [`ProjectFile::record`] for steps that had to wait, oldest first; all or none.
    ///
    /// # Errors
    /// As [`ProjectFile::record`].
    pub fn record_all(&mut self, entries: &[(EntryKind, &Step)], project: &Project) -> Result<(), StoreError> {
        const DOING: &str = "Saving the change";
        let path = &self.path;
        let touched = Touched::by(entries);
        let transaction = self.database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::sql(DOING, path))?;
        let mut seq = self.next_seq;
        for (kind, step) in entries {
            rows::append_journal(&transaction, seq, *kind, step).map_err(StoreError::sql(DOING, path))?;
            seq += 1;
        }
        rows::write_touched(&transaction, &touched, project, path)?;
        transaction.commit().map_err(StoreError::sql(DOING, path))?;
        self.next_seq = seq;
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The runs that belong to this project.
    pub fn runs(&self) -> Runs {
        Runs::of(&self.path)
    }

    /// For tests: makes the next records fail as a disk would.
    ///
    /// # Errors
    /// When SQLite refuses the setting.
    #[doc(hidden)]
    pub fn simulate(&mut self, fault: Fault) -> Result<(), StoreError> {
        let pages: i64 = match fault {
            Fault::DiskFull => self.database.query_row("PRAGMA page_count", [], |row| row.get(0)),
            Fault::None | Fault::ReadOnly => Ok(i64::from(u32::MAX - 1)),
        }
        .map_err(StoreError::sql("Testing", &self.path))?;
        self.database
            .execute_batch(&format!("PRAGMA max_page_count = {pages}; PRAGMA query_only = {};", i32::from(fault == Fault::ReadOnly)))
            .map_err(StoreError::sql("Testing", &self.path))
    }
}

/// All that a database holds.
struct Content {
    project: Project,
    history: History,
    /// Of the journal.
    next_seq: i64,
    texts: Vec<TextPack>,
}

fn read(database: &Connection, path: &Path, check: Check) -> Result<Content, StoreError> {
    let sql = as_damage(path);
    let format: u32 = database.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql)?;
    if format > FORMAT {
        return Err(StoreError::Newer { found: format, known: FORMAT, path: path.to_owned() });
    }
    let schema = rows::read_schema(database).map_err(sql)?;
    let mut parts = rows::read_documents(database, helpers(path), check == Check::Later).map_err(sql)?;
    let mut team = Default::default();
    if format >= 2 {
        rows::read_layers(database, &mut parts.documents).map_err(sql)?;
        team = rows::read_team(database).map_err(sql)?;
    }
    if format >= 3 {
        rows::read_details(database, &mut parts.documents).map_err(sql)?;
    }
    if rows::has_joins(database, format).map_err(sql)? {
        rows::check(&parts.documents).map_err(|what| StoreError::damaged(path, what))?;
    }
    let project = Project::restore(schema, parts.documents).and_then(|project| project.with_team(team.0, team.1));
    let project = project.map_err(StoreError::edit(path))?;
    let entries = rows::read_journal(database).map_err(sql)?;
    let next_seq = database.query_row("SELECT coalesce(max(seq), 0) + 1 FROM journal", [], |row| row.get(0)).map_err(sql)?;
    Ok(Content { project, history: History::replay(entries), next_seq, texts: parts.texts })
}

/// Writes a whole project file under a temporary name.
fn build(unfinished: &Path, project: &Project, entries: &[(EntryKind, &Step)], path: &Path) -> Result<(), StoreError> {
    let make = || -> Result<(), StoreError> {
        let sql = |error| StoreError::sql("Making the project", path)(error);
        let mut database = Connection::open(unfinished).map_err(sql)?;
        database
            .execute_batch(&format!(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};
                 PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            ))
            .map_err(sql)?;
        let transaction = database.transaction().map_err(sql)?;
        transaction.execute_batch(rows::TABLES).map_err(sql)?;
        transaction.execute_batch(rows::TABLES_2).map_err(sql)?;
        transaction.execute_batch(rows::TABLES_3).map_err(sql)?;
        rows::write_team(&transaction, project).map_err(sql)?;
        let schema = serde_json::to_string(&**project.schema()).map_err(|error| StoreError::damaged(path, error))?;
        transaction.execute("INSERT INTO schema(id, json) VALUES (1, ?1)", params![schema]).map_err(sql)?;
        for (seq, (kind, step)) in (1..).zip(entries) {
            rows::append_journal(&transaction, seq, *kind, step).map_err(sql)?;
        }
        rows::insert_documents(&transaction, project.all_documents()).map_err(sql)?;
        transaction.commit().map_err(sql)?;
        // Closing would do it too, but says nothing when the disk is full.
        let busy: i64 = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(sql)?;
        database.close().map_err(|(_, error)| sql(error))?;
        if busy != 0 || has_log(unfinished) {
            let error = io::Error::other("its log could not be brought into it");
            return Err(StoreError::io("Making the project", path)(error));
        }
        Ok(())
    };
    make()?;
    File::open(unfinished).and_then(|file| file.sync_all()).map_err(StoreError::io("Making the project", path))
}

fn discard(unfinished: &Path) -> Result<(), StoreError> {
    for file in [unfinished.to_owned(), with_suffix(unfinished, "-wal")] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::io("Making the project", &file)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// A log left by a project that is gone would be read into the new one: keep it, under a name that no earlier one has.
fn set_aside_stray_log(path: &Path) -> Result<(), StoreError> {
    let log = with_suffix(path, "-wal");
    if !log.exists() {
        return Ok(());
    }
    let names = std::iter::once("-wal.old".to_owned()).chain((2..).map(|number| format!("-wal.old{number}")));
    let free = names.map(|name| with_suffix(path, &name)).find(|name| !name.exists());
    free.map_or(Ok(()), |free| fs::rename(&log, free)).map_err(StoreError::io("Making the project", path))
}
