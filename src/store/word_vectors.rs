//! Files of pretrained word vectors: word2vec and GloVe text (with or without the line of sizes), word2vec binary. They
//! are read once from beginning to end, and only the vectors of wanted words are kept, so that a file of gigabytes needs
//! little memory.

use super::StoreError;
use crate::nn::WordVectors;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The longest line of text, or word of a binary file, that is taken for one, in bytes.
const LONGEST_LINE: usize = 1 << 20;
const LONGEST_WORD: usize = 1 << 12;

/// Dimensions that a file may have.
const MOST_NUMBERS: usize = 4096;

/// Reads the vectors of wanted words. `wanted` answers how a word of the file is spelt in the vocabulary, `None` where it is
/// not wanted; of several words with one spelling the one that is spelt so itself counts, else the first. A file whose name
/// ends in `.bin` is word2vec binary, any other is text.
///
/// # Errors
/// The file is not there, is cut, or holds a row that is not a word and as many finite numbers as all others; says which.
pub fn read(path: &Path, wanted: &dyn Fn(&str) -> Option<String>) -> Result<WordVectors, StoreError> {
    let failed = |what: String| StoreError::WordVectors { what, path: path.to_owned() };
    let file = File::open(path).map_err(StoreError::io_read("Reading the word vectors", path))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut kept = Kept { vectors: WordVectors { file: name, ..WordVectors::default() }, exact: BTreeSet::new(), wanted };
    let reader = BufReader::with_capacity(1 << 18, file);
    let binary = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("bin"));
    let read = if binary { read_binary(reader, &mut kept) } else { read_text(reader, &mut kept) };
    match read {
        Ok(()) if kept.vectors.dimension == 0 => Err(failed("it is empty".to_owned())),
        Ok(()) => Ok(kept.vectors),
        Err(Wrong::Content(what)) => Err(failed(what)),
        Err(Wrong::Disk(error)) => Err(StoreError::io_read("Reading the word vectors", path)(error)),
    }
}

/// Why a file can't be read on.
enum Wrong {
    Content(String),
    Disk(io::Error),
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// What was found so far.
struct Kept<'a> {
    vectors: WordVectors,
    /// Those found under the very spelling of the vocabulary.
    exact: BTreeSet<String>,
    wanted: &'a dyn Fn(&str) -> Option<String>,
}

impl Kept<'_> {
    /// The vocabulary's spelling where the word's vector is to be kept.
    fn spelling(&self, word: &str) -> Option<String> {
        let spelling = (self.wanted)(word)?;
        let better = !self.exact.contains(&spelling) && (spelling == word || !self.vectors.rows.contains_key(&spelling));
        better.then_some(spelling)
    }

    fn keep(&mut self, word: &str, spelling: String, vector: Vec<f32>) {
        if spelling == word {
            self.exact.insert(spelling.clone());
        }
        self.vectors.rows.insert(spelling, vector);
    }

    fn dimension(&mut self, found: usize) -> Result<(), Wrong> {
        if found == 0 || found > MOST_NUMBERS {
            return Err(Wrong::Content(format!("its vectors have {found} numbers; 1 to {MOST_NUMBERS} are possible")));
        }
        self.vectors.dimension = found;
        Ok(())
    }
}

/// A word and its numbers a line, separated by spaces. The first line may say how many words and numbers there are.
fn read_text(mut reader: impl BufRead, kept: &mut Kept) -> Result<(), Wrong> {
    let mut line = Vec::new();
    let mut promised = None;
    let mut words = 0usize;
    for number in 1usize.. {
        line.clear();
        if reader.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() == LONGEST_LINE {
            return Err(Wrong::Content(format!(
                "line {number} is longer than any vector; is it a binary file? Then its name must end in .bin"
            )));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r', ' ', '\t']).trim_start_matches('\u{feff}');
        if text.is_empty() {
            continue;
        }
        if number == 1
            && let Some((count, dimension)) = header(text)
        {
            promised = Some(count);
            kept.dimension(dimension)?;
            continue;
        }
        if kept.vectors.dimension == 0 {
            kept.dimension(text.split([' ', '\t']).count().saturating_sub(1))?;
        }
        text_row(text, number, kept)?;
        words += 1;
    }
    match promised {
        Some(promised) if words < promised => {
            Err(Wrong::Content(format!("its first line promises {promised} words, {words} are there: it is cut")))
        }
        _ => Ok(()),
    }
}

/// Two whole numbers and nothing else: how many words, how many numbers each.
fn header(line: &str) -> Option<(usize, usize)> {
    let (count, dimension) = line.trim().split_once([' ', '\t'])?;
    Some((count.parse().ok()?, dimension.trim().parse().ok()?))
}

/// Numbers are counted from the end of the line: a word of GloVe may hold spaces.
fn text_row(text: &str, number: usize, kept: &mut Kept) -> Result<(), Wrong> {
    let dimension = kept.vectors.dimension;
    let mut parts = text.rsplitn(dimension + 1, [' ', '\t']);
    let numbers: Vec<&str> = parts.by_ref().take(dimension).collect();
    let word = parts.next().unwrap_or_default();
    if numbers.len() < dimension || word.is_empty() {
        let found = text.split([' ', '\t']).count().saturating_sub(1);
        return Err(Wrong::Content(format!("line {number} has {found} numbers, the others have {dimension}")));
    }
    if dimension > 1 && word.contains([' ', '\t']) && word.rsplit([' ', '\t']).all(|part| part.parse::<f32>().is_ok()) {
        return Err(Wrong::Content(format!("line {number} has more than {dimension} numbers")));
    }
    let Some(spelling) = kept.spelling(word) else { return Ok(()) };
    let values = numbers.iter().rev().map(|text| text.parse::<f32>().ok().filter(|value| value.is_finite()));
    let vector: Option<Vec<f32>> = values.collect();
    match vector {
        Some(vector) => kept.keep(word, spelling, vector),
        None => return Err(Wrong::Content(format!("line {number} holds something that is no finite number"))),
    }
    Ok(())
}

/// A line of sizes; then words, each with a space behind it, and their float32 numbers, least significant byte first.
fn read_binary(mut reader: impl BufRead, kept: &mut Kept) -> Result<(), Wrong> {
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST_WORD as u64).read_until(b'\n', &mut line)?;
    let sizes = std::str::from_utf8(&line).ok().and_then(header);
    let Some((count, dimension)) = sizes else {
        return Err(Wrong::Content("it does not begin with a line of two numbers, as word2vec binary does".to_owned()));
    };
    kept.dimension(dimension)?;
    let mut bytes = vec![0; dimension * size_of::<f32>()];
    for number in 1..=count {
        let cut = || Wrong::Content(format!("its first line promises {count} words, it ends in word {number}: it is cut"));
        let mut word = Vec::new();
        if reader.by_ref().take(LONGEST_WORD as u64).read_until(b' ', &mut word)? == 0 {
            return Err(cut());
        }
        if word.pop() != Some(b' ') {
            return Err(if word.len() + 1 == LONGEST_WORD { Wrong::Content(format!("word {number} has no end")) } else { cut() });
        }
        match reader.read_exact(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(cut()),
            other => other?,
        }
        // Some writers end each vector with a line break.
        let word = String::from_utf8_lossy(&word);
        let word = word.trim_start_matches('\n');
        let Some(spelling) = kept.spelling(word) else { continue };
        let vector: Vec<f32> = bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)).collect();
        if vector.iter().any(|value| !value.is_finite()) {
            return Err(Wrong::Content(format!("the vector of word {number} holds something that is no finite number")));
        }
        kept.keep(word, spelling, vector);
    }
    Ok(())
}
