//! Annotated files of other tools in and out: what comes in is right, what is lost is said, damage harms nothing.

use gloss::project::{
    Annotation, Answer, DocId, Document, Edit, Link, Polarity, Project, QuestionId, Schema, Span, SpanId, State, TextRange,
};
use gloss::store::StoreError;
use gloss::store::export::{ExportFormat, Exported, export};
use gloss::store::formats::{Fate, Kind, SpanReport};
use gloss::store::import::{self, DraftAnswer, DraftValue, Format, ImportOptions, Imported};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn read_path(path: &Path, format: Option<Format>) -> Result<Imported, StoreError> {
    let options = ImportOptions { format, ..ImportOptions::default() };
    let imported = import::read(path, &options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()))?.unwrap();
    let report = &imported.report;
    assert_eq!(report.rows, report.imported + report.skipped + report.duplicates_in_file + report.duplicates_in_project, "{report:?}");
    if let Some(spans) = &report.spans {
        let came: usize = imported.drafts.iter().flat_map(|draft| &draft.annotation).map(|said| said.spans.len()).sum();
        assert_eq!(came, spans.kept + spans.clipped, "{spans:?}");
        let count = |fate| spans.losses.iter().filter(|loss| loss.fate == fate).map(|loss| loss.count).sum::<usize>();
        assert_eq!((count(Fate::Clipped), count(Fate::Dropped)), (spans.clipped, spans.dropped));
    }
    Ok(imported)
}

fn try_read(name: &str, content: impl AsRef<[u8]>) -> Result<Imported, StoreError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    read_path(&path, None)
}

#[track_caller]
fn read(name: &str, content: impl AsRef<[u8]>) -> Imported {
    try_read(name, content).unwrap()
}

fn spans_of(imported: &Imported) -> &SpanReport {
    imported.report.spans.as_ref().unwrap()
}

/// An answer of a draft in words.
pub fn words(answer: &DraftAnswer) -> String {
    match answer {
        DraftAnswer::Class(words) | DraftAnswer::Text(words) => words.clone(),
        DraftAnswer::Classes(names) => names.join("+"),
        DraftAnswer::Number(number) => number.to_string(),
    }
}

/// A document in one line: class, then spans as `label words polarity`, then links as `from>to`.
fn lines(imported: &Imported) -> Vec<String> {
    let line = |draft: &import::Draft| {
        let said = draft.annotation.clone().unwrap_or_default();
        let mut parts = vec![draft.text.clone()];
        parts.extend(draft.label.clone());
        parts.extend(said.answers.iter().map(|(question, answer)| format!("{question}={}", words(answer))));
        for span in &said.spans {
            let polarity = span.polarity.map_or("", Polarity::mark);
            parts.push(format!("{}:{}{polarity}", span.label, span.range.of(&draft.text)));
        }
        parts.extend(said.links.iter().map(|(from, to)| format!("{from}>{to}")));
        parts.join(" | ")
    };
    imported.drafts.iter().map(line).collect()
}

/// Reads a file: recognised as this format, with these documents.
#[track_caller]
fn check(name: &str, content: &str, kind: Kind, wanted: &[&str]) -> Imported {
    let imported = read(name, content);
    assert_eq!(imported.report.format, kind.name());
    assert_eq!(lines(&imported), wanted);
    imported
}

/// The import as a step of a new project.
fn project_of(imported: Imported, schema: Schema) -> Project {
    let mut project = Project::new(schema);
    let (edits, _) = import::edits(&project, imported.drafts);
    edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    project
}

#[track_caller]
fn says(report: &SpanReport, fate: Fate, part: &str, count: usize) {
    let found = report.losses.iter().find(|loss| loss.fate == fate && loss.what.contains(part));
    assert_eq!(found.map(|loss| loss.count), Some(count), "{part:?} in {report:#?}");
}

#[test]
fn label_studio_tasks() {
    let file = r#"[{"id":1,"data":{"text":"屏幕👍 很好","shop":"b"},"annotations":[
        {"was_cancelled":true,"result":[]},
        {"result":[{"id":"r1","from_name":"label","to_name":"text","type":"labels","value":{"start":0,"end":2,"text":"屏幕","labels":["ASP"]}},
        {"id":"r2","from_name":"label","to_name":"text","type":"labels","value":{"start":4,"end":6,"text":"很好","labels":["OPN"]}},
        {"id":"r2","from_name":"polarity","to_name":"text","type":"choices","value":{"start":4,"end":6,"choices":["positive"]}},
        {"from_id":"r2","to_id":"r1","type":"relation","direction":"right","labels":["has"]},
        {"id":"c1","from_name":"mood","to_name":"text","type":"choices","value":{"choices":["positive","loud"]}},
        {"id":"x","from_name":"stars","type":"rating","value":{"rating":4}}]}],"predictions":[286]},
        {"id":2,"data":{"text":"nothing said"},"annotations":[],"predictions":[{"result":[]}]},
        {"id":3,"data":{"text":"skipped"},"annotations":[{"was_cancelled":true,"result":[]}]},
        {"id":4,"data":{"note":7},"annotations":[]}]"#;
    let wanted = ["屏幕👍 很好 | mood=positive+loud | stars=4 | ASP:屏幕 | OPN:很好+ | 1>0", "nothing said", "skipped"];
    let imported = check("tasks.json", file, Kind::LabelStudio, &wanted);
    let states: Vec<State> = imported.drafts.iter().map(|draft| draft.annotation.clone().unwrap().state).collect();
    assert_eq!(states, [State::Done, State::Todo, State::Skipped]);
    assert_eq!(imported.drafts[0].meta["shop"], "b");
    let spans = spans_of(&imported);
    assert_eq!((spans.kept, spans.clipped, spans.dropped, spans.unit), (2, 0, 0, Some("code points")));
    for part in ["second annotation", "predictions"] {
        says(spans, Fate::Noted, part, 1);
    }
    assert_eq!(imported.report.skipped, 1);
    // A question that takes several classes is none of the schema; labels the schema lacks are added, with polarity where it came.
    let project = project_of(imported, Schema::default());
    let questions: Vec<_> = project.schema().questions.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(questions, ["sentiment", "mood", "stars"]);
    assert_eq!(project.schema().link_types()[0].name, "has", "the one name of links is that of the first type");
    let labels: Vec<_> = project.schema().span_labels.iter().map(|label| (label.name.as_str(), label.polarity)).collect();
    assert_eq!(labels, [("aspect", false), ("opinion", true), ("ASP", false), ("OPN", true)]);
}

#[test]
fn label_studio_rows() {
    let file = r#"[{"id":1,"text":"很好","sentiment":"positive","label":[{"start":0,"end":2,"text":"很好","labels":["OPN"]}],"annotator":1,"annotation_id":3,"lead_time":1.5,"shop":"b"}]"#;
    let imported = check("min.json", file, Kind::LabelStudio, &["很好 | sentiment=positive | OPN:很好"]);
    assert_eq!(imported.drafts[0].meta, BTreeMap::from([("shop".to_owned(), "b".to_owned())]));
}

#[test]
fn stated_words_settle_where_a_span_is() {
    let task = |start: usize, end: usize, words: &str| {
        format!(
            r#"[{{"data":{{"text":"a  b 😀 screen, screen"}},"annotations":[{{"result":[{{"id":"1","type":"labels","value":{{"start":{start},"end":{end},"text":"{words}","labels":["X"]}}}}]}}]}}]"#
        )
    };
    let rows = [
        (task(7, 13, "screen"), "X:screen", (1, 0, 0)),
        (task(0, 4, "a b"), "X:a  b", (1, 0, 0)),
        (task(1, 2, "😀"), "X:😀", (0, 1, 0)),
        (task(1, 4, "gone"), "", (0, 0, 1)),
        (task(1, 4, "screen"), "", (0, 0, 1)),
    ];
    for (file, wanted, counts) in rows {
        let imported = read("t.json", &file);
        let spans = spans_of(&imported);
        assert_eq!((spans.kept, spans.clipped, spans.dropped), counts, "{file}\n{spans:?}");
        assert!(lines(&imported)[0].ends_with(wanted));
    }
}

#[test]
fn doccano_shapes() {
    let file = concat!(
        "{\"id\":12,\"text\":\"The screen is great\",\"label\":[[4,10,\"ASP\"],[14,19,\"OPN\"]],\"Comments\":[\"check\"]}\r\n",
        "{\"text\":\"Terrible service.\",\"label\":[\"negative\",\"angry\"]}\r\n\r\n",
        "{\"text\":\"屏幕好\",\"entities\":[{\"id\":7,\"label\":\"ASP\",\"start_offset\":0,\"end_offset\":2},{\"id\":9,\"label\":\"OPN\",\"start_offset\":2,\"end_offset\":3}],\"relations\":[{\"from_id\":9,\"to_id\":7,\"type\":\"of\"},{\"from_id\":9,\"to_id\":8,\"type\":\"of\"}]}\r\n",
        "{\"text\":\"Find it\",\"entities\":[[0,4,\"X\"],[5,99,\"X\"],[6,3,\"X\"],[50,60,\"X\"],[1,\"a\",\"X\"]],\"cats\":[\"flight\"]}\r\n",
    );
    let wanted = [
        "The screen is great | ASP:screen | OPN:great",
        "Terrible service. | labels=negative+angry",
        "屏幕好 | ASP:屏幕 | OPN:好 | 1>0",
        "Find it | labels=flight | X:Find | X:it",
    ];
    let imported = check("d.jsonl", file, Kind::Doccano, &wanted);
    assert_eq!(imported.drafts[0].meta["comments"], "check");
    assert_eq!(imported.drafts[3].row, 5);
    let spans = spans_of(&imported);
    assert_eq!((spans.kept, spans.clipped, spans.dropped), (5, 1, 3));
    says(spans, Fate::Clipped, "beyond the end", 1);
    for (part, count) in [("ends before it starts", 1), ("outside its text", 1), ("make sense", 1)] {
        says(spans, Fate::Dropped, part, count);
    }
    says(spans, Fate::Noted, "left out with a span", 1);
    check("d.json", "[\n {\"text\": \"好\",\n \"label\": [\"a\"]}\n]", Kind::Doccano, &["好 | a"]);
    check("d.jsonl", "{\n \"text\": \"好\",\n \"label\": [\"a\"]}\n{\n\"text\":\"坏\",\"label\":[]}", Kind::Doccano, &["好 | a", "坏"]);
    check("d.txt", "__label__a Good, fine\n\"__label__b Bad, \"\"very\"\" \"\n", Kind::FastText, &["Good, fine | a", "Bad, \"very\"  | b"]);
}

#[test]
fn offsets_in_every_unit() {
    // 屏幕 starts at code point 5, UTF-16 unit 8, byte 16, grapheme 2.
    let rows = [(5, 7, "code points"), (8, 10, "UTF-16 units"), (16, 22, "bytes of UTF-8"), (2, 4, "graphemes")];
    for (start, end, unit) in rows {
        let file = format!("{{\"text\":\"👨🏻‍🚒 屏幕很好！\",\"label\":[[{start},{end},\"ASP\"]]}}\n");
        let imported = read("d.jsonl", &file);
        assert_eq!(lines(&imported)[0], "👨🏻‍🚒 屏幕很好！ | ASP:屏幕", "{unit}");
        assert_eq!((spans_of(&imported).unit, &spans_of(&imported).unit_doubt), (Some(unit), &None));
    }
    // Combining marks and line ends.
    let imported = read("d.jsonl", "{\"text\":\"cafe\u{301} bon\\r\\nmenu\",\"label\":[[0,4,\"X\"],[9,13,\"Y\"]]}");
    assert_eq!(lines(&imported)[0], "cafe\u{301} bon\r\nmenu | X:cafe\u{301} | Y:menu");
    assert_eq!(spans_of(&imported).unit, Some("graphemes"));
    // Both could be meant: what doccano itself counts is taken, and it is said.
    let imported = read("d.jsonl", "{\"text\":\"好😀屏幕很好用\",\"label\":[[3,5,\"X\"]]}");
    assert_eq!(lines(&imported)[0], "好😀屏幕很好用 | X:屏幕");
    assert!(spans_of(&imported).unit_doubt.as_ref().unwrap().contains("code points would fit as well"), "{:?}", spans_of(&imported));
}

#[test]
fn prodigy_and_spacy() {
    let file = concat!(
        r#"{"text":"Pearl shuts","meta":{"source":"n"},"_input_hash":-5,"tokens":[{"text":"Pearl","start":0,"end":5,"id":0}],"spans":[{"start":0,"end":5,"token_start":0,"token_end":0,"label":"ORG"}],"answer":"accept"}"#,
        "\n",
        r#"{"text":"you fool","label":"INSULT","answer":"accept"}"#,
        "\n",
        r#"{"text":"nice day","label":"INSULT","answer":"reject"}"#,
        "\n",
        r#"{"text":"hm","label":"INSULT","answer":"ignore"}"#,
        "\n",
        r#"{"text":"wrong","spans":[{"start":0,"end":5,"label":"ORG"}],"answer":"reject"}"#,
        "\n",
        r#"{"text":"pick","options":[{"id":"pos","text":"pos"}],"accept":["pos","neg"],"answer":"accept"}"#,
        "\n",
        r#"{"text":"屏幕 好","spans":[{"start":0,"end":2,"label":"A"},{"start":3,"end":4,"label":"O"}],"relations":[{"head":5,"child":2,"label":"of","head_span":{"start":3,"end":4},"child_span":{"start":0,"end":2}}],"answer":"accept"}"#,
        "\n",
        r#"["spaCy here",{"entities":[[0,5,"ORG"]],"cats":{"GOOD":1.0,"BAD":0.0}}]"#,
        "\n",
    );
    let wanted = [
        "Pearl shuts | ORG:Pearl",
        "you fool | labels=INSULT",
        "nice day | labels=not INSULT",
        "hm",
        "wrong",
        "pick | labels=pos+neg",
        "屏幕 好 | A:屏幕 | O:好 | 1>0",
        "spaCy here | labels=GOOD | ORG:spaCy",
    ];
    let imported = check("p.jsonl", file, Kind::Prodigy, &wanted);
    assert_eq!(imported.drafts[0].meta, BTreeMap::from([("_input_hash".into(), "-5".into()), ("source".into(), "n".into())]));
    assert_eq!(imported.drafts[3].annotation.as_ref().unwrap().state, State::Skipped);
    says(spans_of(&imported), Fate::Dropped, "was rejected", 1);
}

/// A broken row at the start hides nothing of what the others are; NaN is no JSON.
#[test]
fn a_broken_first_row_does_not_hide_the_format() {
    let file = "{\"text\":\"a\",\"label\":[[NaN,2,\"X\"]]}\n{\"text\":\"好 b\",\"label\":[[0,1,\"X\"],[-1,1,\"X\"],[0,1e3,\"X\"],[0,99999999999999999999,\"X\"]]}\n";
    let imported = check("d.jsonl", file, Kind::Doccano, &["好 b | X:好"]);
    assert!(imported.report.issues[0].reason.contains("is not valid JSON") && imported.report.issues[0].skipped);
    says(spans_of(&imported), Fate::Dropped, "no offsets or label that make sense", 3);
}

/// What Prodigy, doccano and Argilla have no place for at a span comes back from where they leave it alone.
#[test]
fn what_is_said_of_spans_survives_tools_without_a_place_for_it() {
    let own = r#"{"text":"👍 屏幕很好","spans":[{"start":2,"end":4,"label":"A","status":"USED","polarity":"negative","level":2,"new":true,"score":0.4},
        {"start":4,"end":6,"label":"O","attributes":{"strength":0.5},"nested":[1]}],"answer":"accept"}"#.replace('\n', "");
    let imported = check("p.jsonl", &own, Kind::Prodigy, &["👍 屏幕很好 | A:屏幕- | O:很好"]);
    let said = imported.drafts[0].annotation.clone().unwrap();
    let words = |id: u32| said.attributes[&id].iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ");
    assert_eq!(words(0), "level=Number(Number(2000)) new=Name(\"true\") status=Name(\"USED\")");
    assert_eq!(words(1), "strength=Number(Number(500))");
    says(spans_of(&imported), Fate::Noted, "a field of a span (nested)", 1);

    let before = project_of(imported, Schema::default());
    for (format, name) in [(ExportFormat::Prodigy, "o.jsonl"), (ExportFormat::Doccano, "o.jsonl"), (ExportFormat::Argilla, "o.json")] {
        let (exported, after, _) = back(&before, format, name);
        assert!(exported.losses.is_empty(), "{format:?}: {:?}", exported.sentences());
        let said = |project: &Project| project.documents().next().unwrap().annotation.clone();
        assert_eq!((said(&after).spans, said(&after).attributes), (said(&before).spans, said(&before).attributes), "{format:?}");
    }
    // The tool moved one of the spans: what was said of it is named as left out, the rest stays.
    let moved = r#"{"text":"屏幕很好","entities":[{"id":1,"label":"A","start_offset":0,"end_offset":2},{"id":2,"label":"O","start_offset":3,"end_offset":4}],
        "span_details":{"spans":[{"start":0,"end":2,"label":"A","polarity":"positive"},{"start":2,"end":4,"label":"O","polarity":"negative"}]}}"#.replace('\n', "");
    let imported = check("d.jsonl", &moved, Kind::Doccano, &["屏幕很好 | A:屏幕+ | O:好"]);
    says(spans_of(&imported), Fate::Noted, "no longer in its text", 1);
    // A field of that name that is another's stays a field.
    let imported = read("d.jsonl", r#"{"text":"好","label":[[0,1,"A"]],"span_details":"seen"}"#);
    assert_eq!(imported.drafts[0].meta["span_details"], "seen");
}

#[test]
fn tag_schemes_read_alike() {
    let schemes = [
        ["B-A", "I-A", "B-A", "O", "B-O"],
        ["I-A", "I-A", "B-A", "O", "I-O"],
        ["I-A", "E-A", "E-A", "O", "E-O"],
        ["B-A", "E-A", "S-A", "O", "S-O"],
        ["B-A", "L-A", "U-A", "O", "U-O"],
        ["B_A", "E_A", "S_A", "O", "S_O"],
    ];
    for tags in schemes {
        for (separator, end) in [(" ", "\n"), ("\t", "\r\n"), (" -X- _ ", "\n"), ("   NNP ", "\n")] {
            let words = ["屏", "幕", "机", "很", "好"];
            let file: String = words.iter().zip(tags).map(|(word, tag)| format!("{word}{separator}{tag}{end}")).collect();
            let file = format!("-DOCSTART- -X- O{end}{end}{file}{end}# note{end}Nice O{end}screen B-A{end}");
            let wanted = ["屏幕机很好 | A:屏幕 | A:机 | O:好", "Nice screen | A:screen"];
            assert_eq!(lines(&check("x.conll", &file, Kind::Conll, &wanted)), wanted, "{tags:?}");
        }
    }
    check("x.bio", "# text = a  b, c\na O\nb B-X\n, I-X\nc O\n", Kind::Conll, &["a  b, c | X:b,"]);
    check("x.bio", "# text = \"a\\nb\"\na O\nb B-X\n", Kind::Conll, &["a\nb | X:b"]);
    let words = "a O\n".repeat(30);
    assert!(lines(&read("x.bio", format!("{words}\na O\nb B\nword\n")))[1].ends_with("a b word | span:b"));
}

#[test]
fn plain_texts_stay_plain() {
    for text in ["iPhone S\n", "Vitamin B\nGrade B\n", "costs = 5 #### nice\n", "$T$ is a sign\n", "[1] a note\n", "<b>bold</b>\n"] {
        assert_eq!(read("reviews.txt", text).report.format, "plain text", "{text}");
    }
}

#[test]
fn pyabsa_files() {
    let atepc = "屏 B-ASP Positive\n幕 I-ASP Positive\n好 O -100\n电 B-ASP -100\n池 I-ASP -100\n\n屏 B-ASP -100\n幕 I-ASP -100\n好 O -100\n电 B-ASP Negative\n池 I-ASP Negative\n";
    let imported = check("x.atepc", atepc, Kind::Atepc, &["屏幕好电池 | aspect:屏幕+ | aspect:电池-"]);
    assert_eq!((spans_of(&imported).joined_rows, imported.report.duplicates_in_file), (1, 1));
    let apc = "the $T$ was good\nfood\nPositive\nthe food was good , $T$\nservice\n-1\n";
    check("x.apc", apc, Kind::Apc, &["the food was good | aspect:food+", "the food was good , service | aspect:service-"]);
    let inline = "The [B-ASP]food[E-ASP] and [B-ASP]bar[E-ASP] $LABEL$ Positive,Negative\n屏[B-ASP]幕[E-ASP]\n";
    check("x.txt", inline, Kind::Apc, &["The food and bar | aspect:food+ | aspect:bar-", "屏幕 | aspect:幕"]);
}

#[test]
fn triplets_and_tagged_words() {
    let aste = "Great food , bad bar .####[([1], [0], 'POS'), ([4], [3], 'NEG')]\n房 间 很 干 净####[((0, 1), (3, 4), 'Positive'), ((0, 1), (9, 9), 'POS'), ((-1, -1), (0, 1), 'NEG')]\nnothing####[]\nbroken####[(1]\n";
    let wanted = [
        "Great food , bad bar . | aspect:food | opinion:Great+ | aspect:bar | opinion:bad- | 1>0 | 3>2",
        "房间很干净 | aspect:房间 | opinion:干净+ | opinion:房间- | 1>0",
        "nothing",
    ];
    // A byte order mark, as some editors write.
    let imported = check("x.txt", &format!("\u{feff}{aste}"), Kind::Aste, &wanted);
    says(spans_of(&imported), Fate::Dropped, "its text does not have", 1);
    says(spans_of(&imported), Fate::Noted, "aspect without words", 1);
    assert_eq!(imported.report.skipped, 1);
    let e2e = "The bread isn't bad.####The=O bread=T-POS is=O n't=O bad=O .=O\n电池不好####电=T-NEG 池=T-NEG 不=O 好=O\n";
    check("x.txt", e2e, Kind::E2e, &["The bread isn't bad. | aspect:bread+", "电池不好 | aspect:电池-"]);
}

#[test]
fn semeval_of_both_kinds() {
    let old = r#"<?xml version="1.0" encoding="UTF-8"?>
<sentences><sentence id="1"><text>Café &amp; 👍 food</text><aspectTerms>
<aspectTerm term="food" polarity="positive" from="9" to="13"/><aspectTerm term="Café" polarity="conflict" from="0" to="4"/></aspectTerms>
<aspectCategories><aspectCategory category="food" polarity="positive"/></aspectCategories></sentence></sentences>"#;
    let imported = check("x.xml", old, Kind::SemEval14, &["Café & 👍 food | aspect:food+ | aspect:Café"]);
    assert_eq!((imported.drafts[0].row, imported.drafts[0].meta["categories"].as_str()), (2, "food positive"));
    says(spans_of(&imported), Fate::Noted, "\"conflict\"", 1);
    let new = r#"<Reviews><Review rid="9"><sentences><sentence id="9:0"><text>这地方不错</text><Opinions>
<Opinion target="地方" category="R#G" polarity="positive" from="1" to="3"/><Opinion target="地方" category="R#P" polarity="negative" from="1" to="3"/>
<Opinion target="NULL" category="S#G" polarity="neutral" from="0" to="0"/></Opinions></sentence></sentences></Review></Reviews>"#;
    let imported = check("x.xml", new, Kind::SemEval16, &["这地方不错 | aspect:地方+"]);
    let spans = spans_of(&imported);
    for part in ["without words", "another category", "two polarities"] {
        says(spans, Fate::Noted, part, 1);
    }
    assert_eq!(imported.drafts[0].meta["categories"], "地方: R#G positive; 地方: R#P negative; NULL: S#G neutral");
}

#[test]
fn brat_pairs_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    write("a.txt", "屏幕👍 is\ngreat value here\n");
    write(
        "a.ann",
        "A1\tPolarity T2 positive\nA2\tCMP T2 Neg\nT1\tASP 0 2\t屏幕\nT2\tOPN 7 12;19 23\tgreat here\nR1\thas Arg1:T2 Arg2:T1\nE1\tX:T1 Y:T2\n#1\tAnnotatorNotes T1\tsee\nT9\tBAD 50 60\tno\n",
    );
    write("b.txt", "second");
    write("b.ann", "");
    let imported = read_path(folder.path(), None).unwrap();
    assert_eq!(imported.report.format, "brat");
    assert_eq!(lines(&imported), ["屏幕👍 is\ngreat value here\n | ASP:屏幕 | OPN:great+ | OPN:here | 1>2 | 1>0 | 0>1", "second"]);
    assert_eq!((imported.drafts[0].meta["file"].as_str(), imported.drafts[0].meta["notes"].as_str()), ("a.txt", "AnnotatorNotes T1 see"));
    let spans = spans_of(&imported);
    assert_eq!((spans.kept, spans.clipped, spans.dropped), (3, 0, 1));
    let said = imported.drafts[0].annotation.as_ref().unwrap();
    assert_eq!(said.attributes[&1]["CMP"], DraftValue::Name("Neg".to_owned()));
    let names: Vec<&str> = said.link_types.values().map(String::as_str).collect();
    assert_eq!(names, ["Y", "has", "part"]);
    for name in ["a.txt", "a.ann"] {
        assert_eq!(lines(&read_path(&folder.path().join(name), None).unwrap()).len(), 1);
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(read_path(empty.path(), None).unwrap_err().to_string().contains("no .ann file"));
}

/// Cut anywhere, or with bytes gone wrong, a file gives rows, issues or an error; never a panic.
#[test]
fn damage_is_an_error_or_a_report() {
    let whole = [
        (
            "x.json",
            r#"[{"data":{"text":"好 a"},"annotations":[{"result":[{"id":"1","type":"labels","value":{"start":0,"end":1,"labels":["X"]}}]}]}]"#,
        ),
        ("x.jsonl", "{\"text\":\"好\",\"label\":[[0,1,\"A\"]]}\n{\"text\":\"b\",\"label\":[]}\n"),
        ("x.jsonl", "{\"text\":\"好\",\"answer\":\"accept\",\"spans\":[{\"start\":0,\"end\":1,\"label\":\"A\"}]}\n"),
        ("x.conll", "# text = a b\na B-X\nb I-X\n\nc O\n"),
        ("x.xml", "<sentences><sentence><text>好</text><aspectTerm term=\"好\" from=\"0\" to=\"1\"/></sentence></sentences>"),
        ("x.txt", "a 好####[([0], [1], 'POS')]\n"),
        ("x.txt", "a b####a=O b=T-POS\n"),
        ("x.apc", "the $T$ b\n好\nPositive\n"),
        ("x.atepc", "好 B-ASP Positive\nb O -100\n"),
    ];
    for (name, content) in whole {
        for cut in 1..content.len() {
            let _ = try_read(name, &content.as_bytes()[..cut]);
            let mut bytes = content.as_bytes().to_vec();
            bytes[cut] = b'\xff';
            let _ = try_read(name, &bytes);
            for kind in Kind::ALL {
                if cut % 16 == 0 && kind != Kind::Brat {
                    let folder = tempfile::tempdir().unwrap();
                    let path = folder.path().join(name);
                    fs::write(&path, &content.as_bytes()[..cut]).unwrap();
                    let _ = read_path(&path, Some(Format::Annotated(kind)));
                }
            }
        }
    }
    let half = whole[0].1.replace("}]}]}]", "}]}]},{\"data\":{\"text\":\"b");
    let error = try_read("x.json", half).unwrap_err().to_string();
    assert!(error.contains("no whole Label Studio file") && error.contains("EOF"), "{error}");
    let error = try_read("x.xml", &whole[4].1[..60]).unwrap_err().to_string();
    assert!(error.contains("broken XML"), "{error}");
}

#[test]
fn ten_thousand_deep_is_refused() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let xml = format!("<sentences>{}</sentences>", deep("<a>", "</a>"));
    assert!(try_read("x.xml", xml).unwrap_err().to_string().contains("nested"));
    let lists = deep("[", "]");
    let rows = format!("{{\"text\":\"a\",\"label\":[\"x\"]}}\n{{\"text\":\"b\",\"label\":{lists}}}\n");
    assert_eq!(read("x.jsonl", rows).report.skipped, 1);
    let task = format!("[{{\"data\":{{\"text\":\"a\"}},\"annotations\":[]}},{{\"data\":{lists}}}]");
    assert!(try_read("x.json", task).unwrap_err().to_string().contains("recursion"));
    let _ = try_read("x.json", lists);
}

#[test]
fn a_preview_names_the_format_and_shows_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.jsonl");
    fs::write(&path, "{\"text\":\"屏幕好\",\"entities\":[[0,2,\"ASP\"]],\"cats\":[\"good\"]}\n").unwrap();
    let preview = import::preview(&path, None).unwrap();
    assert_eq!((preview.format.name(), preview.columns.join(" ")), ("doccano", "text class spans".to_owned()));
    assert_eq!(preview.rows, [["屏幕好", "good", "ASP: 屏幕"]]);
}

// --- Out and back ---

/// What a random document is made of.
#[derive(Clone, Debug)]
struct Made {
    pieces: Vec<usize>,
    spans: Vec<(usize, usize, u16, Option<Polarity>)>,
    links: Vec<(u32, u32)>,
    class: Option<u16>,
    state: u8,
    has_meta: bool,
    flagged: bool,
}

const PIECES: [&str; 15] =
    ["房间很干净", "，", "但是", " ", "battery", "cafe\u{301}", "👨🏻‍🚒", "！", "\n", "\"引号\"", "don't", "#", "  ", "O", "\r\n"];

fn made() -> impl Strategy<Value = Made> {
    let polarity = prop_oneof![Just(None), Just(Some(Polarity::Positive)), Just(Some(Polarity::Negative)), Just(Some(Polarity::Neutral))];
    let spans = prop::collection::vec((0usize..24, 1usize..6, 0u16..2, polarity), 0..5);
    let links = prop::collection::vec((0u32..5, 0u32..5), 0..4);
    let pieces = prop::collection::vec(0..PIECES.len(), 0..8);
    (pieces, spans, links, prop::option::of(0u16..3), 0u8..6, any::<bool>(), prop::bool::weighted(0.1))
        .prop_map(|(pieces, spans, links, class, state, has_meta, flagged)| Made { pieces, spans, links, class, state, has_meta, flagged })
}

fn project(made: &[Made]) -> Project {
    let mut schema = Schema::default();
    schema.span_labels.iter_mut().for_each(|label| label.polarity = true);
    let mut project = Project::new(schema);
    let documents: Vec<Document> = made.iter().enumerate().map(|(at, made)| document(at, made)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }).unwrap();
    project
}

fn document(at: usize, made: &Made) -> Document {
    let text: String = std::iter::once(format!("第{at}条")).chain(made.pieces.iter().map(|at| PIECES[*at].to_owned())).collect();
    let mut said = Annotation { flagged: made.flagged, ..Annotation::default() };
    said.state = match made.state {
        0 => State::Todo,
        1 => State::Skipped,
        _ => State::Done,
    };
    said.answers.extend(made.class.map(|class| (QuestionId(0), Answer::Class(class))));
    let mut taken = HashSet::new();
    for (start, length, label, polarity) in &made.spans {
        if let Some(range) = TextRange::from_chars(&text, *start..start + length).filter(|range| taken.insert((*range, *label))) {
            said.spans.insert(SpanId(said.spans.len() as u32), Span { range, label: *label, polarity: *polarity });
        }
    }
    let known = |id: u32| said.spans.contains_key(&SpanId(id));
    let sound = made.links.iter().filter(|(from, to)| from != to && known(*from) && known(*to));
    said.links = sound.map(|(from, to)| Link { from: SpanId(*from), to: SpanId(*to) }).collect();
    let meta = if made.has_meta { BTreeMap::from([("店铺".to_owned(), "a, \"b\"".to_owned())]) } else { BTreeMap::new() };
    Document { meta: meta.into_iter().collect(), annotation: said, ..Document::new(DocId::from_index(at), text) }
}

fn lost(exported: &Exported, part: &str) -> usize {
    exported.losses.iter().filter(|loss| loss.what.contains(part)).map(|loss| loss.count).sum()
}

/// Out and back into a project of the same schema.
fn back(before: &Project, format: ExportFormat, name: &str) -> (Exported, Project, Option<SpanReport>) {
    let exported = export(before, format).unwrap();
    let imported = read(name, &exported.bytes);
    assert_eq!(imported.report.skipped, 0, "{:?}", imported.report.issues);
    assert_eq!(imported.report.imported, exported.documents);
    let spans = imported.report.spans.clone();
    (exported, project_of(imported, Schema::clone(before.schema())), spans)
}

fn nothing_lost_on_the_way_in(spans: &Option<SpanReport>) {
    let spans = spans.as_ref().unwrap();
    assert_eq!((spans.clipped, spans.dropped), (0, 0), "{spans:?}");
    // What is odd about a span is said, and lost is nothing.
    let is_odd = |what: &str| what.ends_with("both came in") || what.ends_with("it came in as it is");
    assert!(spans.losses.iter().all(|loss| is_odd(&loss.what)), "{spans:?}");
}

/// A document without what a format can't hold.
fn without(doc: &Document, strip: &dyn Fn(&mut Annotation)) -> Document {
    let mut doc = doc.clone();
    doc.annotation.flagged = false;
    strip(&mut doc.annotation);
    doc
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn label_studio_and_back(made in prop::collection::vec(made(), 1..5)) {
        let before = project(&made);
        let (exported, after, spans) = back(&before, ExportFormat::LabelStudio, "out.json");
        nothing_lost_on_the_way_in(&spans);
        for (doc, back) in before.documents().zip(after.documents()) {
            let wanted = without(doc, &|said| {
                if said.state == State::Todo && !(said.answers.is_empty() && said.spans.is_empty()) {
                    said.state = State::Done;
                }
            });
            prop_assert_eq!(back, &wanted);
        }
        if exported.losses.is_empty() {
            prop_assert!(before.documents().eq(after.documents()));
        }
    }

    #[test]
    fn doccano_and_back(made in prop::collection::vec(made(), 1..5)) {
        let before = project(&made);
        let (exported, after, spans) = back(&before, ExportFormat::Doccano, "out.jsonl");
        nothing_lost_on_the_way_in(&spans);
        for (doc, back) in before.documents().zip(after.documents()) {
            let wanted = without(doc, &|said| {
                let is_empty = said.answers.is_empty() && said.spans.is_empty();
                said.state = if is_empty { State::Todo } else { State::Done };
            });
            prop_assert_eq!(back, &wanted);
        }
        prop_assert_eq!(lost(&exported, "polarity"), 0);
        if exported.losses.is_empty() {
            prop_assert!(before.documents().eq(after.documents()));
        }
    }

    #[test]
    fn conll_and_back(made in prop::collection::vec(made(), 1..5)) {
        let before = project(&made);
        let (exported, after, spans) = back(&before, ExportFormat::Conll, "out.conll");
        nothing_lost_on_the_way_in(&spans);
        let count = |project: &Project| project.documents().map(|doc| doc.annotation.spans.len()).sum::<usize>();
        prop_assert_eq!(count(&after) + lost(&exported, "overlaps") + lost(&exported, "white space only"), count(&before));
        for (doc, back) in before.documents().zip(after.documents()) {
            prop_assert_eq!(&back.text, &doc.text);
            let trimmed = |span: &Span| (span.label, span.range.of(&doc.text).trim().to_owned());
            let had: Vec<_> = doc.annotation.spans.values().map(trimmed).collect();
            for span in back.annotation.spans.values() {
                prop_assert!(had.contains(&(span.label, span.range.of(&back.text).to_owned())));
            }
        }
        if exported.losses.is_empty() {
            let wanted = before.documents().map(|doc| without(doc, &|_| {})).collect::<Vec<_>>();
            for (wanted, back) in wanted.iter().zip(after.documents()) {
                let ranges = |doc: &Document| doc.annotation.spans.values().map(|span| (span.range, span.label)).collect::<BTreeSet<_>>();
                prop_assert_eq!(ranges(wanted), ranges(back));
                prop_assert_eq!(&wanted.annotation.state, &back.annotation.state);
            }
        }
    }

    #[test]
    fn aste_and_back(made in prop::collection::vec(made(), 1..5)) {
        let before = project(&made);
        let (exported, after, spans) = back(&before, ExportFormat::Aste, "out.txt");
        let spans = spans.unwrap();
        prop_assert_eq!((spans.clipped, spans.dropped), (0, 0));
        let same_text = before.documents().zip(after.documents()).filter(|(doc, back)| doc.text == back.text).count();
        prop_assert_eq!(same_text + lost(&exported, "spaces of a text"), before.documents().count());
        if spans.losses.is_empty() {
            for (doc, back) in before.documents().zip(after.documents()) {
                prop_assert_eq!(squeezed(&doc.text), squeezed(&back.text));
                prop_assert_eq!(triplets(doc), triplets(back));
            }
        }
    }
}

/// Links from an opinion with a polarity to an aspect, by their words.
fn triplets(doc: &Document) -> BTreeSet<(String, String, Polarity)> {
    let said = &doc.annotation;
    let words = |span: &Span| squeezed(span.range.of(&doc.text));
    let triplet = |link: &Link| {
        let (from, to) = (said.spans.get(&link.from)?, said.spans.get(&link.to)?);
        let sound = from.label == 1 && to.label == 0 && !words(from).is_empty() && !words(to).is_empty();
        sound.then_some((words(to), words(from), from.polarity?))
    };
    said.links.iter().filter_map(triplet).collect()
}

#[test]
fn pyabsa_and_e2e_as_they_are_written() {
    let rows = concat!(
        r#"{"text":"屏幕好, the battery life is bad","spans":[{"id":0,"start":0,"end":2,"label":"aspect","polarity":"positive"},{"id":1,"start":2,"end":3,"label":"opinion"},"#,
        r#"{"id":2,"start":9,"end":21,"label":"aspect","polarity":"negative"},{"id":3,"start":9,"end":16,"label":"aspect"}],"state":"done"}"#,
        "\n",
        r#"{"text":"nothing","spans":[],"state":"done"}"#,
        "\n",
    );
    let before = project_of(read("own.jsonl", rows), Schema::default());
    let written = |format| {
        let exported = export(&before, format).unwrap();
        assert_eq!((lost(&exported, "a span that is no aspect"), lost(&exported, "a span that overlaps another")), (1, 1), "{format:?}");
        (String::from_utf8(exported.bytes.clone()).unwrap(), exported.documents)
    };
    let words = "屏 B-ASP Positive\n幕 I-ASP Positive\n好 O -999\n, O -999\nthe O -999\nbattery B-ASP Negative\nlife I-ASP Negative\nis O -999\nbad O -999\n\nnothing O -999\n\n";
    assert_eq!(written(ExportFormat::Atepc), (words.to_owned(), 2));
    let line = "[B-ASP]屏幕[E-ASP]好, the [B-ASP]battery life[E-ASP] is bad $LABEL$ Positive, Negative\n";
    assert_eq!(written(ExportFormat::Apc), (line.to_owned(), 1));
    let lines =
        "屏幕好, the battery life is bad####屏=T-POS 幕=T-POS 好=O ,=O the=O battery=T-NEG life=T-NEG is=O bad=O\nnothing####nothing=O\n";
    assert_eq!(written(ExportFormat::E2e), (lines.to_owned(), 2));
}

#[test]
fn exports_name_what_they_lack() {
    let spans = vec![(0, 3, 0, None), (1, 4, 1, Some(Polarity::Positive)), (4, 4, 1, Some(Polarity::Negative))];
    let one = Made { pieces: vec![0, 4], spans, links: vec![(1, 0)], class: Some(2), state: 2, has_meta: true, flagged: true };
    let before = project(&[one]);
    let rows: [(ExportFormat, &[(&str, usize)]); 6] = [
        (ExportFormat::Jsonl, &[]),
        (ExportFormat::LabelStudio, &[("a flag", 1)]),
        (ExportFormat::Doccano, &[("a flag", 1)]),
        (
            ExportFormat::Conll,
            &[("an answer", 1), ("the polarity", 2), ("a link", 1), ("metadata", 1), ("a flag", 1), ("overlaps another", 1)],
        ),
        (ExportFormat::Aste, &[("an answer", 1), ("metadata", 1), ("a flag", 1), ("part of no triplet", 1)]),
        (ExportFormat::Csv, &[("a span", 3), ("a link", 1)]),
    ];
    for (format, wanted) in rows {
        let exported = export(&before, format).unwrap();
        assert_eq!(exported.documents, 1);
        let parts: Vec<(&str, usize)> = exported.losses.iter().map(|loss| (loss.what.as_str(), loss.count)).collect();
        for (part, count) in wanted {
            let found = parts.iter().any(|(what, found)| what.contains(part) && found == count);
            assert!(found, "{format:?}: {part} {count} in {parts:?}");
        }
        if wanted.is_empty() {
            assert!(parts.is_empty());
        }
        assert!(exported.losses.iter().all(|loss| loss.row == 1));
    }
    let csv = String::from_utf8(export(&before, ExportFormat::Csv).unwrap().bytes).unwrap();
    assert_eq!(csv, "text,sentiment,state,flagged,split,店铺\n第0条房间很干净battery,positive,done,true,,\"a, \"\"b\"\"\"\n");
}
