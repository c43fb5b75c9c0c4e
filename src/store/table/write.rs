//! Parquet out: columns of text, numbers, lists and lists of structures.

use polars::prelude::{DataFrame, DataType, Field, IntoSeries, NamedFrom, ParquetWriter, PolarsError, Series, StructChunked};

/// The cells of a column.
pub(in crate::store) enum Cells {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    /// A list in each cell.
    Ints(Vec<Vec<i64>>),
    /// A list of structures in each cell: the names of their fields, and for each cell its fields as columns.
    Structs(Vec<&'static str>, Vec<Vec<Cells>>),
}

impl Cells {
    fn series(self, name: &str) -> Result<Series, PolarsError> {
        let name = name.into();
        Ok(match self {
            Self::Text(cells) => Series::new(name, cells),
            Self::Int(cells) => Series::new(name, cells),
            Self::Float(cells) => Series::new(name, cells),
            Self::Ints(cells) => {
                let lists: Vec<Series> = cells.into_iter().map(|list| Series::new("".into(), list)).collect();
                Series::new(name, lists).cast(&DataType::List(Box::new(DataType::Int64)))?
            }
            Self::Structs(names, cells) => {
                let mut lists = Vec::with_capacity(cells.len());
                for fields in cells {
                    let columns: Vec<Series> =
                        names.iter().zip(fields).map(|(name, cells)| cells.series(name)).collect::<Result<_, _>>()?;
                    let length = columns.first().map_or(0, |column| column.len());
                    lists.push(StructChunked::from_series("".into(), length, columns.iter())?.into_series());
                }
                match lists.first().map(|list| list.dtype().clone()) {
                    Some(kind) => {
                        let kind = DataType::List(Box::new(kind));
                        Series::new(name, lists).cast(&kind)?
                    }
                    None => Series::new_empty(
                        name,
                        &DataType::List(Box::new(DataType::Struct(vec![Field::new("start".into(), DataType::Int64)]))),
                    ),
                }
            }
        })
    }
}

/// A Parquet file in memory, a group of its rows for each of `groups`. There must be one at least, and all alike in their
/// columns; those of a group must be of one length.
///
/// # Errors
/// Only columns that do not fit together.
pub(in crate::store) fn parquet(groups: impl Iterator<Item = Vec<(String, Cells)>>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(groups, &mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(bytes)
}

fn write(groups: impl Iterator<Item = Vec<(String, Cells)>>, bytes: &mut Vec<u8>) -> Result<(), PolarsError> {
    let frame = |columns: Vec<(String, Cells)>| {
        let columns: Vec<_> = columns.into_iter().map(|(name, cells)| cells.series(&name).map(Into::into)).collect::<Result<_, _>>()?;
        let height = columns.first().map_or(0, polars::prelude::Column::len);
        DataFrame::new(height, columns)
    };
    let mut groups = groups.map(frame);
    let Some(first) = groups.next().transpose()? else { return Ok(()) };
    let mut writer = ParquetWriter::new(bytes).batched(first.schema())?;
    writer.write_batch(&first)?;
    drop(first);
    groups.try_for_each(|group| writer.write_batch(&group?))?;
    writer.finish().map(drop)
}
