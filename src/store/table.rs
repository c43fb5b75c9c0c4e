//! Parquet and Arrow, by polars. Only this file and `write` know polars; everything leaves it as text or JSON values.
//! To be called from a plain thread only: polars waits for a thread pool of its own.

mod pages;
mod write;

pub(super) use write::{Cells, parquet};

use super::StoreError;
use super::import::{Draft, ImportOptions, Intake, Roles};
use polars::prelude::{AnyValue, ArrowDataType, Column, DataFrame, DataType, IpcReader, IpcStreamReader, ParquetReader, SerReader};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// So many rows of a Parquet file at once.
const AT_ONCE: usize = 8192;

fn unreadable(path: &Path, what: impl ToString) -> StoreError {
    StoreError::Unreadable { what: what.to_string(), path: path.to_owned() }
}

/// What kind of table a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Parquet,
    /// Arrow's file with an index, also called Feather.
    ArrowFile,
    /// Arrow's stream, as `datasets` saves it.
    ArrowStream,
}

/// What is known of a file before its rows are read.
struct Table {
    layout: Layout,
    /// Columns that can be read as text.
    plain: Vec<String>,
    /// Columns of lists and structures.
    nested: Vec<String>,
    /// Columns that can't be read.
    other: Vec<String>,
    /// What the library `datasets` wrote about the columns, as JSON.
    features: Option<String>,
    /// Rows; not known for Arrow before it is read.
    rows: Option<usize>,
}

/// A reader that goes by Parquet's own types. Notes of other writers about theirs are put aside: a column of categories
/// is a column of text then, and nothing else depends on them.
fn open(path: &Path) -> Result<ParquetReader<File>, StoreError> {
    let mut reader = file(path).map(ParquetReader::new)?;
    let mut metadata = reader.get_metadata().map_err(|error| unreadable(path, error))?.clone();
    Arc::make_mut(&mut metadata).key_value_metadata = None;
    reader.set_metadata(metadata);
    Ok(reader)
}

fn file(path: &Path) -> Result<File, StoreError> {
    File::open(path).map_err(StoreError::io_read("Reading the file", path))
}

impl Table {
    const FEATURES: &str = "huggingface";

    fn of(path: &Path) -> Result<Self, StoreError> {
        sound(path, || Self::described(path))
    }

    fn described(path: &Path) -> Result<Self, StoreError> {
        let wrong = |error| unreadable(path, error);
        let mut magic = [0; 6];
        let mut start = file(path)?;
        // A file that is shorter is none of these: the reader says so.
        start.read(&mut magic).map_err(StoreError::io_read("Reading the file", path))?;
        start.seek(SeekFrom::Start(0)).map_err(StoreError::io_read("Reading the file", path))?;
        let layout = match &magic {
            b"ARROW1" => Layout::ArrowFile,
            [b'P', b'A', b'R', b'1', ..] => Layout::Parquet,
            _ if path.extension().is_some_and(|extension| extension == "arrow") => Layout::ArrowStream,
            _ => Layout::Parquet,
        };
        let (schema, features, rows) = match layout {
            Layout::Parquet => {
                let mut with_notes = ParquetReader::new(start);
                let notes = with_notes.get_metadata().map_err(wrong)?.key_value_metadata.clone().unwrap_or_default();
                let features = notes.into_iter().find(|note| note.key == Self::FEATURES).and_then(|note| note.value);
                let mut reader = open(path)?;
                let length = path.metadata().map_err(StoreError::io_read("Reading the file", path))?.len();
                pages::check(file(path)?, length, reader.get_metadata().map_err(wrong)?).map_err(|what| unreadable(path, what))?;
                let rows = reader.num_rows().map_err(wrong)?;
                ((*reader.schema().map_err(wrong)?).clone(), features.map(|text| text.to_string()), Some(rows))
            }
            Layout::ArrowFile => {
                let mut reader = IpcReader::new(start);
                let notes = reader.custom_metadata().map_err(wrong)?;
                let features = notes.and_then(|notes| notes.get(Self::FEATURES).map(ToString::to_string));
                ((*reader.schema().map_err(wrong)?).clone(), features, None)
            }
            Layout::ArrowStream => {
                let mut reader = IpcStreamReader::new(start);
                let notes = reader.custom_metadata().map_err(wrong)?;
                let features = notes.and_then(|notes| notes.get(Self::FEATURES).map(ToString::to_string));
                (reader.arrow_schema().map_err(wrong)?, features, None)
            }
        };
        let mut table = Self { layout, plain: Vec::new(), nested: Vec::new(), other: Vec::new(), features, rows };
        for field in schema.iter_values() {
            let list = match &field.dtype {
                kind if is_plain(kind) => &mut table.plain,
                kind if is_nested(kind) => &mut table.nested,
                _ => &mut table.other,
            };
            list.push(field.name.to_string());
        }
        Ok(table)
    }

    /// Hands these columns on, some thousand rows at a time where the file allows it, until `each` has enough.
    fn frames(
        &self,
        path: &Path,
        columns: &[String],
        each: impl FnMut(&DataFrame) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<ControlFlow<()>, StoreError> {
        sound(path, || self.each_frame(path, columns, each))
    }

    fn each_frame(
        &self,
        path: &Path,
        columns: &[String],
        mut each: impl FnMut(&DataFrame) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let wrong = |error| unreadable(path, error);
        let wanted = Some(columns.to_vec());
        let whole = match self.layout {
            Layout::Parquet => None,
            Layout::ArrowFile => Some(IpcReader::new(file(path)?).with_columns(wanted).finish().map_err(wrong)?),
            Layout::ArrowStream => Some(IpcStreamReader::new(file(path)?).with_columns(wanted).finish().map_err(wrong)?),
        };
        let total = whole.as_ref().map_or(self.rows.unwrap_or(0), DataFrame::height);
        let mut row = 0;
        while row < total {
            let slice = (row, AT_ONCE.min(total - row));
            let frame = match &whole {
                Some(whole) => whole.slice(slice.0 as i64, slice.1),
                None => open(path)?.with_columns(Some(columns.to_vec())).with_slice(Some(slice)).finish().map_err(wrong)?,
            };
            if frame.height() == 0 {
                return Err(unreadable(path, format!("it says it has {total} rows and ends after {row}")));
            }
            row += frame.height();
            if each(&frame)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Reads what may be damaged: polars ends some of it with a panic, which is a sentence here.
fn sound<T>(path: &Path, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(unreadable(path, "it is damaged")))
}

/// Whether this build of polars can read a column of this type as text.
fn is_plain(kind: &ArrowDataType) -> bool {
    use ArrowDataType as T;
    matches!(
        kind,
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Boolean | T::Int32 | T::Int64 | T::UInt32 | T::UInt64 | T::Float32 | T::Float64
    )
}

/// Whether it holds what [`is_plain`], in lists and structures.
fn is_nested(kind: &ArrowDataType) -> bool {
    use ArrowDataType as T;
    let sound = |kind: &ArrowDataType| is_plain(kind) || is_nested(kind) || *kind == T::Null;
    match kind {
        T::List(item) | T::LargeList(item) => sound(&item.dtype),
        T::Struct(fields) => !fields.is_empty() && fields.iter().all(|field| sound(&field.dtype)),
        _ => false,
    }
}

fn as_text(path: &Path, column: &Column) -> Result<Column, StoreError> {
    column.cast(&DataType::String).map_err(|error| unreadable(path, error))
}

/// The first rows as text, nulls as nothing.
pub(super) fn head(path: &Path, rows: usize) -> Result<(Vec<String>, Vec<Vec<String>>), StoreError> {
    let table = Table::of(path)?;
    let mut cells = Vec::new();
    let _: ControlFlow<()> = table.frames(path, &table.plain, |frame| {
        let frame = frame.head(Some(rows));
        cells = vec![Vec::with_capacity(table.plain.len()); frame.height()];
        for column in frame.columns() {
            let text = as_text(path, column)?;
            let text = text.str().map_err(|error| unreadable(path, error))?;
            for (row, cell) in cells.iter_mut().zip(text.iter()) {
                row.push(cell.unwrap_or_default().to_owned());
            }
        }
        Ok(ControlFlow::Break(()))
    })?;
    Ok((table.plain, cells))
}

/// Reads all rows, some thousands at a time.
pub(super) fn read(path: &Path, options: &ImportOptions, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    let table = Table::of(path)?;
    let names = &table.plain;
    let left_out: Vec<String> = table.nested.iter().chain(&table.other).cloned().collect();
    let chosen = [Some(&options.text), options.label.as_ref()];
    if let Some(name) = chosen.into_iter().flatten().map(ToString::to_string).find(|name| left_out.contains(name)) {
        return Err(unreadable(path, format!("column {name:?} holds neither text nor plain numbers")));
    }
    let roles = Roles::find(intake, names, true)?;
    intake.report.columns_left_out = left_out;
    let mut row = 0;
    table.frames(path, names, |frame| {
        let text: Vec<Column> = frame.columns().iter().map(|column| as_text(path, column)).collect::<Result<_, _>>()?;
        let text: Vec<_> = text.iter().map(Column::str).collect::<Result<_, _>>().map_err(|error| unreadable(path, error))?;
        for at in 0..frame.height() {
            row += 1;
            if intake.tick(row as f32 / table.rows.unwrap_or(row) as f32).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let cells = text.iter().enumerate().filter_map(|(column, cells)| Some((column, Cow::Borrowed(cells.get(at)?))));
            let draft: Draft = roles.draft(intake, row, cells);
            intake.take(draft)?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The rows of a table as JSON objects, what `datasets` says about its columns, and the columns that can't be read.
pub(super) struct Objects {
    pub rows: Vec<Map<String, Value>>,
    pub features: Option<String>,
    pub left_out: Vec<String>,
}

/// Reads a table with its lists and structures; `most` rows of it.
pub(super) fn objects(path: &Path, most: usize) -> Result<Objects, StoreError> {
    let table = Table::of(path)?;
    let mut rows = Vec::new();
    table.objects(path, |_, object| {
        rows.push(object);
        if rows.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(Objects { rows, features: table.features, left_out: table.other })
}

/// Hands on all rows of a table as JSON objects with the share of the table behind them, until `each` has enough.
pub(super) fn each_object(path: &Path, each: impl FnMut(f32, Map<String, Value>) -> ControlFlow<()>) -> Result<(), StoreError> {
    Table::of(path)?.objects(path, each)
}

impl Table {
    fn objects(&self, path: &Path, mut each: impl FnMut(f32, Map<String, Value>) -> ControlFlow<()>) -> Result<(), StoreError> {
        let columns: Vec<String> = self.plain.iter().chain(&self.nested).cloned().collect();
        let mut row = 0;
        let _: ControlFlow<()> = self.frames(path, &columns, |frame| {
            for at in 0..frame.height() {
                row += 1;
                let mut object = Map::new();
                for column in frame.columns() {
                    let value = column.get(at).map_err(|error| unreadable(path, error))?;
                    object.insert(column.name().to_string(), json(&value));
                }
                if each(row as f32 / self.rows.unwrap_or(row) as f32, object).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    }
}

/// Names of all columns that can be read, and what `datasets` says about them.
pub(super) fn describe(path: &Path) -> Result<(Vec<String>, Option<String>), StoreError> {
    let table = Table::of(path)?;
    Ok((table.plain.into_iter().chain(table.nested).collect(), table.features))
}

fn json(value: &AnyValue) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => Value::from(*value),
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::Int32(number) => Value::from(*number),
        AnyValue::Int64(number) => Value::from(*number),
        AnyValue::UInt32(number) => Value::from(*number),
        AnyValue::UInt64(number) => Value::from(*number),
        AnyValue::Float32(number) => Value::from(*number),
        AnyValue::Float64(number) => Value::from(*number),
        AnyValue::List(items) => items.iter().map(|item| json(&item)).collect(),
        AnyValue::Struct(_, _, fields) => {
            let mut values = Vec::new();
            value._materialize_struct_av(&mut values);
            fields.iter().zip(&values).map(|(field, value)| (field.name().to_string(), json(value))).collect()
        }
        AnyValue::StructOwned(parts) => {
            let (values, fields) = &**parts;
            fields.iter().zip(values).map(|(field, value)| (field.name().to_string(), json(value))).collect()
        }
        other => Value::from(other.to_string()),
    }
}
