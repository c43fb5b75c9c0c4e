//! Attributes of spans: which of several names each span has, such as its category.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Something that is answered about every span of a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanAttribute {
    /// Place of the span label.
    pub label: u16,
    pub name: String,
    pub values: Vec<String>,
}

/// Where the values of each attribute stand among those of all, side by side.
pub fn value_places(attributes: &[SpanAttribute]) -> impl Iterator<Item = Range<usize>> {
    attributes.iter().scan(0, |end, attribute| {
        let start = *end;
        *end += attribute.values.len();
        Some(start..*end)
    })
}
