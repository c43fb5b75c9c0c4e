//! Asks before a change touches what people said, with the numbers.

use crate::project::{AttributeChange, LabelId, LinkTypeChange, Plan, Schema, SchemaChange, Touched};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText, vec2};

/// A change that waits for a yes.
pub(super) struct Asking {
    pub change: SchemaChange,
    answers: usize,
    spans: usize,
    links: usize,
    polarities: usize,
    attributes: usize,
}

impl Asking {
    pub fn new(change: SchemaChange, plan: &Plan) -> Self {
        let Plan { answers, spans, links, polarities, attributes, .. } = *plan;
        Self { change, answers, spans, links, polarities, attributes }
    }

    /// Draws the question; yes, no, or nothing yet.
    pub fn ui(&self, ctx: &egui::Context, cx: &Cx<'_>) -> Option<bool> {
        let schema = cx.desk.project()?.schema();
        let name = |label: LabelId| schema.name(label).unwrap_or_default();
        let (title, yes) = match &self.change {
            SchemaChange::Merge { label, into } => {
                let goal = match label {
                    LabelId::Class(question, _) => LabelId::Class(*question, *into),
                    LabelId::Span(_) => LabelId::Span(*into),
                };
                (cx.tf("Merge {} into {}?", &[&name(*label), &name(goal)]), cx.t("Merge"))
            }
            SchemaChange::Split { label, to, .. } => (cx.tf("Split {} off {}?", &[&to.trim(), &name(*label)]), cx.t("Split")),
            SchemaChange::SetPolarity { label, .. } => {
                (cx.tf("Take the polarity from {}?", &[&name(LabelId::Span(*label))]), cx.t("Take away"))
            }
            SchemaChange::DeleteQuestion { question } => {
                let name = schema.question(*question).map_or("", |asked| asked.name.as_str());
                (cx.tf("Delete the question {}?", &[&name]), cx.t("Delete"))
            }
            SchemaChange::SetKind { question, .. } => {
                let name = schema.question(*question).map_or("", |asked| asked.name.as_str());
                (cx.tf("Change what answers {}?", &[&name]), cx.t("Change"))
            }
            SchemaChange::Delete { label } => (cx.tf("Delete {}?", &[&name(*label)]), cx.t("Delete")),
            SchemaChange::Attribute { label, change } => attribute_words(cx, schema, *label, change)?,
            SchemaChange::LinkType(change) => link_type_words(cx, schema, change)?,
            _ => return Some(true),
        };
        let palette = theme::Palette::of(ctx.global_style().visuals.dark_mode);
        let modal = theme::modal(ctx, "change of labels");
        let mut answer = None;
        let shown = modal.show(ctx, |ui| {
            ui.set_width(400.0);
            ui.heading(title);
            for line in self.lines(cx) {
                ui.label(line);
            }
            ui.label(RichText::new(cx.t("One undo brings everything back")).color(palette.weak));
            ui.add_space(8.0);
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), theme::ROW_HEIGHT),
                egui::Layout::right_to_left(egui::Align::Center),
                |ui| {
                    let button = ui.add(theme::primary_button(ui, yes));
                    if button.clicked() {
                        answer = Some(true);
                    }
                    if ui.button(cx.t("Keep")).clicked() {
                        answer = Some(false);
                    }
                },
            );
        });
        answer.or_else(|| shown.should_close().then_some(false))
    }

    fn lines(&self, cx: &Cx<'_>) -> Vec<String> {
        use SchemaChange as C;
        let merges = matches!(
            self.change,
            C::Merge { .. }
                | C::Split { .. }
                | C::LinkType(LinkTypeChange::Merge { .. })
                | C::Attribute { change: AttributeChange::MergeValue { .. }, .. }
        );
        let about = self.change.is_about();
        let kinds = [
            (Touched::Answers, self.answers, ["{} answers are taken away", "{} answers change"]),
            (Touched::Spans, self.spans, ["{} spans are taken away", "{} spans change"]),
            (Touched::Attributes, self.attributes, ["{} attributes of spans are taken away", "{} attributes of spans change"]),
            (Touched::Polarities, self.polarities, ["{} polarities are taken away"; 2]),
            (Touched::Links, self.links, ["{} links are taken away", "{} links change"]),
        ];
        let said = kinds.into_iter().filter(|(_, count, _)| *count > 0);
        // Only what the change is about changes; the rest goes with it.
        let words = |(kind, count, [goes, changes]): (Touched, usize, [&'static str; 2])| match kind {
            Touched::Links if about != Touched::Links => cx.tf("{} links go with them", &[&count]),
            _ => cx.tf(if merges && kind == about { changes } else { goes }, &[&count]),
        };
        said.map(words).collect()
    }
}

/// Title and yes of a change of attributes.
fn attribute_words(cx: &Cx<'_>, schema: &Schema, label: u16, change: &AttributeChange) -> Option<(String, &'static str)> {
    let asked = |at: &u16| schema.attributes(label).get(usize::from(*at));
    let value = |at: &u16, value: &u16| asked(at)?.values().get(usize::from(*value));
    Some(match change {
        AttributeChange::Delete { attribute } => (cx.tf("Delete the attribute {}?", &[&asked(attribute)?.name]), cx.t("Delete")),
        AttributeChange::SetKind { attribute, .. } => (cx.tf("Change what {} can be?", &[&asked(attribute)?.name]), cx.t("Change")),
        AttributeChange::DeleteValue { attribute, value: at } => (cx.tf("Delete {}?", &[&value(attribute, at)?]), cx.t("Delete")),
        AttributeChange::MergeValue { attribute, value: at, into } => {
            (cx.tf("Merge {} into {}?", &[&value(attribute, at)?, &value(attribute, into)?]), cx.t("Merge"))
        }
        _ => return None,
    })
}

/// Title and yes of a change of the types of links.
fn link_type_words(cx: &Cx<'_>, schema: &Schema, change: &LinkTypeChange) -> Option<(String, &'static str)> {
    let name = |at: &u16| schema.link_types().get(usize::from(*at)).map(|held| &held.name);
    Some(match change {
        LinkTypeChange::Delete { at } => (cx.tf("Delete the link type {}?", &[&name(at)?]), cx.t("Delete")),
        LinkTypeChange::Merge { at, into } => (cx.tf("Merge {} into {}?", &[&name(at)?, &name(into)?]), cx.t("Merge")),
        _ => return None,
    })
}
