//! The runs of the project as a table: sorted by any column, with notes; two of them can be compared, any laid over the
//! curves. Deleting asks first.

use super::{Page, TrainPane, duration, run_name, short_scores, two_places};
use crate::desk::{Command, RunStatus, RunSummary};
use crate::train::{EncoderChoice, TrainConfig};
use crate::ui::dialogs::Wish;
use crate::ui::icons::{self, Icon};
use crate::ui::{Cx, theme};
use eframe::egui::{self, RichText, Role, WidgetInfo, vec2};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What the columns before the notes take, about.
const FIGURES_WIDTH: f32 = 640.0;
const NOTE_WIDTHS: std::ops::RangeInclusive<f32> = 180.0..=420.0;
const NOTE_MARGIN: egui::Margin = egui::Margin::symmetric(9, 5);
/// A column of settings narrower than this says nothing.
const LEAST_SETTINGS_WIDTH: f32 = 120.0;
/// What a character of the small font takes, about.
const SMALL_CHARACTER: f32 = 6.2;

/// How the table is shown.
#[derive(Default)]
pub(super) struct Table {
    sort: Column,
    /// The other way round.
    reversed: bool,
    /// Ids of the runs that are ticked, in the order they were.
    ticked: Vec<String>,
    /// Notes being written, by id.
    notes: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Column {
    /// Newest first.
    #[default]
    Run,
    Score,
    Spans,
    Documents,
    Revision,
    Seconds,
    Bytes,
}

impl Column {
    const ALL: [Self; 7] = [Self::Run, Self::Score, Self::Spans, Self::Documents, Self::Revision, Self::Seconds, Self::Bytes];

    fn words(self, cx: &Cx<'_>) -> (&'static str, &'static str) {
        match self {
            Self::Run => (cx.t("Run"), cx.t("Newest first")),
            Self::Score => (cx.t("Macro-F1"), cx.t("Macro-F1 of the classes")),
            Self::Spans => (cx.t("Spans"), cx.t("Exact F1 of spans")),
            Self::Documents => (cx.t("Judged on"), cx.t("Held-out reviews that the scores are of")),
            Self::Revision => (cx.t("Data"), cx.t("Revision of the project that it learnt from; runs of equal data have equal marks")),
            Self::Seconds => (cx.t("Time"), cx.t("How long the run took")),
            Self::Bytes => (cx.t("Disk"), cx.t("What its folder takes on the disk")),
        }
    }

    /// What runs are sorted by, largest first; a run without comes last.
    fn key(self, run: &RunSummary) -> Option<f64> {
        let report = run.report.as_ref();
        match self {
            Self::Run => Some(run.started_ms as f64),
            Self::Score => report?.scores.macro_f1,
            Self::Spans => report?.scores.span_f1,
            Self::Documents => Some(report?.examples as f64),
            Self::Revision => Some(run.revision as f64),
            Self::Seconds => Some(report?.seconds),
            Self::Bytes => Some(run.bytes as f64),
        }
    }
}

impl TrainPane {
    pub(super) fn runs_page(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let palette = theme::palette(ui);
        let desk = cx.desk;
        let mut runs: Vec<&RunSummary> = desk.runs().iter().collect();
        self.table.ticked.retain(|id| runs.iter().any(|run| run.id == *id));
        let (column, reversed) = (self.table.sort, self.table.reversed);
        runs.sort_by(|a, b| ordered(column.key(a), column.key(b), reversed).then_with(|| b.id.cmp(&a.id)));
        self.ticked_ui(ui, cx);
        ui.add_space(6.0);
        let rest = ui.available_width() - FIGURES_WIDTH;
        let note_width = (rest * 0.4).clamp(*NOTE_WIDTHS.start(), *NOTE_WIDTHS.end());
        // Where there is no room for settings they are read where the mouse rests on the name.
        let settings_width = Some(rest - note_width).filter(|width| *width >= LEAST_SETTINGS_WIDTH);
        egui::ScrollArea::both().id_salt("runs-table").auto_shrink(false).show(ui, |ui| {
            let grid = egui::Grid::new("runs").striped(true).spacing(vec2(10.0, 6.0)).min_row_height(theme::ROW_HEIGHT);
            grid.show(ui, |ui| {
                self.heads(ui, cx, settings_width.is_some());
                for run in &runs {
                    let note = self.note_size(ui, run, note_width);
                    ui.push_id(&run.id, |ui| self.name_cell(ui, cx, run, note.y));
                    self.figures(ui, cx, run);
                    self.notes_cell(ui, cx, run, note);
                    if let Some(width) = settings_width {
                        let settings = settings_of(cx, run);
                        let words = shortened(&settings, (width / SMALL_CHARACTER) as usize);
                        ui.add(egui::Label::new(RichText::new(words).small().color(palette.weak))).on_hover_text(settings);
                    }
                    ui.end_row();
                }
            });
        });
    }

    /// What can be done with the runs that are ticked.
    fn ticked_ui(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        let palette = theme::palette(ui);
        ui.horizontal_wrapped(|ui| {
            let bytes: u64 = cx.desk.runs().iter().map(|run| run.bytes).sum();
            let count = cx.desk.runs().len();
            ui.label(RichText::new(cx.tf("{} runs, {} on the disk", &[&count, &size(bytes)])).color(palette.weak));
            let both = match self.table.ticked.as_slice() {
                [first, second] => Some((first.clone().min(second.clone()), first.clone().max(second.clone()))),
                _ => None,
            };
            let compare = ui.add_enabled(both.is_some(), egui::Button::new(cx.t("Compare the two")));
            if let (true, Some((first, second))) = (compare.on_disabled_hover_text(cx.t("Tick two runs first")).clicked(), both) {
                self.compare(cx, first, second);
            }
            let joined = ui.add_enabled(self.table.ticked.len() >= 2 && !cx.desk.is_joining(), egui::Button::new(cx.t("Answer together")));
            let help = cx.t("Makes a run of those ticked that answers as their mean, such as of several seeds: often a little better, and as many times slower");
            if joined.on_hover_text(help).on_disabled_hover_text(help).clicked() {
                cx.send(Command::JoinRuns(self.table.ticked.clone()));
                self.table.ticked.clear();
            }
            if cx.desk.is_joining() {
                ui.label(RichText::new(cx.t("Answering the held-out reviews together…")).color(palette.weak));
            }
            let overlay = ui.add_enabled(!self.table.ticked.is_empty(), egui::Button::new(cx.t("Lay over the curves")));
            if overlay.on_disabled_hover_text(cx.t("Tick runs first")).clicked() {
                cx.send(Command::OverlayRuns(self.table.ticked.clone()));
                self.page = Page::Run;
            }
        });
    }

    /// Compares two runs and shows what comes of it.
    pub(super) fn compare(&mut self, cx: &mut Cx<'_>, first: String, second: String) {
        cx.send(Command::CompareRuns(Some((first, second))));
        self.page = Page::Compare;
    }

    fn heads(&mut self, ui: &mut egui::Ui, cx: &Cx<'_>, with_settings: bool) {
        let palette = theme::palette(ui);
        for column in Column::ALL {
            let (name, help) = column.words(cx);
            let is_sorted = self.table.sort == column;
            let color = if is_sorted { palette.accent } else { palette.weak };
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                // Heads stand above the left edge of their column.
                ui.spacing_mut().button_padding.x = 0.0;
                let button = egui::Button::new(RichText::new(name).color(color).small()).frame_when_inactive(false);
                let said = if is_sorted { cx.tf("Sorted by {}", &[&name]) } else { cx.tf("Sort by {}", &[&name]) };
                if ui.add(button).accessible_name(said).on_hover_text(help).clicked() {
                    self.table.reversed = is_sorted && !self.table.reversed;
                    self.table.sort = column;
                }
                if is_sorted {
                    icons::inline(ui, if self.table.reversed { Icon::Up } else { Icon::Down }, color);
                }
            });
        }
        ui.label(RichText::new(cx.t("Notes")).color(palette.weak).small());
        if with_settings {
            ui.label(RichText::new(cx.t("Settings other than usual")).color(palette.weak).small());
        }
        ui.end_row();
    }

    /// The tick, the name, and how the run stands.
    fn name_cell(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, run: &RunSummary, height: f32) {
        let palette = theme::palette(ui);
        let name = run_name(cx, &run.id);
        let shown = cx.desk.run_view().is_some_and(|view| view.id == run.id);
        let size = vec2(ui.available_width(), height);
        ui.allocate_ui_with_layout(size, egui::Layout::left_to_right(egui::Align::Center), |ui| {
            let mut ticked = self.table.ticked.contains(&run.id);
            let tick = ui.add(egui::Checkbox::without_text(&mut ticked)).accessible_name(cx.tf("Tick {}", &[&name]));
            if tick.changed() {
                self.table.ticked.retain(|id| *id != run.id);
                if ticked {
                    self.table.ticked.push(run.id.clone());
                }
            }
            let (stands, settings) = (status(cx, run), settings_of(cx, run));
            let said = format!("{name}: {stands} · {settings}");
            let button = egui::Button::selectable(shown, RichText::new(&name).strong());
            let response = ui.add(button);
            response.widget_info(|| WidgetInfo::selected(Role::Button, true, shown, &said));
            let waits = cx.desk.is_training() && !shown;
            let response = response.on_hover_ui(|ui| {
                ui.label(if waits { cx.t("Can be looked at when the run going on has ended") } else { &stands });
                ui.label(RichText::new(&settings).small().color(palette.weak));
            });
            if response.clicked() && !waits {
                cx.send(Command::ShowRun(run.id.clone()));
                self.page = Page::Run;
            }
            let menu = ui.menu_button("…", |ui| self.menu(ui, cx, run));
            menu.response.accessible_name(cx.tf("More about {}", &[&name]));
            ui.label(RichText::new(ago(cx, run.started_ms)).color(palette.weak).small());
            if cx.desk.tester().run() == Some(run.id.as_str()) {
                ui.label(RichText::new(cx.t("answers")).color(palette.success).small());
            }
        });
    }

    fn figures(&self, ui: &mut egui::Ui, cx: &Cx<'_>, run: &RunSummary) {
        let palette = theme::palette(ui);
        let Some(report) = &run.report else {
            let color = if matches!(run.status, RunStatus::Failed(_)) { palette.error } else { palette.weak };
            let words = status(cx, run);
            ui.label(RichText::new(shortened(&words, 18)).color(color).small()).on_hover_text(words);
            ui.label("");
            ui.label("");
            ui.label(run.revision.to_string());
            ui.label("");
            ui.label(size(run.bytes));
            return;
        };
        let score = |score: Option<f64>| score.map_or_else(String::new, two_places);
        ui.label(RichText::new(score(report.scores.macro_f1)).strong()).on_hover_text(short_scores(cx, &report.scores));
        ui.label(score(report.scores.span_f1));
        ui.label(report.examples.to_string());
        ui.label(format!("{} · {}", run.revision, run.data_hash.get(..4).unwrap_or_default()));
        ui.label(duration(cx, report.seconds));
        ui.label(size(run.bytes));
    }

    /// What the note of a run takes, all its lines.
    fn note_size(&self, ui: &egui::Ui, run: &RunSummary, width: f32) -> egui::Vec2 {
        let text = self.table.notes.get(&run.id).unwrap_or(&run.notes).clone();
        let font = egui::TextStyle::Body.resolve(ui.style());
        let margin = vec2(2.0 * NOTE_MARGIN.leftf(), 2.0 * NOTE_MARGIN.topf());
        let galley = ui.fonts_mut(|fonts| fonts.layout(text, font, egui::Color32::PLACEHOLDER, width - margin.x));
        vec2(width, (galley.size().y + margin.y).max(theme::ROW_HEIGHT))
    }

    /// A field as high as its note is long. Enter ends it: a note is one line that is wrapped.
    fn notes_cell(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, run: &RunSummary, size: egui::Vec2) {
        let text = self.table.notes.entry(run.id.clone()).or_insert_with(|| run.notes.clone());
        let edit = egui::TextEdit::multiline(text).return_key(None).desired_rows(1).margin(NOTE_MARGIN).hint_text(cx.t("Write a note"));
        // A cell of a grid leaves a field no room of its own.
        let field = ui.add_sized(size, edit).accessible_name(cx.tf("Note on {}", &[&run_name(cx, &run.id)]));
        let entered = field.has_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if entered {
            field.surrender_focus();
        }
        if field.lost_focus() || entered {
            let notes = text.trim().to_owned();
            if notes != run.notes {
                cx.send(Command::SetRunNotes { run: run.id.clone(), notes });
            }
            self.table.notes.remove(&run.id);
        } else if !field.has_focus() {
            self.table.notes.remove(&run.id);
        }
    }

    fn menu(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>, run: &RunSummary) {
        let finished = run.report.is_some();
        if ui.add_enabled(finished, egui::Button::new(cx.t("Use for predictions"))).clicked() {
            cx.send(Command::UseRun(Some(run.id.clone())));
        }
        if ui.add_enabled(finished, egui::Button::new(cx.t("Export…"))).clicked() {
            cx.dialogs.open(Wish::ExportModel { run: run.id.clone() });
        }
        if run.can_resume && resume_button(ui, cx).clicked() {
            cx.send(Command::ResumeTraining(run.id.clone()));
            ui.close();
        }
        if ui.add_enabled(run.status != RunStatus::Running, egui::Button::new(cx.t("Delete…"))).clicked() {
            self.deleting = Some(run.id.clone());
        }
    }

    pub(super) fn ask_before_deleting(&mut self, ui: &egui::Ui, cx: &mut Cx<'_>) {
        let Some(run) = self.deleting.clone() else { return };
        let mut decided = false;
        let bytes = cx.desk.runs().iter().find(|other| other.id == run).map_or(0, |run| run.bytes);
        let modal = theme::modal(ui.ctx(), "train-delete").show(ui.ctx(), |ui| {
            ui.set_max_width(380.0);
            ui.heading(cx.tf("Delete {}?", &[&run_name(cx, &run)]));
            ui.label(cx.t("Its weights, curves and predictions are removed from the disk. This can't be undone."));
            ui.label(cx.tf("It frees {}. The scores can't be looked up or compared any more.", &[&size(bytes)]));
            if cx.desk.tester().run() == Some(run.as_str()) {
                ui.label(
                    RichText::new(cx.t("Its model answers now; the newest finished run takes its place."))
                        .color(theme::palette(ui).warning),
                );
            }
            ui.add_space(10.0);
            ui.horizontal(|ui| {
                let words = RichText::new(cx.t("Delete")).color(theme::palette(ui).error);
                if ui.button(words).clicked() {
                    cx.send(Command::DeleteRun(run.clone()));
                    decided = true;
                }
                decided |= ui.button(cx.t("Keep")).clicked();
            });
        });
        if decided || modal.should_close() {
            self.deleting = None;
        }
    }
}

/// Goes on with a run that ended before its time; not while another one is going on.
pub(super) fn resume_button(ui: &mut egui::Ui, cx: &Cx<'_>) -> egui::Response {
    let button = ui.add_enabled(!cx.desk.is_training(), egui::Button::new(cx.t("Continue")));
    button.on_hover_text(cx.t("Goes on where the run was left, with its own reviews and settings"))
}

/// Largest first, or the other way round; what is not there comes last either way.
fn ordered(a: Option<f64>, b: Option<f64>, reversed: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if reversed => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// What makes a run another one than others, in a line.
fn settings_of(cx: &Cx<'_>, run: &RunSummary) -> String {
    if run.members.is_empty() {
        return settings_in_words(cx, &run.config);
    }
    cx.tf("{} together", &[&run.members.iter().map(|id| run_name(cx, id)).collect::<Vec<_>>().join(", ")])
}

/// Model and settings that are not the usual ones: "lr 5e-5 · epochs 3".
fn settings_in_words(cx: &Cx<'_>, config: &TrainConfig) -> String {
    let said = |setting: crate::train::SettingDifference| match setting.key.as_str() {
        "encoder" => match &config.encoder {
            EncoderChoice::Folder(folder) => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
            EncoderChoice::Shipped => String::new(),
        },
        _ => format!("{} {}", setting.key, setting.second.trim_matches('"')),
    };
    // What follows the model says nothing; the model itself does.
    let model = TrainConfig::default().differences(config).into_iter().filter(|setting| setting.key == "model");
    let others = TrainConfig::of_model(config.model).differences(config);
    let parts: Vec<String> = model.chain(others).map(said).collect();
    if parts.is_empty() { cx.t("all as usual").to_owned() } else { parts.join(" · ") }
}

/// At most so many characters, the last an ellipsis where something was cut.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let line = text.replace('\n', " ");
    if line.chars().count() <= most { line } else { line.chars().take(most - 1).chain(['…']).collect() }
}

/// "23.4 MB"
pub(super) fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes < 1e6 => format!("{:.0} kB", (bytes / 1e3).ceil()),
        bytes if bytes < 1e9 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.2} GB", bytes / 1e9),
    }
}

/// How the run stands, in a line.
fn status(cx: &Cx<'_>, run: &RunSummary) -> String {
    match (&run.status, &run.report) {
        (_, Some(report)) => short_scores(cx, &report.scores),
        (RunStatus::Failed(reason), _) if run.can_resume => cx.tf("failed, can be continued: {}", &[&cx.said(reason)]),
        (RunStatus::Interrupted, _) if run.can_resume => cx.t("interrupted: can be continued").to_owned(),
        (RunStatus::Failed(reason), _) => cx.tf("failed: {}", &[&cx.said(reason)]),
        (RunStatus::Running, _) => cx.t("going on").to_owned(),
        (RunStatus::Interrupted, _) => cx.t("interrupted: the program ended").to_owned(),
        (RunStatus::Cancelled | RunStatus::Finished, _) => cx.t("cancelled").to_owned(),
    }
}

/// How long ago, roughly.
fn ago(cx: &Cx<'_>, then_ms: i64) -> String {
    let minutes = (cx.desk.now() - then_ms).max(0) / 60_000;
    match minutes {
        0 => cx.t("just now").to_owned(),
        1..60 => cx.tf("{} min ago", &[&minutes]),
        60..1440 => cx.tf("{} h ago", &[&(minutes / 60)]),
        _ => cx.tf("{} days ago", &[&(minutes / 1440)]),
    }
}
