//! The field's acceptance vectors through the window: texts that other tools stumble over, marked by keys, exported and
//! brought in again in the Data place.

use crate::stage::{Bench, desk_with};
use crate::ui_frame::{run_until, type_in};
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, ExportFormat, Exporting, Importing};
use gloss::project::{DocId, Document, QuestionId};
use std::ops::Range;
use std::path::Path;

const FIREFIGHTER: &str = "👨🏻‍🚒 屏幕很好";
const CLAUSES: &str = "屏幕很清晰,但是电池不耐用。";
const QUOTED: &str = "\"Great screen, bad battery\"";
const SAID: &str = "他说\"很好\"";
const BERLIN: &str = "Text: Berlin,  Germany.";
const GREAT: &str = "The screen is great";

fn bench(texts: &[&str]) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk_with(folder.path(), texts);
    Bench::of(folder, desk, 1100.0)
}

impl Bench {
    /// Marks what stands between two places of the caret, which goes from sign to sign as a person sees them.
    fn mark_signs(&mut self, signs: Range<usize>, key: Key) {
        self.key(Key::Escape);
        self.chord(Modifiers::COMMAND, Key::Home);
        (0..signs.start).for_each(|_| self.key(Key::ArrowRight));
        (0..signs.len()).for_each(|_| self.chord(Modifiers::SHIFT, Key::ArrowRight));
        self.key(key);
        self.key(Key::Escape);
    }

    fn marked_in(&self, doc: u32) -> Vec<String> {
        let document = self.document(doc);
        document.annotation.spans_in_order().iter().map(|(_, span)| span.range.of(&document.text).to_owned()).collect()
    }

    /// Exports in the Data place; the sentence that says how the file was read back.
    fn export(&mut self, format: ExportFormat, path: &Path) {
        self.chord(Modifiers::COMMAND, Key::E);
        self.window.state_mut().run(Command::PlanExport(format));
        run_until(&mut self.window, "the plan", |app| matches!(app.desk().exporting(), Exporting::Planned(held) if held.format == format));
        self.click("Export…");
        let field = if self.window.query_by_label("Path of the file").is_some() { "Path of the file" } else { "Path of the folder" };
        type_in(&mut self.window, field, &path.display().to_string());
        self.click("Export");
        run_until(&mut self.window, "the file", |app| matches!(app.desk().exporting(), Exporting::Written(_)));
    }

    fn import(&mut self, path: &Path) {
        self.window.state_mut().run(Command::PreviewImport { path: path.to_owned(), header: None });
        run_until(&mut self.window, "the preview", |app| matches!(app.desk().importing(), Importing::Preview { .. }));
        self.chord(Modifiers::COMMAND, Key::Num5);
        self.click("Import");
        run_until(&mut self.window, "the report", |app| matches!(app.desk().importing(), Importing::Report { .. }));
    }

    fn documents(&self) -> Vec<Document> {
        self.desk().project().unwrap().documents().cloned().collect()
    }
}

#[test]
fn the_fire_fighters_screen_is_at_its_place_in_every_unit() {
    let mut bench = bench(&[FIREFIGHTER]);
    bench.mark_signs(2..4, Key::A);
    let range = bench.document(0).annotation.spans_in_order()[0].1.range;
    assert_eq!(range.of(FIREFIGHTER), "屏幕");
    let before = &FIREFIGHTER[..range.start()];
    assert_eq!((before.chars().count(), before.encode_utf16().count(), range.start()), (5, 8, 16));
    assert_eq!((FIREFIGHTER.chars().count(), FIREFIGHTER.encode_utf16().count(), FIREFIGHTER.len()), (9, 12, 28));
    // doccano counts UTF-16, Label Studio code points.
    let file = bench.folder.path().join("d.jsonl");
    bench.export(ExportFormat::Doccano, &file);
    let row: serde_json::Value = serde_json::from_str(std::fs::read_to_string(file).unwrap().lines().next().unwrap()).unwrap();
    let written = row.to_string();
    assert!(written.contains("8,10") || written.contains("\"start_offset\":8"), "{written}");
    let file = bench.folder.path().join("l.json");
    bench.export(ExportFormat::LabelStudio, &file);
    assert!(std::fs::read_to_string(file).unwrap().replace(' ', "").contains("\"start\":5"));
}

#[test]
fn a_tag_for_every_character_keeps_all_three_spans() {
    let mut bench = bench(&[CLAUSES]);
    bench.mark_signs(0..2, Key::A);
    bench.mark_signs(2..5, Key::O);
    bench.mark_signs(8..10, Key::A);
    assert_eq!(bench.marked_in(0), ["屏幕", "很清晰", "电池"]);
    let file = bench.folder.path().join("a.conll");
    bench.export(ExportFormat::Conll, &file);
    let written = std::fs::read_to_string(&file).unwrap();
    let tags: Vec<&str> = written.lines().filter_map(|line| line.split_whitespace().last().filter(|tag| tag.len() < 12)).collect();
    assert_eq!(tags.iter().filter(|tag| tag.starts_with("B-")).count(), 3, "{written}");
    assert!(bench.has("Read back: different only where it was said") || bench.has("Read back: identical"), "it says what it lost");
    let mut fresh = self::bench(&[]);
    fresh.import(&file);
    assert_eq!(fresh.marked_in(0), ["屏幕", "很清晰", "电池"]);
    assert_eq!(&*fresh.documents()[0].text, CLAUSES);
}

#[test]
fn quotes_and_double_spaces_come_back_byte_for_byte() {
    let texts = [QUOTED, SAID, BERLIN];
    let mut bench = bench(&texts);
    for at in 0..3 {
        bench.key(Key::Num3);
        if at == 0 {
            bench.mark_signs(1..6, Key::O);
        } else if at == 1 {
            bench.mark_signs(3..5, Key::O);
        } else {
            bench.mark_signs(6..12, Key::A);
            bench.mark_signs(15..22, Key::A);
        }
        bench.key(Key::Enter);
    }
    assert_eq!([bench.marked_in(0), bench.marked_in(1), bench.marked_in(2)].concat(), ["Great", "很好", "Berlin", "Germany"]);
    let before = bench.documents();
    for (format, spans) in [
        (ExportFormat::Jsonl, true),
        (ExportFormat::Csv, false),
        (ExportFormat::FastText, false),
        (ExportFormat::Conll, true),
        (ExportFormat::Doccano, true),
        (ExportFormat::LabelStudio, true),
    ] {
        let file = bench.folder.path().join(format!("out.{}", format.extension().unwrap()));
        std::fs::remove_file(&file).ok();
        bench.export(format, &file);
        let mut fresh = self::bench(&[]);
        fresh.import(&file);
        let after = fresh.documents();
        assert_eq!(after.iter().map(|doc| &*doc.text).collect::<Vec<_>>(), texts, "{format:?}");
        for (doc, held) in (0..3).zip(&before) {
            if spans {
                assert_eq!(fresh.marked_in(doc), bench.marked_in(doc), "{format:?}");
            }
            if format != ExportFormat::Conll {
                let name = |bench: &Bench, said: &Document| {
                    let class = said.annotation.class(QuestionId(0))?;
                    Some(bench.schema().questions[0].classes[usize::from(class)].name.clone())
                };
                assert_eq!(name(&fresh, &after[doc as usize]), name(&bench, held), "{format:?}");
            }
        }
    }
}

#[test]
fn overlapping_spans_are_the_same_in_any_order_and_a_flat_format_names_what_it_drops() {
    let places = [(4..10, Key::A), (4..19, Key::O), (14..19, Key::A)];
    let mut written = Vec::new();
    for order in [[0, 1, 2], [1, 0, 2], [2, 0, 1]] {
        let mut bench = bench(&[GREAT]);
        for at in order {
            bench.mark_signs(places[at].0.clone(), places[at].1);
        }
        assert_eq!(bench.marked_in(0), ["screen is great", "screen", "great"]);
        bench.chord(Modifiers::COMMAND, Key::E);
        bench.window.state_mut().run(Command::PlanExport(ExportFormat::Conll));
        run_until(
            &mut bench.window,
            "the plan",
            |app| matches!(app.desk().exporting(), Exporting::Planned(held) if held.format == ExportFormat::Conll),
        );
        bench.window.get_by_label_contains("2 × a span that overlaps another");
        let file = bench.folder.path().join("a.conll");
        bench.export(ExportFormat::Conll, &file);
        written.push(std::fs::read(file).unwrap());
    }
    assert!(written.iter().all(|bytes| *bytes == written[0]));
}

#[test]
fn odd_files_of_other_tools_come_in() {
    let files: [(&str, Vec<u8>); 3] = [
        (
            "doccano.jsonl",
            "{\"id\":\"überschrieben\",\"text\":\"屏幕👨🏻‍🚒很好\",\"label\":[[0,2,\"aspect\"]],\"Comments\":[\"看\"]}\n".into(),
        ),
        (
            "studio.json",
            r#"[{"id":1,"data":{"text":"The screen is great"},"annotations":[{"id":2,"result":[{"id":"r","from_name":"label","to_name":"text","type":"labels","value":{"start":4,"end":10,"text":"screen","labels":["aspect"]}}]}],"predictions":[286]}]"#.into(),
        ),
        ("gb.csv", encoding_rs::GB18030.encode("text,label\r\n屏幕很好,positive\r\n").0.into_owned()),
    ];
    for (name, bytes) in files {
        let mut bench = bench(&[]);
        let file = bench.folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        bench.import(&file);
        let document = bench.document(0);
        match name {
            "doccano.jsonl" => assert_eq!((bench.marked_in(0), document.text.chars().count()), (vec!["屏幕".to_owned()], 8)),
            "studio.json" => assert_eq!(bench.marked_in(0), ["screen"]),
            _ => assert_eq!((&*document.text, document.annotation.class(QuestionId(0))), ("屏幕很好", Some(2))),
        }
        bench.chord(Modifiers::COMMAND, Key::Num1);
        assert_eq!(bench.desk().current(), Some(DocId(0)));
        assert!(bench.has("The document's text"));
    }
}
