//! The headers of a Parquet file's pages, looked at before polars goes by them: it takes counts and sizes at their word, and
//! what a damaged one asks for can be more memory than there is, which ends the program instead of being an error.

use polars::prelude::FileMetadata;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{PageHeader, PageType};
use std::io::{BufReader, Read, Seek, SeekFrom};

/// A header is some ten numbers and the smallest and largest value of its page.
const MOST_HEADER: usize = 16 << 20;

/// A page that unfolds to more than this is none that anyone writes: writers aim at one megabyte.
const MOST_PAGE: i32 = 1 << 30;

/// The pages of all columns by their headers; nothing between the headers is read.
///
/// # Errors
/// What is wrong with the first header that can't be right, as the end of "It can't be read: …".
pub(super) fn check(file: impl Read + Seek, length: u64, metadata: &FileMetadata) -> Result<(), String> {
    let mut file = BufReader::new(file);
    for (at, group) in metadata.row_groups.iter().enumerate() {
        for column in group.parquet_columns() {
            let wrong = |what: &str| format!("it is damaged: a column of its row group {} {what}", at + 1);
            let (from, size) = (column.dictionary_page_offset().unwrap_or(column.data_page_offset()), column.compressed_size());
            let end = u64::try_from(from).ok().zip(u64::try_from(size).ok()).and_then(|(from, size)| from.checked_add(size));
            let end = end.filter(|end| *end <= length).ok_or_else(|| wrong("goes on after the end of the file"))?;
            let values = column.num_values();
            if values < 0 {
                return Err(wrong("has a negative number of values"));
            }
            file.seek(SeekFrom::Start(from.unsigned_abs())).map_err(|error| error.to_string())?;
            let mut seen = 0;
            while seen < values && file.stream_position().is_ok_and(|place| place < end) {
                let header = PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut file, MOST_HEADER));
                let header = header.map_err(|_| wrong("has a page without a header"))?;
                seen += values_of(&header, values - seen).ok_or_else(|| wrong("has a page with impossible counts"))?;
                let place = file.stream_position().map_err(|error| error.to_string())?;
                if place + u64::from(header.compressed_page_size.unsigned_abs()) > end {
                    return Err(wrong("ends within a page"));
                }
                file.seek_relative(i64::from(header.compressed_page_size)).map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

/// How many values a page has, of at most so many that are left; `None` where its header can't be right.
fn values_of(header: &PageHeader, left: i64) -> Option<i64> {
    let (packed, unfolded) = (header.compressed_page_size, header.uncompressed_page_size);
    if packed < 0 || !(0..=MOST_PAGE).contains(&unfolded) {
        return None;
    }
    let count = |count: i32| Some(i64::from(count)).filter(|count| (0..=left).contains(count));
    match header.type_ {
        PageType::DATA_PAGE => count(header.data_page_header.as_ref()?.num_values),
        PageType::DATA_PAGE_V2 => {
            let page = header.data_page_header_v2.as_ref()?;
            let levels = [page.definition_levels_byte_length, page.repetition_levels_byte_length];
            let are_within = levels.iter().all(|length| *length >= 0)
                && levels.iter().map(|length| i64::from(*length)).sum::<i64>() <= i64::from(packed);
            let counts = [page.num_nulls, page.num_rows].iter().all(|part| (0..=page.num_values).contains(part));
            count(page.num_values).filter(|_| are_within && counts)
        }
        // Each of its values takes at least a byte.
        PageType::DICTIONARY_PAGE => (0..=unfolded).contains(&header.dictionary_page_header.as_ref()?.num_values).then_some(0),
        _ => Some(0),
    }
}
