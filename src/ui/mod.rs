//! The window. Draws what the desk shows, queues commands that run after drawing, and never waits.
//!
//! Never touches files, threads, channels or tensors. Panes get a [`Cx`]: read access to the desk and a queue of
//! commands. Colours come from [`theme`], words from [`i18n`], dialogs of the system from [`dialogs`].

pub mod app;
mod bars;
mod cx;
pub mod dialogs;
pub mod fonts;
mod guidelines;
pub mod i18n;
pub mod icons;
mod input_order;
mod journal;
mod key_sheet;
pub mod keys;
mod labels;
mod mood;
mod notices;
mod pace;
pub mod palette;
pub mod panes;
pub mod theme;
mod who;
pub mod widgets;

pub use app::App;
pub use cx::{Commands, Cx, Place};
