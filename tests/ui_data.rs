//! The Data place through the window: how a file is read and what its columns are, the check before anything comes in, the
//! list of remarks; exports with what they lose and the round trip.

use crate::ui_frame::{run_until, type_in, with_project};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Examining, Exporting, Importing, Language};
use gloss::ui::{App, Place};

/// Opens the list of a combo box and chooses from it.
fn choose(window: &mut Harness<'_, App>, combo: &str, entry: &str) {
    window.get_by_role_and_label(Role::ComboBox, combo).click();
    window.run();
    window.get_by_role_and_label(Role::Button, entry).click();
    window.run_steps(2);
}

#[test]
fn a_file_is_checked_before_it_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("评论.csv");
    let csv = "內容;s;誰\n很好，便宜;1;王\n太貴;0;Li\n太貴;0;王\n;1;王\n";
    std::fs::write(&file, encoding_rs::BIG5.encode(csv).0).unwrap();
    let mut window = with_project(folder.path());
    window.state_mut().run(Command::PreviewImport { path: file.clone(), header: None });
    run_until(&mut window, "the preview", |app| matches!(app.desk().importing(), Importing::Preview { .. }));
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::Num5]);
    window.run();
    let is_of = |format: &'static str| move |app: &App| matches!(app.desk().importing(), Importing::Preview { preview, .. } if preview.format.name() == format);
    choose(&mut window, "Format", "plain text");
    run_until(&mut window, "the preview as lines", is_of("plain text"));
    choose(&mut window, "Format", "CSV");
    run_until(&mut window, "the preview as it was", is_of("CSV"));
    choose(&mut window, "Encoding", "Big5");
    run_until(
        &mut window,
        "the preview",
        |app| matches!(app.desk().importing(), Importing::Preview { preview, .. } if preview.encoding == "Big5"),
    );
    choose(&mut window, "誰", "annotator");
    choose(&mut window, "s", "label");
    window.run();
    type_in(&mut window, "1 as", "positive");
    type_in(&mut window, "0 as", "negative");
    let revision = window.state().desk().project().unwrap().revision();
    window.get_by_label("Check first").click();
    run_until(&mut window, "the check", |app| matches!(app.desk().importing(), Importing::Checked { .. }));
    window.get_by_label("What importing 评论.csv would do");
    window.get_by_label_contains("has an empty text");
    assert_eq!(window.state().desk().project().unwrap().revision(), revision, "nothing has changed");
    window.get_by_label("Save the list…").click();
    window.run();
    let list = folder.path().join("list.csv");
    type_in(&mut window, "Path of the file", &list.display().to_string());
    window.get_by_role_and_label(Role::Button, "Save").click();
    window.run_steps(3);
    assert!(std::fs::read_to_string(&list).unwrap().contains("has an empty text"));
    window.get_by_label("Import 2 documents").click();
    run_until(&mut window, "the report", |app| matches!(app.desk().importing(), Importing::Report { .. }));
    let project = window.state().desk().project().unwrap();
    assert_eq!(project.documents().count(), 5);
    assert_eq!(project.annotators().len(), 2);
    let answered: Vec<_> = project.documents().filter_map(|doc| doc.annotation.class(gloss::project::QuestionId(0))).collect();
    assert_eq!(answered, [2, 0]);
}

#[test]
fn an_export_says_what_it_loses_and_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.state_mut().run(Command::SetFlag { doc: gloss::project::DocId(0), to: true });
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::E]);
    window.run_steps(2);
    run_until(&mut window, "the plan", |app| matches!(app.desk().exporting(), Exporting::Planned(_)));
    assert_eq!(window.state().place(), Place::Data);
    window.get_by_label("This format holds everything");
    window.get_by_role_and_label(Role::RadioButton, "doccano").click();
    window.run_steps(2);
    run_until(&mut window, "the plan", |app| matches!(app.desk().exporting(), Exporting::Planned(planned) if !planned.losses.is_empty()));
    window.get_by_label_contains("1 × a flag, first in document 1");
    window.get_by_label("Write a file of our own beside it that holds everything").click();
    window.run();
    window.get_by_role_and_label(Role::Button, "Export…").click();
    window.run();
    let file = folder.path().join("out.jsonl");
    type_in(&mut window, "Path of the file", &file.display().to_string());
    window.get_by_role_and_label(Role::Button, "Export").click();
    run_until(&mut window, "the file", |app| matches!(app.desk().exporting(), Exporting::Written(_)));
    window.get_by_label("Read back: different only where it was said");
    assert!(file.is_file() && folder.path().join("out.jsonl.gloss.jsonl").is_file());
    window.get_by_label("Close").click();
    window.run();
    assert!(matches!(window.state().desk().exporting(), Exporting::Idle));

    // The same in Chinese, into a folder that is taken.
    window.state_mut().run(Command::SetLanguage(Language::Chinese));
    window.state_mut().run(Command::PlanExport(gloss::desk::ExportFormat::Brat));
    run_until(&mut window, "the plan", |app| matches!(app.desk().exporting(), Exporting::Planned(_)));
    window.get_by_label_contains("1 处旗标，首见于第 1 条");
    window.get_by_role_and_label(Role::Button, "导出…").click();
    window.run();
    type_in(&mut window, "文件夹路径", &folder.path().display().to_string());
    window.get_by_role_and_label(Role::Button, "导出").click();
    run_until(&mut window, "the refusal", |app| matches!(app.desk().exporting(), Exporting::Failed { .. }));
}

#[test]
fn duplicates_are_found_and_a_copy_is_made_without_names() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    for text in ["王小明说房间很干净，早餐也很好吃，打 138-0013-8000", "王小明说房间很干净，早餐也很好吃，打 138-0013-8000！"]
    {
        window.state_mut().run(Command::AddDocument(text.to_owned()));
    }
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::Num5]);
    window.run();
    window.get_by_label("Duplicates and statistics").click();
    run_until(&mut window, "the figures", |app| matches!(app.desk().examining(), Examining::Done(_)));
    window.get_by_label("1 groups, 1 documents beside the first of each");
    window.get_by_label_contains("different pieces");
    window.get_by_label("Link to the first").click();
    window.run();
    let comments: Vec<String> = window
        .state()
        .desk()
        .project()
        .unwrap()
        .documents()
        .flat_map(|doc| doc.comments.values())
        .map(|comment| comment.text.clone())
        .collect();
    assert_eq!(comments, ["Nearly the same as document 4"]);
    window.get_by_label("Duplicates and statistics").click();
    run_until(&mut window, "the figures", |app| matches!(app.desk().examining(), Examining::Done(_)));
    window.get_by_label("Take out all but the first").click();
    window.run();
    assert_eq!(window.state().desk().project().unwrap().documents().count(), 4);
    window.state_mut().run(Command::Undo);
    assert_eq!(window.state().desk().project().unwrap().documents().count(), 5);

    window.get_by_label("A copy to share…").click();
    window.run();
    window.get_by_role_and_label(Role::MultilineTextInput, "Names, one a line").focus();
    window.run();
    window.get_by_role_and_label(Role::MultilineTextInput, "Names, one a line").type_text("王小明");
    window.run();
    window.get_by_label("Keep a key beside the copy that brings the words back; don't share the key").click();
    window.run();
    window.get_by_label("Make the copy…").click();
    window.run();
    let path = folder.path().join("copy");
    type_in(&mut window, "Path of the file", &path.display().to_string());
    window.get_by_role_and_label(Role::Button, "Save").click();
    window.run_steps(2);
    run_until(&mut window, "the copy", |app| {
        path.with_extension("key.json").is_file() && matches!(app.desk().examining(), Examining::Idle)
    });
    let (copy, _) = gloss::store::read_project(&path.with_extension("gloss")).unwrap();
    let texts: Vec<&str> = copy.documents().map(|doc| &*doc.text).collect();
    assert_eq!(texts[3], "[NAME-1]说房间很干净，早餐也很好吃，打 [PHONE-1]");
}
