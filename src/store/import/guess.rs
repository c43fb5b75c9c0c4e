//! What kind of file it is, which row is the header, which column holds the reviews and which their labels.

use super::{Format, Preview};
use crate::store::encoding;
use crate::store::formats::{self, Kind};
use crate::store::scan::{self, Scanner, Trouble};
use crate::store::{StoreError, jsonl, table};
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Enough to guess by, little enough to be read at once.
const HEAD: u64 = 2 << 20;
const SHOWN: usize = 20;
const LOOKED_AT: usize = 200;

const TEXT_NAMES: [&str; 16] = [
    "text",
    "review",
    "reviews",
    "content",
    "comment",
    "sentence",
    "body",
    "review_body",
    "评论",
    "评论内容",
    "内容",
    "文本",
    "正文",
    "评价",
    "评价内容",
    "句子",
];
const LABEL_NAMES: [&str; 14] = [
    "label",
    "labels",
    "class",
    "sentiment",
    "polarity",
    "category",
    "target",
    "stars",
    "rating",
    "标签",
    "类别",
    "情感",
    "情感倾向",
    "评分",
];

/// The kind of file, found out only where it is not given.
pub(super) fn known(path: &Path, given: Option<Format>) -> Result<Format, StoreError> {
    match given {
        None => format(path),
        Some(Format::Csv(_)) => Ok(Format::Csv(char::from(scan::sniff_delimiter(&encoding::decode_head(&head(path)?).text)))),
        Some(given) => Ok(given),
    }
}

/// The kind of file, by its name, or by its first bytes where the name says nothing.
fn format(path: &Path) -> Result<Format, StoreError> {
    if path.is_dir() {
        return Ok(Format::Annotated(Kind::Brat));
    }
    let head = head(path)?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    if head.starts_with(b"PAR1") || matches!(extension.as_str(), "parquet" | "pq") {
        return Ok(Format::Parquet);
    }
    for (magic, what) in [
        (&b"PK\x03\x04"[..], "it is a zip archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook"),
        (b"\x1f\x8b", "it is compressed"),
    ] {
        if head.starts_with(magic) {
            return Err(StoreError::Unreadable { what: what.to_owned(), path: path.to_owned() });
        }
    }
    let text = encoding::decode_head(&head).text;
    if let Some(kind) = formats::detect(path, &text) {
        return Ok(Format::Annotated(kind));
    }
    Ok(match extension.as_str() {
        "csv" => Format::Csv(char::from(scan::sniff_delimiter(&text))),
        "tsv" | "tab" => Format::Tsv,
        "jsonl" | "ndjson" | "json" => Format::Jsonl,
        "txt" | "text" => Format::Text,
        _ if text.trim_start().starts_with('{') => Format::Jsonl,
        _ if text.lines().take(5).all(|line| line.contains('\t')) => Format::Tsv,
        _ => Format::Text,
    })
}

fn head(path: &Path) -> Result<Vec<u8>, StoreError> {
    const DOING: &str = "Reading the file";
    let mut head = Vec::new();
    let file = File::open(path).map_err(StoreError::io_read(DOING, path))?;
    file.take(HEAD).read_to_end(&mut head).map_err(StoreError::io_read(DOING, path))?;
    if head.is_empty() {
        return Err(StoreError::Unreadable { what: "it is empty".to_owned(), path: path.to_owned() });
    }
    Ok(head)
}

pub(super) fn preview(path: &Path, header: Option<bool>, format: Option<Format>) -> Result<Preview, StoreError> {
    let format = known(path, format)?;
    if let Format::Annotated(kind) = format {
        let (rows, encoding) = formats::head(kind, path, SHOWN)?;
        let columns = formats::COLUMNS.map(str::to_owned).to_vec();
        return Ok(Preview { encoding, format, columns, rows, header_guess: true, text_guess: 0, label_guess: Some(1) });
    }
    if format == Format::Parquet {
        let (columns, rows) = table::head(path, LOOKED_AT)?;
        return Ok(finish("UTF-8", format, columns, rows, true));
    }
    let mut decoded = encoding::decode_head(&head(path)?);
    if format == Format::Jsonl && decoded.text.trim_start().starts_with('[') {
        // The start of an array is no array.
        decoded = encoding::decode(&std::fs::read(path).map_err(StoreError::io_read("Reading the file", path))?);
    }
    let text = &decoded.text;
    let (columns, rows, header_guess) = match format.delimiter() {
        Some(delimiter) => {
            let header_guess = looks_like_header(text, delimiter);
            let (columns, in_header) = columns(text, delimiter, header.unwrap_or(header_guess));
            let sound = Scanner::new(text, delimiter).filter(|record| matches!(record.trouble, Trouble::None | Trouble::StrayQuote));
            let rows = sound
                .filter(|record| Some(record.row) != in_header && record.fields.len() == columns.len())
                .take(LOOKED_AT)
                .map(|record| record.fields.into_iter().map(std::borrow::Cow::into_owned).collect())
                .collect();
            (columns, rows, header_guess)
        }
        None if format == Format::Jsonl => {
            let (columns, rows) = jsonl::head(text, LOOKED_AT);
            (columns, rows, true)
        }
        None => {
            let lines = scan::lines(text).filter(|line| !line.trim().is_empty());
            (vec!["text".to_owned()], lines.take(LOOKED_AT).map(|line| vec![line.to_owned()]).collect(), false)
        }
    };
    Ok(finish(decoded.encoding, format, columns, rows, header_guess))
}

fn finish(encoding: &'static str, format: Format, columns: Vec<String>, mut rows: Vec<Vec<String>>, header_guess: bool) -> Preview {
    let text_guess = text_column(&columns, &rows);
    let label_guess = label_column(&columns, &rows, text_guess);
    rows.truncate(SHOWN);
    Preview { encoding, format, columns, rows, header_guess, text_guess, label_guess }
}

/// Names of the columns, and the row of the header. Without one, the names are "1", "2", … as many as most rows have.
pub(super) fn columns(text: &str, delimiter: u8, header: bool) -> (Vec<String>, Option<usize>) {
    let mut sound = Scanner::new(text, delimiter).filter(|record| matches!(record.trouble, Trouble::None | Trouble::StrayQuote));
    if header {
        return match sound.next() {
            Some(record) => (record.fields.into_iter().map(std::borrow::Cow::into_owned).collect(), Some(record.row)),
            None => (Vec::new(), None),
        };
    }
    let widths: Vec<usize> = sound.take(LOOKED_AT).map(|record| record.fields.len()).collect();
    let count = |width: &usize| widths.iter().filter(|other| *other == width).count();
    let width = widths.iter().copied().max_by_key(|width| (count(width), *width)).unwrap_or(0);
    ((1..=width).map(|at| at.to_string()).collect(), None)
}

/// A header has a short name in each column, no two alike and none a number, and either a well-known one among them
/// or below it a column of numbers or of longer texts.
fn looks_like_header(text: &str, delimiter: u8) -> bool {
    let mut records = Scanner::new(text, delimiter).filter(|record| record.trouble == Trouble::None);
    let Some(first) = records.next() else { return false };
    let names: HashSet<&str> = first.fields.iter().map(|name| name.trim()).collect();
    let is_name = |name: &&str| !name.is_empty() && name.parse::<f64>().is_err() && name.chars().count() <= 40;
    if names.len() != first.fields.len() || !names.iter().all(is_name) {
        return false;
    }
    if names.iter().any(|name| is_known(name, &TEXT_NAMES) || is_known(name, &LABEL_NAMES)) {
        return true;
    }
    let rows: Vec<_> = records.filter(|record| record.fields.len() == first.fields.len()).take(LOOKED_AT).collect();
    (0..first.fields.len()).any(|at| {
        let numbers = !rows.is_empty() && rows.iter().all(|row| row.fields[at].trim().parse::<f64>().is_ok());
        let mean = rows.iter().map(|row| row.fields[at].chars().count()).sum::<usize>() / rows.len().max(1);
        numbers || mean > 4 * first.fields[at].chars().count().max(3)
    })
}

fn is_known(name: &str, known: &[&str]) -> bool {
    let name = name.trim().to_lowercase();
    known.contains(&name.as_str())
}

/// The column with a well-known name, else the one with the longest cells.
fn text_column(columns: &[String], rows: &[Vec<String>]) -> usize {
    let length = |at: &usize| rows.iter().filter_map(|row| row.get(*at)).map(|cell| cell.chars().count()).sum::<usize>();
    let by_name = TEXT_NAMES.iter().find_map(|known| columns.iter().position(|name| is_known(name, &[known])));
    by_name.or_else(|| (0..columns.len()).rev().max_by_key(length)).unwrap_or(0)
}

/// The column with a well-known name, else one with few different short cells, each of them often.
fn label_column(columns: &[String], rows: &[Vec<String>], text: usize) -> Option<usize> {
    let others = || (0..columns.len()).filter(|at| *at != text);
    let values = |at: usize| -> HashSet<&str> { rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.trim()).collect() };
    let few = |at: &usize| {
        let values = values(*at);
        values.len() >= 2 && values.len() <= 20 && values.len() * 4 <= rows.len() && values.iter().all(|value| value.chars().count() <= 20)
    };
    let by_name = LABEL_NAMES.iter().find_map(|known| others().find(|at| is_known(&columns[*at], &[known])));
    by_name.or_else(|| others().find(few))
}
