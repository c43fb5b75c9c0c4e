//! Exporting documents: the format, what it can't hold, a side-car and a check, then what was written.

use crate::desk::{Command, ExportFormat, Exporting, Loss, Planned, Writing, WritingStep, Written};
use crate::ui::dialogs::Wish;
use crate::ui::i18n;
use crate::ui::widgets::choice::Choice;
use crate::ui::{Cx, bars, theme};
use eframe::egui::{self, Label, RichText, Ui};

/// What is ticked.
pub(super) struct ExportCard {
    sidecar: bool,
    verify: bool,
}

impl Default for ExportCard {
    fn default() -> Self {
        Self { sidecar: false, verify: true }
    }
}

impl ExportCard {
    /// Draws where an export stands; nothing while there is none.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let shown = |ui: &mut Ui, contents: &mut dyn FnMut(&mut Ui)| {
            theme::card(ui).show(ui, |ui| {
                ui.set_width(ui.available_width().min(860.0));
                contents(ui);
            });
        };
        match cx.desk.exporting() {
            Exporting::Idle => {}
            Exporting::Planning(format, share) => shown(ui, &mut |ui| {
                formats_ui(ui, cx, *format);
                let words = cx.t("Looking at what this format can hold");
                ui.label(words);
                ui.horizontal(|ui| {
                    bars::progress(ui, *share, words);
                    close_ui(ui, cx, "Cancel");
                });
            }),
            Exporting::Planned(planned) => shown(ui, &mut |ui| self.planned_ui(ui, cx, planned)),
            Exporting::Writing(writing) => shown(ui, &mut |ui| writing_ui(ui, cx, writing)),
            Exporting::Written(written) => shown(ui, &mut |ui| written_ui(ui, cx, written)),
            Exporting::Failed { format, reason } => shown(ui, &mut |ui| {
                ui.label(RichText::new(cx.t("The documents could not be exported")).strong());
                ui.add(Label::new(RichText::new(cx.said(reason)).color(theme::palette(ui).error)).wrap().selectable(true));
                formats_ui(ui, cx, *format);
                close_ui(ui, cx, "Close");
            }),
        }
    }

    fn planned_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, planned: &Planned) {
        formats_ui(ui, cx, planned.format);
        let unit = planned.unit.map(|unit| cx.tf(" · offsets count {}", &[&i18n::translate_said(cx.language(), unit)]));
        ui.label(cx.tf("{} documents{}", &[&planned.documents, &unit.unwrap_or_default()]));
        if planned.losses.is_empty() {
            ui.label(RichText::new(cx.t("This format holds everything")).color(theme::palette(ui).success));
        } else {
            ui.label(RichText::new(cx.t("This format can't hold")).strong());
            losses_ui(ui, cx, planned.losses.iter().map(|loss| (loss, true)));
        }
        ui.add_space(4.0);
        if planned.format != ExportFormat::Jsonl {
            let words = cx.t("Write a file of our own beside it that holds everything");
            ui.checkbox(&mut self.sidecar, words);
        }
        ui.checkbox(&mut self.verify, cx.t("Read it back and compare"));
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            if ui.add_enabled(planned.documents > 0, theme::primary_button(ui, cx.t("Export…"))).clicked() {
                let sidecar = self.sidecar && planned.format != ExportFormat::Jsonl;
                cx.dialogs.open(Wish::ExportAs { format: planned.format, sidecar, verify: self.verify });
            }
            if !planned.losses.is_empty() && ui.button(cx.t("Save the list…")).clicked() {
                cx.dialogs.open(Wish::LossList);
            }
            close_ui(ui, cx, "Cancel");
        });
    }
}

fn writing_ui(ui: &mut Ui, cx: &mut Cx<'_>, writing: &Writing) {
    let name = bars::file_name(&writing.plan.path);
    let mut words = match writing.step {
        WritingStep::File => cx.tf("Writing {}", &[&name]),
        WritingStep::Sidecar => cx.tf("Writing {}", &[&format!("{name}.gloss.jsonl")]),
        WritingStep::ReadingBack => cx.tf("Reading {} back", &[&name]),
    };
    if let Some(left) = writing.seconds_left {
        words += &format!(" · {}", cx.tf("{} left", &[&bars::duration(cx, left)]));
    }
    ui.label(&words);
    ui.horizontal(|ui| {
        bars::progress(ui, writing.share, &words);
        close_ui(ui, cx, "Cancel");
    });
}

/// One of the formats, as buttons.
fn formats_ui(ui: &mut Ui, cx: &mut Cx<'_>, chosen: ExportFormat) {
    ui.label(RichText::new(cx.t("Export documents as")).strong());
    ui.horizontal_wrapped(|ui| {
        for format in ExportFormat::ALL {
            let choice = Choice { name: format.name(), key: "", hue: None, chosen: format == chosen, is_radio: true, percent: None };
            if choice.show(ui).clicked() && format != chosen {
                cx.send(Command::PlanExport(format));
            }
        }
    });
    ui.add_space(4.0);
}

fn close_ui(ui: &mut Ui, cx: &mut Cx<'_>, word: &'static str) {
    let words = if word == "Close" { cx.t("Close") } else { cx.t("Cancel") };
    if ui.button(words).clicked() {
        cx.send(Command::DismissExport);
    }
}

/// Losses, or differences with whether they had been said.
fn losses_ui<'a>(ui: &mut Ui, cx: &Cx<'_>, losses: impl Iterator<Item = (&'a Loss, bool)>) {
    let palette = theme::palette(ui);
    egui::ScrollArea::vertical().max_height(220.0).auto_shrink([false, true]).show(ui, |ui| {
        for (loss, was_said) in losses {
            let what = i18n::translate_said(cx.language(), &loss.what);
            let mut words = cx.tf("{} × {}, first in document {}", &[&loss.count, &what, &loss.row]);
            if !loss.example.is_empty() {
                words += &format!(" ({})", super::beginning(&loss.example, 24));
            }
            let places = loss.places();
            if !places.is_empty() {
                words += &cx.tf(", then in {}", &[&places]);
            }
            if !was_said {
                words += cx.t(", which was not said before");
            }
            let color = if was_said { palette.text } else { palette.error };
            ui.add(Label::new(RichText::new(words).color(color)).wrap().selectable(true));
        }
    });
}

fn written_ui(ui: &mut Ui, cx: &mut Cx<'_>, written: &Written) {
    let palette = theme::palette(ui);
    let name = bars::file_name(&written.plan.path);
    ui.label(RichText::new(cx.tf("{} was written with {} documents", &[&name, &written.documents])).strong());
    ui.add(Label::new(RichText::new(written.plan.path.display().to_string()).color(palette.weak)).wrap().selectable(true));
    if written.plan.sidecar {
        ui.label(cx.tf("Everything stands in {} too", &[&format!("{name}.gloss.jsonl")]));
    }
    match &written.verified {
        // It was ended meanwhile.
        None if written.plan.verify => drop(ui.label(RichText::new(cx.t("It was not read back")).color(palette.weak))),
        None => {}
        Some(verified) if verified.is_identical() => {
            ui.label(RichText::new(cx.t("Read back: identical")).color(palette.success));
        }
        Some(verified) => {
            let words =
                if verified.is_as_said() { cx.t("Read back: different only where it was said") } else { cx.t("Read back: different") };
            ui.label(RichText::new(words).strong());
            losses_ui(ui, cx, verified.differences.iter().map(|difference| (&difference.loss, difference.was_said)));
        }
    }
    ui.add_space(4.0);
    close_ui(ui, cx, "Close");
}
