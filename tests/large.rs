//! Files longer than what is read at once, through every format that is read piece by piece: the same rows as in small ones,
//! whatever stands at the edge of a piece, with progress and a way out.

use gloss::store::formats::Kind;
use gloss::store::import::{self, Draft, Format, ImportOptions, Imported};
use gloss::store::{Charset, StoreError};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

/// More than two pieces of four MB.
const LONG: usize = 9 << 20;

fn text(at: usize) -> String {
    format!("第{at}条：屏幕很清晰👍，\u{201c}e\u{301}lan\u{201d} {}", "房间安静，".repeat(at % 61))
}

/// `row` for texts until the file is long, and how many.
fn rows(row: impl Fn(usize, &str) -> String) -> (Vec<String>, usize) {
    let (mut rows, mut length) = (Vec::new(), 0);
    while length < LONG {
        let row = row(rows.len(), &text(rows.len()));
        length += row.len();
        rows.push(row);
    }
    let count = rows.len();
    (rows, count)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn options(kind: Option<Kind>) -> ImportOptions {
    ImportOptions { format: kind.map(Format::Annotated), ..ImportOptions::default() }
}

fn try_read(path: &Path, options: &ImportOptions) -> Result<Imported, StoreError> {
    Ok(import::read(path, options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()))?.unwrap())
}

/// "屏幕" is marked in the draft, behind what differs in length from row to row.
fn marks_the_screen(draft: &Draft) -> bool {
    let spans = draft.annotation.iter().flat_map(|said| &said.spans);
    spans.map(|span| span.range.of(&draft.text)).eq(["屏幕"])
}

fn span(at: usize) -> (usize, usize) {
    let start = format!("第{at}条：").chars().count();
    (start, start + 2)
}

/// A file of each kind with what its rows are called, and whether spans are marked in it.
fn files() -> Vec<(&'static str, Kind, String, usize)> {
    let (tasks, count) = rows(|at, text| {
        let (start, end) = span(at);
        let region = format!(
            r#"{{"id":"a","type":"labels","from_name":"l","value":{{"start":{start},"end":{end},"text":"屏幕","labels":["aspect"]}}}}"#
        );
        format!("{{\"id\":{at},\r\n \"data\":{{\"text\":{}}},\"annotations\":[{{\"result\":[{region}]}}]}}", quoted(text))
    });
    let (doccano, doccano_count) = rows(|at, text| {
        let (start, end) = span(at);
        format!(r#"{{"text":{},"offset_unit":"code points","label":[[{start},{end},"aspect"]]}}"#, quoted(text))
    });
    let (prodigy, prodigy_count) = rows(|at, text| {
        let (start, end) = span(at);
        format!(
            "{{\n\"text\":{},\n\"_input_hash\":1,\"answer\":\"accept\",\"spans\":[{{\"start\":{start},\"end\":{end},\"label\":\"aspect\"}}]\n}}",
            quoted(text)
        )
    });
    let (records, record_count) = rows(|at, text| {
        let (start, end) = span(at);
        let value = format!(r#"[{{"start":{start},"end":{end},"label":"aspect"}}]"#);
        format!(r#"{{"fields":{{"text":{}}},"responses":{{"spans":[{{"value":{value},"user_id":"u"}}]}}}}"#, quoted(text))
    });
    let (sentences, sentence_count) = rows(|at, text| {
        let (start, end) = span(at);
        let opinion = format!(r#"<Opinion target="屏幕" category="S#Q" polarity="positive" from="{start}" to="{end}"/>"#);
        format!("<sentence id=\"{at}\">\n<text>{text}</text><Opinions>{opinion}</Opinions></sentence>\n")
    });
    let (words, word_count) = rows(|at, _| {
        let filler: String = (0..at % 61).map(|word| format!("词{at}x{word} O\n")).collect();
        format!("条{at} O\n屏幕 B-aspect\n清晰 O\n{filler}\n")
    });
    let (aste, aste_count) = rows(|at, _| format!("条{at} 屏幕 清晰 {}####[([1], [2], 'POS')]\n", "很 ".repeat(at % 61)));
    let (apc, apc_count) = rows(|at, _| format!("条{at}的$T$清晰{}\n屏幕\nPositive\n", "很".repeat(at % 61)));
    let (fast, fast_count) = rows(|_, text| format!("__label__pos {text}\n"));
    let (columns, column_count) = rows(|at, text| format!("{at},\"{text}\r\n\",pos#neg\r\n"));
    vec![
        ("tasks.json", Kind::LabelStudio, format!("[\n{}\n]\n", tasks.join(",\n")), count),
        ("d.jsonl", Kind::Doccano, doccano.join("\n"), doccano_count),
        ("p.jsonl", Kind::Prodigy, prodigy.join("\n"), prodigy_count),
        ("records.json", Kind::Argilla, format!("[{}]", records.join(",")), record_count),
        (
            "s.xml",
            Kind::SemEval16,
            format!(
                "<?xml version=\"1.0\" encoding=\"GB18030\"?>\n<Reviews><Review rid=\"1\"><sentences>\n{}</sentences></Review></Reviews>",
                sentences.concat()
            ),
            sentence_count,
        ),
        ("w.conll", Kind::Conll, words.concat(), word_count),
        ("a.txt", Kind::Aste, aste.concat(), aste_count),
        ("a.apc", Kind::Apc, apc.concat(), apc_count),
        ("f.txt", Kind::FastText, fast.concat(), fast_count),
        ("d.csv", Kind::Doccano, format!("id,text,label\r\n{}", columns.concat()), column_count),
    ]
}

#[test]
fn every_row_of_a_long_file_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, content, count) in files() {
        assert!(content.len() >= LONG);
        let path = folder.path().join(name);
        fs::write(&path, &content).unwrap();
        let imported = try_read(&path, &options(Some(kind))).unwrap();
        let report = &imported.report;
        assert_eq!((report.rows, report.skipped, imported.drafts.len()), (count, 0, count), "{name} {:?}", report.issues.first());
        let is_marked = !matches!(name, "f.txt" | "d.csv");
        let whole = |draft: &Draft| match kind {
            Kind::Aste => draft.text.contains("屏幕") && draft.annotation.iter().all(|said| said.spans.len() == 2 && said.links.len() == 1),
            _ => draft.text.contains("屏幕") && (!is_marked || marks_the_screen(draft)),
        };
        let odd = imported.drafts.iter().position(|draft| !whole(draft));
        assert_eq!(odd, None, "{name}: {:?}", odd.map(|at| &imported.drafts[at]));
        // What it is is found out from its beginning.
        if !matches!(name, "d.csv" | "w.conll") {
            assert_eq!(import::preview(&path, None).unwrap().format, Format::Annotated(kind), "{name}");
        }
    }
}

#[test]
fn a_long_array_of_plain_objects_in_any_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reviews.json");
    let (objects, count) = rows(|at, text| format!(r#"{{"n":{at},"text":{}}}"#, quoted(text)));
    let array = format!("[{}]", objects.join(",\n"));
    for (charset, bytes) in [
        (Charset::Utf8, array.clone().into_bytes()),
        (Charset::Gb18030, encoding_rs::GB18030.encode(&array).0.into_owned()),
        (Charset::Utf16Le, array.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ] {
        fs::write(&path, bytes).unwrap();
        let preview = import::preview(&path, None).unwrap();
        assert_eq!((preview.encoding, preview.columns.as_slice()), (charset.name(), ["n".to_owned(), "text".to_owned()].as_slice()));
        let imported = try_read(&path, &ImportOptions::default()).unwrap();
        assert_eq!((imported.report.encoding, imported.drafts.len(), imported.report.issues.len()), (charset.name(), count, 0));
        assert!(imported.drafts.iter().enumerate().all(|(at, draft)| draft.text == text(at) && draft.row == at + 1));
    }
}

/// Rows that stand before the break do not come in either: half a file is no file.
#[test]
fn a_long_file_that_breaks_off_is_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let files = files();
    for (name, kind, content, _) in files.iter().filter(|(_, kind, ..)| matches!(kind, Kind::LabelStudio | Kind::Argilla | Kind::SemEval16))
    {
        let path = folder.path().join(name);
        let cut = content.floor_char_boundary(content.len() - 1000);
        fs::write(&path, &content[..cut]).unwrap();
        let error = try_read(&path, &options(Some(*kind))).unwrap_err().to_string();
        assert!(error.contains("broken") && (error.contains("line ") || error.contains("ends before")), "{error}");
    }
    let (objects, _) = rows(|at, text| format!(r#"{{"n":{at},"text":{}}}"#, quoted(text)));
    let path = folder.path().join("reviews.json");
    fs::write(&path, format!("[{}, oops]", objects.join(",\n"))).unwrap();
    let error = try_read(&path, &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains(&format!("line {}", objects.len())), "{error}");
}

/// Values over many lines, one after the other: what comes after a broken one is not read, and that is said.
#[test]
fn values_after_a_broken_one_are_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.json");
    let value = |text: &str| format!("{{\n\"text\": \"{text}\",\n\"label\": [\"pos\"]\n}}\n");
    fs::write(&path, format!("{}{}oops{}", value("好"), value("屏幕"), value("贵"))).unwrap();
    let imported = try_read(&path, &options(Some(Kind::Doccano))).unwrap();
    let reasons: Vec<&str> = imported.report.issues.iter().map(|issue| issue.reason.as_str()).collect();
    assert_eq!((imported.drafts.len(), imported.report.skipped), (2, 1));
    assert!(reasons[0].contains("is not valid JSON") && reasons[0].contains("what comes after it was not read"), "{reasons:?}");
}

#[test]
fn an_element_without_end_costs_its_limit_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let long = "很长".repeat((70 << 20) / 6);
    for (name, kind, open, close) in [
        ("reviews.json", None, "[{\"text\":\"好\"},{\"text\":\"", "\"}]"),
        ("tasks.json", Some(Kind::LabelStudio), "[{\"data\":{\"text\":\"好\"},\"annotations\":[]},{\"data\":{\"text\":\"", "\"}}]"),
        (
            "s.xml",
            Some(Kind::SemEval14),
            "<sentences><sentence><text>好</text></sentence><sentence><text>",
            "</text></sentence></sentences>",
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, format!("{open}{long}{close}")).unwrap();
        let error = try_read(&path, &options(kind)).unwrap_err().to_string();
        assert!(error.contains("longer than 64 MB"), "{name}: {error}");
    }
    // In a file of words and tags the sentence is passed over.
    let path = folder.path().join("w.conll");
    let endless = "很长很长很长很长很长 O\n".repeat((70 << 20) / 33);
    fs::write(&path, format!("屏幕 B-aspect\n好 O\n\n{endless}\n贵 B-aspect\n")).unwrap();
    let imported = try_read(&path, &options(Some(Kind::Conll))).unwrap();
    let texts: Vec<&str> = imported.drafts.iter().map(|draft| draft.text.as_str()).collect();
    assert_eq!(texts, ["屏幕好", "贵"]);
    assert!(imported.report.issues[0].reason.contains("longer than 64 MB"), "{:?}", imported.report.issues);
}

/// The way out is open while rows are parsed and while they are taken in; the share that is done only grows.
#[test]
fn a_long_import_tells_how_far_it_is_and_can_be_ended() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, content, _) in files() {
        let path = folder.path().join(name);
        fs::write(&path, &content).unwrap();
        let mut shares = Vec::new();
        import::read(&path, &options(Some(kind)), &HashSet::new(), &mut |share, _| {
            shares.push(share);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(shares.len() > 20 && shares.is_sorted() && shares.last() == Some(&1.0), "{name}: {shares:?}");
        let parsing = shares.iter().filter(|share| (0.01..0.59).contains(*share)).count();
        assert!(parsing > 5, "{name}: {shares:?}");
        for end in [0.0, 0.3, 0.8] {
            let mut after = 0;
            let ended = import::read(&path, &options(Some(kind)), &HashSet::new(), &mut |share, _| {
                after += usize::from(share >= end);
                if share >= end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!((ended.unwrap(), after), (None, 1), "{name} ended at {end}");
        }
    }
}
