//! Frames while a run keeps all cores busy: reviews are answered, finished and paged through, and the curves of the run
//! looked at, a gesture a frame. `cargo bench --bench frames [-- FRAMES]`. The real window needs Xvfb.
//!
//! Each three times: nothing else runs; a run of the window's own; as many threads of another program that does not give way.
//! First without pixels, which tells what the program does itself (taking in news, drawing the interface, writing the step
//! to the file) however the picture is made; then in the real window, where a software driver draws on the same cores.
#![allow(clippy::unwrap_used)] // A bench that fails should stop.

mod screen;

use eframe::egui::{self, Event, Key, Modifiers};
use egui_kittest::Harness;
use gloss::desk::{Command as Wish, Desk, Surroundings};
use gloss::project::{DocId, Document, Edit, History, Project, Schema, Split, State};
use gloss::store::ProjectFile;
use gloss::train::TrainConfig;
use gloss::ui::{App, app};
use screen::{Running, screen};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A gesture begins so long after the frame before it ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Frames that are drawn before any is measured: fonts, first pictures.
const WARM_UP: usize = 30;

/// Asks the child for the real window.
const WINDOW: &str = "--window";

/// The window with a stopwatch around it.
struct Watched {
    app: App,
    trains: bool,
    frames: usize,
    count: usize,
    logic: f64,
    own: Vec<f64>,
    whole: Vec<f64>,
}

impl Watched {
    /// The run has taken its first steps; without one there is nothing to wait for.
    fn is_ready(&self) -> bool {
        !self.trains || self.app.desk().run_view().is_some_and(|view| view.last_step.is_some())
    }

    fn measures(&self) -> bool {
        self.count > WARM_UP
    }
}

/// What is pressed in a frame.
fn gesture(frame: usize) -> (Key, Modifiers) {
    match frame % 40 {
        0 => (Key::Num2, Modifiers::CTRL), // to the curves
        8 => (Key::Num1, Modifiers::CTRL), // back to the reviews
        at if at < 8 => (Key::F24, Modifiers::NONE),
        at if at % 4 == 0 => (Key::Num1, Modifiers::NONE),
        at if at % 4 == 1 => (Key::Enter, Modifiers::NONE),
        _ => (Key::J, Modifiers::NONE),
    }
}

fn tell(app: &App, own: &[f64], whole: &[f64]) {
    for (name, times) in [("own", own), ("whole", whole)] {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get(((times.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        println!("{name} {} {} {}", at(0.5), at(0.99), at(1.0));
    }
    let steps = app.desk().run_view().and_then(|view| view.last_step).map_or(0, |step| step.step);
    println!("steps {steps} 0 0");
}

impl eframe::App for Watched {
    fn raw_input_hook(&mut self, ctx: &egui::Context, raw_input: &mut egui::RawInput) {
        raw_input.focused = true;
        if self.is_ready() {
            let (key, modifiers) = gesture(self.count);
            for pressed in [true, false] {
                raw_input.events.push(Event::Key { key, physical_key: None, pressed, repeat: false, modifiers });
            }
        }
        self.app.raw_input_hook(ctx, raw_input);
    }

    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        let began = Instant::now();
        if let Some(whole) = frame.info().cpu_usage.filter(|_| self.measures()) {
            self.whole.push(f64::from(whole) * 1e3);
        }
        self.app.logic(ctx, frame);
        self.logic = began.elapsed().as_secs_f64() * 1e3;
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let began = Instant::now();
        self.app.ui(ui, frame);
        if self.measures() {
            self.own.push(self.logic + began.elapsed().as_secs_f64() * 1e3);
        }
        self.count += usize::from(self.is_ready());
        if self.count == WARM_UP + self.frames {
            tell(&self.app, &self.own, &self.whole);
            // The run is not worth waiting for.
            std::process::exit(0);
        }
        ui.ctx().request_repaint_after(PAUSE);
    }
}

/// The sample's reviews, all answered for training but for those that the bench answers.
fn project(path: &Path, to_do: usize) {
    let sample = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/reviews.jsonl")).unwrap();
    let schema = Schema::default();
    let (question, asked) = schema.main_question().unwrap();
    let rows: Vec<serde_json::Value> = sample.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = rows.iter().filter_map(|row| {
        let class = asked.class(row["answers"][&asked.name].as_str()?)?;
        let mut document = Document::new(DocId(0), row["text"].as_str()?);
        document.annotation.answers.insert(question, gloss::project::Answer::Class(class));
        document.annotation.state = State::Done;
        document.split = Some(Split::Train);
        Some(document)
    });
    let mut documents: Vec<Document> = answered.collect();
    documents.iter_mut().take(20).for_each(|document| document.split = Some(Split::Dev));
    let texts = rows.iter().filter_map(|row| row["text"].as_str()).cycle().enumerate();
    documents.extend(texts.take(to_do).map(|(at, text)| Document::new(DocId(0), format!("{text} #{at}").as_str())));
    let documents: Vec<Document> = (0..).zip(documents).map(|(id, document)| Document { id: DocId(id), ..document }).collect();
    let (mut project, mut history) = (Project::new(schema.clone()), History::default());
    let edits = vec![Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }];
    let step = history.commit(&mut project, "import".into(), "bench".into(), 0, edits).unwrap().clone();
    drop(ProjectFile::create_filled(path, &project, &[step]).unwrap());
}

/// Enough epochs to outlast the frames.
fn long_run() -> TrainConfig {
    TrainConfig { epochs: 1000, ..TrainConfig::default() }
}

/// The desk with the project on it, and a run begun.
fn opened(mut desk: Desk, path: &Path, trains: bool) -> Desk {
    desk.run(Wish::OpenProject(path.to_owned()));
    while desk.project().is_none() {
        std::thread::sleep(Duration::from_millis(10));
        desk.poll();
    }
    if trains {
        desk.run(Wish::StartTraining(Box::new(long_run())));
    }
    desk
}

/// The child without pixels.
fn headless(path: &Path, trains: bool, frames: usize) {
    gloss::cli::prepare();
    let desk = opened(desk_beside(path, Arc::new(|| {})), path, trains);
    let builder = Harness::builder().with_size([1280.0, 800.0]).with_context_setup(app::set_up);
    let mut harness = builder.build_eframe(|_| App::for_test(desk));
    let is_ready = |app: &App| !trains || app.desk().run_view().is_some_and(|view| view.last_step.is_some());
    let mut own = Vec::new();
    let mut count = 0;
    while count < WARM_UP + frames {
        std::thread::sleep(PAUSE);
        let ready = is_ready(harness.state());
        if ready {
            let (key, modifiers) = gesture(count);
            harness.key_press_modifiers(modifiers, key);
            count += 1;
        }
        let began = Instant::now();
        harness.step();
        if ready && count > WARM_UP {
            own.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    tell(harness.state(), &own, &[]);
    // The run is not worth waiting for.
    std::process::exit(0);
}

fn desk_beside(path: &Path, wake: Arc<dyn Fn() + Send + Sync>) -> Desk {
    Desk::new(Surroundings {
        wake,
        clock: Arc::new(|| 1_700_000_000_000),
        sample: path.with_file_name("sample.gloss"),
        config: Some(path.with_file_name("config")),
    })
}

/// The child: opens the window on a project and measures.
fn window(path: &Path, trains: bool, frames: usize) {
    gloss::cli::prepare();
    let viewport = egui::ViewportBuilder::default().with_inner_size([720.0, 520.0]);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let path = path.to_owned();
    let create: eframe::AppCreator<'_> = Box::new(move |cc| {
        let waker = cc.egui_ctx.clone();
        let desk = desk_beside(&path, Arc::new(move || waker.request_repaint_after(Duration::from_millis(33))));
        let app = App::new(&cc.egui_ctx, opened(desk, &path, trains));
        Ok(Box::new(Watched { app, trains, frames, count: 0, logic: 0.0, own: Vec::new(), whole: Vec::new() }))
    });
    eframe::run_native("gloss", options, create).unwrap();
}

/// A window with its own virtual screen and project, to its end; what it measured.
fn measured(name: &str, asked: &str, (trains, beside): (bool, bool), frames: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames.gloss");
    project(&path, frames);
    let _beside = beside.then(|| {
        let other = folder.path().join("other.gloss");
        project(&other, 0);
        let mut run = Command::new(env!("CARGO_BIN_EXE_gloss"));
        run.arg("train").arg(&other).args(["--set", "epochs=1000"]).stdout(Stdio::null()).stderr(Stdio::null());
        let run = Running(run.spawn().unwrap());
        std::thread::sleep(Duration::from_secs(8)); // it reads the encoder first
        run
    });
    let (_server, display) = screen();
    let child = Command::new(std::env::current_exe().unwrap())
        .arg(asked)
        .arg(&path)
        .args([if trains { "trains" } else { "idle" }, &frames.to_string()])
        .env("DISPLAY", &display)
        .env_remove("WAYLAND_DISPLAY")
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("GLOSS_CONFIG_DIR", folder.path().join("config"))
        .output()
        .unwrap();
    println!("{name}");
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(told.contains("own "), "the window ended before its time: {}", String::from_utf8_lossy(&child.stderr));
    for line in told.lines() {
        let mut words = line.split(' ');
        let kind = words.next().unwrap_or_default();
        let numbers: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
        match (kind, numbers.as_slice()) {
            ("steps", [steps, ..]) if *steps > 0.0 => println!("  {steps} steps of the run meanwhile"),
            ("own" | "whole", [median, high, most]) if !median.is_nan() => {
                println!("  {kind:<8} median {median:>7.2} ms   99 % {high:>7.2} ms   most {most:>7.2} ms");
            }
            _ => {}
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, asked, path, kind, frames] = arguments.as_slice() {
        let (path, trains, frames) = (Path::new(path), kind == "trains", frames.parse().unwrap());
        return if asked == WINDOW { window(path, trains, frames) } else { headless(path, trains, frames) };
    }
    let frames = arguments.iter().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(600);
    for (asked, what) in [("--headless", "without pixels"), (WINDOW, "in the real window")] {
        measured(&format!("{what}, nothing else runs"), asked, (false, false), frames);
        measured(&format!("{what}, a run of its own"), asked, (true, false), frames);
        measured(&format!("{what}, a run of another program that does not give way"), asked, (false, true), frames);
    }
}
