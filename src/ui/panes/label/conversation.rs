//! Above a document that is a turn of a conversation: the mood over all turns, and what was said before.

use crate::desk::{Command, Desk};
use crate::project::{DocId, Document, Project, SPEAKER};
use crate::ui::Cx;
use crate::ui::mood::{Turn, mood_ui};
use crate::ui::theme::palette;
use eframe::egui::{Frame, Label, Margin, Panel, RichText, Ui};

/// So many turns before the document are shown.
const SHOWN: usize = 3;

/// Nothing where the document belongs to no conversation.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>, project: &Project, document: &Document) {
    let desk = cx.desk;
    let talk = desk.conversations().around(document.id);
    let Some(place) = talk.iter().position(|doc| *doc == document.id) else { return };
    let bar = Frame::new().fill(palette(ui).panel).inner_margin(Margin::symmetric(12, 6));
    Panel::top("conversation").frame(bar).show(ui, |ui| {
        ui.label(RichText::new(cx.tf("Turn {} of {}", &[&(place + 1), &talk.len()])).color(palette(ui).weak).small());
        let turns: Vec<Turn<'_>> = talk.iter().filter_map(|doc| turn(desk, project, *doc, document)).collect();
        if let Some(chosen) = mood_ui(ui, cx, &turns).and_then(|at| talk.get(at)) {
            cx.send(Command::Open(*chosen));
        }
        for said in project.turns_before(desk.conversations(), document.id, SHOWN) {
            ui.add(Label::new(RichText::new(&said).color(palette(ui).weak)).truncate()).on_hover_text(said);
        }
    });
}

/// A turn with its answer, or with what a model makes of it.
fn turn<'a>(desk: &Desk, project: &'a Project, doc: DocId, current: &Document) -> Option<Turn<'a>> {
    let document = project.document(doc)?;
    let main = project.schema().main_question();
    let answer = main.and_then(|(id, _)| document.seen_in(desk.layer()).annotation.class(id));
    let guess = answer.is_none().then(|| desk.guess(doc)).flatten().map(|guess| guess.class);
    let class = answer.or(guess).and_then(|class| main?.1.classes.get(usize::from(class)));
    Some(Turn {
        text: &document.text,
        class: class.map(|class| class.name.as_str()),
        hue: class.map(|class| class.hue),
        is_guess: answer.is_none(),
        is_current: doc == current.id,
        is_other: document.meta.get(SPEAKER) != current.meta.get(SPEAKER),
    })
}
