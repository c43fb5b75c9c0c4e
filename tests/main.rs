//! The one test program, so that the dependencies are linked once. A line a file; tests that draw pictures stand in
//! modules called `snapshots` behind the feature of that name.
#![allow(clippy::unwrap_used)] // A test that panics has failed: that is what is wanted.

mod cli;
mod desk;
mod figures;
mod formats;
mod import;
mod interval;
mod nn;
mod opinions;
mod predict;
mod project;
mod runs;
mod schema;
mod stage;
mod store;
mod text;
mod tidy;
mod train;
mod ui_frame;
mod ui_label;
mod ui_opinions;
mod ui_schema;
mod ui_test;
mod ui_train;
