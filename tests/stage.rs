//! One place of the window over a real desk, without the frame around it, or the whole window; and small projects to
//! put on them.

use crate::desk::desk_in;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Desk, Language};
use gloss::project::{DocId, Document, Schema, TextRange};
use gloss::train::TrainConfig;
use gloss::ui::dialogs::Dialogs;
use gloss::ui::{App, Commands, Cx, Place, app};
use std::path::Path;
use std::time::{Duration, Instant};

/// A place with what it draws on.
pub struct Stage<P> {
    pub desk: Desk,
    pub pane: P,
    pub dialogs: Dialogs,
    /// The place that was last asked for.
    pub goto: Option<Place>,
    commands: Commands,
    /// Keeps the files of the project.
    _folder: tempfile::TempDir,
}

impl<P: Default + 'static> Stage<P> {
    /// A place over a project with so many labelled reviews.
    pub fn with_reviews(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = desk_in(folder.path());
        desk.run(Command::NewProject { path: folder.path().join("p.gloss"), classes: vec![], spans: vec![] });
        for at in 0..count {
            label_review(&mut desk, at);
        }
        Self { desk, pane: P::default(), dialogs: Dialogs::typed_only(), goto: None, commands: Commands::default(), _folder: folder }
    }

    /// In a window of the smallest size minus rail and bars.
    pub fn harness(self, draw: fn(&mut P, &mut eframe::egui::Ui, &mut Cx<'_>)) -> Harness<'static, Self> {
        let frame = move |ui: &mut eframe::egui::Ui, stage: &mut Self| {
            stage.desk.poll();
            let mut cx = Cx { desk: &stage.desk, commands: &mut stage.commands, dialogs: &mut stage.dialogs };
            draw(&mut stage.pane, ui, &mut cx);
            stage.commands.take().into_iter().for_each(|command| stage.desk.run(command));
            stage.goto = stage.commands.take_goto().or(stage.goto);
        };
        Harness::builder().with_size([1200.0, 1400.0]).with_context_setup(app::set_up).build_ui_state(frame, self)
    }
}

impl<P> Stage<P> {
    /// What a person types into the question for a path that is open.
    pub fn answer_dialog(&mut self, path: std::path::PathBuf) {
        self.dialogs.logic(&self.desk, &mut self.commands);
        self.dialogs.answer_typed(path, &mut self.commands);
    }
}

/// Adds review `at`, answers it, marks its aspect and its opinion.
fn label_review(desk: &mut Desk, at: usize) {
    const ASPECTS: [&str; 5] = ["房间", "服务", "battery", "screen", "早餐👨🏻‍🚒"];
    const OPINIONS: [(&str, u16); 6] = [("很糟糕", 0), ("terrible", 0), ("很干净", 2), ("wonderful", 2), ("awful", 0), ("特别好", 2)];
    let (aspect, (opinion, class)) = (ASPECTS[at % ASPECTS.len()], OPINIONS[at % OPINIONS.len()]);
    let text = format!("{aspect} {opinion}，第{at}次");
    desk.run(Command::AddDocument(text.clone()));
    let doc = DocId::from_index(at);
    for (part, label) in [(aspect, 0), (opinion, 1)] {
        let start = text.find(part).unwrap();
        let range = TextRange::new(&text, start..start + part.len()).unwrap();
        desk.run(Command::AddSpan { doc, range, label });
    }
    desk.run(Command::SetClass { doc, class: Some(class) });
    desk.run(Command::Finish(doc));
}

/// A run of a second.
pub fn tiny() -> TrainConfig {
    TrainConfig { layers: 1, epochs: 2, max_length: 24, dev_share: 0.35, few_marked: 0, ..TrainConfig::default() }
}

/// Draws frames until `done`, as the window does while news comes in.
#[track_caller]
pub fn draw_until<P>(harness: &mut Harness<'_, Stage<P>>, done: impl Fn(&Stage<P>) -> bool) {
    let start = Instant::now();
    while !done(harness.state()) {
        let notices = || harness.state().desk.notices().map(|notice| format!("{notice:?}")).collect::<Vec<_>>();
        assert!(start.elapsed() < Duration::from_secs(120), "nothing happened; notices: {:?}", notices());
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
    harness.run_steps(3);
}

/// Trains with these settings to the end.
#[track_caller]
pub fn train<P>(harness: &mut Harness<'_, Stage<P>>, config: TrainConfig) {
    harness.state_mut().desk.run(Command::StartTraining(Box::new(config)));
    draw_until(harness, |stage| !stage.desk.is_training());
}

/// A desk in English on a new project of these texts, the first of them open.
pub fn desk_with(folder: &Path, texts: &[&str]) -> Desk {
    let mut desk = desk_in(folder);
    desk.run(Command::SetLanguage(Language::English));
    desk.run(Command::NewProject { path: folder.join("p.gloss"), classes: vec![], spans: vec![] });
    texts.iter().for_each(|text| desk.run(Command::AddDocument((*text).to_owned())));
    desk.run(Command::Open(DocId(0)));
    desk
}

/// The whole window, driven by keys and names.
pub struct Bench {
    pub window: Harness<'static, App>,
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn of(folder: tempfile::TempDir, desk: Desk, height: f32) -> Self {
        let builder = Harness::builder().with_size([1280.0, height]).with_max_steps(32).with_context_setup(app::set_up);
        let mut window = builder.build_eframe(|_| App::for_test(desk));
        window.run();
        Self { window, folder }
    }

    pub fn desk(&self) -> &Desk {
        self.window.state().desk()
    }

    pub fn document(&self, at: u32) -> Document {
        self.desk().project().unwrap().document(DocId(at)).unwrap().clone()
    }

    pub fn schema(&self) -> Schema {
        Schema::clone(self.desk().project().unwrap().schema())
    }

    pub fn chord(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run();
    }

    pub fn key(&mut self, key: Key) {
        self.chord(Modifiers::NONE, key);
    }

    pub fn click(&mut self, button: &str) {
        self.click_on(Role::Button, button);
    }

    pub fn click_on(&mut self, role: Role, name: &str) {
        self.window.get_by_role_and_label(role, name).click();
        self.window.run();
    }

    pub fn has(&self, name: &str) -> bool {
        self.window.query_by_label(name).is_some()
    }

    /// Replaces what stands in a field and leaves it with Enter.
    pub fn enter(&mut self, field: &str, text: &str) {
        self.window.get_by_role_and_label(Role::TextInput, field).focus();
        self.window.run();
        self.window.key_combination_modifiers(Modifiers::COMMAND, &[Key::A]);
        self.window.get_by_role_and_label(Role::TextInput, field).type_text(text);
        self.window.run();
        self.key(Key::Enter);
    }
}
