//! Held-out reviews with what is right, what the model said, and how sure it was: the sure mistakes first, or any other
//! way. Each opens.

use super::curves::open;
use super::runs::shortened;
use super::{TrainPane, group};
use crate::desk::RunView;
use crate::project::DocId;
use crate::train::{HeldOut, Report};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText, vec2};

/// Which examples are listed, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Examples {
    which: Which,
    unsure_first: bool,
    /// Places in the report, in order, and what they were made for.
    order: Vec<usize>,
    made_for: Option<(String, Which, bool)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Which {
    #[default]
    Wrong,
    Right,
    All,
}

const HEIGHT: f32 = 260.0;

impl TrainPane {
    /// Only where the run answers a class.
    pub(super) fn examples(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, view: &RunView, report: &Report) {
        if !report.held_out.iter().any(|doc| doc.gold_class.is_some() && doc.class.is_some()) {
            return;
        }
        ui.add_space(12.0);
        group(ui, cx.t("Examples"));
        ui.horizontal(|ui| {
            let all = [(Which::Wrong, cx.t("Wrong")), (Which::Right, cx.t("Right")), (Which::All, cx.t("All"))];
            for (which, words) in all {
                ui.selectable_value(&mut self.examples.which, which, words);
            }
            ui.separator();
            ui.selectable_value(&mut self.examples.unsure_first, false, cx.t("Surest first"));
            ui.selectable_value(&mut self.examples.unsure_first, true, cx.t("Least sure first"));
        });
        self.examples.refresh(view, report);
        let names: Vec<&str> = report.scores.per_class.iter().map(|class| class.name.as_str()).collect();
        if self.examples.order.is_empty() {
            ui.label(RichText::new(cx.t("None")).color(theme::palette(ui).weak));
            return;
        }
        let mut chosen = None;
        let height = ui.text_style_height(&egui::TextStyle::Body) + 6.0;
        let order = &self.examples.order;
        let shown = egui::ScrollArea::vertical().id_salt("examples").max_height(HEIGHT).auto_shrink([false, true]);
        shown.show_rows(ui, height, order.len(), |ui, rows| {
            for place in &order[rows] {
                if let Some(doc) = report.held_out.get(*place)
                    && line(ui, cx, &names, doc)
                {
                    chosen = Some(doc.doc);
                }
            }
        });
        if let Some(doc) = chosen {
            open(cx, &[doc]);
        }
    }
}

impl Examples {
    fn refresh(&mut self, view: &RunView, report: &Report) {
        let wanted = (view.id.clone(), self.which, self.unsure_first);
        if self.made_for.as_ref() == Some(&wanted) {
            return;
        }
        let is_listed = |doc: &HeldOut| match (doc.gold_class, doc.class) {
            (Some(gold), Some(said)) => self.which == Which::All || (gold == said) == (self.which == Which::Right),
            _ => false,
        };
        let listed = report.held_out.iter().enumerate().filter(|(_, doc)| is_listed(doc));
        let mut order: Vec<(usize, f32)> = listed.map(|(at, doc)| (at, sureness(doc))).collect();
        order.sort_by(|a, b| if self.unsure_first { a.1.total_cmp(&b.1) } else { b.1.total_cmp(&a.1) });
        self.order = order.into_iter().map(|(at, _)| at).collect();
        self.made_for = Some(wanted);
    }
}

/// Probability of what was said.
fn sureness(doc: &HeldOut) -> f32 {
    doc.class.and_then(|class| doc.probabilities.get(usize::from(class)).copied()).unwrap_or(0.0)
}

/// Whether it was clicked.
fn line(ui: &mut egui::Ui, cx: &Cx<'_>, names: &[&str], doc: &HeldOut) -> bool {
    let palette = theme::palette(ui);
    let name = |class: Option<u16>| class.and_then(|class| names.get(usize::from(class)).copied()).unwrap_or("?");
    let text = cx.desk.project().and_then(|project| project.document(DocId(doc.doc))).map(|document| document.text.to_string());
    let text = text.unwrap_or_else(|| cx.t("(no longer in the project)").to_owned());
    let (gold, said) = (name(doc.gold_class), name(doc.class));
    let is_right = doc.gold_class == doc.class;
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 0.0;
        ui.spacing_mut().button_padding = vec2(4.0, 1.0);
        ui.add_sized([44.0, 16.0], egui::Label::new(format!("{:.0} %", sureness(doc) * 100.0)));
        let verdict = if is_right { format!("+ {said}") } else { cx.tf("{}, really {}", &[&said, &gold]) };
        let color = if is_right { palette.success } else { palette.error };
        ui.add_sized([170.0, 16.0], egui::Label::new(RichText::new(shortened(&verdict, 26)).color(color).small()));
        let button = egui::Button::new(shortened(&text, 70)).frame_when_inactive(false).truncate();
        ui.add(button).on_hover_text(shortened(&text, 600)).clicked()
    })
    .inner
}
