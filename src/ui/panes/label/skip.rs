//! Shift+S: why a document is skipped, in words of one's own or those given before.

use crate::desk::Command;
use crate::project::{DocId, Project};
use crate::ui::Cx;
use crate::ui::theme::{GAP, palette, primary_button};
use eframe::egui::{Key, RichText, TextEdit, Ui};
use std::collections::BTreeMap;

/// So many reasons given before are offered, the most frequent first.
const OFFERED: usize = 6;

/// The question, while it is open.
pub(super) struct SkipReason {
    doc: DocId,
    text: String,
    asked: bool,
    given: Vec<String>,
}

impl SkipReason {
    pub fn new(project: &Project, doc: DocId) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for document in project.documents().filter(|document| !document.annotation.skip_reason.is_empty()) {
            *counts.entry(&document.annotation.skip_reason).or_default() += 1;
        }
        let mut given: Vec<(&str, usize)> = counts.into_iter().collect();
        given.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Self {
            doc,
            text: String::new(),
            asked: false,
            given: given.into_iter().take(OFFERED).map(|(reason, _)| reason.to_owned()).collect(),
        }
    }

    /// Draws it; answers whether it is done.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        let mut reason = None;
        let mut cancelled = false;
        let modal = crate::ui::theme::modal(ui.ctx(), "skip because").show(ui.ctx(), |ui| {
            ui.set_width(360.0);
            ui.heading(cx.t("Skip because…"));
            let label = ui.label(RichText::new(cx.t("The reason, for those who come back to it")).color(palette(ui).weak));
            let field = ui.add(TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY)).labelled_by(label.id);
            if !std::mem::replace(&mut self.asked, true) {
                field.request_focus();
            }
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            ui.horizontal_wrapped(|ui| {
                for given in &self.given {
                    if ui.button(given).clicked() {
                        reason = Some(given.clone());
                    }
                }
            });
            ui.add_space(GAP);
            ui.horizontal(|ui| {
                if ui.add(primary_button(ui, cx.t("Skip"))).clicked() || entered {
                    reason = Some(self.text.clone());
                }
                cancelled = ui.button(cx.t("Cancel")).clicked();
            });
        });
        let done = reason.is_some();
        if let Some(reason) = reason {
            cx.send(Command::SkipBecause(self.doc, reason));
        }
        done || cancelled || modal.should_close()
    }
}
