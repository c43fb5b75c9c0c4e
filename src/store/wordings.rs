//! Files that a person brings to learn from more wordings: lists of synonyms, and texts in other words.

use super::StoreError;
use super::encoding::decode;
use std::path::Path;

/// Words that may stand for each other: a list a line, separated by tabs, commas or, without either, white space. Lines that
/// begin with # are comments; a line with one word says nothing.
///
/// # Errors
/// The file can't be read.
pub fn synonyms(path: &Path) -> Result<Vec<Vec<String>>, StoreError> {
    let text = read(path, "Reading the synonyms")?;
    let lists = text.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| {
        let signs: &[char] = &['\t', ',', '，', '、'];
        let parts: Vec<&str> = if line.contains(signs) { line.split(signs).collect() } else { line.split_whitespace().collect() };
        let words = parts.into_iter().map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<String>>()
    });
    Ok(lists.filter(|list| list.len() > 1).collect())
}

/// Texts in other words: a line each, the text, a tab, the other wording.
///
/// # Errors
/// The file can't be read, or a line has no tab; says which.
pub fn paraphrases(path: &Path) -> Result<Vec<(String, String)>, StoreError> {
    let text = read(path, "Reading the other wordings")?;
    let pair = |(at, line): (usize, &str)| {
        let (text, wording) = line.split_once('\t').ok_or_else(|| StoreError::Wordings {
            what: format!("line {} has no tab between a text and its other wording", at + 1),
            path: path.to_owned(),
        })?;
        Ok((text.trim().to_owned(), wording.trim().to_owned()))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let pairs: Vec<(String, String)> = lines.map(pair).collect::<Result<_, StoreError>>()?;
    Ok(pairs.into_iter().filter(|(text, wording)| !text.is_empty() && !wording.is_empty()).collect())
}

fn read(path: &Path, doing: &'static str) -> Result<String, StoreError> {
    let bytes = std::fs::read(path).map_err(StoreError::io_read(doing, path))?;
    Ok(decode(&bytes).text)
}
