//! One array of JSON, element by element: the file is decoded on the way and never stands in memory as a whole.
//!
//! Parsed by serde_json from a reader, so that what is wrong with the array is told with its line and column, and an array
//! that breaks off is broken even where every element before is sound.

use super::StoreError;
use super::pieces::{MOST_ROW, Pieces};
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

/// How an array ended.
pub(super) enum Ended {
    Whole,
    /// `each` had enough.
    Stopped,
    /// What is wrong with it, and where.
    Broken(String),
}

/// Hands on all elements with their numbers from 1 and the share of the file behind them.
///
/// # Errors
/// The file can't be read, or what `each` says.
pub(super) fn each(
    pieces: Pieces,
    each: &mut dyn FnMut(usize, f32, Value) -> Result<ControlFlow<()>, StoreError>,
) -> Result<Ended, StoreError> {
    let state =
        State { taken: Cell::new(0), number: Cell::new(1), share: Cell::new(0.0), stopped: Cell::new(false), error: RefCell::new(None) };
    let mut parser = serde_json::Deserializer::from_reader(BufReader::new(Limited { pieces, state: &state }));
    let done = parser.deserialize_seq(Elements { each, state: &state }).and_then(|()| parser.end());
    match (state.error.take(), done) {
        (Some(error), _) => Err(error),
        (None, _) if state.stopped.get() => Ok(Ended::Stopped),
        (None, Ok(())) => Ok(Ended::Whole),
        (None, Err(error)) => Ok(Ended::Broken(error.to_string())),
    }
}

/// What the reader below and the visitor above tell each other.
struct State {
    /// Bytes since the element began.
    taken: Cell<usize>,
    number: Cell<usize>,
    share: Cell<f32>,
    stopped: Cell<bool>,
    /// What is no fault of the array.
    error: RefCell<Option<StoreError>>,
}

/// The decoded file. An element longer than a row may be ends it.
struct Limited<'a> {
    pieces: Pieces,
    state: &'a State,
}

impl Read for Limited<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.pieces.bytes().is_empty() && !self.pieces.is_last() {
            if let Err(error) = self.pieces.more() {
                *self.state.error.borrow_mut() = Some(error);
                return Err(std::io::Error::other("the file can't be read"));
            }
        }
        let taken = self.state.taken.get();
        if taken > MOST_ROW {
            let what = format!("element {} is longer than {} MB", self.state.number.get(), MOST_ROW >> 20);
            return Err(std::io::Error::other(what));
        }
        let rest = self.pieces.bytes();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        self.pieces.take(length);
        self.state.taken.set(taken + length);
        self.state.share.set(self.pieces.share(0));
        Ok(length)
    }
}

struct Elements<'a> {
    each: &'a mut dyn FnMut(usize, f32, Value) -> Result<ControlFlow<()>, StoreError>,
    state: &'a State,
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(value) = elements.next_element::<Value>()? {
            let number = self.state.number.get();
            match (self.each)(number, self.state.share.get(), value) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => {
                    self.state.stopped.set(true);
                    return Err(A::Error::custom("stopped"));
                }
                Err(error) => {
                    *self.state.error.borrow_mut() = Some(error);
                    return Err(A::Error::custom("stopped"));
                }
            }
            self.state.number.set(number + 1);
            self.state.taken.set(0);
        }
        Ok(())
    }
}
