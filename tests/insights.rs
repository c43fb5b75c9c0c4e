//! What is talked about: terms in groups, what was said about them, by column and by month; and the place that shows it.

use super::stage::{Stage, draw_until, tiny, train};
use eframe::egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use gloss::desk::Command;
use gloss::project::{
    DocId, Document, Edit, Link, Polarity, Project, Schema, SchemaChange, Span, SpanId, TermGroups, TextRange, group_names, spelling,
    term_of,
};
use gloss::ui::panes::insights::{Aspect, InsightsPane, Summary, month, quote};
use std::collections::BTreeMap;

#[test]
fn spellings_have_something_in_common() {
    let same = |words: &[&str]| {
        let keys: Vec<String> = words.iter().map(|word| spelling(&term_of(word))).collect();
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{words:?}: {keys:?}");
    };
    same(&["Screen", "screens", " SCREEN "]);
    same(&["battery", "batteries"]);
    same(&["touch-pad", "touch pad", "touchpad"]);
    same(&["WiFi", "ＷｉＦｉ", "wi-fi"]);
    same(&["房间", " 房 间 "]);
    same(&["dish", "dishes"]);
    same(&["cafe\u{301}", "cafe"]);
    for (one, other) in [("glass", "glas"), ("房间", "房价"), ("bus", "bu"), ("5g", "4g"), ("👨🏻‍🚒", "👩")] {
        assert_ne!(spelling(one), spelling(other), "{one} {other}");
    }
}

#[test]
fn a_group_has_the_name_people_gave_it_or_its_most_frequent_spelling() {
    let counts: BTreeMap<String, usize> =
        [("screen", 2), ("screens", 5), ("display", 1), ("房间", 3), ("客房", 1)].map(|(term, count)| (term.to_owned(), count)).into();
    let names = |groups: &[(&str, &str)]| {
        let groups: TermGroups = groups.iter().map(|(term, name)| ((*term).to_owned(), (*name).to_owned())).collect();
        group_names(&counts, &groups).into_values().collect::<Vec<_>>()
    };
    // In the order of the terms: display, screen, screens, 客房, 房间.
    assert_eq!(names(&[]), ["display", "screens", "screens", "客房", "房间"]);
    assert_eq!(names(&[("客房", "房间"), ("display", "screens")]), ["screens", "screens", "screens", "房间", "房间"]);
    assert_eq!(names(&[("screen", "screen")]), ["display", "screen", "screens", "客房", "房间"], "one that names itself stands alone");
}

const TEXTS: [(&str, &str, &str); 4] = [
    ("屏幕很亮", "屏幕", "很亮"),
    ("The Screen is dim", "Screen", "dim"),
    ("screens are bright", "screens", "bright"),
    ("a bright screen, at last", "screen", "bright"),
];

fn project() -> Project {
    let mut project = Project::new(Schema::default());
    let document = |(id, (text, ..)): (u32, &(&str, &str, &str))| {
        let mut document = Document::new(DocId(id), *text);
        document.meta = [("date", format!("2025-{:02}-03", 1 + id / 2)), ("domain", "phone".to_owned())].into_iter().collect();
        document
    };
    let documents: Vec<Document> = (0..).zip(&TEXTS).map(document).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: 4, documents }).unwrap();
    for (id, (text, aspect, opinion)) in (0..).zip(TEXTS) {
        let range = |words: &str| TextRange::new(text, text.find(words).unwrap()..text.find(words).unwrap() + words.len()).unwrap();
        let polarity = Some(if opinion == "dim" { Polarity::Negative } else { Polarity::Positive });
        let spans = [Span { range: range(aspect), label: 0, polarity: None }, Span { range: range(opinion), label: 1, polarity }];
        for (at, span) in (0..).zip(spans) {
            project.apply(Edit::PutSpan { doc: DocId(id), id: SpanId(at), span }).unwrap();
        }
        project.apply(Edit::PutLink { doc: DocId(id), link: Link { from: SpanId(1), to: SpanId(0) } }).unwrap();
    }
    project
}

fn change(project: &mut Project, terms: &[&str], name: &str) {
    let terms = terms.iter().map(|term| (*term).to_owned()).collect();
    let plan = project.plan(&SchemaChange::GroupTerms { terms, name: name.to_owned() }).unwrap();
    assert!(!plan.changes_answers());
    plan.edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
}

#[test]
fn aspects_in_groups_with_what_was_said() {
    let mut project = project();
    let aspects = |project: &Project| Summary::of(project).aspects;
    let rows = |aspects: &[Aspect]| aspects.iter().map(|a| (a.term.clone(), a.count, a.net())).collect::<Vec<_>>();
    let found = aspects(&project);
    assert_eq!(rows(&found), [("screen".to_owned(), 3, 1.0 / 3.0), ("屏幕".to_owned(), 1, 1.0)]);
    assert_eq!(found[0].members, [("screen".to_owned(), 2), ("screens".to_owned(), 1)]);
    let said: Vec<_> = found[0].said.iter().map(|(words, polarity, count)| (words.as_str(), *polarity, *count)).collect();
    assert_eq!(said, [("bright", Some(Polarity::Positive), 2), ("dim", Some(Polarity::Negative), 1)]);
    // The opinion said most, the shortest text first.
    let typical: Vec<u32> = found[0].typical(3, |doc| TEXTS[doc.0 as usize].0.len()).iter().map(|mention| mention.doc.0).collect();
    assert_eq!(typical, [2, 3, 1]);
    // By month.
    let date = |doc: DocId| month(project.document(doc)?.meta.get("date")?);
    let parts: Vec<_> =
        found[0].by(date).into_values().map(|part| (part.term.clone(), part.count, part.documents.len(), part.net())).collect();
    assert_eq!(parts, [("2025-01".to_owned(), 1, 1, -1.0), ("2025-02".to_owned(), 2, 2, 1.0)]);

    change(&mut project, &["屏幕", "screen", "screens"], " 屏幕 Screen ");
    assert_eq!(rows(&aspects(&project)), [("屏幕 Screen".to_owned(), 4, 0.5)]);
    change(&mut project, &["screens"], "screens");
    assert_eq!(rows(&aspects(&project)), [("屏幕 Screen".to_owned(), 3, 1.0 / 3.0), ("screens".to_owned(), 1, 1.0)]);
    change(&mut project, &["screens", "screen", "屏幕"], "");
    assert_eq!(aspects(&project), found, "back to what spelling says");
}

#[test]
fn groups_are_kept_undone_and_read_from_old_projects() {
    let mut project = project();
    let before = project.schema().clone();
    let plan = project.plan(&SchemaChange::GroupTerms { terms: vec!["屏幕".to_owned()], name: "screen".to_owned() }).unwrap();
    let inverse: Vec<Edit> = plan.edits.into_iter().map(|edit| project.apply(edit).unwrap()).collect();
    let text = serde_json::to_string(project.schema().as_ref() as &Schema).unwrap();
    let back: Schema = serde_json::from_str(&text).unwrap();
    assert_eq!(back.term_groups.get("屏幕").map(String::as_str), Some("screen"));
    inverse.into_iter().rev().for_each(|edit| drop(project.apply(edit).unwrap()));
    assert_eq!(project.schema(), &before);
    let old: Schema = serde_json::from_str(r#"{"questions":[],"span_labels":[]}"#).unwrap();
    assert!(old.term_groups.is_empty());
}

#[test]
fn months_and_quotes() {
    for (value, wanted) in [
        ("2025-02-18", Some("2025-02")),
        ("2025/2/8 10:00", Some("2025-02")),
        ("2025年3月", Some("2025-03")),
        ("2025", None),
        ("18.02.2025", None),
        ("hotel", None),
        ("2025-13-01", None),
        ("", None),
    ] {
        assert_eq!(month(value).as_deref(), wanted, "{value}");
    }
    let text = "一二三\r\n屏幕👨🏻‍🚒很好 and more";
    let start = text.find('屏').unwrap();
    assert_eq!(quote(text, start, start + 6, 2), "… 屏幕👨🏻…");
    assert_eq!(quote(text, start, start + 6, 99), "一二三 屏幕👨🏻‍🚒很好 and more");
}

fn place() -> Harness<'static, Stage<InsightsPane>> {
    let mut harness = Stage::with_reviews(30).harness(InsightsPane::ui);
    harness.run_steps(3);
    harness
}

fn counted(harness: &Harness<'_, Stage<InsightsPane>>) -> Vec<(String, usize)> {
    let project = harness.state().desk.project().unwrap();
    Summary::of(project).aspects.into_iter().map(|aspect| (aspect.term, aspect.count)).collect()
}

#[test]
fn a_term_unfolds_and_is_renamed_joined_and_parted() {
    let mut harness = place();
    assert!(harness.query_by_label("Name of the group").is_none());
    harness.get_by_label("What was said about screen").click();
    harness.run_steps(3);
    let field = harness.get_by_label("Name of the group");
    field.focus();
    harness.run_steps(2);
    harness.get_by_label("Name of the group").type_text("屏幕");
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Rename").click();
    harness.run_steps(3);
    assert!(counted(&harness).iter().any(|(term, count)| term.contains("屏幕") && *count == 6), "{:?}", counted(&harness));
    harness.state_mut().desk.run(Command::ChangeSchema(Box::new(SchemaChange::GroupTerms {
        terms: vec!["screen".to_owned(), "battery".to_owned()],
        name: "device".to_owned(),
    })));
    harness.run_steps(3);
    assert!(counted(&harness).contains(&("device".to_owned(), 12)));
    harness.get_by_label("What was said about device").click();
    harness.run_steps(3);
    harness.get_by_label("Count battery by itself").click();
    harness.run_steps(3);
    assert!(counted(&harness).contains(&("battery".to_owned(), 6)) && counted(&harness).contains(&("device".to_owned(), 6)));
    harness.state_mut().desk.run(Command::Undo);
    assert!(counted(&harness).contains(&("device".to_owned(), 12)));
}

#[test]
fn a_model_finds_terms_that_are_used_alike() {
    let mut harness = place();
    // Without a model there is nothing to compare by.
    harness.state_mut().desk.run(Command::FindSimilarTerms(vec!["screen".to_owned()]));
    assert!(harness.state().desk.similar_terms().error.is_some());
    train(&mut harness, tiny());
    harness.get_by_label("Find terms that mean the same").click();
    harness.run_steps(2);
    draw_until(&mut harness, |stage| stage.desk.similar_terms().found.is_some() && !stage.desk.similar_terms().is_working());
    let desk = &harness.state().desk;
    let found = desk.similar_terms().found.clone().unwrap();
    assert!(desk.similar_terms().error.is_none() && found.iter().all(|group| group.len() > 1));
    if let Some(group) = found.first().cloned() {
        harness.state_mut().desk.run(Command::DismissSimilar(group.clone()));
        assert!(!harness.state().desk.similar_terms().found.as_ref().unwrap().contains(&group));
    }
}

#[test]
fn a_starved_label_is_said_in_the_window_and_not_before_there_is_enough_to_tell() {
    let mut harness = Stage::<InsightsPane>::with_reviews(30).harness(InsightsPane::ui);
    harness.run_steps(3);
    let words = "neutral was given only 0 times: search for more of it, or a model will hardly learn it";
    harness.get_by_label(words);
    harness.state_mut().desk.run(Command::SetClass { doc: DocId(0), class: None });
    harness.run_steps(3);
    assert!(harness.query_by_label(words).is_none(), "twenty-nine answers tell nothing");
    // Given often enough, it is not starved.
    for doc in 0..6 {
        harness.state_mut().desk.run(Command::SetClass { doc: DocId(doc), class: Some(1) });
    }
    harness.run_steps(3);
    assert!(harness.query_all_by_label_contains("was given only").next().is_none());
}

/// More documents than a frame counts.
#[test]
fn many_documents_are_counted_over_several_frames() {
    let mut stage = Stage::<InsightsPane>::with_reviews(2);
    let lines: String = (0..20_000).map(|at| format!("第{at}条评论\n")).collect();
    let path = stage.desk.path().unwrap().with_file_name("many.txt");
    std::fs::write(&path, lines).unwrap();
    let options = gloss::desk::ImportOptions { header: false, text: gloss::desk::Column::Number(1), ..Default::default() };
    stage.desk.run(Command::Import { path, options: Box::new(options) });
    crate::desk::poll_until(&mut stage.desk, |desk| matches!(desk.importing(), gloss::desk::Importing::Report { .. }));
    let mut harness = stage.harness(InsightsPane::ui);
    harness.run_steps(4);
    harness.get_by_label("to do: 20000 · 100 %");
    // Counting anew takes three frames; what was counted before stays until then.
    harness.state_mut().desk.run(Command::SetFlag { doc: DocId(5), to: true });
    harness.run_steps(1);
    harness.get_by_label("flagged: 0 · 0 %");
    harness.run_steps(4);
    harness.get_by_label("flagged: 1 · 0 %");
}
