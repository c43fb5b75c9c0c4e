//! The five places, one module each. A pane keeps its own state between visits and changes nothing by itself.

pub mod data;
pub mod insights;
pub mod label;
pub mod test;
pub mod train;
pub mod welcome;
