//! Word lists from files: a pattern and the span label it suggests on each line, with a tab (or else the last comma or
//! equals sign) between them. Empty lines and those that begin with `#` are passed over.

use super::{StoreError, encoding};
use std::path::Path;

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordLine {
    /// From 1.
    pub number: usize,
    pub pattern: String,
    /// Name of the label; empty where the line has none.
    pub label: String,
}

/// Reads a word list in any of the encodings that imports know.
///
/// # Errors
/// The file can't be read.
pub fn read(path: &Path) -> Result<Vec<WordLine>, StoreError> {
    let bytes = std::fs::read(path).map_err(StoreError::io_read("Reading the word list", path))?;
    Ok(parse(&encoding::decode(&bytes).text))
}

/// The lines of a list.
pub fn parse(text: &str) -> Vec<WordLine> {
    let line = |(at, line): (usize, &str)| {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let cut = line.rsplit_once('\t').or_else(|| line.rsplit_once([',', '，', '=']));
        let (pattern, label) = cut.unwrap_or((line, ""));
        Some(WordLine { number: at + 1, pattern: pattern.trim().to_owned(), label: label.trim().to_owned() })
    };
    text.trim_start_matches('\u{feff}').lines().enumerate().filter_map(line).collect()
}
