//! Messages of the desk, put into words.

use super::Cx;
use super::icons::Icon;
use super::theme::Palette;
use crate::desk::{Level, Notice};
use eframe::egui::Color32;

/// The sentence a person reads.
pub fn words(cx: &Cx<'_>, notice: &Notice) -> String {
    match notice {
        Notice::Undone(name) => cx.tf("Undone: {}", &[name]),
        Notice::Redone(name) => cx.tf("Redone: {}", &[name]),
        Notice::WentTo { steps } => cx.tf("Gone to that moment: {} steps undone or redone", &[steps]),
        Notice::Adopted(0) => cx.t("There is no document on which all agree and that is not settled yet").to_owned(),
        Notice::Adopted(count) => cx.tf("Settled as all agree: {} documents", &[count]),
        Notice::SchemaChanged(name) => name.clone(),
        Notice::NothingToUndo => cx.t("Nothing to undo").to_owned(),
        Notice::NothingToRedo => cx.t("Nothing to redo").to_owned(),
        Notice::QueueEnd => cx.t("This is the last document of the list").to_owned(),
        Notice::AllDone => cx.t("Nothing is left to do in this list").to_owned(),
        Notice::StillOpening(path) => cx.tf("{} is still being opened", &[&super::bars::file_name(path)]),
        Notice::ProjectOpened(path) => cx.tf("Opened {}", &[&super::bars::file_name(path)]),
        Notice::Imported { documents, skipped: 0 } => cx.tf("{} documents imported", &[documents]),
        Notice::Imported { documents, skipped } => cx.tf("{} documents imported, {} left out", &[documents, skipped]),
        Notice::Merged { matched, added } => cx.tf("Merged: {} documents found here, {} new ones", &[matched, added]),
        Notice::WordsImported { file, added, left_out, problem } => match problem {
            None => cx.tf("{} words of {} are suggested from now on", &[added, file]),
            Some(problem) => cx.tf("{} words of {} are suggested from now on, {} left out: {}", &[added, file, left_out, problem]),
        },
        Notice::Exported(path) => cx.tf("Written: {}", &[&path.display()]),
        Notice::RunFinished(run) => cx.tf("Training is done: run {}", &[run]),
        Notice::RunCancelled(run) => cx.tf("Training was cancelled: run {}", &[run]),
        Notice::RunFailed { run, reason } => cx.tf("Training failed: run {}: {}", &[run, &cx.said(reason)]),
        Notice::Unsaved(reason) => cx.tf("The last change is not saved yet and is tried again. {}", &[&cx.said(reason)]),
        Notice::SavedAgain => cx.t("Everything is saved again").to_owned(),
        Notice::Failed(sentence) => cx.said(sentence),
    }
}

/// Its icon and colour.
pub fn look(level: Level, palette: &Palette) -> (Icon, Color32) {
    match level {
        Level::Info => (Icon::Info, palette.accent),
        Level::Warning => (Icon::Info, palette.warning),
        Level::Error => (Icon::Warning, palette.error),
    }
}
