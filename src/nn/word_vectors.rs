//! Pretrained vectors of words as they come from a file. Reading the file is the store's work.

use std::collections::BTreeMap;

/// The vectors of the words that were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordVectors {
    /// Name of the file they come from, for people.
    pub file: String,
    /// Numbers of each vector.
    pub dimension: usize,
    pub rows: BTreeMap<String, Vec<f32>>,
}
