//! A text file read piece by piece and decoded on the way, so that a file may be larger than memory, and a single row that
//! has no end costs its limit and no more.

use super::encoding::{self, DAMAGE, Found};
use super::scan::{Record, Scanner};
use super::{Charset, StoreError};
use encoding_rs::{Decoder, DecoderResult};
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Bytes read at once.
const BLOCK: usize = 4 << 20;
/// A row that is longer than this is passed over.
pub(super) const MOST_ROW: usize = 64 << 20;
/// Why.
pub(super) const TOO_LONG: &str = "is longer than 64 MB";

/// The part of a file that was read and not yet taken.
pub(super) struct Pieces {
    file: File,
    path: PathBuf,
    decoder: Decoder,
    /// As people call it.
    pub encoding: &'static str,
    text: String,
    /// Where in `text` begins what was not taken.
    at: usize,
    ended: bool,
    read: u64,
    total: u64,
    /// Bytes of the file for one of `text`, by the last block.
    ratio: f64,
}

/// A line of a file.
pub(super) enum Line<'a> {
    Text(&'a str),
    /// Longer than [`MOST_ROW`].
    TooLong,
}

/// A row of a table.
pub(super) enum Row<'a> {
    Record(Record<'a>),
    /// The row of this number is longer than [`MOST_ROW`].
    TooLong(usize),
}

impl Pieces {
    /// Finds out the encoding, unless it was said, and reads the beginning.
    ///
    /// # Errors
    /// The file is missing or can't be read.
    pub(super) fn open(path: &Path, charset: Option<Charset>) -> Result<Self, StoreError> {
        Self::open_in(path, &encoding::find(path, charset)?)
    }

    /// The same for an encoding that was found out before.
    ///
    /// # Errors
    /// The file is missing or can't be read.
    pub(super) fn open_in(path: &Path, found: &Found) -> Result<Self, StoreError> {
        const DOING: &str = "Reading the file";
        let mut file = File::open(path).map_err(StoreError::io_read(DOING, path))?;
        let total = file.metadata().map_or(0, |meta| meta.len());
        let mut mark = [0; 3];
        file.read_exact(&mut mark[..found.mark]).map_err(StoreError::io_read(DOING, path))?;
        let (decoder, path) = (found.encoding.new_decoder_without_bom_handling(), path.to_owned());
        let read = found.mark as u64;
        let mut pieces =
            Self { file, path, decoder, encoding: found.name, text: String::new(), at: 0, ended: false, read, total, ratio: 1.0 };
        pieces.more()?;
        Ok(pieces)
    }

    /// What was read and not taken.
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// The same as bytes: of a reader that takes them wherever its buffer ends, they may begin inside a character.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Whether nothing comes after [`Pieces::rest`].
    pub(super) fn is_last(&self) -> bool {
        self.ended
    }

    /// Puts the first bytes of the rest away.
    pub(super) fn take(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Share of the file that is taken once so many bytes of the rest are.
    pub(super) fn share(&self, bytes: usize) -> f32 {
        let left = (self.text.len() - self.at).saturating_sub(bytes) as f64 * self.ratio;
        ((self.read as f64 - left) / self.total.max(1) as f64) as f32
    }

    /// Reads on. Nothing happens at the end of the file.
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) fn more(&mut self) -> Result<(), StoreError> {
        if self.ended {
            return Ok(());
        }
        self.text.drain(..std::mem::take(&mut self.at));
        let mut block = Vec::with_capacity(BLOCK);
        (&mut self.file).take(BLOCK as u64).read_to_end(&mut block).map_err(StoreError::io_read("Reading the file", &self.path))?;
        self.read += block.len() as u64;
        self.ended = block.len() < BLOCK;
        let (before, length) = (self.text.len(), block.len());
        let mut rest = block.as_slice();
        self.text.reserve(block.len() + block.len() / 2 + 16);
        loop {
            let (result, read) = self.decoder.decode_to_string_without_replacement(rest, &mut self.text, self.ended);
            rest = &rest[read..];
            match result {
                DecoderResult::InputEmpty => {
                    self.ratio = length as f64 / (self.text.len() - before).max(1) as f64;
                    return Ok(());
                }
                DecoderResult::OutputFull => self.text.reserve(rest.len() * 2 + 16),
                DecoderResult::Malformed(..) => self.text.push(DAMAGE),
            }
        }
    }

    /// Passes over everything up to the next line.
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) fn skip_line(&mut self) -> Result<(), StoreError> {
        loop {
            if let Some(end) = line_end(self.rest()).filter(|end| !self.is_half(*end)) {
                self.at += end + after(&self.rest()[end..]);
                return Ok(());
            }
            self.at = self.text.len();
            if self.ended {
                return Ok(());
            }
            self.more()?;
        }
    }

    /// Whether a carriage return at the end of what was read may go on with a line feed.
    fn is_half(&self, end: usize) -> bool {
        !self.ended && self.rest().len() == end + 1 && self.rest().ends_with('\r')
    }

    /// Hands on all lines with their numbers from 1 and the share of the file behind them.
    ///
    /// # Errors
    /// The file can't be read, or what `each` says.
    pub(super) fn lines(
        &mut self,
        mut each: impl FnMut(usize, f32, Line) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut number = 0;
        loop {
            let mut done = 0;
            while let Some(end) = line_end(&self.rest()[done..]).map(|end| done + end).filter(|end| !self.is_half(*end)) {
                number += 1;
                if each(number, self.share(end), Line::Text(&self.rest()[done..end]))?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                done = end + after(&self.rest()[end..]);
            }
            self.at += done;
            if self.ended {
                let last = self.rest();
                return if last.is_empty() { Ok(ControlFlow::Continue(())) } else { each(number + 1, 1.0, Line::Text(last)) };
            }
            if self.rest().len() >= MOST_ROW {
                number += 1;
                self.skip_line()?;
                if each(number, self.share(0), Line::TooLong)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            } else {
                self.more()?;
            }
        }
    }
}

impl Pieces {
    /// Hands on all rows of a table with the share of the file behind them.
    ///
    /// # Errors
    /// The file can't be read, or what `each` says.
    pub(super) fn records(
        &mut self,
        delimiter: u8,
        quoted: bool,
        mut each: impl FnMut(f32, Row) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let mut rows = 0;
        loop {
            let (mut done, mut is_endless) = (0, false);
            for record in Scanner::new(self.rest(), delimiter).after(rows).quoted(quoted) {
                let has_end = record.end < self.rest().len();
                if record.unsure && !self.ended {
                    let is_full = self.rest().len() - done >= MOST_ROW;
                    is_endless = is_full && !has_end;
                    // A quote that stays open so long is taken as never closed.
                    if !is_full || is_endless {
                        break;
                    }
                }
                (done, rows) = (record.end, record.row);
                if each(self.share(done), Row::Record(record))?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            self.at += done;
            if is_endless {
                rows += 1;
                self.skip_line()?;
                if each(self.share(0), Row::TooLong(rows))?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            } else if self.ended {
                return Ok(ControlFlow::Continue(()));
            } else {
                self.more()?;
            }
        }
    }
}

/// The first line end, by either sign.
fn line_end(text: &str) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', text.as_bytes())
}

/// Length of the line end that a text begins with.
fn after(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { 1 }
}
