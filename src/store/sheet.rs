//! Excel workbooks (xlsx), by calamine. Rows come one by one, so that a sheet with one cell in its last corner costs
//! nothing; an archive that unpacks to far more than it holds is refused before it is read.

use super::StoreError;
use calamine::{DataRef, Reader, Xlsx, XlsxError};
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// An open workbook.
pub(super) struct Book {
    book: Xlsx<BufReader<File>>,
    path: PathBuf,
}

/// More columns than any table of reviews has.
const MOST_COLUMNS: u32 = 1_000;

/// A row by its number from 1, with its cells as text.
pub(super) type SheetRow = (usize, Vec<String>);

impl Book {
    /// # Errors
    /// The file is no workbook, is locked by a password, or unpacks to a thousand times its size.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        check_archive(path)?;
        let file = File::open(path).map_err(StoreError::io_read("Reading the file", path))?;
        let book = Xlsx::new(BufReader::new(file)).map_err(|error| unreadable(path, &error))?;
        if book.sheet_names().is_empty() {
            return Err(StoreError::Workbook { what: "it has no sheet".to_owned(), path: path.to_owned() });
        }
        Ok(Self { book, path: path.to_owned() })
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.book.sheet_names()
    }

    /// The sheet of this name, or the first one.
    ///
    /// # Errors
    /// There is none of this name.
    pub(super) fn sheet(&self, wanted: Option<&str>) -> Result<String, StoreError> {
        let names = self.names();
        let found = match wanted {
            None => names.first(),
            Some(wanted) => names.iter().find(|name| name.as_str() == wanted),
        };
        let missing = || StoreError::Workbook {
            what: format!("it has no sheet {:?}; the sheets are {}", wanted.unwrap_or_default(), names.join(", ")),
            path: self.path.clone(),
        };
        found.cloned().ok_or_else(missing)
    }

    /// The first rows with something in them.
    ///
    /// # Errors
    /// The sheet is damaged.
    pub(super) fn head(&mut self, name: &str, most: usize) -> Result<Vec<SheetRow>, StoreError> {
        let mut rows = Vec::new();
        // It ends early by itself.
        let _: ControlFlow<()> = self.rows(name, |row, _, cells| {
            rows.push((row, cells.to_vec()));
            if rows.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(rows)
    }

    /// All rows with something in them: number, share of the sheet that is read, cells.
    ///
    /// # Errors
    /// The sheet is damaged.
    pub(super) fn rows(
        &mut self,
        name: &str,
        mut each: impl FnMut(usize, f32, &[String]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let path = self.path.clone();
        let mut cells = self.book.worksheet_cells_reader(name).map_err(|error| unreadable(&path, &error))?;
        let last = cells.dimensions().end.0.max(1) as f32;
        let mut row: Vec<String> = Vec::new();
        let mut at = None;
        while let Some(cell) = cells.next_cell().map_err(|error| unreadable(&path, &error))? {
            let (number, column) = cell.get_position();
            let Some(value) = text(cell.get_value()).filter(|_| column < MOST_COLUMNS) else { continue };
            if let Some(before) = at.filter(|before| *before != number) {
                if each(before as usize + 1, before as f32 / last, &row).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                row.clear();
            }
            at = Some(number);
            let column = column as usize;
            if row.len() <= column {
                row.resize(column + 1, String::new());
            }
            row[column] = value;
        }
        Ok(at.map_or(ControlFlow::Continue(()), |last| each(last as usize + 1, 1.0, &row)))
    }
}

/// A cell as text; `None` for an empty one.
fn text(value: &DataRef) -> Option<String> {
    Some(match value {
        DataRef::Empty => return None,
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::DateTime(duration) => duration.as_f64().to_string(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    })
}

fn unreadable(path: &Path, error: &XlsxError) -> StoreError {
    let what = match error {
        XlsxError::Password => "it is locked by a password".to_owned(),
        other => other.to_string(),
    };
    StoreError::Workbook { what, path: path.to_owned() }
}

/// Whether a file is a workbook, rather than another archive.
pub(super) fn is_workbook(path: &Path) -> bool {
    let archive = File::open(path).ok().and_then(|file| zip::ZipArchive::new(BufReader::new(file)).ok());
    archive.is_some_and(|archive| archive.file_names().flatten().any(|name| name.eq_ignore_ascii_case("xl/workbook.xml")))
}

/// Unpacks everything to nowhere and counts: what an archive says about its sizes need not be true.
fn check_archive(path: &Path) -> Result<(), StoreError> {
    /// As much as a sheet of a million long reviews needs.
    const MOST: u64 = 4 << 30;
    /// Below this, any ratio is harmless.
    const SMALL: u64 = 64 << 20;
    const MOST_RATIO: u64 = 200;
    let broken = |what: String| StoreError::Workbook { what, path: path.to_owned() };
    let file = File::open(path).map_err(StoreError::io_read("Reading the file", path))?;
    let packed = file.metadata().map_or(0, |meta| meta.len());
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| broken(error.to_string()))?;
    let allowed = SMALL.max(packed.saturating_mul(MOST_RATIO)).min(MOST);
    let mut unpacked = 0u64;
    let mut buffer = vec![0; 64 << 10];
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|error| broken(error.to_string()))?;
        loop {
            let read = entry.read(&mut buffer).map_err(|error| broken(error.to_string()))?;
            if read == 0 {
                break;
            }
            unpacked += read as u64;
            if unpacked > allowed {
                return Err(broken(format!("it unpacks to more than {} MB, which no sheet of this size does", allowed >> 20)));
            }
        }
    }
    Ok(())
}
