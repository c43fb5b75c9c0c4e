//! Widgets that know no desk.

pub mod bars;
pub mod confusion;
pub mod document;
