//! A file of another tool while its parser reads it: by lines or from its beginning again, decoded on the way, with how far
//! it is and whether to go on. Larger files than memory pass through; only what the parser keeps stays.

use super::Kind;
use super::raw::is_text;
use crate::store::pieces::{Line, MOST_ROW, Pieces, Row, TOO_LONG};
use crate::store::scan::Record;
use crate::store::{Charset, StoreError, encoding};
use std::ops::{ControlFlow, Range};
use std::path::Path;

/// Hears the share that is read, for every row; may end it.
pub(super) type Tick<'a> = &'a mut dyn FnMut(f32) -> ControlFlow<()>;

pub(super) struct Source<'a> {
    pub path: &'a Path,
    found: encoding::Found,
    kind: Kind,
    /// So many rows are enough.
    most: usize,
    /// The part of the work that going through the file is.
    covers: Range<f32>,
    tick: Tick<'a>,
    /// Whether somebody ended it.
    pub is_cancelled: bool,
}

impl<'a> Source<'a> {
    /// # Errors
    /// The file is missing or can't be read.
    pub(super) fn open(kind: Kind, path: &'a Path, charset: Option<Charset>, most: usize, tick: Tick<'a>) -> Result<Self, StoreError> {
        let found = encoding::find(path, charset)?;
        Ok(Self { path, found, kind, most, covers: 0.0..1.0, tick, is_cancelled: false })
    }

    /// A file that is no text: only [`Source::goes_on`] is to be asked of it.
    pub(super) fn of_table(kind: Kind, path: &'a Path, most: usize, tick: Tick<'a>) -> Self {
        let found = encoding::Found { encoding: encoding_rs::UTF_8, name: "UTF-8", mark: 0 };
        Self { path, found, kind, most, covers: 0.0..1.0, tick, is_cancelled: false }
    }

    /// As people call it.
    pub(super) fn encoding(&self) -> &'static str {
        self.found.name
    }

    /// The file from its beginning.
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) fn pieces(&self) -> Result<Pieces, StoreError> {
        Pieces::open_in(self.path, &self.found)
    }

    /// Why the file as a whole can't be read.
    pub(super) fn broken(&self, what: impl Into<String>) -> StoreError {
        StoreError::Annotated { format: self.kind.name(), what: what.into(), path: self.path.to_owned() }
    }

    /// Whether to go on after so many rows.
    pub(super) fn goes_on(&mut self, rows: usize, share: f32) -> bool {
        if self.is_cancelled {
            return false;
        }
        let Range { start, end } = self.covers;
        self.is_cancelled = (self.tick)(start + share * (end - start)).is_break();
        !self.is_cancelled && rows < self.most
    }

    /// Says which part of the work the next pass through the file is.
    pub(super) fn covers(&mut self, part: Range<f32>) {
        self.covers = part;
    }

    /// Whether its beginning is text rather than a picture or an archive.
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) fn is_text(&self) -> Result<bool, StoreError> {
        Ok(is_text(self.pieces()?.rest()))
    }

    /// Hands on all lines with their numbers from 1, empty ones too. A line that is too long comes as an error: the rest of
    /// the sentence "Row 3 of x.txt …".
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) fn lines(&mut self, mut each: impl FnMut(usize, Result<&str, &'static str>)) -> Result<(), StoreError> {
        let lines = self.pieces()?.lines(|number, share, line| {
            if !self.goes_on(number - 1, share) {
                return Ok(ControlFlow::Break(()));
            }
            each(
                number,
                match line {
                    Line::Text(line) => Ok(line),
                    Line::TooLong => Err(TOO_LONG),
                },
            );
            Ok(ControlFlow::Continue(()))
        });
        lines.map(drop)
    }
}

impl Source<'_> {
    /// Hands on all rows of a file with commas, the header too; a row that is too long as [`Source::lines`] does.
    ///
    /// # Errors
    /// The file can't be read, or is broken as a whole in the way that `each` says.
    pub(super) fn records(
        &mut self,
        mut each: impl FnMut(Result<Record, (usize, &'static str)>) -> Result<(), String>,
    ) -> Result<(), StoreError> {
        let mut rows = 0;
        let records = self.pieces()?.records(b',', true, |share, row| {
            // The header is no row.
            if !self.goes_on(rows.max(1) - 1, share) {
                return Ok(ControlFlow::Break(()));
            }
            rows += 1;
            let row = match row {
                Row::Record(record) => Ok(record),
                Row::TooLong(row) => Err((row, TOO_LONG)),
            };
            each(row).map_err(|what| self.broken(what))?;
            Ok(ControlFlow::Continue(()))
        });
        records.map(drop)
    }
}

/// Reads on until the first line is complete, or as long as a row may be.
///
/// # Errors
/// The file can't be read.
pub(super) fn with_first_line(pieces: &mut Pieces) -> Result<(), StoreError> {
    while !pieces.is_last() && pieces.rest().len() < MOST_ROW && !pieces.rest().trim_start().contains(['\n', '\r']) {
        pieces.more()?;
    }
    Ok(())
}
