//! The program's window: owns the desk and the places, passes keys and commands on, draws the frame around a place.
//!
//! One frame: [`App::logic`](eframe::App::logic) takes in what jobs and dialogs have to say, `ui` draws, and the commands
//! that drawing queued run right after it, so every gesture is in the project file before the next frame.

use super::bars::Bars;
use super::dialogs::{Dialogs, Wish};
use super::guidelines::GuidelinesWindow;
use super::input_order::InputOrder;
use super::journal::JournalWindow;
use super::key_sheet::KeySheet;
use super::keys::{self, Action, Group};
use super::labels::LabelsWindow;
use super::palette::PaletteWindow;
use super::panes::{data::DataPane, insights::InsightsPane, label::LabelPane, test::TestPane, train::TrainPane, welcome};
use super::who::WhoWindow;
use super::{Commands, Cx, Place, fonts, theme};
use crate::desk::{Command, Desk, ExportFormat, Language, Settings, Surroundings, Theme};
use eframe::egui;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The window.
pub struct App {
    desk: Desk,
    commands: Commands,
    input_order: InputOrder,
    dialogs: Dialogs,
    place: Place,
    bars: Bars,
    palette: PaletteWindow,
    key_sheet: KeySheet,
    labels: LabelsWindow,
    guidelines: GuidelinesWindow,
    journal: JournalWindow,
    who: WhoWindow,
    label: LabelPane,
    train: TrainPane,
    test: TestPane,
    insights: InsightsPane,
    data: DataPane,
    /// Ctrl+scroll that did not make a whole point of text size yet.
    text_zoom: f32,
    /// The title the window has.
    title: String,
}

/// Opens the window on a project or a file to import; without one, on the last project, at first on the sample.
///
/// # Errors
/// When the system gives no window.
pub fn run(start: Option<PathBuf>) -> Result<(), String> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Gloss")
        .with_app_id("gloss")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([1024.0, 700.0])
        .with_drag_and_drop(true);
    let viewport = match eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png")) {
        Ok(icon) => viewport.with_icon(icon),
        Err(error) => {
            log::warn!("the window has no icon: {error}");
            viewport
        }
    };
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let create: eframe::AppCreator<'_> = Box::new(move |cc| {
        let mut app = App::new(&cc.egui_ctx, Desk::new(surroundings(&cc.egui_ctx)));
        app.begin(start);
        Ok(Box::new(app))
    });
    eframe::run_native("gloss", options, create).map_err(|error| format!("the window could not be opened ({error})"))
}

/// Fonts and looks; tests call it too.
pub fn set_up(ctx: &egui::Context) {
    fonts::install(ctx);
    theme::install(ctx);
    // Ctrl and + are in our own table of keys.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
}

fn surroundings(ctx: &egui::Context) -> Surroundings {
    const FRAME: Duration = Duration::from_millis(33);
    let ctx = ctx.clone();
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    Surroundings {
        wake: Arc::new(move || ctx.request_repaint_after(FRAME)),
        clock: Arc::new(clock),
        sample: Settings::folder().unwrap_or_default().join("sample.gloss"),
        config: Settings::folder(),
    }
}

impl App {
    /// A window on this desk.
    pub fn new(ctx: &egui::Context, desk: Desk) -> Self {
        set_up(ctx);
        Self::with(desk, Dialogs::default())
    }

    /// For tests: paths are typed, and the context is set up by the caller with [`set_up`].
    pub fn for_test(desk: Desk) -> Self {
        Self::with(desk, Dialogs::typed_only())
    }

    fn with(desk: Desk, dialogs: Dialogs) -> Self {
        Self {
            desk,
            commands: Commands::default(),
            input_order: InputOrder::default(),
            dialogs,
            place: Place::default(),
            bars: Bars::default(),
            palette: PaletteWindow::default(),
            key_sheet: KeySheet::default(),
            labels: LabelsWindow::default(),
            guidelines: GuidelinesWindow::default(),
            journal: JournalWindow::default(),
            who: WhoWindow::default(),
            label: LabelPane::default(),
            train: TrainPane::default(),
            test: TestPane::default(),
            insights: InsightsPane::default(),
            data: DataPane::default(),
            text_zoom: 0.0,
            title: String::new(),
        }
    }

    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// For tests and benches: carries a command out between two frames.
    pub fn run(&mut self, command: Command) {
        self.desk.run(command);
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// What is on the table when the window opens.
    pub fn begin(&mut self, start: Option<PathBuf>) {
        let settings = self.desk.settings();
        match (start, &settings.last_project) {
            (Some(file), _) => self.dialogs.receive(file, &self.desk, &mut self.commands),
            (None, Some(last)) => self.commands.send(Command::OpenProject(last.clone())),
            (None, None) if settings.recent.is_empty() => self.commands.send(Command::OpenSample),
            (None, None) => {}
        }
        self.run_commands();
    }

    fn run_commands(&mut self) -> bool {
        let commands = self.commands.take();
        let any = !commands.is_empty();
        commands.into_iter().for_each(|command| self.desk.run(command));
        if let Some(place) = self.commands.take_goto() {
            self.place = place;
            return true;
        }
        any
    }

    fn follow_settings(&mut self, ctx: &egui::Context) {
        let preference = theme::preference(self.desk.settings().theme);
        if ctx.options(|options| options.theme_preference) != preference {
            ctx.set_theme(preference);
        }
        let name = self.desk.path().and_then(Path::file_stem).map(|name| name.to_string_lossy().into_owned());
        let title = name.map_or_else(|| "Gloss".to_owned(), |name| format!("{name} · Gloss"));
        if title != self.title {
            ctx.send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    fn take_dropped(&mut self, ctx: &egui::Context) {
        let dropped = ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect::<Vec<_>>());
        // A second file would put the preview of the first away.
        if let Some(path) = dropped.into_iter().next() {
            self.dialogs.receive(path, &self.desk, &mut self.commands);
        }
    }

    fn is_modal(&self) -> bool {
        self.palette.is_open()
            || self.key_sheet.is_open()
            || self.labels.is_open()
            || self.journal.is_open()
            || self.who.is_open()
            || self.dialogs.is_modal()
    }

    /// Keys that work in every place.
    fn take_keys(&mut self, ui: &egui::Ui) {
        let asked = keys::TABLE.iter().filter(|row| !row.group.is_label()).find(|row| keys::pressed(ui, row.action));
        if let Some(row) = asked {
            self.act(ui.ctx(), row.action);
        }
    }

    /// Carries an action out, or passes it on to the labeling pane.
    fn act(&mut self, ctx: &egui::Context, action: Action) {
        let group = keys::row_of(action).map_or(Group::Spans, |row| row.group);
        if group != Group::Program && self.desk.project().is_none() {
            return;
        }
        if group.is_label() {
            self.place = Place::Label;
            return keys::wish(ctx, action);
        }
        let send = |commands: &mut Commands, command| commands.send(command);
        let settings = self.desk.settings();
        let (language, text_size) = (settings.language, settings.text_size);
        match action {
            Action::GoLabel => self.place = Place::Label,
            Action::GoTrain => self.place = Place::Train,
            Action::GoTest => self.place = Place::Test,
            Action::GoInsights => self.place = Place::Insights,
            Action::GoData => self.place = Place::Data,
            Action::Palette => self.palette.open(),
            Action::KeySheet => self.key_sheet.open(),
            Action::Language => send(&mut self.commands, Command::SetLanguage(other_language(language))),
            Action::Theme => send(&mut self.commands, Command::SetTheme(next_theme(settings.theme))),
            Action::ZoomIn => egui::gui_zoom::zoom_in(ctx),
            Action::ZoomOut => egui::gui_zoom::zoom_out(ctx),
            Action::ZoomReset => ctx.set_zoom_factor(1.0),
            Action::TextLarger => send(&mut self.commands, Command::SetTextSize(text_size + 1.0)),
            Action::TextSmaller => send(&mut self.commands, Command::SetTextSize(text_size - 1.0)),
            Action::NewProject => self.dialogs.open(Wish::NewProject),
            Action::OpenProject => self.dialogs.open(Wish::OpenProject),
            Action::OpenSample => send(&mut self.commands, Command::OpenSample),
            Action::CloseProject => send(&mut self.commands, Command::CloseProject),
            Action::Labels => self.labels.open(),
            Action::Guidelines => self.guidelines.toggle(),
            Action::Journal => self.journal.open(),
            Action::Who => self.who.open(&Cx { desk: &self.desk, commands: &mut self.commands, dialogs: &mut self.dialogs }),
            Action::MergeProject => self.dialogs.open(Wish::MergeProject),
            Action::ImportWords => self.dialogs.open(Wish::WordList),
            Action::Import => self.dialogs.open(Wish::ImportFile),
            Action::ExportDocuments => {
                self.place = Place::Data;
                send(&mut self.commands, Command::PlanExport(ExportFormat::Jsonl));
            }
            Action::Undo => send(&mut self.commands, Command::Undo),
            Action::Redo => send(&mut self.commands, Command::Redo),
            _ => {}
        }
        ctx.request_repaint();
    }

    /// Ctrl+scroll over a document changes the size of its text, a point at a time.
    fn take_scroll(&mut self, ui: &egui::Ui) {
        let factor = ui.input(|input| input.zoom_delta());
        let over = ui.input(|input| input.pointer.hover_pos()).is_some_and(|at| ui.max_rect().contains(at));
        if factor == 1.0 || !over || !matches!(self.place, Place::Label | Place::Test) {
            return;
        }
        let size = self.desk.settings().text_size;
        self.text_zoom += size * (factor - 1.0);
        let points = self.text_zoom.trunc();
        if points != 0.0 {
            self.text_zoom -= points;
            self.commands.send(Command::SetTextSize((size + points).round()));
        }
    }

    fn place_ui(&mut self, ui: &mut egui::Ui) {
        let mut cx = Cx { desk: &self.desk, commands: &mut self.commands, dialogs: &mut self.dialogs };
        let closes = ui.input(|input| input.viewport().close_requested());
        if self.place != Place::Label || closes {
            self.label.leave(&mut cx);
        }
        ui.push_id(self.place, |ui| match self.place {
            Place::Label => self.label.ui(ui, &mut cx),
            Place::Train => self.train.ui(ui, &mut cx),
            Place::Test => self.test.ui(ui, &mut cx),
            Place::Insights => self.insights.ui(ui, &mut cx),
            Place::Data => self.data.ui(ui, &mut cx),
        });
    }

    fn frame_ui(&mut self, ui: &mut egui::Ui) {
        let mut cx = Cx { desk: &self.desk, commands: &mut self.commands, dialogs: &mut self.dialogs };
        let mut asked = self.bars.top_ui(ui, &mut cx);
        if self.desk.project().is_none() {
            asked = asked.or(self.bars.status_ui(ui, &mut cx));
            let palette = theme::palette(ui);
            let ground = egui::Frame::new().fill(palette.ground);
            egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| asked = asked.or(welcome::ui(ui, &mut cx)));
        } else {
            asked = asked.or(self.bars.status_ui(ui, &mut cx));
            self.bars.rail_ui(ui, &mut cx, self.place);
            let ground = egui::Frame::new().fill(theme::palette(ui).ground);
            egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| {
                self.take_scroll(ui);
                self.place_ui(ui);
            });
        }
        if let Some(action) = asked {
            self.act(ui.ctx(), action);
        }
    }

    /// What stands above the places.
    fn windows_ui(&mut self, ctx: &egui::Context) {
        self.dialogs.ui(ctx, &self.desk, &mut self.commands);
        let mut cx = Cx { desk: &self.desk, commands: &mut self.commands, dialogs: &mut self.dialogs };
        self.key_sheet.ui(ctx, &mut cx);
        self.labels.ui(ctx, &mut cx);
        self.guidelines.ui(ctx, &mut cx);
        self.journal.ui(ctx, &mut cx);
        self.who.ui(ctx, &mut cx);
        self.bars.notices_ui(ctx, &mut cx);
        if let Some(action) = self.palette.ui(ctx, &mut cx) {
            self.act(ctx, action);
        }
        drop_hint(ctx, &self.desk);
    }
}

impl eframe::App for App {
    fn raw_input_hook(&mut self, ctx: &egui::Context, raw_input: &mut egui::RawInput) {
        if self.input_order.admit(&mut raw_input.events, ctx.text_edit_focused()) {
            ctx.request_repaint();
        }
    }

    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.desk.poll();
        self.take_dropped(ctx);
        self.dialogs.logic(&self.desk, &mut self.commands);
        if self.run_commands() {
            ctx.request_repaint();
        }
        self.follow_settings(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        keys::use_keys(self.desk.keys());
        let modal = self.is_modal();
        keys::block(ui, modal);
        if !modal {
            self.take_keys(ui);
        }
        self.frame_ui(ui);
        let ctx = ui.ctx().clone();
        if self.place == Place::Label {
            keys::age_wishes(&ctx);
        }
        self.windows_ui(&ctx);
        if self.run_commands() {
            ctx.request_repaint();
        }
    }
}

/// While a file is held over the window.
fn drop_hint(ctx: &egui::Context, desk: &Desk) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let palette = theme::Palette::of(ctx.global_style().visuals.dark_mode);
    let rect = ctx.content_rect();
    let painter = ctx.layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop")));
    painter.rect_filled(rect, 0.0, palette.veil());
    let words = super::i18n::translate(desk.settings().language, "Let go to open or import this file");
    let font = egui::FontId::proportional(24.0);
    painter.text(rect.center(), egui::Align2::CENTER_CENTER, words, font, egui::Color32::WHITE);
}

/// The language the toggle leads to.
pub(super) fn other_language(language: Language) -> Language {
    match language {
        Language::English => Language::Chinese,
        Language::Chinese => Language::English,
    }
}

/// The theme the toggle leads to.
pub(super) fn next_theme(theme: Theme) -> Theme {
    match theme {
        Theme::System => Theme::Light,
        Theme::Light => Theme::Dark,
        Theme::Dark => Theme::System,
    }
}
