//! Connections to a project's file: what is looked at before SQLite may see it, how it is opened, whether its pages are sound.

use crate::store::{StoreError, rows, with_suffix};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// "Glos", so that other programs know the file as ours.
pub(super) const APPLICATION_ID: u32 = 0x476c_6f73;
/// Grows when the tables change; files of a higher number are refused.
pub(super) const FORMAT: u32 = 3;
/// The fixed start of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Refuses what is not ours by the first bytes alone, before SQLite gets to see the file.
pub(super) fn check_header(path: &Path) -> Result<(), StoreError> {
    const DOING: &str = "Opening the project";
    let no_project = || StoreError::NotAProject { path: path.to_owned() };
    let file = File::open(path).map_err(StoreError::io_read(DOING, path))?;
    let meta = file.metadata().map_err(StoreError::io_read(DOING, path))?;
    if !meta.is_file() {
        return Err(no_project());
    }
    let mut header = Vec::with_capacity(100);
    file.take(100).read_to_end(&mut header).map_err(StoreError::io_read(DOING, path))?;
    if header.is_empty() {
        return Err(StoreError::damaged(path, "the file is empty"));
    }
    if !MAGIC.starts_with(&header[..header.len().min(16)]) {
        return Err(no_project());
    }
    if header.len() < 100 {
        return Err(StoreError::damaged(path, "the file ends in its first 100 bytes"));
    }
    let number = |at: usize| header[at..at + 4].iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
    if number(68) != APPLICATION_ID {
        return Err(no_project());
    }
    if number(60) > FORMAT {
        return Err(StoreError::Newer { found: number(60), known: FORMAT, path: path.to_owned() });
    }
    Ok(())
}

/// Opens the database for this process alone. Closing it again writes nothing until the caller lifts that.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    const DOING: &str = "Opening the project";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(StoreError::sql(DOING, path))?;
    let configure = || -> rusqlite::Result<bool> {
        database.busy_timeout(Duration::ZERO)?;
        database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // Exclusive: a second guard beside our lock file, and the log needs no shared memory, which some disks lack.
        database.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;")?;
        database.set_prepared_statement_cache_capacity(32);
        database.is_readonly("main")
    };
    if configure().map_err(StoreError::sql(DOING, path))? {
        return Err(StoreError::ReadOnly { path: path.to_owned() });
    }
    Ok(database)
}

/// Further connections for reading a large file with several threads. They don't see the log, so there are none while it
/// holds something; nobody else writes, as the main connection, which has read by now, holds the file's lock.
pub(super) fn helpers(path: &Path) -> Vec<Connection> {
    /// Below this a thread of its own costs more than it brings.
    const LARGE_BYTES: u64 = 16 << 20;
    let is_large = path.metadata().is_ok_and(|meta| meta.len() > LARGE_BYTES);
    if !is_large || has_log(path) {
        return Vec::new();
    }
    let threads = rayon::current_num_threads().min(4);
    // One that can't be opened is one that does not help.
    (1..threads).map_while(|_| connect_immutable(path)).collect()
}

/// Has changes go into a log first, as those of a file that was made here do.
pub(super) fn keep_log(database: &Connection, path: &Path) -> Result<(), StoreError> {
    let mode = database.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
    mode.map(drop).map_err(StoreError::sql("Bringing the project up to date", path))
}

/// Whether the log beside a file holds something.
pub(super) fn has_log(path: &Path) -> bool {
    with_suffix(path, "-wal").metadata().is_ok_and(|meta| meta.len() > 0)
}

/// A connection that looks at the file alone, not at its log and not at locks.
pub(super) fn connect_immutable(path: &Path) -> Option<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(immutable_name(path)?, flags).ok()
}

/// The path as SQLite's URI of a file that does not change; `None` where the path is not Unicode.
fn immutable_name(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    // A path of Windows has other slashes, and begins with a drive instead of one.
    let path = if cfg!(windows) { path.to_str()?.replace('\\', "/") } else { path.to_str()?.to_owned() };
    let escaped: String = path.bytes().fold(String::new(), |mut name, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
        name
    });
    let root = if escaped.starts_with('/') { "" } else { "/" };
    Some(format!("file://{root}{escaped}?immutable=1"))
}

/// Lets a file that was found sound be written to, by closing it too, and gives one of an older format the tables it
/// lacks: all or none.
pub(super) fn make_writable(database: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sql = |error| StoreError::sql("Bringing the project up to date", path)(error);
    /// SQLite's own number of pages after which the log is brought into the file.
    const USUAL_PAGES: i64 = 1_000;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sql)?;
    keep_log(database, path)?;
    database.pragma_update(None, "wal_autocheckpoint", USUAL_PAGES).map_err(sql)?;
    let format: u32 = database.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql)?;
    if format < FORMAT {
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        for (since, tables) in [(2, rows::TABLES_2), (3, rows::TABLES_3)] {
            if format < since {
                transaction.execute_batch(tables).map_err(sql)?;
            }
        }
        transaction.pragma_update(None, "user_version", FORMAT).map_err(sql)?;
        transaction.commit().map_err(sql)?;
    }
    Ok(())
}

/// When the pages of a file are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Now,
    Later,
}

/// Errors of a database that claimed to be fine in its header are damage, whatever SQLite calls them.
pub(super) fn as_damage(path: &Path) -> impl Fn(rusqlite::Error) -> StoreError + Copy {
    move |error| match StoreError::sql("Opening the project", path)(error) {
        StoreError::Database { source, .. } => StoreError::damaged(path, source),
        StoreError::NotAProject { .. } => StoreError::damaged(path, "its pages are not those of a project"),
        other => other,
    }
}

pub(super) fn check_pages(database: &Connection, path: &Path) -> Result<(), StoreError> {
    let verdict: String = database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(as_damage(path))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::damaged(path, verdict)) }
}
