//! Rows of CSV and TSV, read one by one after RFC 4180.
//!
//! Our own reader, because the CSV reader of polars answers for a whole file: a row with too few columns is filled with
//! nulls, one with too many ends the import, and a quote that is never closed swallows what follows, all without saying
//! which row it was. Here each row comes out with its number and its trouble. Knows no columns, labels or files.

use serde::de::IgnoredAny;
use serde_json::Value;
use std::borrow::Cow;

/// A row of the file.
#[derive(Debug, PartialEq)]
pub(super) struct Record<'a> {
    /// From 1, counting the header and blank lines as spreadsheets do.
    pub row: usize,
    /// Byte after the row.
    pub end: usize,
    pub fields: Vec<Cow<'a, str>>,
    pub trouble: Trouble,
    /// Whether what comes after the text could make it another row: no line end was seen, or no closing quote.
    pub unsure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// Nothing between two line ends.
    Blank,
    /// A quoted field goes on after its closing quote; it was read as it stands, quotes included.
    StrayQuote,
    /// A quote opens and never closes sensibly: the fields can't be told apart. Reading goes on with the next line.
    OpenQuote,
}

/// Reads `text` row by row.
pub(super) struct Scanner<'a> {
    text: &'a str,
    delimiter: u8,
    /// Whether quotes enclose fields; otherwise they are letters.
    quoted: bool,
    at: usize,
    row: usize,
    /// From this byte on, an open quote is known to stay open.
    open_from: usize,
    /// Whether the end of the text was met in search of a quote.
    searched_all: bool,
}

/// A field and how it ended.
enum Field<'a> {
    Read(Cow<'a, str>, usize),
    Stray(&'a str, usize),
    Open,
}

impl<'a> Scanner<'a> {
    /// `delimiter` must be ASCII. A first line that only names it is passed over.
    pub(super) fn new(text: &'a str, delimiter: u8) -> Self {
        let at = said_delimiter(text).filter(|(said, _)| *said == delimiter).map_or(0, |(_, end)| end);
        Self { text, delimiter, quoted: true, at, row: usize::from(at > 0), open_from: usize::MAX, searched_all: false }
    }

    /// The same for a text that begins after so many rows.
    pub(super) fn after(self, row: usize) -> Self {
        if row == 0 { self } else { Self { row, at: 0, ..self } }
    }

    /// The same where quotes are letters like any other, unless `quoted`.
    pub(super) fn quoted(self, quoted: bool) -> Self {
        Self { quoted, ..self }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn ends_field(&self, at: usize) -> bool {
        self.byte(at).is_none_or(|byte| byte == self.delimiter || byte == b'\n' || byte == b'\r')
    }

    /// First place from `at` on that ends an unquoted field.
    fn field_end(&self, at: usize) -> usize {
        let bytes = &self.text.as_bytes()[at..];
        let found = bytes.iter().position(|byte| *byte == self.delimiter || *byte == b'\n' || *byte == b'\r');
        at + found.unwrap_or(bytes.len())
    }

    fn line_end(&self, at: usize) -> usize {
        let bytes = &self.text.as_bytes()[at..];
        at + bytes.iter().position(|byte| *byte == b'\n' || *byte == b'\r').unwrap_or(bytes.len())
    }

    /// The start of the next line, when `at` is the end of one.
    fn after_line_end(&self, at: usize) -> usize {
        match (self.byte(at), self.byte(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => at + 2,
            (Some(_), _) => at + 1,
            (None, _) => at,
        }
    }

    fn field(&mut self, start: usize) -> Field<'a> {
        if !self.quoted || self.byte(start) != Some(b'"') {
            let end = self.field_end(start);
            return Field::Read(Cow::Borrowed(&self.text[start..end]), end);
        }
        let Some((close, doubled)) = self.closing_quote(start + 1) else {
            return Field::Open;
        };
        let inside = &self.text[start + 1..close];
        if self.ends_field(close + 1) {
            let value = if doubled { Cow::Owned(inside.replace("\"\"", "\"")) } else { Cow::Borrowed(inside) };
            return Field::Read(value, close + 1);
        }
        if inside.contains(['\n', '\r']) {
            return Field::Open; // most likely the quote of another row
        }
        let end = self.field_end(close + 1);
        Field::Stray(&self.text[start..end], end)
    }

    /// Where the quoted field that begins at `at` closes, and whether it holds doubled quotes.
    fn closing_quote(&mut self, at: usize) -> Option<(usize, bool)> {
        if at >= self.open_from {
            self.searched_all = true;
            return None;
        }
        let (mut next, mut doubled) = (at, false);
        loop {
            match self.text.as_bytes()[next..].iter().position(|byte| *byte == b'"') {
                None => {
                    if !doubled {
                        self.open_from = at; // no quote at all from here on
                    }
                    self.searched_all = true;
                    return None;
                }
                Some(found) if self.byte(next + found + 1) == Some(b'"') => {
                    doubled = true;
                    next += found + 2;
                }
                Some(found) => return Some((next + found, doubled)),
            }
        }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.at >= self.text.len() {
            return None;
        }
        self.row += 1;
        self.searched_all = false;
        let mut start = self.at;
        let mut fields = Vec::new();
        let mut trouble = Trouble::None;
        let end = loop {
            let end = match self.field(start) {
                Field::Read(value, end) => {
                    fields.push(value);
                    end
                }
                // Tab-separated files are often written without any quoting: there, quotes are letters.
                Field::Stray(raw, end) => {
                    fields.push(Cow::Borrowed(raw));
                    if self.delimiter != b'\t' {
                        trouble = Trouble::StrayQuote;
                    }
                    end
                }
                Field::Open if self.delimiter == b'\t' => {
                    let end = self.field_end(start);
                    fields.push(Cow::Borrowed(&self.text[start..end]));
                    end
                }
                Field::Open => {
                    trouble = Trouble::OpenQuote;
                    break self.line_end(start);
                }
            };
            if self.byte(end) != Some(self.delimiter) {
                break end;
            }
            start = end + 1;
        };
        if end == self.at {
            trouble = Trouble::Blank;
        }
        self.at = self.after_line_end(end);
        // A carriage return may be the first half of a line end.
        let unsure = self.searched_all || end == self.text.len() || self.at == self.text.len() && self.byte(end) == Some(b'\r');
        Some(Record { row: self.row, end: self.at, fields, trouble, unsure })
    }
}

/// The delimiter that a first line `sep=;` names, as it stands in files made for Excel, and the byte after that line.
fn said_delimiter(text: &str) -> Option<(u8, usize)> {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let line = text[..end].trim_matches('"');
    let said = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).and_then(|_| line[4..].bytes().next());
    let after = if text[end..].starts_with("\r\n") { 2 } else { 1 };
    said.filter(|said| said.is_ascii() && line.len() == 5).map(|said| (said, (end + after).min(text.len())))
}

/// The delimiter of a CSV file: what its first line says, or a comma unless the first rows speak for a semicolon or a tab.
pub(super) fn sniff_delimiter(text: &str) -> u8 {
    if let Some((said, _)) = said_delimiter(text) {
        return said;
    }
    let columns = |delimiter: u8| {
        let widths: Vec<usize> = Scanner::new(text, delimiter)
            .filter(|record| record.trouble == Trouble::None)
            .take(20)
            .map(|record| record.fields.len())
            .collect();
        let first = widths.first().copied().unwrap_or(0);
        let same = widths.iter().filter(|width| **width == first).count();
        if same * 10 >= widths.len() * 8 { first } else { 0 }
    };
    if Scanner::new(text, b',').next().is_some_and(|header| header.fields.len() > 1) {
        return b',';
    }
    [b';', b'\t'].into_iter().find(|delimiter| columns(*delimiter) > 1).unwrap_or(b',')
}

/// The lines of a text, ended as rows are: by a line feed, a carriage return, or both.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = &rest[..end];
        let after = if rest[end..].starts_with("\r\n") { end + 2 } else { (end + 1).min(rest.len()) };
        rest = &rest[after..];
        Some(line)
    })
}

/// Whether a text is one array of JSON, rather than lines that are arrays each.
pub(super) fn is_json_array(text: &str) -> bool {
    let text = text.trim();
    let first = lines(text).next().unwrap_or_default();
    text.starts_with('[') && (first.len() == text.len() || serde_json::from_str::<IgnoredAny>(first).is_err())
}

/// The elements of an array of JSON one by one, up to the first that is broken.
pub(super) fn elements(text: &str) -> impl Iterator<Item = serde_json::Result<Value>> {
    let start = text.trim_start();
    let mut rest = start.strip_prefix('[').unwrap_or(start);
    std::iter::from_fn(move || {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if rest.is_empty() || rest.starts_with(']') {
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let value = values.next()?;
        rest = if value.is_ok() { &rest[values.byte_offset()..] } else { "" };
        Some(value)
    })
}
