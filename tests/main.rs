//! The one test program, so that the dependencies are linked once. A line a file; tests that draw pictures stand in
//! modules called `snapshots` behind the feature of that name.
#![allow(clippy::unwrap_used)] // A test that panics has failed: that is what is wanted.

mod agreement;
mod agreement_gamma;
mod agreement_graded;
mod cli;
mod copies;
mod desk;
mod details;
mod figures;
mod formats;
mod import;
mod insights;
mod interchange;
mod interval;
mod mining;
mod nn;
mod opinions;
mod pace;
mod predict;
mod project;
mod questions;
mod queue;
mod runs;
mod schema;
mod stage;
mod store;
mod suggestions;
mod team;
mod text;
mod tidy;
mod train;
mod ui_data;
mod ui_details;
mod ui_frame;
mod ui_gestures;
mod ui_input;
mod ui_keys;
mod ui_label;
mod ui_opinions;
mod ui_questions;
mod ui_schema;
mod ui_suggestions;
mod ui_team;
mod ui_test;
mod ui_train;
