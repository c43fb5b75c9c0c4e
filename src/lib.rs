//! Gloss: label reviews by hand, train a model on them, look inside what it learned. One process, offline.
//!
//! The rooms, from the bottom up; each may use only the ones its row in `tests/tidy.rs` names:
//!
//! - [`project`]: the model of a project and the edits that change it. No I/O, clock, thread or randomness.
//! - [`text`]: pieces of the encoder, words, learnt vocabularies, tagging units, spans to BIO tags and back.
//! - [`nn`]: tensors: ops with gradients, ragged batches, encoder, recurrent and convolutional networks, heads, loss, optimiser.
//! - [`train`]: the algorithm: `fit(data, config, sink)`. No thread, no channel, no file.
//! - [`predict`]: frozen weights to predictions.
//! - [`advise`]: which documents to look at next, and which labels look wrong.
//! - [`store`]: the disk: project file with its journal, runs, import, model folders.
//! - [`desk`]: the shell that owns a project, its history, its file and its jobs. Commands in, read access out.
//! - [`cli`]: headless commands over the same rooms.
//! - [`ui`]: egui. Draws what the desk shows and queues commands; never waits.

pub mod advise;
pub mod cli;
pub mod desk;
pub mod nn;
pub mod predict;
pub mod project;
pub mod store;
pub mod text;
pub mod train;
pub mod ui;
