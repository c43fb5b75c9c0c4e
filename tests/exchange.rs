//! What goes through files whole: attributes of spans, names of links and spans in pieces in every format that has room,
//! schema and guidelines in our own; files read piece by piece; what offsets count; the corpus of the fuzz targets.

#[path = "fuzz/targets.rs"]
mod targets;

use gloss::desk::{Command, Examining};
use gloss::project::{
    AttributeChange, AttributeKind, DocId, Document, Edit, LinkTypeChange, Polarity, Project, Schema, SchemaChange, Span, SpanId,
};
use gloss::store::export::{ExportFormat, export, export_watched, verify};
use gloss::store::formats::Unit;
use gloss::store::import::{self, Format, ImportOptions, Imported, Plan};
use gloss::store::{ProjectFile, StoreError, copies};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn read(path: &Path, options: &ImportOptions) -> Result<Imported, StoreError> {
    let read = import::read(path, options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()))?;
    Ok(read.expect("not cancelled"))
}

fn project_of(imported: Imported, schema: Schema) -> Project {
    let mut project = Project::new(schema);
    import::edits(&project, imported.drafts).0.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    project
}

/// A label Label Studio task, brat's standoff: each with attributes, named links and, where there are such, pieces.
const TASK: &str = r#"[{"id":1,"data":{"text":"屏幕👍 很好"},"annotations":[{"completed_by":1,"result":[
    {"id":"a","from_name":"label","to_name":"text","type":"labels","value":{"start":0,"end":2,"text":"屏幕","labels":["ASP"]}},
    {"id":"b","from_name":"label","to_name":"text","type":"labels","value":{"start":4,"end":6,"text":"很好","labels":["OPN"]}},
    {"id":"a","from_name":"part","to_name":"text","type":"choices","value":{"start":0,"end":2,"choices":["hardware"]}},
    {"id":"b","from_name":"strength","to_name":"text","type":"number","value":{"start":4,"end":6,"number":4}},
    {"id":"b","from_name":"sentiment","to_name":"text","type":"choices","value":{"start":4,"end":6,"choices":["Positive"]}},
    {"id":"b","from_name":"certain","to_name":"text","type":"choices","value":{"start":4,"end":6,"choices":["1"]}},
    {"from_id":"a","to_id":"b","type":"relation","direction":"right","labels":["has_opinion"]}]}]}]"#;

const TEXT: &str = "The fan is not\nvery 安静 👍 at all.\nFine .\n";
const STANDOFF: &str = concat!(
    "T1\tASP 4 7\tfan\nT2\tOPN 11 14;20 22\tnot 安静\nT3\tOPN 15 19;20 22\tvery 安静\nT4\tOPN 33 37;38 39\tFine .\nT5\tASP 8 14;15 19\tis not very\n",
    "A1\tPolarity T2 negative\nA2\tNegated T2\nA3\tConfidence T2 High\nA4\tLevel T3 2\nR1\thas_opinion Arg1:T1 Arg2:T2\nR2\tcontrasts Arg1:T2 Arg2:T4\n",
    "E1\tASP:T1 Holder:T4\n*\tEquiv T1 T4\n#1\tAnnotatorNotes T1\tsee\n",
);

/// The project that a file of another tool makes, with all that was said.
fn made(folder: &Path) -> Vec<Project> {
    let write = |name: &str, content: &str| {
        fs::write(folder.join(name), content).unwrap();
        folder.join(name)
    };
    write("a.txt", TEXT);
    [write("t.json", TASK), write("a.ann", STANDOFF)]
        .map(|path| project_of(read(&path, &ImportOptions::default()).unwrap(), Schema::default()))
        .into()
}

#[test]
fn what_is_said_of_spans_and_links_comes_in_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [studio, brat] = <[Project; 2]>::try_from(made(folder.path())).unwrap();
    let words = |project: &Project| -> Vec<String> {
        let (schema, doc) = (project.schema(), project.documents().next().unwrap());
        let said = &doc.annotation;
        let of = |id: &SpanId| said.spans[id].range.of(&doc.text).to_owned();
        let span = |(id, span): (&SpanId, &Span)| {
            let own = schema.attribute_words(span.label, said.attributes_of(*id));
            let own: String = own.into_iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{}{}{own}", of(id), span.polarity.map_or("", Polarity::mark))
        };
        let links = said
            .links
            .iter()
            .map(|link| format!("{} {} {}", of(&link.from), schema.link_types()[usize::from(said.link_type(link))].name, of(&link.to)));
        said.spans.iter().map(span).chain(links).collect()
    };
    assert_eq!(words(&studio), ["屏幕 part=hardware", "很好+ certain=1 strength=4", "屏幕 has_opinion 很好"]);
    let wanted = [
        "fan",
        "not- Confidence=High Negated=true",
        "安静",
        "very Level=2",
        "安静",
        "Fine",
        ".",
        "is not\nvery",
        "fan Equiv Fine",
        "fan Holder Fine",
        "fan has_opinion not",
        "not part 安静",
        "not contrasts Fine",
        "very part 安静",
        "Fine part .",
    ];
    let (mut found, mut wanted) = (words(&brat), wanted.map(str::to_owned).to_vec());
    found.sort();
    wanted.sort();
    assert_eq!(
        found.iter().filter(|words| !words.contains("fan ")).collect::<Vec<_>>(),
        wanted.iter().filter(|words| !words.contains("fan ")).collect::<Vec<_>>()
    );
    // Two links between the same spans are one: the second is said to be left out.
    assert_eq!(found.iter().filter(|words| words.starts_with("fan ")).count(), 2, "{found:?}");
}

#[test]
fn what_is_said_of_spans_and_links_goes_out_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (at, project) in made(folder.path()).iter().enumerate() {
        for format in [ExportFormat::Jsonl, ExportFormat::LabelStudio, ExportFormat::Brat, ExportFormat::WebAnno, ExportFormat::HuggingFace]
        {
            let path = folder.path().join(format!("{at}-{}", format.key()));
            let exported = export(project, format).unwrap();
            exported.write(&path).unwrap();
            let verified = verify(project, format, &path, &exported.losses).unwrap();
            let about_notes = |what: &str| what.contains("metadata") || what.contains("answer");
            let other: Vec<_> = verified.differences.iter().filter(|difference| !about_notes(&difference.loss.what)).collect();
            assert!(other.is_empty() && verified.is_as_said(), "{format:?}: {:#?}\n{:#?}", verified.sentences(), exported.sentences());
        }
    }
    // A span in pieces is one line again.
    let standoff = fs::read_to_string(folder.path().join("1-brat/0000001.ann")).unwrap();
    assert!(standoff.contains("\tOPN 11 14;20 22\tnot 安静\n"), "{standoff}");
}

#[test]
fn our_lines_carry_the_schema_and_the_guidelines() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = made(folder.path()).remove(0);
    let changes = [
        SchemaChange::SetHue { label: gloss::project::LabelId::Span(1), to: 7 },
        SchemaChange::Attribute {
            label: 0,
            change: AttributeChange::Add { name: "程度".into(), kind: AttributeKind::Values(vec!["高".into(), "低".into()]) },
        },
        SchemaChange::LinkType(LinkTypeChange::Add { name: "因为".into() }),
    ];
    for change in changes {
        let plan = before.plan(&change).unwrap();
        plan.edits.into_iter().for_each(|edit| drop(before.apply(edit).unwrap()));
    }
    before.apply(Edit::SetAnnotators { to: vec!["梅".into(), "Li".into()] }).unwrap();
    before.apply(Edit::SetGuidelines { to: "# 规则\n- short".into() }).unwrap();
    let path = folder.path().join("out.jsonl");
    let exported = export(&before, ExportFormat::Jsonl).unwrap();
    exported.write(&path).unwrap();
    assert!(exported.losses.is_empty());
    assert!(verify(&before, ExportFormat::Jsonl, &path, &[]).unwrap().is_identical());
    let back = project_of(read(&path, &ImportOptions::default()).unwrap(), Schema::default());
    assert_eq!(back.schema(), before.schema());
    assert_eq!((back.annotators(), back.guidelines()), (before.annotators(), before.guidelines()));
    assert_eq!(export(&back, ExportFormat::Jsonl).unwrap().bytes, exported.bytes);
    // A project that has names of its own keeps them; names that came are added.
    let own = project_of(read(&path, &ImportOptions::default()).unwrap(), Schema::with_names(&["odd"], &["aspect"]));
    assert_eq!(own.schema().questions[0].classes[0].name, "odd");
    assert!(own.schema().span_label("OPN").is_some() && own.guidelines().is_empty());
    // Anyone's field of this name stays a field.
    fs::write(&path, "{\"text\":\"a\",\"spans\":[],\"project\":\"Alpha\"}\n").unwrap();
    assert_eq!(read(&path, &ImportOptions::default()).unwrap().drafts[0].meta["project"], "Alpha");
}

#[test]
fn our_lines_bring_the_journal_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = Project::new(Schema::default());
    let mut history = gloss::project::History::default();
    let documents: Vec<_> = (0..4).map(|at| gloss::project::Document::new(gloss::project::DocId(at), format!("第{at}条"))).collect();
    let doc = gloss::project::DocId(2);
    let steps = [
        vec![Edit::AddDocuments { first: gloss::project::DocId(0), count: 4, documents }],
        vec![Edit::SetFlag { doc, to: true }],
        vec![Edit::SetPresent { first: gloss::project::DocId(1), count: 1, to: false }],
        vec![Edit::SetState { doc, to: gloss::project::State::Done }],
    ];
    for (at, edits) in steps.into_iter().enumerate() {
        history.commit(&mut project, format!("step {at}"), "梅".into(), at as i64, edits).unwrap();
    }
    history.undo(&mut project).unwrap().unwrap();
    let path = folder.path().join("out.jsonl");
    gloss::store::export::export_with(&project, Some(&history), ExportFormat::Jsonl).unwrap().write(&path).unwrap();
    let preview = import::preview(&path, None).unwrap();
    let columns: Vec<&str> = preview.columns.iter().map(String::as_str).collect();
    assert_eq!((preview.is_own, preview.is_annotated(), columns.as_slice()), (true, true, ["text", "class", "spans"].as_slice()));
    assert_eq!(preview.rows, [["第0条", "", ""], ["第2条", "", ""], ["第3条", "", ""]]);
    let imported = read(&path, &ImportOptions::default()).unwrap();
    assert_eq!(imported.drafts.len(), 3);
    let fresh = Project::new(Schema::default());
    let empty = gloss::project::History::default();
    let Plan::Restore(back) = import::plan(&fresh, &empty, imported.clone()).0 else { panic!("the journal comes along") };
    assert_eq!(back.project.all_documents(), project.all_documents());
    assert_eq!((back.history.done(), back.history.undone()), (history.done(), history.undone()));
    // In the file too, in one moment.
    let file = ProjectFile::create(&folder.path().join("p.gloss"), &Schema::default()).unwrap();
    let entries: Vec<_> = back.history.entries().collect();
    drop(file.replace(&back.project, &entries).unwrap());
    let opened = ProjectFile::open(&folder.path().join("p.gloss")).unwrap();
    assert_eq!(opened.project.all_documents(), project.all_documents());
    assert_eq!((opened.history.done(), opened.history.undone()), (history.done(), history.undone()));
    // Not where the rows were changed so that a step no longer fits, nor into a project with a past.
    let edits = |history: &gloss::project::History, imported| match import::plan(&fresh, history, imported).0 {
        Plan::Restore(_) => panic!("this journal does not fit"),
        Plan::Edits(edits) => edits,
    };
    let Some(Edit::AddDocuments { count: 3, documents, .. }) = edits(&opened.history, imported).pop() else { panic!("three come in") };
    let cut = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
    fs::write(&path, cut).unwrap();
    let mut alone = edits(&empty, read(&path, &ImportOptions::default()).unwrap());
    assert!(matches!(alone.pop(), Some(Edit::AddDocuments { count: 1, documents: same, .. }) if same == documents[..1]));
    let mut taken = fresh.clone();
    alone.into_iter().for_each(|edit| drop(taken.apply(edit).unwrap()));
}

/// Blocks of four megabytes end anywhere: within a quoted cell, between the halves of a line end or of a character.
#[test]
fn files_are_read_piece_by_piece() {
    let folder = tempfile::tempdir().unwrap();
    for (encoding, shift) in [(encoding_rs::UTF_8, 0), (encoding_rs::UTF_8, 1), (encoding_rs::GB18030, 0), (encoding_rs::GB18030, 1)] {
        let mut csv = format!("n,text\r\n{},起\r\n", "x".repeat(shift));
        let mut texts = vec!["起".to_owned()];
        while csv.len() < 13 << 20 {
            let text = format!("第{}条，\"好\"\r\n{}", texts.len(), "屏幕很清晰👍 ".repeat(texts.len() % 97));
            csv += &format!("{},\"{}\"\r\n", texts.len(), text.replace('"', "\"\""));
            texts.push(text);
        }
        let path = folder.path().join("a.csv");
        fs::write(&path, encoding.encode(&csv).0).unwrap();
        let read = read(&path, &ImportOptions::default()).unwrap();
        assert_eq!(read.report.encoding, if encoding == encoding_rs::UTF_8 { "UTF-8" } else { "GB18030" });
        assert!(read.report.issues.is_empty(), "{:?}", &read.report.issues[..1]);
        assert!(read.drafts.iter().map(|draft| draft.text.as_str()).eq(texts.iter().map(String::as_str)));
    }
}

/// A row without end is passed over and named; those around it come in. Nothing more than it may be long is kept of it.
#[test]
fn a_row_without_end_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let long = "很长".repeat((70 << 20) / 6);
    for (name, before, open, close, after) in [
        ("a.csv", "text,n\nfirst,1\n", "\"", "\",2\n", "last,3\n"),
        ("a.csv", "text,n\nfirst,1\n", "", "\r\n", "last,3\n"),
        ("a.txt", "first\n", "", "\n", "last\n"),
        ("a.jsonl", "{\"text\":\"first\"}\n", "{\"text\":\"", "\"}\n", "{\"text\":\"last\"}\n"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, format!("{before}{open}{long}{close}{after}")).unwrap();
        let format = Format::parse(name.rsplit('.').next().unwrap()).or(Some(Format::Text));
        let imported = read(&path, &ImportOptions { format, ..ImportOptions::default() }).unwrap();
        let texts: Vec<&str> = imported.drafts.iter().map(|draft| draft.text.as_str()).collect();
        assert_eq!(texts, ["first", "last"], "{name}");
        assert!(imported.report.issues[0].reason.contains("longer than 64 MB"), "{:?}", imported.report.issues);
        assert_eq!((imported.report.rows, imported.report.skipped), (3, 1));
    }
}

/// Every format stops where it is told to, and says how far it is before.
#[test]
fn an_export_is_watched_and_ended() {
    let mut project = Project::new(Schema::with_names(&["positive", "negative"], &["aspect"]));
    let documents: Vec<Document> = (0..2_000).map(|at| Document::new(DocId(at), format!("第{at}条，屏幕👍很好"))).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }).unwrap();
    for format in ExportFormat::ALL {
        let mut shares = Vec::new();
        let whole = export_watched(&project, None, format, &mut |share| {
            shares.push(share);
            ControlFlow::Continue(())
        });
        let (whole, alone) = (whole.unwrap().unwrap(), export(&project, format).unwrap());
        assert_eq!((whole.documents, whole.losses), (alone.documents, alone.losses), "{format:?}");
        assert!(!shares.is_empty() && shares.is_sorted() && *shares.last().unwrap() <= 1.0, "{format:?} {shares:?}");
        let mut told = 0;
        let ended = export_watched(&project, None, format, &mut |_| {
            told += 1;
            ControlFlow::Break(())
        });
        assert!(ended.unwrap().is_none() && told == 1, "{format:?}");
    }
}

#[test]
fn a_person_says_what_offsets_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.jsonl");
    // Under both units each span stands well.
    fs::write(&path, "{\"text\":\"👍屏幕屏幕屏幕\",\"label\":[[3,5,\"ASP\"]]}\n").unwrap();
    let preview = import::preview(&path, None).unwrap();
    assert_eq!(preview.unit, Some("UTF-16 units"), "what doccano counts");
    assert!(preview.unit_doubt.as_deref().unwrap().contains("code points would fit as well"), "{:?}", preview.unit_doubt);
    let words = |unit: Option<Unit>| {
        let imported = read(&path, &ImportOptions { unit, ..ImportOptions::default() }).unwrap();
        let said = imported.drafts[0].annotation.clone().unwrap();
        (said.spans[0].range.chars(&imported.drafts[0].text), imported.report.spans.unwrap().unit_doubt.is_some())
    };
    assert_eq!(words(None), (2..4, true));
    assert_eq!(words(Some(Unit::CodePoints)), (3..5, false));
    assert_eq!(words(Some(Unit::Utf16)), (2..4, false));
}

#[test]
fn a_project_is_copied_and_archived_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.gloss");
    let project = made(folder.path()).remove(0);
    let held = ProjectFile::create_filled(&path, &project, &[]).unwrap();
    let run = folder.path().join("p.runs/run-0001");
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("notes.txt"), "n").unwrap();
    let (copy, packed, back) = (folder.path().join("c.gloss"), folder.path().join("p.zip"), folder.path().join("b.gloss"));
    let open = copies::Held { path: path.clone(), project: project.clone(), entries: Vec::new() };
    copies::duplicate_open(&open, &copy).unwrap();
    assert_eq!(copies::archive_open(&open, &packed, true).unwrap(), 2);
    drop(held);
    copies::unarchive(&packed, &back).unwrap();
    for other in [&copy, &back] {
        let opened = ProjectFile::open(other).unwrap();
        assert_eq!(opened.project.all_documents(), project.all_documents());
        assert_eq!(fs::read_to_string(other.with_extension("runs").join("run-0001/notes.txt")).unwrap(), "n");
    }
    assert!(matches!(copies::duplicate_open(&open, &copy), Err(StoreError::Exists { .. })));
    assert!(!folder.path().join("p.zip.project").exists());
}

#[test]
fn the_window_copies_archives_and_opens_an_archive() {
    use crate::ui_frame::{run_until, type_in, with_project};
    use eframe::egui::accesskit::Role;
    use egui_kittest::kittest::Queryable;
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_project(folder.path());
    window.key_combination_modifiers(eframe::egui::Modifiers::COMMAND, &[eframe::egui::Key::Num5]);
    window.run();
    let documents = window.state().desk().project().unwrap().documents().count();
    for (button, name) in [("Duplicate…", "again.gloss"), ("Archive in one file…", "all.zip")] {
        window.get_by_label("A copy to share…").click();
        window.run();
        window.get_by_label(button).click();
        window.run();
        let path = folder.path().join(name);
        type_in(&mut window, "Path of the file", &path.display().to_string());
        window.get_by_role_and_label(Role::Button, "Save").click();
        window.run_steps(2);
        run_until(&mut window, "the copy", |app| matches!(app.desk().examining(), Examining::Idle) && path.exists());
    }
    window.state_mut().run(Command::OpenProject(folder.path().join("all.zip")));
    let unpacked = folder.path().join("all.gloss");
    run_until(&mut window, "the archive", |app| app.desk().path() == Some(&unpacked));
    assert_eq!(window.state().desk().project().unwrap().documents().count(), documents);
}

#[test]
fn remarks_are_said_in_chinese_too() {
    use gloss::desk::Language;
    use gloss::ui::i18n::remark;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, "text,label\n,x\n好,x,y\n").unwrap();
    let said = |reason: &str| remark(Language::Chinese, &|| String::new(), (7, reason, false));
    let report =
        read(&path, &ImportOptions { label: Some(import::Column::Name("label".into())), ..ImportOptions::default() }).unwrap().report;
    assert_eq!(
        report.issues.iter().map(|issue| said(&issue.reason)).collect::<Vec<_>>(),
        ["第 7 行：文本为空。", "第 7 行：有 3 列，而表头有 2 列。"]
    );
    let loss = "is the first of 3 places where an aspect has the polarity \"conflict\", which has no counterpart; it came without (food)";
    assert_eq!(said(loss), "第 7 行：共 3 处，这里是第一处：方面的极性 \"conflict\" 没有对应项，不带极性导入（food）。");
    assert_eq!(said("is something new"), "第 7 行：is something new。");
    let english = remark(Language::English, &|| report.issues[0].sentence("a.csv"), (2, "has an empty text", true));
    assert_eq!(english, "Row 2 of a.csv has an empty text. The row was skipped.");
}

/// Every input that a fuzzer found worth keeping, and every one that it broke something with.
#[test]
fn the_corpus_breaks_nothing() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut count = 0;
    for (name, _) in targets::TARGETS {
        let files = fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            count += 1;
            targets::run(name, &fs::read(path).unwrap());
        }
    }
    targets::clean();
    assert!(count > 12, "{count} files");
}

#[test]
fn what_is_odd_about_spans_is_said_with_all_its_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let rows = [
        r#"{"text":"屏幕很好看","label":[[0,2,"A"],[1,4,"B"],[3,5,"B"]]}"#,
        r#"{"text":"The fan  is loud","label":[[3,7,"A"],[4,7,"B"]]}"#,
        r#"{"text":"a nice one","label":[[2,60,"A"]]}"#,
    ];
    fs::write(&path, rows.join("\n")).unwrap();
    let imported = read(&path, &ImportOptions::default()).unwrap();
    let losses = &imported.report.spans.as_ref().unwrap().losses;
    let places = |part: &str| {
        let found = losses.iter().find(|loss| loss.what.contains(part)).unwrap_or_else(|| panic!("{part} in {losses:#?}"));
        (found.count, found.all().map(|(row, _)| row).collect::<Vec<_>>())
    };
    assert_eq!(places("overlaps another"), (3, vec![1, 1, 2]));
    assert_eq!(places("white space"), (1, vec![2]));
    assert_eq!(places("beyond the end"), (1, vec![3]));
    let list = folder.path().join("list.csv");
    imported.report.save_issues(&list).unwrap();
    let list = fs::read_to_string(&list).unwrap();
    assert_eq!(list.matches("overlaps another").count(), 3, "{list}");
    let numbers: Vec<usize> = list.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "{list}");

    // On the way out each span that has to give way is named, in the report and in its list.
    let exported = export(&project_of(imported, Schema::default()), ExportFormat::Conll).unwrap();
    let said = exported.sentences().join("\n");
    assert!(
        said.contains("2 × a span that overlaps another") && said.contains("first in document 1") && said.contains(", then in 2"),
        "{said}"
    );
    let list = folder.path().join("losses.csv");
    gloss::store::export::save_losses(&exported.losses, &list).unwrap();
    assert_eq!(fs::read_to_string(&list).unwrap().matches("a span that overlaps another").count(), 2);

    // Two aspects that a file puts at one place are two, where their words are.
    let xml = r#"<sentences><sentence id="1"><text>sleek, modern and a menu</text><aspectTerms>
        <aspectTerm term="modern" polarity="positive" from="20" to="24"/><aspectTerm term="menu" polarity="positive" from="20" to="24"/>
        <aspectTerm term="menu" polarity="positive" from="20" to="24"/></aspectTerms></sentence></sentences>"#;
    let path = folder.path().join("a.xml");
    fs::write(&path, xml).unwrap();
    let imported = read(&path, &ImportOptions::default()).unwrap();
    let spans = imported.report.spans.unwrap();
    assert_eq!((spans.kept, spans.clipped, spans.dropped), (1, 1, 0), "{:#?}", spans.losses);
    assert!(spans.losses.iter().any(|loss| loss.what == "an aspect is stated again; its span stands once"), "{:#?}", spans.losses);
}
