//! One million reviews, made of the sample's: opening, memory, frames, labels, filters.
//! `cargo bench --bench million [-- ROWS]`. The window runs as it is, only its pixels are not drawn.
#![allow(clippy::unwrap_used)] // A bench that fails should stop.

use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use gloss::desk::{Command, Desk, Surroundings};
use gloss::project::{Answer, DocId, Document, Edit, Filter, History, Order, Project, QuestionId, Schema, State, What};
use gloss::store::ProjectFile;
use gloss::ui::{App, app};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

fn ms(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn line(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name:<48} median {:>8.2} ms   99 % {:>8.2} ms   most {:>8.2} ms", at(0.5), at(0.99), at(1.0));
}

/// Memory this process holds now and held at most, in MB; zeros where the system does not say.
fn memory() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()).and_then(|kb| kb.parse::<usize>().ok()).unwrap_or(0) / 1024
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// A file of so many reviews, a third of them answered; kept in the target folder for the next run.
fn project_file(rows: usize) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gloss-bench-{rows}.gloss"));
    if path.exists() {
        return path;
    }
    let sample = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/reviews.jsonl")).unwrap();
    let texts: Vec<String> =
        sample.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().to_owned()).collect();
    let cities = ["北京", "上海", "Leeds", "Oslo"];
    let documents: Vec<Document> = (0..rows)
        .map(|at| {
            let mut doc = Document::new(DocId::from_index(at), format!("{} #{at}", texts[at.wrapping_mul(2_654_435_761) % texts.len()]));
            doc.meta = [("region", cities[at % 4].to_owned()), ("stars", (1 + at % 5).to_string())].into_iter().collect();
            if at % 3 == 0 {
                doc.annotation.answers.insert(QuestionId(0), Answer::Class((at % 9 / 3) as u16));
                doc.annotation.state = State::Done;
            }
            doc
        })
        .collect();
    let mut project = Project::new(Schema::default());
    let mut history = History::default();
    let edits = vec![Edit::AddDocuments { first: DocId(0), count: rows as u32, documents }];
    let step = history.commit(&mut project, "import".into(), "bench".into(), 0, edits).unwrap().clone();
    ProjectFile::create_filled(&path, &project, &[step]).unwrap();
    path
}

fn window(path: &Path, folder: &Path) -> Harness<'static, App> {
    let mut desk = Desk::new(Surroundings {
        wake: Arc::new(|| {}),
        clock: Arc::new(|| 1_700_000_000_000),
        sample: folder.join("sample.gloss"),
        config: Some(folder.join("config")),
    });
    let start = Instant::now();
    desk.run(Command::OpenProject(path.to_owned()));
    while desk.project().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
        desk.poll();
    }
    println!("{:<48} {:.2} s", "opened, from the command to the documents", start.elapsed().as_secs_f64());
    let builder = Harness::builder().with_size([1280.0, 800.0]).with_context_setup(app::set_up);
    let mut window = builder.build_eframe(|_| App::for_test(desk));
    println!("{:<48} {:.2} ms", "first frames", ms(|| window.run_steps(4)));
    window
}

fn frames(name: &str, window: &mut Harness<'static, App>, turns: usize, mut gesture: impl FnMut(&mut Harness<'static, App>, usize)) {
    let mut times = Vec::new();
    for turn in 0..turns {
        gesture(window, turn);
        // The longest of the frames that a press and a release take.
        times.push((0..3).map(|_| ms(|| window.step())).fold(0.0, f64::max));
    }
    line(name, times);
}

/// Until all is found, as the window would: news is taken in before each frame.
fn search_for(name: &str, search: &str, window: &mut Harness<'static, App>) {
    let mut times = Vec::new();
    let start = Instant::now();
    let filter = Filter { search: search.to_owned(), ..Filter::default() };
    window.state_mut().run(Command::SetFilter(filter));
    loop {
        times.push(ms(|| window.step()));
        if !window.state().desk().is_searching() {
            break;
        }
        // A window draws when there is news; it does not spin beside the search.
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let found = window.state().desk().queue().len();
    println!("search for {name:<37} {:>8.1} ms, {found} found", start.elapsed().as_secs_f64() * 1e3);
    line("  frames meanwhile", times);
    window.state_mut().run(Command::SetFilter(Filter::default()));
    window.step();
}

fn main() {
    let rows = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let path = project_file(rows);
    println!("{rows} reviews, {} MB on the disk", path.metadata().unwrap().len() / 1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("p.gloss");
    std::fs::copy(&path, &copy).unwrap();
    let before = memory().0;
    let mut window = window(&copy, folder.path());
    let (now, most) = memory();
    println!("{:<48} {} MB, at most {} MB", "memory of the project", now - before, most);

    frames("frame, nothing happens", &mut window, 30, |_, _| {});
    frames("frame, next document (J)", &mut window, 60, |window, _| window.key_press(Key::J));
    frames("frame, a class by its digit, in the file", &mut window, 60, |window, turn| {
        window.key_press(if turn % 2 == 0 { Key::Num1 } else { Key::Num2 });
    });
    frames("frame, class and next (Enter)", &mut window, 60, |window, turn| {
        window.key_press(if turn % 2 == 0 { Key::Num3 } else { Key::Enter });
    });
    frames("frame, undo", &mut window, 30, |window, _| window.key_press_modifiers(Modifiers::COMMAND, Key::Z));
    let filter = Filter::of(What::State(State::Todo));
    window.state_mut().run(Command::SetFilter(filter));
    window.step();
    frames("frame, class and next under a filter", &mut window, 60, |window, turn| {
        window.key_press(if turn % 2 == 0 { Key::Num3 } else { Key::Enter });
    });
    for (name, search) in [("a substring (12 places)", "#77777"), ("a Chinese word", "屏幕"), ("a pattern", "/(screen|屏幕).*#\\d+7$")]
    {
        search_for(name, search, &mut window);
    }
    for (name, order) in [("random", Order::Random(7)), ("longest first", Order::Longest), ("as imported", Order::Arrival)] {
        println!("order {name:<42} {:.1} ms", ms(|| window.state_mut().run(Command::SetOrder(order))));
    }
    let (now, most) = memory();
    println!("{:<48} {} MB, at most {} MB", "memory at the end", now - before, most);
}
