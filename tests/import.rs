//! Import: every row of a file is imported, counted or reported; texts come in byte for byte.

use gloss::project::{Annotation, Edit, History, Polarity, Project, QuestionId, Schema, Split, State, TextRange};
use gloss::store::import::{self, Column, Draft, Format, ImportOptions, ImportReport, Imported, Preview};
use gloss::store::{StoreError, export_documents, export_jsonl};
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter, SerReader, Series};
use proptest::prelude::*;
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A file of this name and content, in a folder that lasts as long as the answer.
fn file(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn options(text: &str, label: &str) -> ImportOptions {
    ImportOptions { text: Column::parse(text), label: (!label.is_empty()).then(|| Column::parse(label)), ..ImportOptions::default() }
}

fn try_read(name: &str, bytes: impl AsRef<[u8]>, options: &ImportOptions) -> Result<Imported, StoreError> {
    let (_folder, path) = file(name, bytes);
    let imported = import::read(&path, options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()))?.unwrap();
    assert_adds_up(&imported.report);
    assert_eq!(imported.drafts.len(), imported.report.imported);
    Ok(imported)
}

fn read(name: &str, bytes: impl AsRef<[u8]>, options: &ImportOptions) -> Imported {
    try_read(name, bytes, options).unwrap()
}

/// No row is lost without being counted.
fn assert_adds_up(report: &ImportReport) {
    let ImportReport { rows, imported, skipped, duplicates_in_file, duplicates_in_project, issues, .. } = report;
    assert_eq!(*rows, imported + skipped + duplicates_in_file + duplicates_in_project, "{report:?}");
    assert_eq!(issues.iter().filter(|issue| issue.skipped).count(), *skipped);
}

fn texts(imported: &Imported) -> Vec<&str> {
    imported.drafts.iter().map(|draft| draft.text.as_str()).collect()
}

fn sentences(report: &ImportReport) -> Vec<String> {
    report.issues.iter().map(|issue| issue.sentence(&report.file)).collect()
}

/// Reads a CSV with the columns text and label: texts and sentences must be these.
#[track_caller]
fn check(csv: &str, wanted: &[&str], wanted_sentences: &[&str]) {
    let imported = read("reviews.csv", csv, &options("text", "label"));
    assert_eq!(texts(&imported), wanted);
    assert_eq!(sentences(&imported.report), wanted_sentences);
}

#[test]
fn quotes_and_line_breaks_in_fields() {
    check("text,label\n\"Great screen, bad battery\",1\n", &["Great screen, bad battery"], &[]);
    check("text,label\n\"他说\"\"很好\"\"\",1\n", &["他说\"很好\""], &[]);
    check("text,label\n他说\"很好\",1\n", &["他说\"很好\""], &[]);
    check("text,label\r\n\"第一行\r\n第二行\n\",1\r\nb,0\r\n", &["第一行\r\n第二行\n", "b"], &[]);
    check("text,label\n\"\"\"\",1", &["\""], &[]);
    check("text,label\n👨🏻‍🚒！cafe\u{301},1\n", &["👨🏻‍🚒！cafe\u{301}"], &[]);
    check("text,label\n  spaces stay  ,1\n", &["  spaces stay  "], &[]);
    check("text,label\ra,1\rb,0", &["a", "b"], &[]);
}

#[test]
fn bad_rows_are_named_and_the_rest_comes_in() {
    check(
        "text,label\na,1\nb\nc,1,2\nd,0\n",
        &["a", "d"],
        &[
            "Row 3 of reviews.csv has 1 column, the header has 2. The row was skipped.",
            "Row 4 of reviews.csv has 3 columns, the header has 2. The row was skipped.",
        ],
    );
    check(
        "text,label\n,1\n\"  \",0\nx,1\n",
        &["x"],
        &["Row 2 of reviews.csv has an empty text. The row was skipped.", "Row 3 of reviews.csv has an empty text. The row was skipped."],
    );
    check(
        "text,label\n\"never closed,1\nb,0\nc,1\n",
        &["b", "c"],
        &["Row 2 of reviews.csv has a quote that is never closed. The row was skipped."],
    );
    check(
        "text,label\n\"never closed,1\nb,0\n\"fine, really\",1\n",
        &["b", "fine, really"],
        &["Row 2 of reviews.csv has a quote that is never closed. The row was skipped."],
    );
    check(
        "text,label\n\"很好\"，但是贵,1\n\"a, b\" c,0\n",
        &["\"很好\"，但是贵", "\"a, b\" c"],
        &[
            "Row 2 of reviews.csv has text after a closing quote; the field was kept as it stands.",
            "Row 3 of reviews.csv has text after a closing quote; the field was kept as it stands.",
        ],
    );
}

#[test]
fn blank_lines_are_counted_and_keep_their_numbers() {
    let imported = read("reviews.csv", "text,label\n\na,1\n\n\nb\n\n", &options("text", "label"));
    assert_eq!((texts(&imported), imported.report.rows, imported.report.blank), (vec!["a"], 2, 4));
    assert_eq!(imported.report.issues[0].row, 6);
}

#[test]
fn columns_by_name_and_number() {
    let csv = "id,Review,stars\n7,good,5\n";
    for text in ["Review", "review", "2"] {
        let imported = read("a.csv", csv, &options(text, "3"));
        let draft = &imported.drafts[0];
        assert_eq!((draft.text.as_str(), draft.label.as_deref(), draft.row), ("good", Some("5"), 2));
        assert_eq!(draft.meta.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), [("id", "7")]);
    }
    let error = try_read("a.csv", csv, &options("comment", "")).unwrap_err();
    assert!(error.to_string().starts_with("There is no column \"comment\"; the columns are id, Review, stars."), "{error}");
    assert!(try_read("a.csv", csv, &options("4", "")).is_err());
    assert_eq!(read("a.csv", "2,text\nnamed two,second\n", &options("2", "")).drafts[0].text, "named two");
    assert_eq!(Column::parse("0"), Column::Name("0".to_owned()));
}

#[test]
fn numbers_stay_as_they_are_written() {
    let imported = read("a.csv", "text,label\n1.0,01\n\"1,0,1\",1\n", &options("text", "label"));
    assert_eq!(texts(&imported), ["1.0", "1,0,1"]);
    assert_eq!(imported.drafts[0].label.as_deref(), Some("01"));
}

#[test]
fn tab_separated_without_header_and_with_bare_quotes() {
    let options = ImportOptions { header: false, ..options("1", "2") };
    let imported = read("train.tsv", "a \"fine\" film\t1\n\"bare quote\t0\nx\ty\tz\n\"quoted\ttab\"\t1\n\"so\" good\t1\n", &options);
    assert_eq!(texts(&imported), ["a \"fine\" film", "\"bare quote", "quoted\ttab", "\"so\" good"]);
    assert_eq!(sentences(&imported.report), ["Row 3 of train.tsv has 3 columns, the other rows have 2. The row was skipped."]);
    assert_eq!(imported.drafts[1].label.as_deref(), Some("0"));
}

#[test]
fn semicolons_as_spreadsheets_write_them() {
    let imported = read("a.csv", "text;label\ngut, aber teuer;1\n\"a;b\";0\n", &options("text", "label"));
    assert_eq!((texts(&imported), imported.report.format), (vec!["gut, aber teuer", "a;b"], "CSV"));
}

/// Files made for Excel may name their delimiter in a line of its own.
#[test]
fn a_first_line_may_name_the_delimiter() {
    for (name, bytes) in [
        ("a.csv", "sep=;\r\ntext;label\r\n\"Gut; sehr, sehr gut\";pos\r\nteuer, laut;neg\r\n"),
        ("a.csv", "\u{feff}sep=;\r\ntext;label\r\n\"Gut; sehr, sehr gut\";pos\r\nteuer, laut;neg\r\n"),
        ("a.csv", "\"sep=|\"\ntext|label\nGut; sehr, sehr gut|pos\nteuer, laut|neg\n"),
        ("a.csv", "SEP=\t\ntext\tlabel\nGut; sehr, sehr gut\tpos\nteuer, laut\tneg"),
    ] {
        let (_folder, path) = file(name, bytes);
        let preview = import::preview(&path, None).unwrap();
        assert_eq!(preview.columns, ["text", "label"], "{bytes:?}");
        let wanted = ImportOptions { text: Column::Name("text".into()), label: Some(Column::Name("label".into())), ..Default::default() };
        let imported = read(name, bytes, &wanted.looked(&preview.look));
        assert_eq!(texts(&imported), ["Gut; sehr, sehr gut", "teuer, laut"], "{bytes:?}");
        assert_eq!((imported.drafts[0].row, imported.report.rows, imported.report.labels.len()), (3, 2, 2));
    }
    // Anything else is a row like others.
    let (_folder, path) = file("a.csv", "sep=ab\nsep=;;\n");
    assert_eq!(import::preview(&path, Some(false)).unwrap().rows.len(), 2);
}

#[test]
fn files_of_lines_without_any_object_say_why() {
    let none = |name: &str, bytes: &str| {
        let (_folder, path) = file(name, bytes);
        let previewed = import::preview(&path, None).unwrap_err().to_string();
        assert_eq!(
            try_read(name, bytes, &ImportOptions::default()).unwrap_err().to_string().split("Save").next(),
            previewed.split("Save").next()
        );
        previewed
    };
    assert!(none("a.jsonl", "{\"text\":\"cut").contains("no row of it is a JSON object; row 1 is not valid JSON (EOF"));
    assert!(none("a.jsonl", "[1]\n\n3\n").contains("no row of it is a JSON object"));
    assert!(none("a.json", &("[".repeat(10_000) + &"]".repeat(10_000))).contains("no row of it is a JSON object"));
    // A first row that is longer than what is looked at is read all the same.
    let long = "很长".repeat(1 << 20);
    let rows = format!("{{\"n\":1,\"text\":\"{long}\",\"who\":\"王\"}}\n{{\"n\":2,\"text\":\"short\"}}\n");
    let (_folder, path) = file("a.jsonl", &rows);
    assert_eq!(import::preview(&path, None).unwrap().columns.len(), 3);
    let imported = read("a.jsonl", &rows, &ImportOptions { text: Column::Name("text".into()), ..Default::default() });
    assert_eq!((imported.drafts.len(), imported.drafts[0].meta["who"].as_str()), (2, "王"));
}

#[test]
fn encodings() {
    let csv = "text,label\r\n房间很大，早餐一般！,1\r\n他说\"很好\" 😀𠮷,0\r\n";
    let wide = |little: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(csv.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let gb18030 = encoding_rs::GB18030.encode(csv).0.into_owned();
    let rows: [(&str, Vec<u8>); 5] = [
        ("UTF-8", csv.as_bytes().to_vec()),
        ("UTF-8 with BOM", [b"\xef\xbb\xbf", csv.as_bytes()].concat()),
        ("UTF-16 LE", wide(true)),
        ("UTF-16 BE", wide(false)),
        ("GB18030", gb18030),
    ];
    for (encoding, bytes) in rows {
        let imported = read("a.csv", &bytes, &options("text", "label"));
        assert_eq!(imported.report.encoding, encoding);
        assert_eq!(texts(&imported), ["房间很大，早餐一般！", "他说\"很好\" 😀𠮷"], "{encoding}");
        let (_folder, path) = file("a.csv", &bytes);
        let preview = import::preview(&path, None).unwrap();
        assert_eq!((preview.encoding, preview.columns, preview.rows.len()), (encoding, vec!["text".to_owned(), "label".to_owned()], 2));
    }
    let western = read("a.csv", b"text,label\nLe caf\xe9 est tr\xe8s bon,1\nna\xefve,0\n", &options("text", "label"));
    assert_eq!((texts(&western), western.report.encoding), (vec!["Le café est très bon", "naïve"], "Windows-1252"));
}

#[test]
fn broken_bytes_cost_their_row_only() {
    let sound = "text,label\n房间很大，早餐一般\n一家很好的酒店，服务热情,1\n";
    let bytes = [sound.as_bytes(), b"bro\xffken,0\n", "结尾,1\n".as_bytes()].concat();
    let imported = read("a.csv", &bytes, &options("text", "label"));
    assert_eq!(imported.report.encoding, "UTF-8");
    assert_eq!(texts(&imported), ["一家很好的酒店，服务热情", "结尾"]);
    assert_eq!(sentences(&imported.report)[1], "Row 4 of a.csv holds bytes that are no UTF-8. The row was skipped.");
}

#[test]
fn duplicates_are_counted_and_conflicts_named() {
    let csv = "text,label\na,1\nb,0\na,1\na,0\nknown,1\nknown,1\n";
    let (_folder, path) = file("a.csv", csv);
    let existing = HashSet::from([import::text_hash("known")]);
    let Imported { drafts, report } =
        import::read(&path, &options("text", "label"), &existing, &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    assert_adds_up(&report);
    assert_eq!((drafts.len(), report.rows, report.duplicates_in_file, report.duplicates_in_project), (2, 6, 2, 2));
    let wanted = [
        "Row 5 of a.csv repeats row 2 with another label (\"0\" instead of \"1\"); the first one was kept.",
        "Row 6 of a.csv is the first of 2 whose text is in the project already; the labels they bring were left out.",
    ];
    assert_eq!(sentences(&report), wanted);
    assert_eq!(report.labels.into_iter().collect::<Vec<_>>(), [("0".to_owned(), 1), ("1".to_owned(), 1)]);
}

#[test]
fn a_label_column_without_classes_is_refused() {
    let rows: String = (0..200).map(|at| format!("text {at},label {at}\n")).collect();
    let error = try_read("a.csv", format!("text,label\n{rows}"), &options("text", "label")).unwrap_err();
    assert!(matches!(error, StoreError::TooManyLabels { .. }), "{error}");
}

#[test]
fn plain_text_is_a_review_a_line() {
    let imported = read("a.txt", "第一条, 很好\r\n\r\n\"second\"\n第一条, 很好\nlast", &options("1", ""));
    assert_eq!(texts(&imported), ["第一条, 很好", "\"second\"", "last"]);
    assert_eq!((imported.report.blank, imported.report.duplicates_in_file, imported.drafts[2].row), (1, 1, 5));
}

#[test]
fn json_lines_of_others() {
    let lines = "{\"review\":\"好\\n的\",\"label\":1,\"state\":\"Ohio\",\"tags\":[1,2]}\nnot json\n\n[1]\n{\"label\":0}\n{\"review\":\"ok\",\"label\":null}\n";
    let imported = read("a.jsonl", lines, &options("review", "label"));
    assert_eq!(texts(&imported), ["好\n的", "ok"]);
    assert_eq!((imported.drafts[0].label.as_deref(), imported.drafts[1].label.as_deref()), (Some("1"), None));
    assert_eq!(imported.drafts[0].meta["state"], "Ohio");
    assert_eq!(imported.drafts[0].meta["tags"], "[1,2]");
    assert!(imported.drafts[0].annotation.is_none());
    let said = sentences(&imported.report);
    assert!(said[0].starts_with("Row 2 of a.jsonl is not valid JSON (expected ident at column 2)"), "{said:?}");
    assert_eq!(said[1], "Row 4 of a.jsonl holds no JSON object. The row was skipped.");
    assert_eq!(said[2], "Row 5 of a.jsonl has no \"review\". The row was skipped.");
    assert_eq!(texts(&read("a.json", "[{\"text\":\"a\"},\n{\"text\":\"b\"}]", &options("text", ""))), ["a", "b"]);
}

const OWN: &str = r#"{"text":"电池👍 好","answers":{"sentiment":"positive"},"spans":[{"id":0,"start":0,"end":2,"label":"aspect","polarity":null},{"id":1,"start":4,"end":5,"label":"opinion","polarity":"positive"}],"links":[{"from":1,"to":0}],"state":"done","flagged":true,"split":"test","meta":{"stars":5,"来源":"x"}}"#;

#[test]
fn our_own_json_lines() {
    let imported = read("a.jsonl", OWN, &options("text", ""));
    let draft = &imported.drafts[0];
    let said = draft.annotation.as_ref().unwrap();
    assert_eq!(said.answers["sentiment"].class(), Some("positive"));
    let marked: Vec<&str> = said.spans.iter().map(|span| span.range.of(&draft.text)).collect();
    assert_eq!(marked, ["电池", "好"], "offsets in the file are code points");
    assert_eq!(said.spans[1].polarity, Some(Polarity::Positive));
    assert_eq!((said.links.as_slice(), &said.state, said.flagged, draft.split), (&[(1, 0)][..], &State::Done, true, Some(Split::Test)));
    assert_eq!((draft.meta["stars"].as_str(), draft.meta["来源"].as_str()), ("5", "x"));
    for (broken, reason) in [
        (OWN.replace("\"end\":5", "\"end\":6"), "has a span 4 to 6 that does not lie in its text"),
        (OWN.replace("\"to\":0", "\"to\":7"), "has a link from span 1 to span 7, which do not both exist"),
        (OWN.replace("\"id\":1", "\"id\":0"), "has two spans with the id 0"),
        (OWN.replace("\"done\"", "\"finished\""), "has a \"state\" that makes no sense"),
    ] {
        let imported = read("a.jsonl", &broken, &options("text", ""));
        assert_eq!(
            (imported.drafts.len(), imported.report.issues[0].reason.starts_with(reason)),
            (0, true),
            "{:?}",
            imported.report.issues
        );
    }
    let in_train = ImportOptions { split: Some(Split::Train), ..options("text", "") };
    assert_eq!(read("a.jsonl", OWN, &in_train).drafts[0].split, Some(Split::Train), "the option overrules the row");
}

/// The project after these drafts came in.
fn take_in(drafts: Vec<Draft>, schema: Schema) -> (Project, Vec<String>) {
    let mut project = Project::new(schema);
    let (edits, remarks) = import::edits(&project, drafts);
    History::default().commit(&mut project, "import".to_owned(), String::new(), 0, edits).unwrap();
    (project, remarks.into_iter().map(|issue| issue.reason).collect())
}

#[test]
fn drafts_become_documents_and_missing_classes_join_the_schema() {
    let csv = "text,label\na,Positive\nb,mixed\nc,\nd,mixed\n";
    let (project, remarks) = take_in(read("a.csv", csv, &options("text", "label")).drafts, Schema::default());
    let classes: Vec<&str> = project.schema().questions[0].classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(classes, ["negative", "neutral", "positive", "mixed"]);
    let answers: Vec<_> = project.documents().map(|doc| doc.annotation.class(QuestionId(0))).collect();
    assert_eq!(answers, [Some(2), Some(3), None, Some(3)]);
    assert!(project.documents().all(|doc| doc.annotation.state == State::Todo), "a class that came along is not work done here");
    assert_eq!(remarks, ["brings the new class \"mixed\"; it was added to the schema"]);
    let (edits, _) = import::edits(&Project::default(), Vec::new());
    assert!(edits.is_empty());
}

#[test]
fn our_own_format_round_trips() {
    let schema = Schema::with_names(&["negative", "positive"], &["aspect"]);
    let lines = [OWN.to_owned(), r#"{"text":"plain","answers":{},"spans":[]}"#.to_owned()].join("\n");
    let (project, remarks) = take_in(read("a.jsonl", lines, &options("text", "")).drafts, schema);
    assert_eq!(remarks, ["brings the new span label \"opinion\"; it was added to the schema"]);
    let keys: HashSet<char> = project.schema().span_labels.iter().map(|label| label.key).collect();
    assert_eq!(keys.len(), 2, "each label has a key of its own");
    let mut exported = Vec::new();
    export_jsonl(&project, &mut exported).unwrap();
    let (again, _) = take_in(read("b.jsonl", &exported, &options("text", "")).drafts, (**project.schema()).clone());
    assert_eq!(again.all_documents(), project.all_documents());
    let annotation: &Annotation = &again.all_documents()[0].annotation;
    assert_eq!((annotation.spans.len(), annotation.links.len()), (2, 1));

    let (_folder, path) = file("old.jsonl", "old");
    export_documents(&project, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), exported);
}

#[test]
fn parquet() {
    let text = Series::new("review".into(), [Some("房间，很大\r\n"), Some("他说\"很好\""), None, Some("他说\"很好\"")]);
    let label = Series::new("label".into(), [1i64, 0, 1, 0]);
    let price = Series::new("price".into(), [Some(1.5f64), None, Some(2.0), Some(3.0)]);
    let mut frame = DataFrame::new(4, vec![text.into_column(), label.into_column(), price.into_column()]).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    let imported = read("a.parquet", &bytes, &options("review", "label"));
    assert_eq!(texts(&imported), ["房间，很大\r\n", "他说\"很好\""]);
    assert_eq!((imported.drafts[0].label.as_deref(), imported.drafts[0].meta["price"].as_str()), (Some("1"), "1.5"));
    assert_eq!((imported.report.duplicates_in_file, imported.report.issues[0].row), (1, 3));
    let (_folder, path) = file("without a name", &bytes);
    let preview = import::preview(&path, None).unwrap();
    assert_eq!((preview.format, preview.text_guess, preview.label_guess), (Format::Parquet, 0, Some(1)));
    assert_eq!(preview.rows[1], ["他说\"很好\"", "0", ""]);
    let error = try_read("a.parquet", &bytes[..bytes.len() / 2], &options("review", "")).unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
}

#[test]
fn previews_guess_header_and_columns() {
    let guess = |name: &str, content: &str| -> (Vec<String>, bool, usize, Option<usize>) {
        let (_folder, path) = file(name, content);
        let Preview { columns, header_guess, text_guess, label_guess, .. } = import::preview(&path, None).unwrap();
        (columns, header_guess, text_guess, label_guess)
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(guess("a.csv", "label,review\n1,good\n"), (names(&["label", "review"]), true, 1, Some(0)));
    assert_eq!(guess("a.csv", "评分,评论\n1,好\n"), (names(&["评分", "评论"]), true, 1, Some(0)));
    let rows: String = (0..40).map(|at| format!("one long string of cliches {at}\t{}\n", at % 2)).collect();
    assert_eq!(guess("a.tsv", &rows), (names(&["1", "2"]), false, 0, Some(1)));
    assert_eq!(guess("a.tsv", &format!("what\tgrade\n{rows}")), (names(&["what", "grade"]), true, 0, Some(1)));
    assert_eq!(guess("a.txt", "good\nbad\n"), (names(&["text"]), false, 0, None));
    assert_eq!(guess("a.jsonl", "{\"content\":\"x\",\"sentiment\":\"p\"}\n").2, 0);
    let (_folder, path) = file("a.csv", "label,review\n1,good\n");
    let forced = import::preview(&path, Some(false)).unwrap();
    assert_eq!((forced.columns, forced.rows.len(), forced.header_guess), (names(&["1", "2"]), 2, true));
}

#[test]
fn files_that_hold_no_reviews_are_refused() {
    for (name, bytes, word) in [
        ("a.csv", &b""[..], "empty"),
        ("a.xlsx", b"PK\x03\x04rest", "workbook"),
        ("a.csv", b"PK\x03\x04rest", "zip archive"),
        ("a.csv.gz", b"\x1f\x8brest", "compressed"),
        ("a.parquet", b"PAR1 and nothing more", "can't be read"),
        ("train.spacy", b"x\x9c\xabV\xca", "DocBin"),
        ("a.txt", b"\x00\x01\x02\x03a\x00\x00\x9c", "no text"),
        ("p.gloss", b"SQLite format 3\x00", "merged"),
    ] {
        let (_folder, path) = file(name, bytes);
        let said = import::preview(&path, None).unwrap_err().to_string();
        assert!(said.contains(word) && said.ends_with(name), "{said}");
        assert!(try_read(name, bytes, &options("1", "")).is_err());
    }
    assert!(matches!(import::preview(&PathBuf::from("/no/such.csv"), None), Err(StoreError::Missing { .. })));
}

fn generated(rows: usize) -> String {
    let row = |at: usize| {
        format!("\"第{at}条：房间很大，早餐一般，\"\"还会再来\"\"。 The room was fine, number {at}\",{},2025-01-01\r\n", at % 3)
    };
    "review,label,date\r\n".to_owned() + &(0..rows).map(row).collect::<String>()
}

#[test]
fn progress_is_told_and_cancel_honoured() {
    let (_folder, path) = file("a.csv", generated(10_000));
    let mut told = Vec::new();
    let done = import::read(&path, &options("review", "label"), &HashSet::new(), &mut |share, rows| {
        told.push((share, rows));
        ControlFlow::Continue(())
    });
    assert_eq!(done.unwrap().unwrap().report.imported, 10_000);
    assert!(told.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[1].1 - pair[0].1 <= 1000), "{told:?}");
    assert_eq!(told.last(), Some(&(1.0, 10_000)));
    let mut calls = 0;
    let cancelled = import::read(&path, &options("review", "label"), &HashSet::new(), &mut |_, rows| {
        calls += 1;
        if rows >= 3000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(cancelled.unwrap().is_none());
    assert!(calls <= 8, "it went on for {calls} calls");
}

#[test]
fn a_hundred_thousand_reviews_take_seconds() {
    let (_folder, path) = file("a.csv", generated(100_000));
    let start = Instant::now();
    let imported =
        import::read(&path, &options("review", "label"), &HashSet::new(), &mut |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    let took = start.elapsed();
    println!("100,000 rows read in {took:?}");
    assert_eq!((imported.report.imported, imported.report.issues.len()), (100_000, 0));
    assert_eq!(imported.drafts[99_999].text, "第99999条：房间很大，早餐一般，\"还会再来\"。 The room was fine, number 99999");
    assert!(took < Duration::from_secs(20), "{took:?}"); // many times what it needs: only a change of order fails
}

/// A field as a careful program writes it.
fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: proptest::test_runner::RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_properly_is_read_back(cells in proptest::collection::vec("[a-z,;\"\r\n\t 好，👍\u{301}]{0,12}", 1..12)) {
        let csv = "n,text\n".to_owned() + &cells.iter().enumerate().map(|(at, cell)| format!("{at},{}\n", quoted(&format!("{at}{cell}")))).collect::<String>();
        let imported = read("a.csv", csv, &options("text", ""));
        let wanted: Vec<String> = cells.iter().enumerate().map(|(at, cell)| format!("{at}{cell}")).collect();
        prop_assert_eq!(texts(&imported), wanted);
    }

    #[test]
    fn no_bytes_whatever_are_a_panic_or_lose_a_row(bytes in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 1..200)) {
        for name in ["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.parquet", "a.bin"] {
            for header in [true, false] {
                let _ = try_read(name, &bytes, &ImportOptions { header, ..options("1", "") });
            }
            let (_folder, path) = file(name, &bytes);
            let _ = import::preview(&path, None);
        }
    }
}

/// Our reader of CSV beside that of polars, on files both understand.
#[test]
fn well_formed_files_are_read_as_polars_reads_them() {
    let csv = generated(500);
    let imported = read("a.csv", &csv, &options("review", "label"));
    let frame = polars::prelude::CsvReader::new(std::io::Cursor::new(csv)).finish().unwrap();
    let column = frame.column("review").unwrap().str().unwrap().clone();
    let theirs: Vec<&str> = column.iter().map(Option::unwrap).collect();
    assert_eq!(texts(&imported), theirs);
}

#[test]
fn ranges_of_drafts_fit_their_text() {
    let imported = read("a.jsonl", OWN, &options("text", ""));
    let said = imported.drafts[0].annotation.as_ref().unwrap();
    assert_eq!(Some(said.spans[0].range), TextRange::from_chars(&imported.drafts[0].text, 0..2));
    let (edits, _) = import::edits(&Project::new(Schema::default()), imported.drafts);
    assert!(matches!(&edits[..], [Edit::AddDocuments { count: 1, .. }]), "a schema that has all names is left alone");
}

// ---- several labels in a cell ----

/// The labels that each row of a file brings to a question, and what it is called.
fn several(csv: &str, options: ImportOptions) -> (String, Vec<Vec<String>>) {
    let imported = read("emotions.csv", csv, &options);
    let mut project = Project::new(Schema::with_names(&["negative", "positive"], &[] as &[&str]));
    import::edits(&project, imported.drafts).0.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    let (id, question) = project.schema().questions().last().unwrap();
    assert_eq!(question.kind, gloss::project::Kind::Several);
    let names = |doc: &gloss::project::Document| match doc.annotation.answers.get(&id) {
        Some(gloss::project::Answer::Classes(classes)) => {
            classes.iter().map(|class| question.classes[usize::from(*class)].name.clone()).collect()
        }
        _ => Vec::new(),
    };
    (question.name.clone(), project.documents().map(names).collect())
}

#[test]
fn a_cell_of_several_labels_answers_a_question_of_its_own() {
    let labels = |column: &str| ImportOptions { labels: Some(Column::parse(column)), ..options("text", "") };
    let csv = "text,emotion\n一,\"joy, fear\"\n二,fear|joy|fear\n三,\n四,\"[\"\"joy\"\"]\"\n五,愤怒、joy；fear\n";
    let (name, said) = several(csv, labels("emotion"));
    assert_eq!(name, "emotion");
    let wanted: [&[&str]; 5] = [&["joy", "fear"], &["joy", "fear"], &[], &["joy"], &["joy", "fear", "愤怒"]];
    assert_eq!(said, wanted);
    // Numbers get their names, and a file without a header a question with a name of its own.
    let numbered = ImportOptions {
        text: Column::Number(1),
        values: [("0", "anger"), ("3", "joy"), ("4", "")].map(|(from, to)| (from.to_owned(), to.to_owned())).into(),
        header: false,
        ..labels("2")
    };
    let (name, said) = several("a,3\nb,\"0,3\"\nc,4\n", numbered);
    assert_eq!((name.as_str(), said), ("labels", vec![vec!["joy".to_owned()], vec!["joy".to_owned(), "anger".to_owned()], vec![]]));
}

#[test]
fn labels_of_lists_are_shown_one_by_one_where_the_lists_are_many() {
    let rows: String = (0..60).map(|at| format!("text {at} 好,\"{},{}\"\n", at % 8, 8 + at % 7)).collect();
    let (_folder, path) = file("lists.csv", format!("text,emotions\n{rows}"));
    let preview = import::preview(&path, None).unwrap();
    assert_eq!(preview.values[1].len(), 15, "{:?}", preview.values[1]);
}
