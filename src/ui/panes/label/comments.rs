//! Comments on the document: read, answered, resolved.

use crate::desk::Command;
use crate::project::{CommentId, DocId, Document};
use crate::ui::Cx;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::palette;
use crate::ui::widgets::figures::date_time;
use eframe::egui::{Id, Key, Label, RichText, TextEdit, Ui};

/// What is being written.
#[derive(Default)]
pub(super) struct Comments {
    draft: String,
    /// The document that it is about.
    doc: Option<DocId>,
    wants_focus: bool,
}

impl Comments {
    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, document: &Document) {
        if self.doc != Some(document.id) {
            self.doc = Some(document.id);
            self.draft.clear();
        }
        for id in document.comments.keys() {
            ui.push_id(("comment", id.0), |ui| comment_ui(ui, cx, document, *id));
        }
        let field = TextEdit::multiline(&mut self.draft)
            .id(Id::unique("new comment"))
            .desired_rows(1)
            .desired_width(f32::INFINITY)
            .hint_text(cx.t("Write a comment; Ctrl+Enter adds it"));
        let field = ui.add(field).accessible_name(cx.t("New comment"));
        if std::mem::take(&mut self.wants_focus) {
            field.request_focus();
            field.scroll_to_me(None);
        }
        let entered = field.has_focus() && ui.input(|input| input.modifiers.command && input.key_pressed(Key::Enter));
        let is_something = !self.draft.trim().is_empty();
        if is_something && (ui.button(cx.t("Add the comment")).clicked() || entered) {
            cx.send(Command::AddComment { doc: document.id, text: std::mem::take(&mut self.draft) });
            field.surrender_focus();
        }
    }
}

fn comment_ui(ui: &mut Ui, cx: &mut Cx<'_>, document: &Document, id: CommentId) {
    let Some(comment) = document.comments.get(&id) else { return };
    let colours = palette(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let ink = if comment.resolved { colours.weak } else { colours.text };
    ui.add(Label::new(RichText::new(&comment.text).color(ink)).wrap().selectable(true));
    ui.horizontal(|ui| {
        let mut resolved = comment.resolved;
        if ui.checkbox(&mut resolved, RichText::new(cx.t("Resolved")).small().color(colours.weak)).changed() {
            cx.send(Command::ResolveComment { doc: document.id, id, to: resolved });
        }
        if icons::icon_button(ui, Icon::Close, cx.t("Remove the comment"), true).clicked() {
            cx.send(Command::RemoveComment { doc: document.id, id });
        }
    });
    let who = format!("{} · {}", comment.author, date_time(comment.time_ms));
    ui.add(Label::new(RichText::new(who).small().color(colours.weak)).wrap());
    ui.add_space(6.0);
}
