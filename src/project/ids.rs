//! Names of things inside a project. They are never reused.

use serde::{Deserialize, Serialize};

/// A document: its place in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocId(pub u32);

impl DocId {
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// # Panics
    /// Beyond `u32::MAX` documents, which no import lets through.
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("a project holds fewer than 2^32 documents"))
    }
}

/// A span of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpanId(pub u32);
