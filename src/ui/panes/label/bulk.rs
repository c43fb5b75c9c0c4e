//! Ctrl+Shift+A: the words of the selected span in all documents of the list, marked or unmarked after asking.

use crate::desk::Command;
use crate::project::{Document, Project, Span, WordCount, WordMarks};
use crate::ui::Cx;
use crate::ui::theme::{GAP, palette, primary_button};
use eframe::egui::{Button, Key, RichText, Ui};

/// Documents that are counted in one frame: a few milliseconds.
const A_FRAME: usize = 4_000;

/// The question, while it is open.
pub(super) struct WordsInQueue {
    words: String,
    label: u16,
    marks: WordMarks,
    counted: usize,
    count: WordCount,
}

impl WordsInQueue {
    pub fn new(document: &Document, span: &Span) -> Self {
        let words = span.range.of(&document.text).to_owned();
        Self { marks: WordMarks::new(&words, span.label), words, label: span.label, counted: 0, count: WordCount::default() }
    }

    /// Draws it; answers whether it is done.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, project: &Project) -> bool {
        let Some(kind) = project.schema().span_labels.get(usize::from(self.label)) else { return true };
        let ids = cx.desk.queue().ids();
        let next = (self.counted + A_FRAME).min(ids.len());
        if self.counted < next {
            self.count = self.marks.count(project, cx.desk.layer(), &ids[self.counted..next], self.count);
            self.counted = next;
            ui.ctx().request_repaint();
        }
        let is_counted = self.counted >= ids.len();
        let WordCount { free, free_documents, marked, marked_documents } = self.count;
        let (mut done, mut chosen) = (false, None);
        let modal = crate::ui::theme::modal(ui.ctx(), "words in the list").show(ui.ctx(), |ui| {
            ui.set_width(420.0);
            let words = super::text::excerpt(&self.words);
            ui.heading(cx.tf("{} in all {} documents of the list", &[&words, &ids.len()]));
            ui.label(cx.tf("Not marked as {}: {} places in {} documents", &[&kind.name, &free, &free_documents]));
            ui.label(cx.tf("Marked as {}: {} places in {} documents", &[&kind.name, &marked, &marked_documents]));
            let hint = if is_counted { cx.t("One undo takes it back") } else { cx.t("Still counting…") };
            ui.label(RichText::new(hint).color(palette(ui).weak));
            ui.add_space(GAP);
            ui.horizontal_wrapped(|ui| {
                let mark = primary_button(ui, cx.tf("Mark {} places", &[&free]));
                let entered = ui.input(|input| input.key_pressed(Key::Enter)) && ui.memory(|memory| memory.focused().is_none());
                let may_mark = is_counted && free > 0;
                if ui.add_enabled(may_mark, mark).clicked() || (entered && may_mark) {
                    chosen = Some(Command::MarkInQueue { words: self.words.clone(), label: self.label });
                }
                let unmark = Button::new(cx.tf("Unmark {} places", &[&marked]));
                if ui.add_enabled(is_counted && marked > 0, unmark).clicked() {
                    chosen = Some(Command::UnmarkInQueue { words: self.words.clone(), label: self.label });
                }
                done = ui.button(cx.t("Cancel")).clicked();
            });
        });
        done |= chosen.is_some() || modal.should_close();
        if let Some(command) = chosen {
            cx.send(command);
        }
        done
    }
}
