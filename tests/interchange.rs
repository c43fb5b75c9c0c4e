//! The newer formats in and out, the ways of reading a file that a person can choose, the round trip that is certified,
//! and what damage does.

use crate::formats::words;
use gloss::project::{
    Annotation, Answer, Attribute, AttributeKind, AttributeValue, Attributes, Class, DocId, Document, Edit, Kind as Asks, Link, LinkType,
    Number, Polarity, Project, Question, QuestionId, Scale, Schema, Span, SpanId, Split, State, TextRange,
};
use gloss::store::export::{ExportFormat, export, verify};
use gloss::store::formats::{Fate, Kind};
use gloss::store::import::{self, Column, DraftValue, Format, ImportOptions, Imported, Look};
use gloss::store::{Charset, StoreError};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

fn read_path(path: &Path, options: &ImportOptions) -> Result<Imported, StoreError> {
    let imported = import::read(path, options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()))?.unwrap();
    let report = &imported.report;
    assert_eq!(report.rows, report.imported + report.skipped + report.duplicates_in_file + report.duplicates_in_project, "{report:?}");
    Ok(imported)
}

fn try_read(name: &str, content: impl AsRef<[u8]>, options: &ImportOptions) -> Result<Imported, StoreError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    read_path(&path, options)
}

#[track_caller]
fn read(name: &str, content: impl AsRef<[u8]>) -> Imported {
    try_read(name, content, &ImportOptions::default()).unwrap()
}

/// A document in one line: label, answers, spans with polarity, links, annotators.
pub fn line(draft: &import::Draft) -> String {
    let said = draft.annotation.clone().unwrap_or_default();
    let mut parts = vec![draft.text.clone()];
    parts.extend(draft.label.clone());
    parts.extend(said.answers.iter().map(|(question, answer)| format!("{question}={}", words(answer))));
    let mark = |span: &import::DraftSpan| span.polarity.map_or("", Polarity::mark);
    parts.extend(said.spans.iter().map(|span| format!("{}:{}{}", span.label, span.range.of(&draft.text), mark(span))));
    parts.extend(said.links.iter().map(|(from, to)| format!("{from}>{to}")));
    for (name, own) in &said.layers {
        let answers: Vec<String> = own.answers.values().map(words).collect();
        parts.push(format!("{name} says {} and marks {}", answers.join(" "), own.spans.len()));
    }
    parts.join(" | ")
}

fn lines(imported: &Imported) -> Vec<String> {
    imported.drafts.iter().map(line).collect()
}

#[track_caller]
fn says(imported: &Imported, fate: Fate, part: &str, count: usize) {
    let losses = &imported.report.spans.as_ref().unwrap().losses;
    let found = losses.iter().find(|loss| loss.fate == fate && loss.what.contains(part));
    assert_eq!(found.map(|loss| loss.count), Some(count), "{part:?} in {losses:#?}");
}

#[test]
fn a_file_cut_within_its_first_task_is_known_and_refused() {
    let whole = r#"[{"id":1,"data":{"text":"屏幕很好"},"annotations":[{"result":[{"id":"1","from_name":"label","type":"labels","value":{"start":0,"end":2,"labels":["ASP"]}}]}]}]"#;
    for cut in [60, 90, whole.len() - 3] {
        let cut = (cut..).find(|at| whole.is_char_boundary(*at)).unwrap();
        let error = try_read("t.json", &whole[..cut], &ImportOptions::default()).unwrap_err().to_string();
        assert!(error.contains("no whole Label Studio file") && error.contains("EOF"), "{error}");
    }
    // Nobody's array is no file of lines either.
    let error = try_read("t.json", "[\n {\"text\": \"a\"},\n {\"text\"", &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("no whole JSON file"), "{error}");
    let error = try_read("page.html", "<!DOCTYPE html><p>好</p>", &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("XML or HTML"), "{error}");
}

#[test]
fn terms_without_offsets_are_found_where_they_stand_once() {
    let xml = r#"<sentences><sentence id="1"><text>屏幕好，电池好</text><aspectTerms>
        <aspectTerm term="屏幕" polarity="positive"/><aspectTerm term="好" polarity="positive"/><aspectTerm term="键盘"/></aspectTerms></sentence></sentences>"#;
    let imported = read("x.xml", xml);
    assert_eq!(lines(&imported), ["屏幕好，电池好 | aspect:屏幕+"]);
    says(&imported, Fate::Clipped, "had no place", 1);
    says(&imported, Fate::Dropped, "more than once", 1);
    says(&imported, Fate::Dropped, "not in its text", 1);
}

#[test]
fn tags_of_spacy() {
    let rows = concat!(
        "[\"Uber blew 1 million\",{\"entities\":[\"U-ORG\",\"O\",\"B-MONEY\",\"L-MONEY\"]}]\n",
        "[\"wrong count\",{\"entities\":[\"U-ORG\"]}]\n",
        "[\"in $1 million, ok\",{\"entities\":[\"O\",\"B-MONEY\",\"I-MONEY\",\"L-MONEY\",\"O\",\"O\"]}]\n",
    );
    let imported = read("a.jsonl", rows);
    assert_eq!(
        (imported.report.format, lines(&imported)),
        (
            "Prodigy",
            vec![
                "Uber blew 1 million | ORG:Uber | MONEY:1 million".to_owned(),
                "wrong count".to_owned(),
                "in $1 million, ok | MONEY:$1 million".to_owned(),
            ]
        )
    );
    says(&imported, Fate::Dropped, "tokens of its text are not known", 1);
    let older = r#"[{"id":0,"paragraphs":[{"raw":"屏幕很好","sentences":[{"tokens":[{"id":0,"orth":"屏幕","ner":"U-ASP"},{"id":1,"orth":"很好","ner":"O"}]}],"cats":[{"label":"good","value":1.0}]}]}]"#;
    let imported = read("a.json", older);
    assert_eq!(lines(&imported), ["屏幕很好 | good | ASP:屏幕"]);
}

#[test]
fn people_who_annotate_one_text_keep_their_answers() {
    let task = r#"[{"data":{"text":"很好"},"annotations":[
        {"completed_by":7,"result":[{"from_name":"s","type":"choices","value":{"choices":["good"]}}]},
        {"completed_by":{"id":9,"email":"li@x"},"result":[{"from_name":"s","type":"choices","value":{"choices":["bad"]}},{"id":"a","type":"labels","value":{"start":0,"end":2,"labels":["O"]}}]}]}]"#;
    let imported = read("t.json", task);
    assert_eq!(lines(&imported), ["很好 | s=good | 7 says good and marks 0 | li@x says bad and marks 1"]);
    says(&imported, Fate::Noted, "several people", 1);

    // A table with a row for each of them; where all agree, that is the label.
    let csv = "text,label,who\n很好,1,王\n很好,1,Li\n贵,1,王\n贵,0,Li\n新,,王\n";
    let options = ImportOptions {
        label: Some(Column::Name("label".into())),
        annotator: Some(Column::Name("who".into())),
        values: BTreeMap::from([("1".into(), "positive".into()), ("0".into(), "negative".into())]),
        ..ImportOptions::default()
    };
    let imported = try_read("a.csv", csv, &options).unwrap();
    let wanted = [
        "很好 | positive | Li says positive and marks 0 | 王 says positive and marks 0",
        "贵 | Li says negative and marks 0 | 王 says positive and marks 0",
        "新",
    ];
    assert_eq!(lines(&imported), wanted);
    assert_eq!((imported.report.joined, imported.report.duplicates_in_file), (2, 2));
    let mut project = Project::new(Schema::default());
    import::edits(&project, imported.drafts).0.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    assert_eq!((project.annotators(), project.schema().questions.len()), (&["Li".to_owned(), "王".to_owned()][..], 1));
}

#[test]
fn columns_have_roles() {
    let csv = "编号;day;text;s;part;drop\n7;2024-01-02;很好;5;validation;x\n8;;贵;9;nowhere;y\n";
    let name = |name: &str| Some(Column::Name(name.to_owned()));
    let options = ImportOptions {
        label: name("s"),
        id: name("编号"),
        date: name("day"),
        part: name("part"),
        left_out: vec![Column::Name("drop".into())],
        values: BTreeMap::from([("5".into(), "positive".into()), ("9".into(), String::new())]),
        ..ImportOptions::default()
    };
    let imported = try_read("a.csv", csv, &options).unwrap();
    assert_eq!(lines(&imported), ["很好 | positive", "贵"]);
    let fields: Vec<_> = imported.drafts[0].meta.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!((fields.join(" "), imported.drafts[0].split), ("date=2024-01-02 id=7".to_owned(), Some(Split::Dev)));
    assert!(imported.report.issues[0].reason.contains("neither train, dev nor test"), "{:?}", imported.report.issues);
    let gone = ImportOptions { date: name("no"), ..ImportOptions::default() };
    assert!(matches!(try_read("a.csv", csv, &gone), Err(StoreError::NoColumn { .. })));
}

#[test]
fn a_person_says_how_a_file_is_read() {
    let reading = |charset, delimiter, quoted| ImportOptions { charset, delimiter, quoted, ..ImportOptions::default() };
    let rows: [(Charset, &'static encoding_rs::Encoding, &str); 4] = [
        (Charset::Gb18030, encoding_rs::GB18030, "房间很干净，早餐一般"),
        (Charset::Big5, encoding_rs::BIG5, "這個房間很乾淨，沒有問題"),
        (Charset::ShiftJis, encoding_rs::SHIFT_JIS, "この部屋はとてもきれいでした"),
        (Charset::Latin1, encoding_rs::WINDOWS_1252, "très bon café"),
    ];
    for (charset, encoding, text) in rows {
        let bytes = encoding.encode(&format!("text,label\n{text},1\n")).0.into_owned();
        for options in [reading(Some(charset), None, true), reading(None, None, true)] {
            let imported = try_read("a.csv", &bytes, &options).unwrap();
            assert_eq!((imported.report.encoding, imported.drafts[0].text.as_str()), (charset.name(), text));
        }
    }
    let wide: Vec<u8> = "text,label\n很好 and cheap,1\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(try_read("a.csv", wide, &reading(None, None, true)).unwrap().report.encoding, "UTF-16 BE");
    let imported = try_read("a.csv", "text|label\n\"很好\" 贵|1\n", &reading(None, Some('|'), false)).unwrap();
    assert_eq!(imported.drafts[0].text, "\"很好\" 贵");
    assert_eq!(imported.report.skipped, 0);
    assert_eq!(
        ["gbk", "UTF-8", "latin-1", "Shift-JIS", "x"].map(Charset::parse).map(|found| found.is_some()),
        [true, true, true, true, false]
    );
    // A preview looks the same way.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, "text|label\n好|1\n坏|0\n").unwrap();
    let look = Look { delimiter: Some('|'), ..Look::default() };
    let preview = import::preview_as(&path, &look).unwrap();
    assert_eq!((preview.columns.len(), preview.values[1].join(" "), preview.look.delimiter), (2, "0 1".to_owned(), Some('|')));
}

/// Two sheets, numbers, dates as text, empty cells, rows that are shorter.
fn workbook() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (at, name) in ["text", "label", "shop"].iter().enumerate() {
        sheet.write_string(0, at as u16, *name).unwrap();
    }
    sheet.write_string(1, 0, "屏幕👍 很好\r\n<b> & _x000D_").unwrap();
    sheet.write_number(1, 1, 5).unwrap();
    sheet.write_string(3, 0, "短").unwrap();
    let other = book.add_worksheet().set_name("第二").unwrap();
    other.write_string(0, 0, "别的").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn workbooks() {
    let label = Some(Column::Name("label".into()));
    let imported = try_read("a.xlsx", workbook(), &ImportOptions { label, ..ImportOptions::default() }).unwrap();
    assert_eq!(lines(&imported), ["屏幕👍 很好\r\n<b> & _x000D_ | 5", "短"]);
    assert!(imported.report.issues[0].reason.contains("1 more in the workbook"), "{:?}", imported.report.issues);
    let second = ImportOptions { sheet: Some("第二".into()), text: Column::Number(1), header: false, ..ImportOptions::default() };
    assert_eq!(lines(&try_read("b.xlsx", workbook(), &second).unwrap()), ["别的"]);
    let gone = ImportOptions { sheet: Some("3".into()), ..ImportOptions::default() };
    assert!(try_read("b.xlsx", workbook(), &gone).unwrap_err().to_string().contains("the sheets are"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no ending");
    fs::write(&path, workbook()).unwrap();
    let preview = import::preview(&path, None).unwrap();
    assert_eq!((preview.format, preview.sheets.len(), preview.rows.len(), preview.header_guess), (Format::Xlsx, 2, 2, true));
}

/// A small archive that unpacks to half a gigabyte is refused before any of it is read into memory.
#[test]
fn a_bomb_is_no_workbook() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let packed = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("xl/workbook.xml", packed).unwrap();
    archive.write_all(b"<workbook/>").unwrap();
    archive.start_file("xl/sharedStrings.xml", packed).unwrap();
    let zeros = vec![b' '; 1 << 20];
    (0..100).for_each(|_| archive.write_all(&zeros).unwrap());
    let bytes = archive.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20);
    let error = try_read("a.xlsx", &bytes, &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than"), "{error}");
}

#[test]
fn entities_are_not_expanded() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sentences><sentence id="1"><text>&b;</text></sentence></sentences>"#;
    let error = try_read("x.xml", bomb, &ImportOptions { format: Some(Format::Annotated(Kind::SemEval14)), ..ImportOptions::default() });
    assert!(error.unwrap_err().to_string().contains("broken XML"));
}

#[test]
fn records_of_argilla() {
    let records = r#"[{"id":"a1","status":"completed","fields":{"text":"屏幕👍 很好"},"metadata":{"shop":"b"},
        "suggestions":{"sentiment":{"value":"neg","score":0.4}},
        "responses":{"sentiment":[{"value":"pos","user_id":"u1"},{"value":"neg","user_id":"u2"}],
          "labels":[{"value":["x","y"],"user_id":"u1"}],"stars":[{"value":4,"user_id":"u1"}],
          "spans":[{"value":[{"start":4,"end":6,"label":"OPN"}],"user_id":"u1"}],
          "why":[{"value":"因为它比我以前用过的所有手机都要清楚得多，而且颜色非常真实，看起来一点也不累，晚上也很舒服，我很满意，会推荐给朋友们的","user_id":"u1"}]},"vectors":{}},
        {"id":"a2","status":"discarded","fields":{"text":"贵"},"metadata":{},"suggestions":{"sentiment":{"value":"neg"}},"responses":{}}]"#;
    let imported = read("records.json", records);
    assert_eq!(imported.report.format, "Argilla");
    let all = lines(&imported);
    assert!(all[0].starts_with("屏幕👍 很好 | labels=x+y | sentiment=pos | stars=4 | why=因为"), "{all:?}");
    assert!(all[0].contains("OPN:很好 | u1 says") && all[0].contains("u2 says neg and marks 0"), "{all:?}");
    assert_eq!(imported.drafts[1].annotation.as_ref().unwrap().state, State::Skipped);
    says(&imported, Fate::Noted, "suggestions", 1);
    // The columns of its export to a data set.
    let flat = "{\"text\":\"好\",\"mood.responses\":[\"pos\"],\"mood.responses.users\":[\"u1\"],\"mood.suggestion\":\"neg\",\"mood.suggestion.score\":0.2,\"shop\":\"b\"}\n";
    let imported = read("flat.jsonl", flat);
    assert_eq!((imported.report.format, lines(&imported)), ("Argilla", vec!["好 | mood=pos".to_owned()]));
    assert_eq!(imported.drafts[0].meta["shop"], "b");
}

#[test]
fn webanno_as_inception_writes_it() {
    let tsv = concat!(
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue\n",
        "#T_SP=webanno.custom.Aspect|polarity|note\n#T_RL=webanno.custom.About|kind|BT_webanno.custom.Aspect\n\n\n",
        "#Text=屏幕👍 is great.\n",
        "1-1\t0-2\t屏幕\tNN\tpositive\t_\t_\t_\t\n1-2\t2-4\t👍\t_\t_\t_\t_\t_\t\n1-3\t5-7\tis\t_\t*[1]\tx\\_y[1]\t_\t_\t\n",
        "1-4\t8-13\tgreat\t_\t*[1]|positive[2]\t*[1]|*[2]\tof\t1-1[0_1]\t\n1-5\t13-14\t.\t_\t_\t_\t_\t_\t\n\n",
        "#Text=Second  one\n2-1\t15-21\tSecond\t_\t_\t_\t_\t_\t\n2-2\t23-26\tone\t_\t_\t_\t_\t_\t\n2-2.1\t24-26\tne\t_\t*\t_\t_\t_\t\n",
    );
    let imported = read("a.tsv", tsv);
    assert_eq!(imported.report.format, "WebAnno TSV");
    let wanted = "屏幕👍 is great.\nSecond  one | Aspect:屏幕+ | Aspect:is great | Aspect:great+ | Aspect:ne";
    assert_eq!(lines(&imported)[0].split(" | 0>").next().unwrap(), wanted);
    assert!(lines(&imported)[0].ends_with("0>1"), "{:?}", lines(&imported));
    says(&imported, Fate::Noted, "about single words", 1);
    let said = imported.drafts[0].annotation.as_ref().unwrap();
    assert_eq!(said.attributes.values().map(|own| own["note"].clone()).collect::<Vec<_>>(), [DraftValue::Name("x_y".to_owned())]);
    assert!(said.link_types.values().any(|name| name == "of"));
    assert!(try_read("a.tsv", "#FORMAT=WebAnno TSV 3.3\n\nnothing", &ImportOptions::default()).is_err());
}

#[test]
fn folders_of_hugging_face() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write(
        "README.md",
        "---\ndataset_info:\n  features:\n  - name: tokens\n    sequence: string\n  - name: ner_tags\n    sequence:\n      class_label:\n        names:\n          '0': O\n          '1': B-ASP\n          '2': I-ASP\n  - name: label\n    dtype:\n      class_label:\n        names:\n          '0': \"neg: bad\"\n          '1': 好\n---\n# x\n",
    );
    write("data/train-00000.jsonl", "{\"tokens\":[\"屏\",\"幕\",\"is\",\"fine\"],\"ner_tags\":[1,2,0,0],\"label\":1,\"id\":\"7\"}\n");
    write(
        "data/validation.jsonl",
        "{\"tokens\":[\"bad\"],\"ner_tags\":[0],\"label\":0}\n{\"tokens\":[\"odd\"],\"ner_tags\":[0],\"label\":9}\n",
    );
    let imported = read_path(folder.path(), &ImportOptions::default()).unwrap();
    assert_eq!(imported.report.format, "Hugging Face");
    assert_eq!(lines(&imported), ["屏幕is fine | 好 | ASP:屏幕", "bad | neg: bad", "odd"]);
    assert_eq!(
        imported.drafts.iter().map(|draft| draft.split).collect::<Vec<_>>(),
        [Some(Split::Train), Some(Split::Dev), Some(Split::Dev)]
    );
    assert_eq!(imported.drafts[0].meta["id"], "7");
    says(&imported, Fate::Noted, "class without a name", 1);
}

#[test]
fn tables_of_doccano_and_fast_text() {
    let options = ImportOptions { format: Some(Format::Annotated(Kind::Doccano)), ..ImportOptions::default() };
    let imported = try_read("a.csv", "id,data,label\n1,\"Good, fine\",a#b\n2,贵,a\n", &options).unwrap();
    assert_eq!(lines(&imported), ["Good, fine | labels=a+b", "贵 | labels=a"]);
    assert_eq!(read("a.txt", "__label__a 很好 , ok\n__label__b\t贵\n").report.format, "fastText");
}

// --- Out, back, and compared ---

/// Several kinds of questions, several people, and all that formats stumble over.
#[derive(Clone, Debug)]
struct Made {
    pieces: Vec<usize>,
    spans: Vec<(usize, usize, u16, Option<Polarity>)>,
    links: Vec<(u32, u32)>,
    /// Value of the first label's "part", number of "strength", for spans in turn; a type for links in turn.
    details: (Vec<Option<u16>>, Vec<Option<i8>>, Vec<u16>),
    answers: (Option<u16>, Vec<u16>, Option<i16>, Option<usize>),
    state: u8,
    fields: Vec<(usize, usize)>,
    split: Option<Split>,
}

const PIECES: [&str; 18] = [
    "房间很干净",
    "，",
    "但是",
    " ",
    "battery",
    "cafe\u{301}",
    "👨🏻‍🚒",
    "！",
    "\n",
    "\"引号\"",
    "don't",
    "#",
    "  ",
    "O",
    "\r\n",
    "<b>&amp;",
    "a_b|c[1]*",
    "\\n",
];
const FIELDS: [&str; 6] = ["店铺", "id", "label", "split", "text", "state"];

fn made() -> impl Strategy<Value = Made> {
    let polarity = prop_oneof![Just(None), Just(Some(Polarity::Positive)), Just(Some(Polarity::Negative)), Just(Some(Polarity::Neutral))];
    let spans = prop::collection::vec((0usize..24, 1usize..6, 0u16..2, polarity), 0..5);
    let links = prop::collection::vec((0u32..5, 0u32..5), 0..4);
    let details = (
        prop::collection::vec(prop::option::of(0u16..3), 0..5),
        prop::collection::vec(prop::option::of(-4i8..9), 0..5),
        prop::collection::vec(0u16..3, 0..4),
    );
    // Few are huge.
    let pieces = prop_oneof![9 => prop::collection::vec(0..PIECES.len(), 0..8), 1 => prop::collection::vec(0..PIECES.len(), 400..600)];
    let answers =
        (prop::option::of(0u16..3), prop::collection::vec(0u16..2, 0..3), prop::option::of(-10i16..10), prop::option::of(0..PIECES.len()));
    let split = prop_oneof![Just(None), Just(Some(Split::Train)), Just(Some(Split::Test))];
    let fields = prop::collection::vec((0..FIELDS.len(), 0..PIECES.len()), 0..3);
    (pieces, spans, links, details, answers, 0u8..6, fields, split).prop_map(
        |(pieces, spans, links, details, answers, state, fields, split)| Made {
            pieces,
            spans,
            links,
            details,
            answers,
            state,
            fields,
            split,
        },
    )
}

fn schema() -> Schema {
    let mut schema = Schema::default();
    schema.span_labels.iter_mut().for_each(|label| label.polarity = true);
    let class = |name: &str| Class { name: name.to_owned(), hue: 0 };
    let one = Number::new(1.0).unwrap();
    let scale = Scale::new(Number::new(-10.0).unwrap(), Number::new(10.0).unwrap(), one).unwrap();
    let question = |name: &str, classes, kind| Question { name: name.to_owned(), classes, kind };
    schema.questions.push(question("情绪", vec![class("joy: 'x'"), class("愤怒")], Asks::Several));
    schema.questions.push(question("stars", Vec::new(), Asks::Number(scale)));
    schema.questions.push(question("why", Vec::new(), Asks::Text));
    let attribute = |name: &str, kind| Attribute { name: name.to_owned(), kind, help: String::new() };
    let part = attribute("kind of", AttributeKind::Values(["屏幕 1", "a|b;c", "price"].map(str::to_owned).to_vec()));
    let mut whole = serde_json::to_value(&schema).unwrap();
    whole["label_notes"] = serde_json::json!([{"attributes": [part, attribute("strength", AttributeKind::Number(scale))]}]);
    whole["link_types"] = serde_json::json!([LinkType::new("about", 0), LinkType::new("contrasts 反", 1), LinkType::new("part", 2)]);
    serde_json::from_value(whole).unwrap()
}

fn project(made: &[Made]) -> Project {
    let mut project = Project::new(schema());
    let documents: Vec<Document> = made.iter().enumerate().map(|(at, made)| document(at, made)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }).unwrap();
    project
}

fn document(at: usize, made: &Made) -> Document {
    let text: String = std::iter::once(format!("第{at}条")).chain(made.pieces.iter().map(|at| PIECES[*at].to_owned())).collect();
    let state = match made.state {
        0 => State::Todo,
        1 => State::Skipped,
        _ => State::Done,
    };
    let mut said = Annotation { state, ..Annotation::default() };
    let (class, classes, number, words) = &made.answers;
    said.answers.extend(class.map(|class| (QuestionId(0), Answer::Class(class))));
    let classes: BTreeSet<u16> = classes.iter().copied().collect();
    said.answers.extend((!classes.is_empty()).then_some((QuestionId(1), Answer::Classes(classes))));
    said.answers.extend(number.and_then(|number| Number::new(f64::from(number))).map(|number| (QuestionId(2), Answer::Number(number))));
    let words = words.map(|at| PIECES[at].trim()).filter(|words| !words.is_empty());
    said.answers.extend(words.map(|words| (QuestionId(3), Answer::Text(words.to_owned()))));
    let mut taken = HashSet::new();
    for (start, length, label, polarity) in &made.spans {
        if let Some(range) = TextRange::from_chars(&text, *start..start + length).filter(|range| taken.insert((*range, *label))) {
            said.spans.insert(SpanId(said.spans.len() as u32), Span { range, label: *label, polarity: *polarity });
        }
    }
    let known = |id: u32| said.spans.contains_key(&SpanId(id));
    let sound = made.links.iter().filter(|(from, to)| from != to && known(*from) && known(*to));
    said.links = sound.map(|(from, to)| Link { from: SpanId(*from), to: SpanId(*to) }).collect();
    let (parts, strengths, types) = &made.details;
    for (id, _) in said.spans.iter().filter(|(_, span)| span.label == 0) {
        let part = parts.get(id.0 as usize).copied().flatten().map(|part| (0, AttributeValue::Value(part)));
        let strength = strengths.get(id.0 as usize).copied().flatten().and_then(|number| Number::new(f64::from(number) / 2.0));
        let own: Attributes = part.into_iter().chain(strength.map(|number| (1, AttributeValue::Number(number)))).collect();
        if !own.is_empty() {
            said.attributes.insert(*id, own);
        }
    }
    said.link_types = said.links.iter().zip(types).filter(|(_, held)| **held > 0).map(|(link, held)| (*link, *held)).collect();
    let meta: BTreeMap<&str, &str> = made.fields.iter().map(|(name, value)| (FIELDS[*name], PIECES[*value])).collect();
    Document { meta: meta.into_iter().collect(), annotation: said, split: made.split, ..Document::new(DocId::from_index(at), text) }
}

/// What is written is read back; nothing is different but what the export had said.
fn comes_back_as_said(before: &Project, format: ExportFormat) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format.extension().map_or("out".to_owned(), |extension| format!("out.{extension}")));
    let exported = export(before, format).unwrap();
    exported.write(&path).unwrap();
    if exported.documents == 0 {
        return Ok(());
    }
    let verified = verify(before, format, &path, &exported.losses).unwrap();
    prop_assert!(verified.is_as_said(), "{:?}: {:#?}\nsaid: {:#?}", format, verified.sentences(), exported.sentences());
    if exported.losses.is_empty() {
        prop_assert!(verified.is_identical(), "{:?}: {:#?}", format, verified.sentences());
    }
    Ok(())
}

/// The same cases each time, unless PROPTEST_CASES and PROPTEST_RNG_SEED ask for others.
fn settings() -> ProptestConfig {
    let mut settings = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        settings.cases = 48;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        settings.rng_seed = proptest::test_runner::RngSeed::Fixed(1);
    }
    settings
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn every_format_brings_back_what_it_said(made in prop::collection::vec(made(), 1..5)) {
        let before = project(&made);
        for format in ExportFormat::ALL {
            comes_back_as_said(&before, format)?;
        }
    }
}

/// Texts and spans that tools are known to stumble over, through every format that can carry them.
#[test]
fn acceptance_vectors() {
    let texts = [
        ("👨🏻‍🚒 屏幕很好", vec![(5, 7)]),
        ("屏幕很清晰,但是电池不耐用。", vec![(0, 2), (2, 5), (8, 10)]),
        ("\"Great screen, bad battery\"", vec![(1, 6), (7, 13)]),
        ("他说\"很好\"", vec![(3, 5)]),
        ("Text: Berlin,  Germany.", vec![(6, 12), (15, 22)]),
    ];
    let mut documents = Vec::new();
    for (at, (text, spans)) in texts.into_iter().enumerate() {
        let mut said = Annotation { state: State::Done, ..Annotation::default() };
        said.answers.insert(QuestionId(0), Answer::Class(2));
        for (id, (start, end)) in spans.into_iter().enumerate() {
            let range = TextRange::from_chars(text, start..end).unwrap();
            said.spans.insert(SpanId(id as u32), Span { range, label: 0, polarity: None });
        }
        documents.push(Document { annotation: said, ..Document::new(DocId::from_index(at), text) });
    }
    let mut before = Project::new(Schema::default());
    before.apply(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let holds_both = [
        ExportFormat::Jsonl,
        ExportFormat::LabelStudio,
        ExportFormat::Doccano,
        ExportFormat::Prodigy,
        ExportFormat::Argilla,
        ExportFormat::HuggingFace,
    ];
    let spans_only = [ExportFormat::Conll, ExportFormat::Brat, ExportFormat::WebAnno, ExportFormat::SemEval14, ExportFormat::SemEval16];
    let class_only = [ExportFormat::Csv, ExportFormat::Xlsx, ExportFormat::FastText];
    for format in holds_both.into_iter().chain(spans_only).chain(class_only) {
        let path = folder.path().join(format.key());
        let exported = export(&before, format).unwrap();
        exported.write(&path).unwrap();
        let verified = verify(&before, format, &path, &exported.losses).unwrap();
        let different: Vec<&str> = verified.differences.iter().map(|difference| difference.loss.what.as_str()).collect();
        let wanted: &[&str] = if holds_both.contains(&format) {
            &[]
        } else if spans_only.contains(&format) {
            &["an answer is missing or another"]
        } else {
            &["a span is missing"]
        };
        let other: Vec<&&str> = different.iter().filter(|what| !wanted.contains(what) && **what != "the state is another").collect();
        assert!(other.is_empty(), "{format:?}: {:#?}", verified.sentences());
        assert_eq!(verified.documents, 5, "{format:?}");
    }
    // Three overlapping spans in any order: the same result, and a report that names what a flat format drops.
    let orders = [[(4, 10), (4, 19), (14, 19)], [(4, 19), (4, 10), (14, 19)], [(14, 19), (4, 10), (4, 19)]];
    let written: HashSet<Vec<u8>> = orders
        .into_iter()
        .map(|spans| {
            let rows: Vec<String> = spans.iter().map(|(start, end)| format!("[{start},{end},\"X{}\"]", end - start)).collect();
            let imported = read("d.jsonl", format!("{{\"text\":\"The screen is great\",\"label\":[{}]}}\n", rows.join(",")));
            let mut project = Project::new(Schema::with_names(&["a", "b"], &["X6", "X15", "X5"]));
            import::edits(&project, imported.drafts).0.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
            let exported = export(&project, ExportFormat::Conll).unwrap();
            assert!(exported.sentences().join("\n").contains("2 × a span that overlaps another"), "{:?}", exported.sentences());
            exported.bytes
        })
        .collect();
    assert_eq!(written.len(), 1);
}

#[test]
fn verification_finds_what_was_tampered_with() {
    let made = Made {
        pieces: vec![0, 4],
        spans: vec![(0, 3, 0, Some(Polarity::Positive))],
        links: vec![],
        details: Default::default(),
        answers: (Some(2), vec![], None, None),
        state: 2,
        fields: vec![],
        split: None,
    };
    let before = project(&[made]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("o.jsonl");
    let exported = export(&before, ExportFormat::Jsonl).unwrap();
    exported.write(&path).unwrap();
    assert!(verify(&before, ExportFormat::Jsonl, &path, &exported.losses).unwrap().is_identical());
    let changed = fs::read_to_string(&path)
        .unwrap()
        .replace("\"polarity\":\"positive\"", "\"polarity\":\"negative\"")
        .replace("\"sentiment\":\"positive\"", "\"sentiment\":\"neutral\"");
    fs::write(&path, changed).unwrap();
    let verified = verify(&before, ExportFormat::Jsonl, &path, &exported.losses).unwrap();
    assert!(!verified.is_as_said());
    assert_eq!(verified.differences.len(), 2, "{:?}", verified.sentences());
    // A folder that holds something is not written over.
    let taken = folder.path().to_owned();
    assert!(matches!(export(&before, ExportFormat::Brat).unwrap().write(&taken), Err(StoreError::Exists { .. })));
}

/// What each format writes, changed byte by byte from a fixed seed: rows, issues or an error, and never a panic. The
/// targets of `tests/fuzz` do the same with a fuzzer's wits.
#[test]
fn damaged_files_of_every_format() {
    let made = Made {
        pieces: vec![0, 4, 6, 5],
        spans: vec![(0, 3, 0, Some(Polarity::Positive)), (4, 2, 1, None)],
        links: vec![(1, 0)],
        details: Default::default(),
        answers: (Some(2), vec![1], Some(3), Some(0)),
        state: 2,
        fields: vec![(0, 4)],
        split: None,
    };
    let before = project(&[made.clone(), made]);
    let mut seed = 7u64;
    let mut random = move |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most.max(1)
    };
    for format in ExportFormat::ALL {
        let exported = export(&before, format).unwrap();
        let files =
            if exported.files.is_empty() { vec![(format!("a.{}", format.extension().unwrap()), exported.bytes)] } else { exported.files };
        for round in 0..24 {
            let folder = tempfile::tempdir().unwrap();
            for (name, bytes) in &files {
                let mut bytes = bytes.clone();
                match round % 4 {
                    0 => bytes.truncate(random(bytes.len())),
                    1 => (0..4).for_each(|_| {
                        let at = random(bytes.len());
                        bytes[at] = random(256) as u8;
                    }),
                    2 => {
                        let (from, to) = (random(bytes.len()), random(bytes.len()));
                        bytes.drain(from.min(to)..from.max(to));
                    }
                    _ => {
                        let at = random(bytes.len());
                        let inside: &[u8] =
                            [&b"\"start\":99999999999"[..], b"NaN", b"\xed\xa0\x80", b"-1", b"\x00", b"[[[[[[[["][random(6)];
                        bytes.splice(at..at, inside.iter().copied());
                    }
                }
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            let path = if files.len() == 1 { folder.path().join(&files[0].0) } else { folder.path().to_owned() };
            let kind = Kind::ALL.into_iter().find(|kind| kind.key() == format.key()).map(Format::Annotated);
            for format in [None, kind] {
                if let Ok(imported) = read_path(&path, &ImportOptions { format, ..ImportOptions::default() }) {
                    let project = Project::new(Schema::default());
                    let mut after = project.clone();
                    import::edits(&project, imported.drafts).0.into_iter().for_each(|edit| drop(after.apply(edit).unwrap()));
                }
            }
        }
    }
}
