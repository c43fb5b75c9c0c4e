//! Widgets that know no desk.

pub mod bars;
pub mod choice;
pub mod confusion;
pub mod document;
pub mod figures;
pub mod fold;
pub mod markdown;
pub mod queue_list;
