//! What once went missing without a word on the way in or out: each is kept now, or said.

use crate::formats::words;
use gloss::project::{
    Annotation, Answer, Class, DocId, Document, Edit, Kind as Asks, Polarity, Project, Question, QuestionId, Schema, Span, SpanId,
    TextRange,
};
use gloss::store::export::{ExportFormat, export, verify};
use gloss::store::formats::Kind;
use gloss::store::import::{self, Column, Draft, Format, ImportOptions, Imported};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;

fn read_with(name: &str, content: impl AsRef<[u8]>, options: &ImportOptions, existing: &HashSet<u64>) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    import::read(&path, options, existing, &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap()
}

fn read(name: &str, content: impl AsRef<[u8]>) -> Imported {
    read_with(name, content, &ImportOptions::default(), &HashSet::new())
}

fn remarks(imported: &Imported) -> Vec<String> {
    imported.report.issues.iter().map(|issue| issue.sentence("f")).collect()
}

fn answers(draft: &Draft) -> Vec<String> {
    draft.annotation.iter().flat_map(|said| &said.answers).map(|(name, answer)| format!("{name}={}", words(answer))).collect()
}

/// One odd value in a row of ours is said; it does not turn the other annotations into metadata.
#[test]
fn a_row_of_ours_with_an_odd_value() {
    let row = |answers: &str, start: &str| {
        format!(
            "{{\"text\":\"1 good screen 很好👍\",\"answers\":{answers},\"spans\":[{{\"id\":0,\"start\":{start},\"end\":13,\"label\":\"aspect\",\"polarity\":null}}],\"links\":[],\"state\":\"done\"}}\n"
        )
    };
    for answers_of_row in [r#"{"sentiment":"positive","topics":[]}"#, r#"{"sentiment":"positive","topics":null}"#] {
        let imported = read("own.jsonl", row(answers_of_row, "7"));
        let [draft] = imported.drafts.as_slice() else { panic!("one row") };
        assert_eq!((answers(draft), draft.annotation.as_ref().unwrap().spans.len()), (vec!["sentiment=positive".to_owned()], 1));
        assert!(draft.meta.is_empty() && remarks(&imported).is_empty());
    }
    for (answers_of_row, start, why) in [
        (r#"{"sentiment":true}"#, "7", "has an answer to \"sentiment\" that is none (true)"),
        (r#"{"stars":1e30}"#, "7", "has an answer to \"stars\" that is none"),
        (r#"{"sentiment":"positive"}"#, "-2", "has a \"spans\" that makes no sense"),
        (r#"{"sentiment":"positive"}"#, "70", "has a span 70 to 13"),
    ] {
        let imported = read("own.jsonl", row(r#"{"sentiment":"negative"}"#, "7").replace("1 good", "2 good") + &row(answers_of_row, start));
        assert_eq!((imported.drafts.len(), imported.report.skipped), (1, 1), "{why}");
        assert!(remarks(&imported)[0].contains(why), "{:?}", remarks(&imported));
    }
    // Rows of others that have a field of the name stay theirs.
    let imported = read("squad.jsonl", r#"{"text":"很好","answers":{"text":["很"],"answer_start":[0]}}"#);
    assert_eq!((imported.drafts.len(), imported.drafts[0].meta.len()), (1, 1));
}

#[test]
fn several_labels_of_several_annotators() {
    let csv = "text,who,label,tags\nA good 很好,ann,pos,joy;fear\nA good 很好,bob,neg,joy\nB bad 👎,ann,neg,a\nB bad 👎,bob,neg,\nC,ann,pos,x\nC,bob,pos,x\n";
    let column = |name: &str| Some(Column::parse(name));
    let options = ImportOptions {
        text: Column::parse("text"),
        label: column("label"),
        labels: column("tags"),
        annotator: column("who"),
        ..ImportOptions::default()
    };
    let imported = read_with("a.csv", csv, &options, &HashSet::new());
    let of = |at: usize, name: &str| answers_of_layer(&imported.drafts[at], name);
    assert_eq!((of(0, "ann"), of(0, "bob")), (vec!["pos".to_owned(), "joy+fear".to_owned()], vec!["neg".to_owned(), "joy".to_owned()]));
    let outcome = |at: usize| (imported.drafts[at].label.clone(), answers(&imported.drafts[at]));
    assert_eq!(outcome(0), (None, vec![]), "they differ in both");
    assert_eq!(outcome(1), (Some("neg".to_owned()), vec![]), "alike in the class alone");
    assert_eq!(outcome(2), (Some("pos".to_owned()), vec!["tags=x".to_owned()]));
    // The class is the main question's, the labels are of a question of their own.
    let mut project = Project::new(Schema::default());
    let (edits, _) = import::edits(&project, imported.drafts.clone());
    edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    let names: Vec<&str> = project.schema().questions.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(names.last(), Some(&"tags"));
    assert!(project.documents().all(|doc| doc.layers.len() == 2));
    // Labels without a class of their own are the annotators' too.
    let options = ImportOptions { label: None, ..options };
    let imported = read_with("a.csv", csv, &options, &HashSet::new());
    assert_eq!(imported.report.joined, 2);
    assert_eq!(
        (imported.drafts[0].annotation.as_ref().unwrap().layers.len(), answers(&imported.drafts[2])),
        (2, vec!["tags=x".to_owned()])
    );
}

fn answers_of_layer(draft: &Draft, name: &str) -> Vec<String> {
    draft.annotation.as_ref().unwrap().layers[name].answers.values().map(words).collect()
}

/// The end of a short file is looked at too, and what tells the kind of a long one may stand behind its first text.
#[test]
fn the_kind_of_a_file_by_all_of_its_beginning() {
    let kind = |name: &str, content: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        import::preview(&path, None).unwrap().format
    };
    let result = r#"[{"type":"choices","from_name":"s","to_name":"t","value":{"choices":["好"]}}]"#;
    let task = format!("[\n{{\"id\":1,\"data\":{{\"text\":\"good 屏幕\"}},\"annotations\":[{{\"result\":{result}}}]}}]");
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sentences><sentence id=\"1\"><text>屏幕 good</text></sentence></sentences>";
    let pretty = "{\n  \"text\": \"好 screen\",\n  \"label\": [[2, 8, \"ASP\"]]\n}";
    let last = "{\"text\":\"a\"}\n{\"text\":\"good 👍\",\"_input_hash\":1,\"answer\":\"accept\"}";
    let long = format!("{{\"text\":\"{}\",\"label\":[[0,2,\"ASP\"]]}}\n{{\"text\":\"好\",\"label\":[]}}\n", "屏幕很好。".repeat(150_000));
    for (name, content, wanted) in [
        ("a.json", task.as_str(), Kind::LabelStudio),
        ("a.xml", xml, Kind::SemEval14),
        ("a.json", pretty, Kind::Doccano),
        ("a.jsonl", last, Kind::Prodigy),
        ("a.jsonl", &long, Kind::Doccano),
        ("a.json", &format!("[{}]", long.trim_end().replace('\n', ",")), Kind::Doccano),
    ] {
        assert_eq!(kind(name, content), Format::Annotated(wanted), "{}", &content[..30]);
    }
}

#[test]
fn a_text_that_comes_again_with_other_labels() {
    let prodigy = "{\"text\":\"好 good\",\"options\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"accept\":[\"a\",\"b\"],\"answer\":\"accept\",\"_input_hash\":1,\"_task_hash\":1}\n";
    let other = prodigy.replace("[\"a\",\"b\"]", "[\"a\"]");
    let imported = read("a.jsonl", prodigy.to_owned() + &other + prodigy);
    assert_eq!((imported.drafts.len(), imported.report.duplicates_in_file), (1, 2));
    assert_eq!(remarks(&imported).iter().filter(|remark| remark.contains("repeats row 1 with other answers")).count(), 1);
    // Texts that the project has: said once, with how many.
    let labelled = "text,label\n好,pos\ngood,neg\nnew,pos\nbare,\n";
    let options = ImportOptions { text: Column::parse("text"), label: Some(Column::parse("label")), ..ImportOptions::default() };
    let existing: HashSet<u64> = ["好", "good", "bare"].into_iter().map(|text| import::hash_of(text, &Default::default())).collect();
    let imported = read_with("a.csv", labelled, &options, &existing);
    assert_eq!((imported.drafts.len(), imported.report.duplicates_in_project), (1, 3));
    assert_eq!(
        remarks(&imported),
        ["Row 2 of f is the first of 2 whose text is in the project already; the labels they bring were left out."]
    );
}

fn project(texts: &[&str], questions: &[(&str, &[&str], Asks)], mark: impl Fn(&str, &mut Annotation)) -> Project {
    let questions: Vec<Question> = questions
        .iter()
        .map(|(name, classes, kind)| {
            let classes = (0u8..).zip(*classes).map(|(hue, class)| Class { name: (*class).to_owned(), hue });
            Question { name: (*name).to_owned(), classes: classes.collect(), kind: *kind }
        })
        .collect();
    let mut schema = Schema::default();
    schema.questions = questions;
    let mut project = Project::new(schema);
    let documents: Vec<Document> = texts
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let mut annotation = Annotation { state: gloss::project::State::Done, ..Annotation::default() };
            mark(text, &mut annotation);
            Document { annotation, ..Document::new(DocId::from_index(at), *text) }
        })
        .collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }).unwrap();
    project
}

fn span(text: &str, part: &str) -> Span {
    let start = text.find(part).unwrap();
    Span { range: TextRange::new(text, start..start + part.len()).unwrap(), label: 0, polarity: Some(Polarity::Positive) }
}

/// Written and read back: sentences about what was lost beforehand, and of what is different.
fn through(project: &Project, format: ExportFormat) -> (Vec<String>, gloss::store::export::Verified) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("out.{}", format.extension().unwrap_or("d")));
    let exported = export(project, format).unwrap();
    exported.write(&path).unwrap();
    (exported.sentences(), verify(project, format, &path, &exported.losses).unwrap())
}

#[test]
fn signs_of_e2e_in_the_texts_themselves() {
    let texts = ["#love this phone", "屏幕很好####", "a #### b", "####"];
    let project = project(&texts, &[], |text, said| {
        let part = if text.contains("love") { "love" } else { text.split_whitespace().next().unwrap_or(text) };
        said.spans.insert(SpanId(0), span(text, part));
    });
    let (said, verified) = through(&project, ExportFormat::E2e);
    assert!(verified.is_as_said(), "{said:?} {:?}", verified.sentences());
    let [first, ..] = verified.differences.as_slice() else { return };
    assert_ne!(first.loss.row, 1, "{:?}", verified.sentences());
}

/// What was announced of one document excuses nothing in another.
#[test]
fn an_announced_loss_is_of_its_document() {
    let project = project(&["plain 好", "other"], &[("topics", &["price", "cost"], Asks::Several)], |_, said| {
        said.answers.insert(QuestionId(0), Answer::Classes([0].into()));
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let exported = export(&project, ExportFormat::Jsonl).unwrap();
    exported.write(&path).unwrap();
    let lines = fs::read_to_string(&path).unwrap();
    fs::write(&path, lines.replace("[\"price\"]", "[\"cost\"]")).unwrap();
    let mut announced = export(&project, ExportFormat::Conll).unwrap().losses;
    announced.retain(|loss| loss.what.contains("an answer"));
    let [loss] = announced.as_mut_slice() else { panic!("{announced:?}") };
    assert_eq!((loss.count, loss.row), (2, 1));
    assert!(verify(&project, ExportFormat::Jsonl, &path, &announced).unwrap().is_as_said());
    let [loss] = announced.as_mut_slice() else { unreachable!() };
    (loss.count, loss.more) = (1, Vec::new());
    let verified = verify(&project, ExportFormat::Jsonl, &path, &announced).unwrap();
    let rows: Vec<(usize, bool)> = verified.differences.iter().map(|difference| (difference.loss.row, difference.was_said)).collect();
    assert_eq!(rows, [(2, false), (1, true)]);
}

#[test]
fn names_and_texts_that_are_signs_of_the_format() {
    let topics = project(&["好"], &[("topics", &["price; cost", "quality"], Asks::Several)], |_, said| {
        said.answers.insert(QuestionId(0), Answer::Classes([0, 1].into()));
    });
    for format in [ExportFormat::Csv, ExportFormat::Xlsx] {
        let said = through(&topics, format).0;
        assert!(
            said.iter().any(|said| said.contains("a sign in its name that parts classes") && said.contains("(price; cost)")),
            "{said:?}"
        );
    }
    let null = project(&["NULL is 好"], &[], |text, said| _ = said.spans.insert(SpanId(0), span(text, "NULL")));
    for format in [ExportFormat::SemEval14, ExportFormat::SemEval16] {
        let (said, verified) = through(&null, format);
        assert!(said.iter().any(|said| said.contains("those of an aspect without words")) && verified.is_as_said(), "{said:?}");
    }
    let labels = project(&["__label__x 好", "fine"], &[("sentiment", &["good", "bad"], Asks::One)], |_, said| {
        drop(said.answers.insert(QuestionId(0), Answer::Class(0)));
    });
    let (said, verified) = through(&labels, ExportFormat::FastText);
    assert!(said.iter().any(|said| said.contains("begins like a class")) && verified.is_as_said(), "{said:?}");
    assert_eq!(verified.documents, 1);
}
