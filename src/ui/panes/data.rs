//! Data: what the project holds, import with its preview and report, export.

mod examine;
mod export;
mod merge;
mod preview;

use crate::desk::{Command, ExportFormat, Exporting, ImportOptions, ImportReport, Importing, Merging, SpanReport};
use crate::project::{Layer, Project, State};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, Place, bars, i18n, theme};
use eframe::egui::{self, Align, Layout, RichText, Sense, TextStyle, Ui, vec2};
use std::path::{Path, PathBuf};

/// The state of the place.
#[derive(Default)]
pub struct DataPane {
    /// What is chosen for the file of the preview.
    choice: Option<preview::Choice>,
    facts: Option<(PathBuf, u64, Layer, Facts)>,
    merge: merge::MergeCard,
    export: export::ExportCard,
    examine: examine::ExamineCard,
}

/// How much is in the project.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    documents: usize,
    answered: usize,
    marked: usize,
    done: usize,
}

impl Facts {
    fn of(project: &Project, layer: Layer) -> Self {
        let question = project.schema().main_question().map(|(id, _)| id);
        let mut facts = Self::default();
        for document in project.documents() {
            facts.documents += 1;
            let Some(annotation) = document.said_in(layer) else { continue };
            facts.answered += usize::from(question.is_some_and(|question| annotation.class(question).is_some()));
            facts.marked += usize::from(!annotation.spans.is_empty());
            facts.done += usize::from(annotation.state == State::Done);
        }
        facts
    }
}

impl DataPane {
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if cx.desk.project().is_none() {
            return;
        }
        egui::Frame::new().inner_margin(24).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            ui.heading(cx.t("Data"));
            self.facts_ui(ui, cx);
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                let busy = matches!(cx.desk.importing(), Importing::Running { .. } | Importing::Looking(_));
                // The next step is the one that stands out: choosing a file, or importing the one that was chosen.
                let idle = matches!(cx.desk.importing(), Importing::Idle) && matches!(cx.desk.exporting(), Exporting::Idle);
                let words = cx.t("Import…");
                let button = if idle { theme::primary_button(ui, words) } else { egui::Button::new(words) };
                if ui.add_enabled(!busy, button).clicked() {
                    cx.dialogs.open(Wish::ImportFile);
                }
                let is_writing = matches!(cx.desk.exporting(), Exporting::Writing(_));
                if ui.add_enabled(!is_writing, egui::Button::new(cx.t("Export documents…"))).clicked() {
                    cx.send(Command::PlanExport(ExportFormat::Jsonl));
                }
                if ui.button(cx.t("Merge a colleague's project…")).clicked() {
                    cx.dialogs.open(Wish::MergeProject);
                }
                if ui.button(cx.t("Duplicates and statistics")).clicked() {
                    cx.send(Command::Examine);
                }
                if ui.button(cx.t("A copy to share…")).clicked() {
                    self.examine.ask_for_copy();
                }
            });
            ui.horizontal(|ui| {
                ui.label(RichText::new(cx.t("You can also drop a file on the window")).color(theme::palette(ui).weak));
            });
            ui.add_space(8.0);
            self.merge.ui(ui, cx);
            match (cx.desk.merging(), cx.desk.exporting()) {
                (Merging::Idle, Exporting::Idle) if self.examine.is_open(cx) => self.examine.ui(ui, cx),
                (Merging::Idle, Exporting::Idle) => self.import_ui(ui, cx),
                (Merging::Idle, _) => self.export.ui(ui, cx),
                _ => {}
            }
        });
    }

    /// Where the project is and how much is in it.
    fn facts_ui(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let (Some(project), Some(path)) = (cx.desk.project(), cx.desk.path()) else { return };
        let layer = cx.desk.layer();
        let is_fresh = |(of, at, held, _): &&(PathBuf, u64, Layer, Facts)| of == path && *at == project.revision() && *held == layer;
        let fresh = self.facts.as_ref().filter(is_fresh).map(|(.., facts)| *facts);
        let facts = fresh.unwrap_or_else(|| Facts::of(project, layer));
        if fresh.is_none() {
            self.facts = Some((path.to_owned(), project.revision(), layer, facts));
        }
        let Facts { documents, answered, marked, done } = facts;
        ui.add(egui::Label::new(RichText::new(path.display().to_string()).color(theme::palette(ui).weak)).truncate().selectable(true));
        ui.label(cx.tf("{} documents · {} answered · {} with spans · {} done", &[&documents, &answered, &marked, &done]));
    }

    fn import_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        match cx.desk.importing() {
            Importing::Idle => {
                self.choice = None;
                formats_ui(ui, cx);
            }
            Importing::Looking(path) => card(ui, |ui| {
                ui.label(cx.tf("Reading the beginning of {}", &[&bars::file_name(path)]));
                if ui.button(cx.t("Cancel")).clicked() {
                    cx.send(Command::DismissImport);
                }
            }),
            Importing::Preview { path, preview } => preview::ui(&mut self.choice, ui, cx, path, preview),
            Importing::Running { path, share, rows, seconds_left } => card(ui, |ui| {
                let mut words = match rows {
                    0 => cx.tf("Reading {}", &[&bars::file_name(path)]),
                    rows => cx.tf("Importing {} · {} rows", &[&bars::file_name(path), rows]),
                };
                if let Some(left) = seconds_left {
                    words += &format!(" · {}", cx.tf("{} left", &[&bars::duration(cx, *left)]));
                }
                ui.label(&words);
                ui.horizontal(|ui| {
                    bars::progress(ui, *share, &words);
                    if ui.button(cx.t("Cancel")).clicked() {
                        cx.send(Command::DismissImport);
                    }
                });
            }),
            Importing::Checked { path, options, report } => report_ui(ui, cx, path, report, Some(options)),
            Importing::Report { path, report } => report_ui(ui, cx, path, report, None),
            Importing::Failed { path, reason } => card(ui, |ui| {
                ui.label(RichText::new(cx.tf("{} could not be imported", &[&bars::file_name(path)])).strong());
                ui.add(egui::Label::new(RichText::new(cx.said(reason)).color(theme::palette(ui).error)).wrap().selectable(true));
                ui.add_space(4.0);
                ui.horizontal(|ui| {
                    if ui.button(cx.t("Close")).clicked() {
                        cx.send(Command::DismissImport);
                    }
                    ui.add_space(8.0);
                    preview::try_as_ui(ui, cx, path);
                });
            }),
        }
    }
}

/// As wide as the text in it is well read.
fn card(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    theme::card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width().min(720.0));
        contents(ui);
    });
}

fn formats_ui(ui: &mut Ui, cx: &Cx<'_>) {
    card(ui, |ui| {
        ui.label(RichText::new(cx.t("What can be imported")).strong());
        for words in [
            "CSV, TSV and Excel: one review a row; choose the column of the text and, if there is one, of the label",
            "JSON Lines: one object a line, also the files that Gloss exports, with labels and spans",
            "Parquet and Arrow: columns of text, words with tags, spans; folders of Hugging Face with their parts",
            "Plain text: one review a line",
            "Annotated files of Label Studio, doccano, Prodigy, Argilla, INCEpTION, CoNLL, SemEval, PyABSA, ASTE, fastText and brat, with classes, spans and links",
        ] {
            ui.add(egui::Label::new(cx.t(words)).wrap());
        }
        let weak = theme::palette(ui).weak;
        let words = cx.t("Encodings are recognised and can be changed; texts that are there already are counted and left out");
        ui.add(egui::Label::new(RichText::new(words).color(weak)).wrap());
    });
}

/// At most so much of a name as a line shows.
fn short(text: &str) -> String {
    beginning(text, 60)
}

/// The first `most` characters, on one line.
fn beginning(text: &str, most: usize) -> String {
    let line: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() { line + "…" } else { line }
}

/// What came in and what did not, row by row.
fn report_ui(ui: &mut Ui, cx: &mut Cx<'_>, path: &Path, report: &ImportReport, checked: Option<&ImportOptions>) {
    let palette = theme::palette(ui);
    let heading = match (checked, report.imported) {
        (Some(_), _) => cx.tf("What importing {} would do", &[&bars::file_name(path)]),
        (None, 0) => cx.tf("Nothing of {} was imported", &[&bars::file_name(path)]),
        _ => cx.tf("{} was imported", &[&bars::file_name(path)]),
    };
    ui.label(RichText::new(heading).strong());
    let rows = [
        ("rows read", report.rows),
        (if checked.is_some() { "would come in" } else { "imported" }, report.imported),
        ("answers of further annotators, joined with their text", report.joined),
        ("twice in the file", report.duplicates_in_file.saturating_sub(report.joined)),
        ("in the project already", report.duplicates_in_project),
        ("left out, for the reasons below", report.skipped),
        ("blank lines", report.blank),
    ];
    egui::Grid::new("report").num_columns(2).spacing(vec2(16.0, 4.0)).min_row_height(20.0).show(ui, |ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        for (words, count) in
            rows.into_iter().filter(|(words, count)| *count > 0 || matches!(*words, "rows read" | "imported" | "would come in"))
        {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(count.to_string()).strong()));
            ui.label(cx.t(words));
            ui.end_row();
        }
    });
    if !report.labels.is_empty() {
        let labels: Vec<String> = report.labels.iter().map(|(name, count)| format!("{name} {count}")).collect();
        ui.add(egui::Label::new(cx.tf("Labels: {}", &[&labels.join(" · ")])).wrap());
    }
    if let Some(spans) = &report.spans {
        ui.add(egui::Label::new(spans_words(cx, spans)).wrap());
    }
    if let Some(steps) = report.journal {
        let words = "A whole project. Steps of its journal that come along and can be undone: {}";
        ui.add(egui::Label::new(cx.tf(words, &[&steps])).wrap());
    }
    if !report.columns_left_out.is_empty() {
        let columns = report.columns_left_out.join(", ");
        ui.add(egui::Label::new(RichText::new(cx.tf("Columns that could not be read: {}", &[&columns])).color(palette.warning)).wrap());
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| match checked {
        Some(options) => {
            let words = cx.tf("Import {} documents", &[&report.imported]);
            if ui.add_enabled(report.imported > 0, theme::primary_button(ui, words)).clicked() {
                cx.send(Command::Import { path: path.to_owned(), options: Box::new(options.clone()) });
            }
            if ui.button(cx.t("Back")).clicked() {
                cx.send(Command::PreviewImportAs { path: path.to_owned(), look: Box::new(options.look()) });
            }
            list_ui(ui, cx, report);
        }
        None => {
            if ui.add(theme::primary_button(ui, cx.t("Label them"))).clicked() {
                cx.send(Command::DismissImport);
                cx.send(Command::NextTodo);
                cx.goto(Place::Label);
            }
            if ui.button(cx.t("Close")).clicked() {
                cx.send(Command::DismissImport);
            }
            list_ui(ui, cx, report);
        }
    });
    issues_ui(ui, cx, report);
}

/// What became of the spans of a file.
fn spans_words(cx: &Cx<'_>, spans: &SpanReport) -> String {
    let mut words = cx.tf("Spans: {} kept, {} clipped or moved, {} dropped", &[&spans.kept, &spans.clipped, &spans.dropped]);
    if let Some(unit) = spans.unit {
        words += &cx.tf(" · offsets count {}", &[&cx.t(unit)]);
    }
    if spans.unit_doubt.is_some() {
        words += " · ";
        words += cx.t("The spans fit under more than one unit: look whether they stand where they should, and choose");
    }
    words
}

/// The way to keep the remarks.
fn list_ui(ui: &mut Ui, cx: &mut Cx<'_>, report: &ImportReport) {
    if !report.issues.is_empty() && ui.button(cx.t("Save the list…")).clicked() {
        cx.dialogs.open(Wish::ImportList);
    }
}

fn issues_ui(ui: &mut Ui, cx: &Cx<'_>, report: &ImportReport) {
    if report.issues.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(4.0);
    ui.label(RichText::new(cx.tf("Remarks: {}", &[&report.issues.len()])).strong());
    let height = ui.text_style_height(&TextStyle::Body);
    theme::card(ui).inner_margin(8).show(ui, |ui| {
        // Lines are as high as text, not as things to click: `show_rows` counts on it.
        ui.spacing_mut().interact_size.y = height;
        ui.spacing_mut().item_spacing.y = 4.0;
        let area = egui::ScrollArea::vertical().auto_shrink([false, true]).max_height(ui.available_height() - 8.0);
        area.show_rows(ui, height, report.issues.len(), |ui, shown| {
            for issue in &report.issues[shown] {
                ui.horizontal(|ui| {
                    ui.set_height(height);
                    let color = if issue.skipped { palette.error } else { palette.warning };
                    let (dot, _) = ui.allocate_exact_size(vec2(8.0, height), Sense::hover());
                    ui.painter().circle_filled(dot.center(), 3.0, color);
                    let said = (issue.row, issue.reason.as_str(), issue.skipped);
                    let words = i18n::remark(cx.desk.settings().language, &|| issue.sentence(&report.file), said);
                    ui.add(egui::Label::new(words).truncate());
                });
            }
        });
    });
}
