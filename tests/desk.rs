//! The shell: commands in, read access out, everything in the file.

use gloss::desk::{Column, Command, Desk, ExportFormat, ExportPlan, Exporting, ImportOptions, Importing, Level, Notice, Surroundings};
use gloss::project::{Answer, DocId, Filter, Polarity, QuestionId, State, TextRange, What};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub fn desk_in(folder: &Path) -> Desk {
    Desk::new(Surroundings {
        wake: Arc::new(|| {}),
        clock: Arc::new(|| 1_700_000_000_000),
        sample: folder.join("sample.gloss"),
        config: Some(folder.join("config")),
    })
}

/// Polls until `done`, as the window does at every frame.
pub fn poll_until(desk: &mut Desk, done: impl Fn(&Desk) -> bool) {
    let start = Instant::now();
    while !done(desk) {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happened; notices: {:?}", desk.notices().collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(5));
        desk.poll();
    }
}

fn with_texts(folder: &Path, texts: &[&str]) -> Desk {
    let mut desk = desk_in(folder);
    desk.run(Command::NewProject { path: folder.join("p.gloss"), classes: vec![], spans: vec![] });
    for text in texts {
        desk.run(Command::AddDocument((*text).to_owned()));
    }
    desk
}

fn range(desk: &Desk, doc: DocId, part: &str) -> TextRange {
    let text = &desk.project().unwrap().document(doc).unwrap().text;
    let start = text.find(part).unwrap();
    TextRange::new(text, start..start + part.len()).unwrap()
}

#[test]
fn a_session_is_still_there_after_reopening_and_can_be_undone_to_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_texts(folder.path(), &["屏幕很清晰，但是电池不耐用。", "Great screen 👍🏻"]);
    let doc = DocId(0);
    desk.run(Command::AddSpan { doc, range: range(&desk, doc, "屏幕"), label: 0 });
    desk.run(Command::AddSpan { doc, range: range(&desk, doc, "很清晰"), label: 1 });
    let ids: Vec<_> = desk.project().unwrap().document(doc).unwrap().annotation.spans.keys().copied().collect();
    desk.run(Command::SetPolarity { doc, id: ids[1], to: Some(Polarity::Positive) });
    desk.run(Command::ToggleLink { doc, from: ids[1], to: ids[0] });
    desk.run(Command::SetClass { doc, class: Some(2) });
    desk.run(Command::Finish(doc));
    assert_eq!(desk.current(), Some(DocId(1)), "done goes on to the next one");
    let before = desk.project().unwrap().all_documents().to_vec();
    let steps = desk.history().unwrap().done().len();
    drop(desk);

    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenProject(folder.path().join("p.gloss")));
    assert_eq!(desk.project().unwrap().all_documents(), before);
    for _ in 0..steps {
        desk.run(Command::Undo);
    }
    assert_eq!(desk.project().unwrap().documents().count(), 0, "adding the documents is undone too");
    for _ in 0..steps {
        desk.run(Command::Redo);
    }
    assert_eq!(desk.project().unwrap().all_documents(), before);
    desk.run(Command::Redo);
    assert!(desk.notices().any(|notice| *notice == Notice::NothingToRedo));
}

#[test]
fn removing_a_linked_span_is_one_step_and_comes_back_with_its_link() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_texts(folder.path(), &["The battery dies fast"]);
    let doc = DocId(0);
    desk.run(Command::AddSpan { doc, range: range(&desk, doc, "battery"), label: 0 });
    desk.run(Command::AddSpan { doc, range: range(&desk, doc, "dies fast"), label: 1 });
    let ids: Vec<_> = desk.project().unwrap().document(doc).unwrap().annotation.spans.keys().copied().collect();
    desk.run(Command::ToggleLink { doc, from: ids[1], to: ids[0] });
    let linked = desk.project().unwrap().document(doc).unwrap().annotation.clone();
    desk.run(Command::RemoveSpan { doc, id: ids[0] });
    let annotation = &desk.project().unwrap().document(doc).unwrap().annotation;
    assert_eq!((annotation.spans.len(), annotation.links.len()), (1, 0));
    desk.run(Command::Undo);
    assert_eq!(desk.project().unwrap().document(doc).unwrap().annotation, linked);
}

#[test]
fn bulk_answers_are_one_undo() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_texts(folder.path(), &["很好", "不好", "很好吃"]);
    desk.run(Command::SetFilter(Filter { search: "很好".into(), ..Filter::default() }));
    assert_eq!(desk.queue().len(), 2);
    desk.run(Command::AnswerQueue { question: QuestionId(0), to: Some(Answer::Class(2)) });
    let answered = |desk: &Desk| desk.project().unwrap().documents().filter(|d| !d.annotation.answers.is_empty()).count();
    assert_eq!(answered(&desk), 2);
    desk.run(Command::Undo);
    assert_eq!(answered(&desk), 0);
}

#[test]
fn finishing_under_a_filter_goes_on_with_the_document_that_moved_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_texts(folder.path(), &["a", "b", "c"]);
    desk.run(Command::SetFilter(Filter::of(What::State(State::Todo))));
    desk.run(Command::Open(DocId(0)));
    desk.run(Command::Finish(DocId(0)));
    assert_eq!(desk.current(), Some(DocId(1)));
    desk.run(Command::Finish(DocId(1)));
    assert_eq!(desk.current(), Some(DocId(2)));
}

/// A project with a large import on its way into the file.
fn with_a_large_import(folder: &Path) -> Desk {
    let rows: String = (0..6_000).map(|row| format!("第{row}条：屏幕很清晰 👍🏻\n")).collect();
    std::fs::write(folder.join("many.txt"), rows).unwrap();
    let mut desk = with_texts(folder, &["Great screen."]);
    let options = ImportOptions { text: Column::Number(1), header: false, ..ImportOptions::default() };
    desk.run(Command::Import { path: folder.join("many.txt"), options: Box::new(options) });
    poll_until(&mut desk, |desk| matches!(desk.importing(), Importing::Report { .. }));
    assert!(desk.is_saving() && desk.is_unsaved(), "a large step does not hold up the window");
    assert_eq!(desk.project().unwrap().documents().count(), 6_001);
    desk
}

fn documents_in_file(folder: &Path) -> (Vec<gloss::project::Document>, usize) {
    let mut desk = desk_in(folder);
    desk.run(Command::OpenProject(folder.join("p.gloss")));
    (desk.project().unwrap().all_documents().to_vec(), desk.history().unwrap().done().len())
}

/// A file of a million rows that is given up half way leaves nothing: no document, no step, no file beside the project.
#[test]
fn a_million_rows_given_up_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..1_000_000).map(|row| format!("第{row}条很好\n")).collect();
    std::fs::write(folder.path().join("many.txt"), rows).unwrap();
    let mut desk = with_texts(folder.path(), &["Great screen."]);
    let before = documents_of(&desk);
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let files = names();
    let options = ImportOptions { text: Column::Number(1), header: false, ..ImportOptions::default() };
    desk.run(Command::Import { path: folder.path().join("many.txt"), options: Box::new(options) });
    // Progress is told on the way.
    poll_until(&mut desk, |desk| matches!(desk.importing(), Importing::Running { rows, share, .. } if *rows > 1_000 && *share < 1.0));
    desk.run(Command::DismissImport);
    assert!(matches!(desk.importing(), Importing::Idle));
    desk.poll();
    assert_eq!((documents_of(&desk), names()), (before.clone(), files));
    assert!(!desk.is_unsaved() && !desk.is_saving());
    drop(desk);
    assert_eq!(documents_in_file(folder.path()), before);
}

/// Ended while the file is made, nothing is written; ended while it is read back, the file stays and is said to be unchecked.
#[test]
fn an_export_tells_how_far_it_is_and_can_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_a_large_import(folder.path());
    let start = |desk: &mut Desk, name: &str| {
        let plan = ExportPlan { path: folder.path().join(name), format: ExportFormat::LabelStudio, sidecar: true, verify: true };
        desk.run(Command::ExportAs(Box::new(plan)));
    };
    start(&mut desk, "whole.json");
    let told = std::cell::RefCell::new(Vec::new());
    poll_until(&mut desk, |desk| {
        if let Exporting::Writing(writing) = desk.exporting() {
            told.borrow_mut().push((writing.share, writing.step as usize));
        }
        matches!(desk.exporting(), Exporting::Written(written) if written.verified.as_ref().is_some_and(|verified| verified.is_as_said()))
    });
    let told = told.into_inner();
    assert!(told.is_sorted_by_key(|(share, _)| *share) && told.is_sorted_by_key(|(_, step)| *step), "{told:?}");
    assert!(told.iter().any(|(share, _)| *share > 0.0), "{told:?}");
    desk.run(Command::DismissExport);

    start(&mut desk, "none.json");
    desk.run(Command::DismissExport);
    poll_until(&mut desk, |desk| !matches!(desk.exporting(), Exporting::Writing(_)));
    // The thread may have been quicker: then the file is whole.
    match desk.exporting() {
        Exporting::Idle => assert!(!folder.path().join("none.json").exists()),
        Exporting::Written(written) => assert!(written.verified.is_none() && folder.path().join("none.json").exists()),
        other => panic!("{other:?}"),
    }
    desk.run(Command::DismissExport);
    assert!(matches!(desk.exporting(), Exporting::Idle));
}

fn documents_of(desk: &Desk) -> (Vec<gloss::project::Document>, usize) {
    (desk.project().unwrap().all_documents().to_vec(), desk.history().unwrap().done().len())
}

#[test]
fn a_large_import_is_written_beside_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_a_large_import(folder.path());
    poll_until(&mut desk, |desk| !desk.is_unsaved());
    assert!(!desk.is_saving());
    let (before, steps) = (desk.project().unwrap().all_documents().to_vec(), desk.history().unwrap().done().len());
    drop(desk);
    assert_eq!(documents_in_file(folder.path()), (before, steps));
}

#[test]
fn a_gesture_behind_a_large_import_is_in_the_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_a_large_import(folder.path());
    desk.run(Command::SetClass { doc: DocId(3), class: Some(1) });
    assert!(!desk.is_unsaved() && !desk.is_saving(), "before the next picture");
    let before = desk.project().unwrap().all_documents().to_vec();
    // As a kill would leave it: nothing more is written.
    std::mem::forget(desk);
    let copy = tempfile::tempdir().unwrap();
    for name in ["p.gloss", "p.gloss-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    assert_eq!(documents_in_file(copy.path()).0, before);
}

#[test]
fn closing_waits_for_a_large_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_a_large_import(folder.path());
    let before = desk.project().unwrap().all_documents().to_vec();
    // By undo, another large step; then the project is left while both are on their way.
    desk.run(Command::Undo);
    assert_eq!(desk.project().unwrap().documents().count(), 1);
    desk.run(Command::Redo);
    desk.run(Command::CloseProject);
    assert!(desk.project().is_none());
    drop(desk);
    assert_eq!(documents_in_file(folder.path()).0, before);
}

#[test]
fn import_is_previewed_reported_and_one_undo() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = with_texts(folder.path(), &["重复的一条"]);
    let path = folder.path().join("r.csv");
    std::fs::write(&path, "text,class\n很好👍,positive\n\"a, \"\"b\"\"\",mixed\n重复的一条,negative\n,positive\n").unwrap();
    desk.run(Command::PreviewImport { path: path.clone(), header: None });
    poll_until(&mut desk, |desk| matches!(desk.importing(), Importing::Preview { .. }));
    let by_name = |name: &str| Column::parse(name);
    let options = ImportOptions { text: by_name("text"), label: Some(by_name("class")), header: true, ..ImportOptions::default() };
    desk.run(Command::Import { path, options: Box::new(options) });
    poll_until(&mut desk, |desk| matches!(desk.importing(), Importing::Report { .. }));
    let project = desk.project().unwrap();
    let texts: Vec<String> = project.documents().map(|doc| doc.text.to_string()).collect();
    assert_eq!(texts, ["重复的一条", "很好👍", "a, \"b\""]);
    let (question, asked) = project.schema().main_question().unwrap();
    assert_eq!(project.document(DocId(2)).unwrap().annotation.class(question), asked.class("mixed"), "a new class joins the schema");
    let Importing::Report { report, .. } = desk.importing() else { unreachable!() };
    let skipped = report.issues.iter().filter(|issue| issue.skipped).count();
    assert_eq!(
        (report.rows, report.imported, skipped, report.issues.len()),
        (4, 2, 1, 3),
        "an empty row, a new class, a known text with a label"
    );
    desk.run(Command::Undo);
    assert_eq!(desk.project().unwrap().documents().count(), 1);
    assert_eq!(desk.project().unwrap().schema().questions[0].classes.len(), 3, "and leaves it again");
}

/// A project with a past, undone steps too, and our own JSON Lines of it.
fn written_out(folder: &Path) -> (Desk, std::path::PathBuf) {
    let mut desk = with_texts(folder, &["屏幕很清晰，但是电池不耐用。", "Great screen 👍🏻"]);
    let doc = DocId(0);
    desk.run(Command::AddSpan { doc, range: range(&desk, doc, "屏幕"), label: 0 });
    desk.run(Command::SetClass { doc, class: Some(2) });
    desk.run(Command::SetFlag { doc, to: true });
    desk.run(Command::Undo);
    let path = folder.join("whole.jsonl");
    let plan = ExportPlan { path: path.clone(), format: ExportFormat::Jsonl, sidecar: false, verify: true };
    desk.run(Command::ExportAs(Box::new(plan)));
    poll_until(&mut desk, |desk| matches!(desk.exporting(), Exporting::Written(_)));
    (desk, path)
}

fn import_lines(desk: &mut Desk, path: &Path) -> Option<usize> {
    let options = Box::new(ImportOptions::default());
    desk.run(Command::CheckImport { path: path.to_owned(), options: options.clone() });
    poll_until(desk, |desk| matches!(desk.importing(), Importing::Checked { .. }));
    let Importing::Checked { report: checked, .. } = desk.importing() else { unreachable!() };
    let checked = checked.clone();
    desk.run(Command::Import { path: path.to_owned(), options });
    poll_until(desk, |desk| matches!(desk.importing(), Importing::Report { .. }));
    let Importing::Report { report, .. } = desk.importing() else { unreachable!() };
    assert_eq!(*report, checked, "what was said before is what happens");
    report.journal
}

#[test]
fn our_lines_bring_a_whole_project_back_with_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (there, path) = written_out(folder.path());
    let past = |desk: &Desk| {
        let history = desk.history().unwrap();
        (history.done().to_vec(), history.undone().to_vec(), desk.project().unwrap().all_documents().to_vec())
    };
    let here = tempfile::tempdir().unwrap();
    let mut desk = with_texts(here.path(), &[]);
    assert_eq!(import_lines(&mut desk, &path), Some(4));
    assert_eq!(past(&desk), past(&there));
    assert_eq!(desk.current(), Some(DocId(0)));
    poll_until(&mut desk, |desk| !desk.is_unsaved());
    desk.run(Command::Redo);
    drop(desk);

    let mut desk = desk_in(here.path());
    desk.run(Command::OpenProject(here.path().join("p.gloss")));
    assert!(desk.project().unwrap().document(DocId(0)).unwrap().annotation.flagged, "redone before, and in the file");
    for _ in 0..5 {
        desk.run(Command::Undo);
    }
    assert_eq!(desk.project().unwrap().documents().count(), 0, "to its beginning");
    // A project with a past of its own keeps it: the rows come in as one step.
    desk.run(Command::AddDocument("mine".to_owned()));
    assert_eq!(import_lines(&mut desk, &path), None);
    assert_eq!(desk.project().unwrap().documents().count(), 3);
    desk.run(Command::Undo);
    assert_eq!(desk.project().unwrap().documents().count(), 1);
}

#[test]
fn a_whole_project_that_the_disk_refuses_is_written_later_with_what_was_done_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (there, path) = written_out(folder.path());
    let here = tempfile::tempdir().unwrap();
    let mut desk = with_texts(here.path(), &[]);
    let in_the_way = here.path().join("p.gloss.new");
    std::fs::create_dir(&in_the_way).unwrap();
    import_lines(&mut desk, &path);
    poll_until(&mut desk, |desk| desk.notices().any(|notice| matches!(notice, Notice::Unsaved(_))));
    desk.run(Command::SetFlag { doc: DocId(1), to: true });
    assert!(desk.is_unsaved());
    std::fs::remove_dir(&in_the_way).unwrap();
    desk.run(Command::SetFlag { doc: DocId(0), to: true });
    poll_until(&mut desk, |desk| !desk.is_unsaved());
    let held = desk.project().unwrap().all_documents().to_vec();
    assert_ne!(held, there.project().unwrap().all_documents());
    drop(desk);
    let (documents, steps) = documents_in_file(here.path());
    assert_eq!((documents, steps), (held, 6));
}

#[test]
fn a_file_open_elsewhere_is_told_and_the_open_project_stays() {
    let folder = tempfile::tempdir().unwrap();
    let first = with_texts(folder.path(), &["x"]);
    let mut second = desk_in(folder.path());
    second.run(Command::OpenProject(folder.path().join("p.gloss")));
    assert!(second.project().is_none());
    assert!(second.notices().any(|notice| notice.level() == Level::Error), "{:?}", second.notices().collect::<Vec<_>>());
    drop(first);
    second.run(Command::OpenProject(folder.path().join("p.gloss")));
    assert!(second.project().is_some());
}

#[test]
fn the_sample_project_opens_with_its_labels() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = desk_in(folder.path());
    desk.run(Command::OpenSample);
    let project = desk.project().unwrap();
    let done = project.documents().filter(|doc| doc.annotation.state == State::Done).count();
    assert_eq!((project.documents().count(), done), (400, 300));
    assert!(project.documents().any(|doc| !doc.annotation.links.is_empty()));
    assert_eq!(desk.settings().last_project.as_deref(), Some(folder.path().join("sample.gloss").as_path()));
}
