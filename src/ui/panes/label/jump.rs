//! Ctrl+G: to a document by its number in the list, or by the id that came with the import.

use crate::desk::Command;
use crate::project::{DocId, Project};
use crate::ui::Cx;
use crate::ui::theme::{GAP, ROW_HEIGHT, palette, primary_button};
use eframe::egui::{Align, Key, Layout, RichText, TextEdit, Ui, vec2};

/// The question, while it is open.
#[derive(Default)]
pub(super) struct Jump {
    text: String,
    asked: bool,
    /// The last answer found no document.
    missed: bool,
}

impl Jump {
    /// Draws it; answers whether it is done.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) -> bool {
        let mut done = false;
        let modal = crate::ui::theme::modal(ui.ctx(), "go to a document").show(ui.ctx(), |ui| {
            ui.set_width(360.0);
            ui.heading(cx.t("Go to a document"));
            let hint = cx.tf("Its number in the list (1 to {}), or its id", &[&cx.desk.queue().len()]);
            let label = ui.label(RichText::new(hint).color(palette(ui).weak));
            let field = ui.add(TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY)).labelled_by(label.id);
            if !std::mem::replace(&mut self.asked, true) {
                field.request_focus();
            }
            if field.changed() {
                self.missed = false;
            }
            if self.missed {
                ui.colored_label(palette(ui).error, cx.t("There is no such document in the list"));
            }
            ui.add_space(GAP);
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let row = vec2(ui.available_width(), ROW_HEIGHT);
            ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
                let go = ui.add_enabled(!self.text.trim().is_empty(), primary_button(ui, cx.t("Go"))).clicked();
                if (go || entered) && !self.text.trim().is_empty() {
                    match find(cx, project, self.text.trim()) {
                        Some(doc) => {
                            cx.send(Command::Open(doc));
                            done = true;
                        }
                        None => {
                            self.missed = true;
                            field.request_focus();
                        }
                    }
                }
                done |= ui.button(cx.t("Cancel")).clicked();
            });
        });
        done || modal.should_close()
    }
}

/// A value of the column "id" comes first, then the place in the list.
fn find(cx: &Cx<'_>, project: &Project, text: &str) -> Option<DocId> {
    let has_id = |doc: &&crate::project::Document| {
        doc.meta.iter().any(|(column, value)| column.eq_ignore_ascii_case("id") && value.eq_ignore_ascii_case(text))
    };
    if let Some(doc) = project.documents().find(has_id) {
        return Some(doc.id);
    }
    let number: usize = text.parse().ok()?;
    cx.desk.queue().ids().get(number.checked_sub(1)?).copied()
}
