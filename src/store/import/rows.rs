//! Tables row by row: CSV and TSV, sheets of Excel, lines of plain text.

use super::{Draft, Intake, Roles, guess};
use crate::store::pieces::{Line, Pieces, Row, TOO_LONG};
use crate::store::scan::{Record, Trouble};
use crate::store::{StoreError, sheet};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::Path;

pub(super) fn read_delimited(pieces: &mut Pieces, delimiter: u8, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    let (header, quoted) = (intake.options.header, intake.options.quoted);
    let (names, in_header) = guess::columns(pieces.rest(), delimiter, quoted, header);
    let roles = Roles::find(intake, &names, header)?;
    let table = Table { roles, wanted: names.len(), in_header, header };
    pieces.records(delimiter, quoted, |share, row| {
        if intake.tick(share).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        match row {
            Row::Record(record) => table.take(record, intake)?,
            Row::TooLong(row) => intake.skip(row, TOO_LONG),
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// What is known of the columns.
struct Table {
    roles: Roles,
    wanted: usize,
    in_header: Option<usize>,
    header: bool,
}

impl Table {
    fn take(&self, record: Record, intake: &mut Intake) -> Result<(), StoreError> {
        let row = record.row;
        if Some(row) == self.in_header {
            return Ok(());
        }
        match record.trouble {
            Trouble::Blank => {
                intake.blank();
                return Ok(());
            }
            Trouble::OpenQuote => {
                intake.skip(row, "has a quote that is never closed");
                return Ok(());
            }
            Trouble::StrayQuote | Trouble::None => {}
        }
        if record.fields.len() != self.wanted {
            let (has, s) = (record.fields.len(), if record.fields.len() == 1 { "" } else { "s" });
            let other = if self.header { "the header has" } else { "the other rows have" };
            intake.skip(row, format!("has {has} column{s}, {other} {}", self.wanted));
            return Ok(());
        }
        let draft = self.roles.draft(intake, row, record.fields.into_iter().enumerate());
        if record.trouble == Trouble::StrayQuote {
            intake.remark(row, "has text after a closing quote; the field was kept as it stands");
        }
        intake.take(draft).map(drop)
    }
}

/// A sheet of a workbook. Rows may be shorter than the header: empty cells at their end are not stored.
pub(super) fn read_sheet(path: &Path, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    let header = intake.options.header;
    let mut book = sheet::Book::open(path)?;
    let name = book.sheet(intake.options.sheet.as_deref())?;
    let head = book.head(&name, guess::LOOKED_AT)?;
    let (names, in_header) = guess::sheet_columns(&head, header);
    let roles = Roles::find(intake, &names, header)?;
    let others = book.names().len() - 1;
    if others > 0 && intake.options.sheet.is_none() {
        intake.remark(1, format!("is of the sheet {name:?}; {others} more in the workbook were not read (choose one to read it)"));
    }
    let mut trouble = None;
    let ended = book.rows(&name, |row, share, cells| {
        if Some(row) == in_header {
            return ControlFlow::Continue(());
        }
        if intake.tick(share).is_break() {
            return ControlFlow::Break(());
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            intake.blank();
            return ControlFlow::Continue(());
        }
        if cells.iter().skip(names.len()).any(|cell| !cell.is_empty()) {
            intake.skip(row, format!("has {} columns, the header has {}", cells.len(), names.len()));
            return ControlFlow::Continue(());
        }
        let draft = roles.draft(intake, row, cells.iter().enumerate().map(|(at, cell)| (at, Cow::Borrowed(cell.as_str()))));
        if let Err(error) = intake.take(draft) {
            trouble = Some(error);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    trouble.map_or(Ok(ended), Err)
}

pub(super) fn read_lines(pieces: &mut Pieces, intake: &mut Intake) -> Result<ControlFlow<()>, StoreError> {
    pieces.lines(|row, share, line| {
        if intake.tick(share).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        match line {
            Line::TooLong => intake.skip(row, TOO_LONG),
            Line::Text(line) if line.trim().is_empty() => intake.blank(),
            Line::Text(line) => drop(intake.take(Draft { row, text: line.to_owned(), ..Draft::default() })?),
        }
        Ok(ControlFlow::Continue(()))
    })
}
