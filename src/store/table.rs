//! Parquet, by polars. The only file that knows polars; everything leaves it as text.
//! To be called from a plain thread only: polars waits for a thread pool of its own.

use super::StoreError;
use super::import::{Column as Wanted, Draft, ImportOptions, Intake};
use polars::prelude::{ArrowDataType, Column, DataFrame, DataType, ParquetReader, SerReader};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

fn unreadable(path: &Path, what: impl ToString) -> StoreError {
    StoreError::Unreadable { what: what.to_string(), path: path.to_owned() }
}

/// A reader that goes by Parquet's own types. Notes of other writers about theirs are put aside: a column of categories
/// is a column of text then, and nothing else depends on them.
fn open(path: &Path) -> Result<ParquetReader<File>, StoreError> {
    let mut reader = File::open(path).map(ParquetReader::new).map_err(StoreError::io_read("Reading the file", path))?;
    let mut metadata = reader.get_metadata().map_err(|error| unreadable(path, error))?.clone();
    Arc::make_mut(&mut metadata).key_value_metadata = None;
    reader.set_metadata(metadata);
    Ok(reader)
}

/// Whether this build of polars can read a column of this type as text.
fn is_plain(kind: &ArrowDataType) -> bool {
    use ArrowDataType as T;
    matches!(
        kind,
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Boolean | T::Int32 | T::Int64 | T::UInt32 | T::UInt64 | T::Float32 | T::Float64
    )
}

/// Columns that can be read as text, and names of those that can't.
fn columns(path: &Path) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let schema = open(path)?.schema().map_err(|error| unreadable(path, error))?;
    let (plain, other): (Vec<_>, Vec<_>) = schema.iter_values().partition(|field| is_plain(&field.dtype));
    let names = |fields: Vec<&polars::prelude::ArrowField>| fields.iter().map(|field| field.name.to_string()).collect();
    Ok((names(plain), names(other)))
}

fn frame(path: &Path, columns: &[String], rows: (usize, usize)) -> Result<DataFrame, StoreError> {
    let reader = open(path)?.with_columns(Some(columns.to_vec())).with_slice(Some(rows));
    reader.finish().map_err(|error| unreadable(path, error))
}

fn as_text(path: &Path, column: &Column) -> Result<Column, StoreError> {
    column.cast(&DataType::String).map_err(|error| unreadable(path, error))
}

/// The first rows as text, nulls as nothing.
pub(super) fn head(path: &Path, rows: usize) -> Result<(Vec<String>, Vec<Vec<String>>), StoreError> {
    let (names, _) = columns(path)?;
    let frame = frame(path, &names, (0, rows))?;
    let mut cells = vec![Vec::with_capacity(names.len()); frame.height()];
    for column in frame.columns() {
        let text = as_text(path, column)?;
        let text = text.str().map_err(|error| unreadable(path, error))?;
        for (row, cell) in cells.iter_mut().zip(text.iter()) {
            row.push(cell.unwrap_or_default().to_owned());
        }
    }
    Ok((names, cells))
}

/// Reads all rows, some thousands at a time.
pub(super) fn read(path: &Path, options: &ImportOptions, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    const AT_ONCE: usize = 8192;
    let (names, left_out) = columns(path)?;
    let total = open(path)?.num_rows().map_err(|error| unreadable(path, error))?;
    let place = |wanted: &Wanted| {
        if let Wanted::Name(name) = wanted
            && left_out.contains(name)
        {
            return Err(unreadable(path, format!("column {name:?} holds neither text nor plain numbers")));
        }
        intake.column(wanted, &names)
    };
    let text_at = place(&options.text)?;
    let label_at = options.label.as_ref().map(place).transpose()?;
    intake.report.columns_left_out = left_out;
    let mut row = 0;
    while row < total {
        let frame = frame(path, &names, (row, AT_ONCE.min(total - row)))?;
        if frame.height() == 0 {
            return Err(unreadable(path, format!("it says it has {total} rows and ends after {row}")));
        }
        let text: Vec<Column> = frame.columns().iter().map(|column| as_text(path, column)).collect::<Result<_, _>>()?;
        let text: Vec<_> = text.iter().map(Column::str).collect::<Result<_, _>>().map_err(|error| unreadable(path, error))?;
        for at in 0..frame.height() {
            row += 1;
            if intake.tick(row as f32 / total as f32).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let mut draft = Draft { row, ..Draft::default() };
            for (column, cells) in text.iter().enumerate() {
                let Some(cell) = cells.get(at) else { continue };
                if column == text_at {
                    draft.text = cell.to_owned();
                } else if Some(column) == label_at {
                    draft.label = Some(cell.to_owned());
                } else {
                    draft.meta.insert(names[column].clone(), cell.to_owned());
                }
            }
            intake.take(draft)?;
        }
    }
    Ok(ControlFlow::Continue(()))
}
