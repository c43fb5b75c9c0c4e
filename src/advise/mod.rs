//! Which documents to look at, by what a model says of them: those whose labels would teach it most, and those whose labels
//! look wrong. Ranks and nothing else: knows no thread, and no model but by its answers.

mod informative;
mod span_suspects;
mod suspects;

pub use informative::{Candidate, informative, uncertainty};
pub use span_suspects::{JudgedSpans, span_suspects};
pub use suspects::{Judged, suspects};
