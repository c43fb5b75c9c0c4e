//! The pages of the place Train over stored runs: the table, curves laid over each other, two runs side by side, examples,
//! files.

use super::made_runs::add_run;
use super::stage::{Stage, draw_until};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use gloss::desk::{Command, Comparing, Language};
use gloss::train::TrainConfig;
use gloss::ui::Place;
use gloss::ui::panes::train::TrainPane;

type Pane = Harness<'static, Stage<TrainPane>>;

/// Runs that answer so many of 20 reviews rightly; the project is opened with them.
fn place(right: &[u32]) -> Pane {
    let mut stage = Stage::<TrainPane>::with_reviews(24);
    let project = stage.desk.path().unwrap().to_owned();
    stage.desk.run(Command::CloseProject);
    for (at, right) in right.iter().enumerate() {
        let config = TrainConfig { epochs: at + 1, layer_stats: at == 0, ..TrainConfig::default() };
        add_run(&project, &config, 1_000 * at as i64, (*right, 20));
    }
    stage.desk.run(Command::OpenProject(project));
    let mut harness = stage.harness(TrainPane::ui);
    draw_until(&mut harness, |stage| stage.desk.project().is_some());
    harness
}

#[track_caller]
fn click(harness: &mut Pane, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(4);
}

fn queue(harness: &Pane) -> Vec<u32> {
    assert_eq!(harness.state().goto, Some(Place::Label));
    harness.state().desk.queue().ids().iter().map(|doc| doc.0).collect()
}

/// Names of the runs from top to bottom.
fn listed(harness: &Pane) -> Vec<String> {
    let mut rows: Vec<(f32, String)> = harness
        .get_all_by_role(Role::Button)
        .filter_map(|node| {
            let label = node.accesskit_node().label()?;
            let name = label.split(": ").next()?.to_owned();
            (label.contains(": ") && name.starts_with("Run ")).then(|| (node.rect().top(), name))
        })
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn the_table_sorts_by_any_column_and_shows_a_run() {
    let mut harness = place(&[12, 19, 15]);
    click(&mut harness, "All runs (3)");
    assert_eq!(listed(&harness), ["Run 3", "Run 2", "Run 1"], "newest first");
    click(&mut harness, "Sort by Macro-F1");
    assert_eq!(listed(&harness), ["Run 2", "Run 3", "Run 1"]);
    click(&mut harness, "Sorted by Macro-F1");
    assert_eq!(listed(&harness), ["Run 1", "Run 3", "Run 2"]);
    harness.get_by_label_contains("epochs 2");
    harness.get_by_label_contains("Run 1: ").click();
    harness.run_steps(3);
    assert_eq!(harness.state().desk.run_view().unwrap().id, "run-0001");
    harness.get_by_label_contains("held-out reviews; best after epoch 2");
    harness.get_by_label_contains("Only 20 held-out reviews");
}

#[test]
fn notes_are_kept() {
    let mut harness = place(&[12]);
    click(&mut harness, "All runs (1)");
    harness.get_by_label("Note on Run 1").focus();
    harness.run_steps(2);
    harness.get_by_label("Note on Run 1").type_text("先试一次 🎯");
    harness.run_steps(2);
    click(&mut harness, "Sort by Disk");
    draw_until(&mut harness, |stage| stage.desk.runs()[0].notes == "先试一次 🎯");
    let folder = harness.state().desk.path().unwrap().with_extension("runs");
    draw_until(&mut harness, |_| folder.join("run-0001/notes.txt").exists());
    assert_eq!(std::fs::read_to_string(folder.join("run-0001/notes.txt")).unwrap(), "先试一次 🎯");
    // Enter ends a note: it has one line, however many it is shown in.
    harness.get_by_label("Note on Run 1").focus();
    harness.run_steps(2);
    harness.get_by_label("Note on Run 1").type_text(", a note that is longer than its field is wide, so that it takes three lines");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    draw_until(&mut harness, |stage| stage.desk.runs()[0].notes.ends_with("three lines"));
    assert!(!harness.state().desk.runs()[0].notes.contains('\n'));
    let [name, note] = [harness.get_by_label_contains("Run 1: ").rect(), harness.get_by_label("Note on Run 1").rect()];
    assert!(note.height() > 2.0 * name.height() - 8.0, "all of it is in sight: {note:?}");
    assert!((note.center().y - name.center().y).abs() < 4.0, "and its row is one row: {name:?} {note:?}");
}

#[test]
fn deleting_asks_and_says_what_is_lost() {
    let mut harness = place(&[12]);
    click(&mut harness, "Delete…");
    harness.get_by_label("Delete Run 1?");
    harness.get_by_label_contains("It frees ");
    harness.get_by_label_contains("Its model answers now");
    click(&mut harness, "Keep");
    assert_eq!(harness.state().desk.runs().len(), 1);
    click(&mut harness, "Delete…");
    click(&mut harness, "Delete");
    assert!(harness.state().desk.runs().is_empty());
    harness.get_by_label("No run yet");
}

#[test]
fn runs_made_beside_the_window_are_found_when_the_table_is_opened() {
    let mut harness = place(&[12, 19]);
    let project = harness.state().desk.path().unwrap().to_owned();
    add_run(&project, &TrainConfig::default(), 9_000, (15, 20));
    click(&mut harness, "All runs (2)");
    draw_until(&mut harness, |stage| stage.desk.runs().len() == 3);
    assert_eq!(listed(&harness), ["Run 3", "Run 2", "Run 1"]);
}

#[test]
fn two_runs_end_in_a_sentence_and_open_what_changed() {
    let mut harness = place(&[4, 19, 18]);
    click(&mut harness, "All runs (3)");
    assert!(harness.get_by_label("Compare the two").accesskit_node().is_disabled());
    click(&mut harness, "Tick Run 1");
    click(&mut harness, "Tick Run 2");
    click(&mut harness, "Compare the two");
    draw_until(&mut harness, |stage| matches!(stage.desk.comparing(), Comparing::Done(_)));
    harness.get_by_label_contains("Run 2 is better by ");
    harness.get_by_label("epochs");
    click(&mut harness, "Open them all: Run 2 does better: 15");
    assert_eq!(queue(&harness), (4..19).collect::<Vec<_>>());

    // In one click from a run: with the newest of the others.
    click(&mut harness, "Run 3");
    click(&mut harness, "Compare with Run 2");
    let done = |stage: &Stage<TrainPane>| matches!(stage.desk.comparing(), Comparing::Done(compared) if compared.second == "run-0003");
    draw_until(&mut harness, done);
    harness.get_by_label_contains("cannot be told apart on 20 reviews");
    click(&mut harness, "The other way round");
    draw_until(&mut harness, |stage| matches!(stage.desk.comparing(), Comparing::Done(compared) if compared.first == "run-0003"));
    harness.state_mut().desk.run(Command::DeleteRun("run-0003".to_owned()));
    assert!(matches!(harness.state().desk.comparing(), Comparing::Idle));
}

#[test]
fn curves_lie_over_each_other() {
    let mut harness = place(&[12, 15, 19]);
    click(&mut harness, "All runs (3)");
    click(&mut harness, "Tick Run 1");
    click(&mut harness, "Lay over the curves");
    draw_until(&mut harness, |stage| stage.desk.overlaid().count() == 1);
    let plot = harness.get_by_label_contains("F1 on held-out reviews, ").accesskit_node().label().unwrap();
    assert!(plot.contains("Run 1 · class, macro-F1 ") && plot.ends_with(&plot[plot.find("Run 3 · ").unwrap()..]), "{plot}");
    click(&mut harness, "This run alone");
    harness.get_by_label_contains("F1 on held-out reviews, class, macro-F1 ");
}

#[test]
fn scores_layers_and_evaluations_are_chosen_and_opened() {
    let mut harness = place(&[12]);
    click(&mut harness, "Scores shown");
    harness.get_by_role_and_label(Role::CheckBox, "negative").click();
    harness.run_steps(4);
    harness.get_by_label_contains("macro-F1 0.60, negative 0.60");
    harness.get_by_role_and_label(Role::CheckBox, "Layers").click();
    harness.run_steps(4);
    harness.get_by_label_contains("Gradient norm of each layer, embeddings ");
    click(&mut harness, "Evaluations (2)");
    click(&mut harness, "Classes wrong: 10");
    assert_eq!(queue(&harness), (10..20).collect::<Vec<_>>());
}

#[test]
fn examples_are_sorted_by_sureness() {
    let mut harness = place(&[12]);
    click(&mut harness, "Least sure first");
    // All of the page in sight.
    harness.set_size(vec2(1280.0, 3000.0));
    harness.run_steps(4);
    harness.get_all_by_label_contains("第12次").next().unwrap().click();
    harness.run_steps(3);
    assert_eq!(queue(&harness), [12], "the least sure of the mistakes");
}

#[test]
fn curves_are_written_as_files() {
    let mut harness = place(&[12]);
    for (button, file) in [("Table (CSV)…", "曲线.csv"), ("Drawing (SVG)…", "曲线.svg"), ("TensorBoard…", "板")] {
        let path = harness.state().desk.path().unwrap().with_file_name(file);
        click(&mut harness, "Export curves");
        click(&mut harness, button);
        harness.state_mut().answer_dialog(path.clone());
        draw_until(&mut harness, |stage| path.exists() && stage.desk.notices().any(|notice| format!("{notice:?}").contains("Exported")));
    }
    let read = |name: &str| std::fs::read_to_string(harness.state().desk.path().unwrap().with_file_name(name)).unwrap();
    let table = read("曲线.csv");
    assert!(table.starts_with("plot,series,step,value\n") && table.contains("\"Loss\",\"each step\",1,1\n"), "{table}");
    let drawing = read("曲线.svg");
    assert!(drawing.contains("<polyline") && drawing.trim_end().ends_with("</svg>"));
    assert!(harness.state().desk.path().unwrap().with_file_name("板").join("run-0001").is_dir());
}

#[test]
fn the_pages_speak_chinese() {
    let mut harness = place(&[4, 19]);
    harness.state_mut().desk.run(Command::SetLanguage(Language::Chinese));
    harness.run_steps(3);
    click(&mut harness, "与第 1 次训练对比");
    draw_until(&mut harness, |stage| matches!(stage.desk.comparing(), Comparing::Done(_)));
    harness.get_by_label_contains("第 2 次训练更好，高 ");
}
