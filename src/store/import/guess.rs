//! What kind of file it is, which row is the header, which column holds the reviews and which their labels.

use super::roles::parts_of;
use super::{Format, Look, Preview};
use crate::store::encoding;
use crate::store::formats::{self, Kind};
use crate::store::scan::{self, Scanner, Trouble};
use crate::store::sheet::{self, Book};
use crate::store::{StoreError, jsonl, table};
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Enough to guess by, little enough to be read at once.
const HEAD: u64 = 2 << 20;
const SHOWN: usize = 20;
pub(super) const LOOKED_AT: usize = 200;
/// So many different cells at most make a list to choose from.
const FEW: usize = 24;

/// Names that a column of reviews usually has.
pub(in crate::store) const TEXT_NAMES: [&str; 28] = [
    "text",
    "review",
    "reviews",
    "content",
    "comment",
    "sentence",
    "body",
    "review_body",
    "review_text",
    "reviewtext",
    "tweet",
    "message",
    "data",
    "column_data",
    "评论",
    "评论内容",
    "内容",
    "文本",
    "正文",
    "评价",
    "评价内容",
    "句子",
    "評論",
    "評論內容",
    "內容",
    "評價",
    "レビュー",
    "本文",
];
const LABEL_NAMES: [&str; 20] = [
    "label",
    "labels",
    "column_label",
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
    "標籤",
    "類別",
    "情感傾向",
    "評分",
    "評価",
];

/// The kind of file, found out only where it is not given.
pub(super) fn known(path: &Path, look: &Look) -> Result<Format, StoreError> {
    let format = match look.format {
        None => format(path, look)?,
        Some(Format::Csv(_)) if look.delimiter.is_none() => {
            let text = beginning(&head(path)?, look).text;
            Format::Csv(char::from(scan::sniff_delimiter(&text)))
        }
        Some(given) => given,
    };
    Ok(match (format, look.delimiter) {
        (Format::Csv(_) | Format::Tsv, Some('\t')) => Format::Tsv,
        (Format::Csv(_) | Format::Tsv, Some(delimiter)) if delimiter.is_ascii() => Format::Csv(delimiter),
        (format, _) => format,
    })
}

/// The kind of file, by its name, or by its first bytes where the name says nothing.
fn format(path: &Path, look: &Look) -> Result<Format, StoreError> {
    if path.is_dir() {
        return Ok(Format::Annotated(formats::of_folder(path)));
    }
    let head = head(path)?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    if head.starts_with(b"PAR1") || matches!(extension.as_str(), "parquet" | "pq") {
        return Ok(if formats::is_annotated_table(path) { Format::Annotated(Kind::HuggingFace) } else { Format::Parquet });
    }
    if head.starts_with(b"ARROW1") || matches!(extension.as_str(), "arrow" | "feather") {
        return Ok(if formats::is_annotated_table(path) { Format::Annotated(Kind::HuggingFace) } else { Format::Parquet });
    }
    if head.starts_with(b"PK\x03\x04") && (matches!(extension.as_str(), "xlsx" | "xlsm") || sheet::is_workbook(path)) {
        return Ok(Format::Xlsx);
    }
    for (magic, what) in [
        (&b"PK\x03\x04"[..], "it is a zip archive; unpack it first"),
        (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook"),
        (b"\x1f\x8b", "it is compressed"),
        (b"SQLite format 3", "it is a database; the project of a colleague is merged, not imported"),
        (b"%PDF", "it is a PDF"),
    ] {
        if head.starts_with(magic) {
            return Err(StoreError::Unreadable { what: what.to_owned(), path: path.to_owned() });
        }
    }
    if extension == "spacy" {
        let what = "it is spaCy's binary DocBin, which no library outside Python reads; write it as JSON Lines there".to_owned();
        return Err(StoreError::Unreadable { what, path: path.to_owned() });
    }
    let mut text = beginning(&head, look).text;
    let is_odd = |c: &char| *c == encoding::DAMAGE || c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if text.chars().filter(is_odd).count() * 10 > text.chars().count() && look.charset.is_none() {
        let what = "much of it is no text, whatever its encoding".to_owned();
        return Err(StoreError::Unreadable { what, path: path.to_owned() });
    }
    if !is_whole(&head) && text.trim_start().starts_with(['{', '[']) && !formats::holds_an_object(&text) {
        // The first object is longer than what is usually looked at, and what tells its kind may stand behind its text.
        text = jsonl::far_text(path, look.charset).map_or(text, |far| far.text);
    }
    if let Some(kind) = formats::detect(path, &text) {
        return Ok(Format::Annotated(kind));
    }
    let start = text.trim_start();
    if extension == "xml" || start.starts_with("<?xml") || start.to_lowercase().starts_with("<!doctype") {
        let what = "it is XML or HTML of a kind that is not known here".to_owned();
        return Err(StoreError::Unreadable { what, path: path.to_owned() });
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

fn is_whole(head: &[u8]) -> bool {
    (head.len() as u64) < HEAD
}

/// The beginning of a file as text.
fn beginning(head: &[u8], look: &Look) -> encoding::Decoded {
    encoding::decode_head(head, is_whole(head), look.charset)
}

pub(super) fn preview(path: &Path, look: &Look) -> Result<Preview, StoreError> {
    let format = known(path, look)?;
    let looked = Look { format: Some(format), delimiter: format.delimiter().map(char::from), ..look.clone() };
    if let Format::Annotated(kind) = format {
        let formats::Head { rows, encoding, unit, unit_doubt } = formats::head(kind, path, look, SHOWN)?;
        let columns = formats::COLUMNS.map(str::to_owned).to_vec();
        let preview = finish(encoding, format, columns, rows, true).looked(looked, true);
        return Ok(Preview { label_guess: Some(1), unit, unit_doubt, ..preview });
    }
    if format == Format::Parquet {
        let (columns, rows) = table::head(path, LOOKED_AT)?;
        return Ok(finish("UTF-8", format, columns, rows, true).looked(looked, true));
    }
    if format == Format::Xlsx {
        return sheet_preview(path, looked);
    }
    let mut decoded = beginning(&head(path)?, look);
    if format == Format::Jsonl && decoded.text.trim_start().starts_with('[') {
        decoded = jsonl::far_text(path, look.charset)?;
    }
    let text = &decoded.text;
    let (columns, rows, header) = match format.delimiter() {
        Some(delimiter) => {
            let header_guess = looks_like_header(&sound_rows(text, delimiter, look.quoted));
            let header = look.header.unwrap_or(header_guess);
            let (columns, in_header) = columns(text, delimiter, look.quoted, header);
            let sound = Scanner::new(text, delimiter).quoted(look.quoted).filter(is_sound);
            let rows = sound
                .filter(|record| Some(record.row) != in_header && record.fields.len() == columns.len())
                .take(LOOKED_AT)
                .map(|record| record.fields.into_iter().map(std::borrow::Cow::into_owned).collect())
                .collect();
            (columns, rows, header_guess)
        }
        None if format == Format::Jsonl => {
            let (mut columns, mut rows) = jsonl::head(text, LOOKED_AT);
            let mut own = jsonl::own_head(text, SHOWN);
            if columns.is_empty() && !text.trim_start().starts_with('[') {
                let text = jsonl::far_text(path, look.charset)?.text;
                (columns, rows) = jsonl::head(&text, LOOKED_AT);
                own = jsonl::own_head(&text, SHOWN);
            }
            if columns.is_empty() {
                return Err(jsonl::no_object(path));
            }
            if let Some(own) = own {
                let rows = own.iter().map(formats::row_of).collect();
                let preview = finish(decoded.encoding, format, formats::COLUMNS.map(str::to_owned).to_vec(), rows, true);
                return Ok(Preview { is_own: true, text_guess: 0, label_guess: None, ..preview }.looked(looked, true));
            }
            (columns, rows, true)
        }
        None => {
            let lines = scan::lines(text).filter(|line| !line.trim().is_empty());
            (vec!["text".to_owned()], lines.take(LOOKED_AT).map(|line| vec![line.to_owned()]).collect(), false)
        }
    };
    Ok(finish(decoded.encoding, format, columns, rows, header).looked(looked, header))
}

fn sheet_preview(path: &Path, looked: Look) -> Result<Preview, StoreError> {
    let mut book = Book::open(path)?;
    let name = book.sheet(looked.sheet.as_deref())?;
    let head = book.head(&name, LOOKED_AT)?;
    let header_guess = looks_like_header(&head.iter().map(|(_, cells)| cells.clone()).collect::<Vec<_>>());
    let (columns, in_header) = sheet_columns(&head, looked.header.unwrap_or(header_guess));
    let width = columns.len();
    let rows = head.into_iter().filter(|(row, _)| Some(*row) != in_header).map(|(_, mut cells)| {
        cells.resize(width, String::new());
        cells
    });
    let rows = rows.collect();
    let looked = Look { sheet: Some(name), ..looked };
    let preview = finish("UTF-8", Format::Xlsx, columns, rows, header_guess).looked(looked, header_guess);
    Ok(Preview { sheets: book.names(), ..preview })
}

/// Names of the columns of a sheet and the row they stand in, as [`columns`] has them.
pub(super) fn sheet_columns(head: &[sheet::SheetRow], header: bool) -> (Vec<String>, Option<usize>) {
    match head.first().filter(|_| header) {
        Some((row, names)) => (names.clone(), Some(*row)),
        None => {
            let width = head.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
            ((1..=width).map(|at| at.to_string()).collect(), None)
        }
    }
}

fn is_sound(record: &scan::Record) -> bool {
    matches!(record.trouble, Trouble::None | Trouble::StrayQuote)
}

/// The first rows without any trouble.
fn sound_rows(text: &str, delimiter: u8, quoted: bool) -> Vec<Vec<String>> {
    let sound = Scanner::new(text, delimiter).quoted(quoted).filter(|record| record.trouble == Trouble::None);
    sound.take(LOOKED_AT + 1).map(|record| record.fields.into_iter().map(std::borrow::Cow::into_owned).collect()).collect()
}

fn finish(encoding: &'static str, format: Format, columns: Vec<String>, mut rows: Vec<Vec<String>>, header_guess: bool) -> Preview {
    let text_guess = if format.is_annotated() { 0 } else { text_column(&columns, &rows) };
    let label_guess = label_column(&columns, &rows, text_guess);
    let values = (0..columns.len()).map(|at| few_values(&rows, at)).collect();
    rows.truncate(SHOWN);
    let (look, sheets) = (Look::default(), Vec::new());
    let (unit, unit_doubt, is_own) = (None, None, false);
    Preview { encoding, format, is_own, columns, rows, header_guess, text_guess, label_guess, look, sheets, values, unit, unit_doubt }
}

impl Preview {
    /// Whether the file says itself what stands where: no column is to be chosen.
    pub fn is_annotated(&self) -> bool {
        self.is_own || self.format.is_annotated()
    }

    fn looked(self, look: Look, header_guess: bool) -> Self {
        let look = Look { header: Some(look.header.unwrap_or(header_guess)), ..look };
        Self { look, ..self }
    }
}

/// The different cells of a column in order, if they are few and short; none otherwise.
fn few_values(rows: &[Vec<String>], at: usize) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for cell in rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
        if !values.iter().any(|value| value == cell) {
            values.push(cell.to_owned());
        }
    }
    // Lists of a few labels make many different cells.
    if values.len() > FEW {
        let mut parts: Vec<String> = values.iter().flat_map(|value| parts_of(value)).map(str::to_owned).collect();
        parts.sort();
        parts.dedup();
        values = parts;
    }
    values.sort();
    if values.len() <= FEW && values.iter().all(|value| value.chars().count() <= 40) { values } else { Vec::new() }
}

/// Names of the columns, and the row of the header. Without one, the names are "1", "2", … as many as most rows have.
pub(super) fn columns(text: &str, delimiter: u8, quoted: bool, header: bool) -> (Vec<String>, Option<usize>) {
    let mut sound = Scanner::new(text, delimiter).quoted(quoted).filter(is_sound);
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
fn looks_like_header(rows: &[Vec<String>]) -> bool {
    let Some((first, rows)) = rows.split_first() else { return false };
    let names: HashSet<&str> = first.iter().map(|name| name.trim()).collect();
    let is_name = |name: &&str| !name.is_empty() && name.parse::<f64>().is_err() && name.chars().count() <= 40;
    if names.len() != first.len() || !names.iter().all(is_name) {
        return false;
    }
    if names.iter().any(|name| is_known(name, &TEXT_NAMES) || is_known(name, &LABEL_NAMES)) {
        return true;
    }
    let rows: Vec<_> = rows.iter().filter(|row| row.len() == first.len()).take(LOOKED_AT).collect();
    (0..first.len()).any(|at| {
        let numbers = !rows.is_empty() && rows.iter().all(|row| row[at].trim().parse::<f64>().is_ok());
        let mean = rows.iter().map(|row| row[at].chars().count()).sum::<usize>() / rows.len().max(1);
        numbers || mean > 4 * first[at].chars().count().max(3)
    })
}

fn is_known(name: &str, known: &[&str]) -> bool {
    let name = name.trim().to_lowercase();
    known.contains(&name.as_str())
}

/// The column with a well-known name, else the one with the longest cells. Dates and numbers are no text, however long.
fn text_column(columns: &[String], rows: &[Vec<String>]) -> usize {
    let letters = |cell: &String| if cell.chars().any(char::is_alphabetic) { cell.chars().count() } else { 0 };
    let length = |at: &usize| rows.iter().filter_map(|row| row.get(*at)).map(letters).sum::<usize>();
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
