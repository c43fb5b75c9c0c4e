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

/// A Parquet file in memory. All columns must be of one length.
///
/// # Errors
/// Only columns that do not fit together.
pub(in crate::store) fn parquet(columns: Vec<(String, Cells)>) -> std::io::Result<Vec<u8>> {
    let wrong = |error: PolarsError| std::io::Error::other(error.to_string());
    let columns =
        columns.into_iter().map(|(name, cells)| cells.series(&name).map(Into::into)).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let height = columns.first().map_or(0, polars::prelude::Column::len);
    let mut frame = DataFrame::new(height, columns).map_err(wrong)?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).map_err(wrong)?;
    Ok(bytes)
}
