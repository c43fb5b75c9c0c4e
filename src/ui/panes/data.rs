//! Data: what the project holds, import with its preview and report, export.

mod merge;

use crate::desk::{Column, Command, ImportOptions, ImportReport, Importing, Merging, Preview};
use crate::project::{Layer, Project, State};
use crate::ui::dialogs::Wish;
use crate::ui::{Cx, Place, bars, theme};
use eframe::egui::{self, Align, Layout, RichText, Sense, TextStyle, Ui, vec2};
use std::path::{Path, PathBuf};

/// The state of the place.
#[derive(Default)]
pub struct DataPane {
    /// What is chosen for the file of the preview.
    choice: Option<Choice>,
    facts: Option<(PathBuf, u64, Layer, Facts)>,
    merge: merge::MergeCard,
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

#[derive(Clone, Debug, PartialEq)]
struct Choice {
    path: PathBuf,
    columns: Vec<String>,
    text: usize,
    label: Option<usize>,
    header: bool,
}

impl Choice {
    fn new(path: &Path, preview: &Preview, header: bool) -> Self {
        Self { path: path.to_owned(), columns: preview.columns.clone(), text: preview.text_guess, label: preview.label_guess, header }
    }

    fn options(&self) -> ImportOptions {
        // A name, unless it is no name at all or stands for two columns.
        let column = |at: usize| match self.columns.get(at) {
            Some(name) if self.header && self.columns.iter().filter(|other| *other == name).count() == 1 => Column::Name(name.clone()),
            _ => Column::Number(at + 1),
        };
        ImportOptions { text: column(self.text), label: self.label.map(column), header: self.header, ..ImportOptions::default() }
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
                let idle = matches!(cx.desk.importing(), Importing::Idle);
                let words = cx.t("Import…");
                let button = if idle { theme::primary_button(ui, words) } else { egui::Button::new(words) };
                if ui.add_enabled(!busy, button).clicked() {
                    cx.dialogs.open(Wish::ImportFile);
                }
                if ui.button(cx.t("Export documents…")).clicked() {
                    cx.dialogs.open(Wish::ExportDocuments);
                }
                if ui.button(cx.t("Merge a colleague's project…")).clicked() {
                    cx.dialogs.open(Wish::MergeProject);
                }
                ui.label(RichText::new(cx.t("You can also drop a file on the window")).color(theme::palette(ui).weak));
            });
            ui.add_space(8.0);
            if matches!(cx.desk.merging(), Merging::Idle) {
                self.merge.ui(ui, cx);
                self.import_ui(ui, cx);
            } else {
                self.merge.ui(ui, cx);
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
            Importing::Looking(path) => {
                ui.label(cx.tf("Reading the beginning of {}", &[&bars::file_name(path)]));
            }
            Importing::Preview { path, preview } => self.preview_ui(ui, cx, path, preview),
            Importing::Running { path, share, rows } => {
                let words = cx.tf("Importing {} · {} rows", &[&bars::file_name(path), rows]);
                ui.label(&words);
                ui.horizontal(|ui| {
                    bars::progress(ui, *share, &words);
                    if ui.button(cx.t("Cancel")).clicked() {
                        cx.send(Command::DismissImport);
                    }
                });
            }
            Importing::Report { path, report } => report_ui(ui, cx, path, report),
            Importing::Failed { path, reason } => {
                ui.label(RichText::new(cx.tf("{} could not be imported", &[&bars::file_name(path)])).strong());
                ui.add(egui::Label::new(RichText::new(reason).color(theme::palette(ui).error)).wrap().selectable(true));
                if ui.button(cx.t("Close")).clicked() {
                    cx.send(Command::DismissImport);
                }
            }
        }
    }

    fn preview_ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, path: &Path, preview: &Preview) {
        let is_same = |choice: &Choice| choice.path == path && choice.columns == preview.columns;
        if !self.choice.as_ref().is_some_and(is_same) {
            // After the header was switched by hand, the columns have other names but the switch stays.
            let header = self.choice.as_ref().filter(|choice| choice.path == path).map_or(preview.header_guess, |choice| choice.header);
            self.choice = Some(Choice::new(path, preview, header));
        }
        let Some(choice) = &mut self.choice else { return };
        ui.label(RichText::new(bars::file_name(path)).strong());
        let facts = cx.tf("{} · {} · {} columns", &[&cx.t(preview.format.name()), &preview.encoding, &preview.columns.len()]);
        ui.label(RichText::new(facts).color(theme::palette(ui).weak)).on_hover_text(path.display().to_string());
        // What stands where in a file of another tool is known.
        let choose = |ui: &mut Ui| {
            column_ui(ui, cx.t("Text column"), &preview.columns, &mut choice.text);
            ui.add_space(8.0);
            label_column_ui(ui, cx, &preview.columns, &mut choice.label);
            ui.add_space(8.0);
            let is_table = !preview.columns.is_empty() && matches!(preview.format.name(), "CSV" | "TSV");
            if is_table && ui.checkbox(&mut choice.header, cx.t("The first row names the columns")).changed() {
                cx.send(Command::PreviewImport { path: path.to_owned(), header: Some(choice.header) });
            }
        };
        if !preview.format.is_annotated() {
            ui.horizontal_wrapped(choose);
        }
        if choice.label == Some(choice.text) {
            ui.colored_label(theme::palette(ui).warning, cx.t("Text and label are the same column"));
        }
        table_ui(ui, cx, preview, choice);
        ui.horizontal(|ui| {
            let ready = !preview.columns.is_empty() && choice.label != Some(choice.text);
            if ui.add_enabled(ready, theme::primary_button(ui, cx.t("Import"))).clicked() {
                cx.send(Command::Import { path: path.to_owned(), options: choice.options() });
            }
            if ui.button(cx.t("Cancel")).clicked() {
                cx.send(Command::DismissImport);
            }
        });
    }
}

fn formats_ui(ui: &mut Ui, cx: &Cx<'_>) {
    theme::card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width().min(720.0));
        ui.label(RichText::new(cx.t("What can be imported")).strong());
        for words in [
            "CSV and TSV: one review a row; choose the column of the text and, if there is one, of the label",
            "JSON Lines: one object a line, also the files that Gloss exports, with labels and spans",
            "Parquet: columns of text",
            "Plain text: one review a line",
            "Annotated files of Label Studio, doccano, Prodigy, CoNLL, SemEval, PyABSA, ASTE and brat, with classes, spans and links",
        ] {
            ui.add(egui::Label::new(cx.t(words)).wrap());
        }
        let weak = theme::palette(ui).weak;
        let words = cx.t("UTF-8, UTF-16 and GB18030 are recognised; texts that are there already are counted and left out");
        ui.add(egui::Label::new(RichText::new(words).color(weak)).wrap());
    });
}

fn column_ui(ui: &mut Ui, name: &str, columns: &[String], chosen: &mut usize) {
    let label = ui.label(name);
    let shown = columns.get(*chosen).cloned().unwrap_or_default();
    let combo = egui::ComboBox::from_id_salt(name).selected_text(short(&shown)).width(140.0);
    let combo = combo.show_ui(ui, |ui| {
        for (at, column) in columns.iter().enumerate() {
            ui.selectable_value(chosen, at, short(column));
        }
    });
    combo.response.labelled_by(label.id);
}

fn label_column_ui(ui: &mut Ui, cx: &Cx<'_>, columns: &[String], chosen: &mut Option<usize>) {
    let label = ui.label(cx.t("Label column"));
    let shown = chosen.and_then(|at| columns.get(at)).map_or(cx.t("none").to_owned(), |name| short(name));
    let combo = egui::ComboBox::from_id_salt("label column").selected_text(shown).width(140.0);
    let combo = combo.show_ui(ui, |ui| {
        ui.selectable_value(chosen, None, cx.t("none"));
        for (at, column) in columns.iter().enumerate() {
            ui.selectable_value(chosen, Some(at), short(column));
        }
    });
    combo.response.labelled_by(label.id);
}

/// At most so much of a cell as a line shows.
fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    let line: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { line + "…" } else { line }
}

/// The first rows; the columns that were chosen are marked.
fn table_ui(ui: &mut Ui, cx: &Cx<'_>, preview: &Preview, choice: &Choice) {
    let palette = theme::palette(ui);
    let room = (ui.available_height() - 56.0).max(120.0);
    const NARROW: f32 = 160.0;
    let others = preview.columns.len().saturating_sub(1) as f32;
    let wide = (ui.available_width() - 32.0 - others * (NARROW + 16.0)).clamp(320.0, 900.0);
    let width = |at: usize| if at == choice.text { wide } else { NARROW };
    let role = |at: usize| match at {
        _ if at == choice.text => cx.t("text"),
        _ if Some(at) == choice.label => cx.t("label"),
        _ => "",
    };
    theme::card(ui).inner_margin(8).show(ui, |ui| {
        let area = egui::ScrollArea::both().max_height(room - 24.0).auto_shrink([false, true]);
        area.show(ui, |ui| {
            egui::Grid::new("preview").striped(true).spacing(vec2(16.0, 6.0)).show(ui, |ui| {
                for (at, name) in preview.columns.iter().enumerate() {
                    let heading = match role(at) {
                        "" => RichText::new(short(name)).color(palette.weak),
                        role => RichText::new(format!("{} → {role}", short(name))).color(palette.accent),
                    };
                    cell(ui, width(at), heading.strong());
                }
                ui.end_row();
                for row in &preview.rows {
                    for at in 0..preview.columns.len() {
                        let text = row.get(at).map(|text| short(text)).unwrap_or_default();
                        let color = if role(at).is_empty() { palette.weak } else { palette.text };
                        cell(ui, width(at), RichText::new(text).color(color));
                    }
                    ui.end_row();
                }
            });
        });
    });
}

fn cell(ui: &mut Ui, width: f32, text: RichText) {
    let height = ui.text_style_height(&TextStyle::Body);
    ui.allocate_ui_with_layout(vec2(width, height), Layout::left_to_right(Align::Center), |ui| {
        ui.set_width(width);
        ui.add(egui::Label::new(text).truncate());
    });
}

/// What came in and what did not, row by row.
fn report_ui(ui: &mut Ui, cx: &mut Cx<'_>, path: &Path, report: &ImportReport) {
    let palette = theme::palette(ui);
    ui.label(RichText::new(cx.tf("{} was imported", &[&bars::file_name(path)])).strong());
    let rows = [
        ("rows read", report.rows),
        ("imported", report.imported),
        ("twice in the file", report.duplicates_in_file),
        ("in the project already", report.duplicates_in_project),
        ("left out, for the reasons below", report.skipped),
        ("blank lines", report.blank),
    ];
    egui::Grid::new("report").num_columns(2).spacing(vec2(16.0, 4.0)).min_row_height(20.0).show(ui, |ui| {
        ui.spacing_mut().interact_size.y = 20.0;
        for (words, count) in rows.into_iter().filter(|(words, count)| *count > 0 || matches!(*words, "rows read" | "imported")) {
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
        ui.add(egui::Label::new(spans.sentence()).wrap());
    }
    if !report.columns_left_out.is_empty() {
        let columns = report.columns_left_out.join(", ");
        ui.add(egui::Label::new(RichText::new(cx.tf("Columns that could not be read: {}", &[&columns])).color(palette.warning)).wrap());
    }
    ui.horizontal(|ui| {
        if ui.add(theme::primary_button(ui, cx.t("Label them"))).clicked() {
            cx.send(Command::DismissImport);
            cx.send(Command::NextTodo);
            cx.goto(Place::Label);
        }
        if ui.button(cx.t("Close")).clicked() {
            cx.send(Command::DismissImport);
        }
    });
    issues_ui(ui, cx, report);
}

fn issues_ui(ui: &mut Ui, cx: &Cx<'_>, report: &ImportReport) {
    if report.issues.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    ui.add_space(4.0);
    ui.label(RichText::new(cx.tf("Remarks on {} rows", &[&report.issues.len()])).strong());
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
                    ui.add(egui::Label::new(issue.sentence(&report.file)).truncate());
                });
            }
        });
    });
}
