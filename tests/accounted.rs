//! What a reader does not understand is accounted for: it stays as metadata, or the report names it.

use crate::foreign::{holds, is_silent, read, says, states, try_read};
use gloss::project::State;
use gloss::store::formats::{Fate, Kind};
use gloss::store::import::Imported;

fn meta<'a>(imported: &'a Imported, name: &str) -> Vec<Option<&'a str>> {
    imported.drafts.iter().map(|draft| draft.meta.get(name).map(String::as_str)).collect()
}

#[test]
fn tags_without_a_part_become_spans_or_are_named() {
    let rows = "{\"tokens\":[\"Li\",\"Na\",\"住\",\"上海\"],\"ner_tags\":[\"person\",\"person\",\"O\",\"location\"]}\n";
    let imported = read("a.jsonl", rows, Kind::HuggingFace);
    holds(&imported, &["Li Na住上海 | person:Li Na | location:上海"]);
    says(&imported, Fate::Noted, "have no part of a span", 1);
    // Among tags with parts, one without is no span.
    let rows = "{\"tokens\":[\"好\",\"屏幕\"],\"ner_tags\":[\"nice\",\"B-aspect\"]}\n";
    let imported = read("a.jsonl", rows, Kind::HuggingFace);
    holds(&imported, &["好屏幕 | aspect:屏幕"]);
    says(&imported, Fate::Noted, "a tag has no part of a span", 1);
    // Parts of speech are no spans, and stay.
    let imported = try_read("a.jsonl", "{\"tokens\":[\"好\",\"屏幕\"],\"upos\":[\"ADJ\",\"NOUN\"]}\n", Some(Kind::HuggingFace)).unwrap();
    holds(&imported, &["好屏幕"]);
    assert_eq!((states(&imported), meta(&imported, "upos")), (vec![State::Todo], vec![Some("[\"ADJ\",\"NOUN\"]")]));
    let imported = read("e.txt", "The bread is good####The=O bread=T is=O good=O\n好 面包####好=O 面包=T-POS\n", Kind::E2e);
    says(&imported, Fate::Noted, "a tag has no part of a span (such as T-)", 1);
    let imported = try_read("e.txt", "The bread####The=O bread=NEG\n", Some(Kind::E2e)).unwrap();
    says(&imported, Fate::Noted, "a tag has no part of a span (such as T-)", 1);
}

#[test]
fn columns_of_a_data_set_that_mean_something_else_stay() {
    let rows = concat!(
        "{\"text\":\"屏幕👍 很好\",\"spans\":[[0,2,\"LOC\"]],\"links\":[\"http://a\"],\"state\":\"Texas\"}\n",
        "{\"text\":\"很贵\",\"spans\":\"none\",\"links\":[{\"from\":1}],\"label\":\"neg\"}\n",
        "{\"text\":\"好\",\"spans\":[{\"start\":0,\"end\":1,\"label\":\"A\",\"polarity\":\"mixed\",\"attributes\":\"{oops\"}]}\n",
    );
    let imported = try_read("a.jsonl", rows, Some(Kind::HuggingFace)).unwrap();
    holds(&imported, &["屏幕👍 很好 | LOC:屏幕", "很贵 | neg", "好 | A:好"]);
    assert_eq!(meta(&imported, "state")[0], Some("Texas"));
    assert_eq!(meta(&imported, "links")[0], Some("[\"http://a\"]"));
    assert_eq!(meta(&imported, "spans")[1], Some("none"));
    says(&imported, Fate::Noted, "a link names no spans", 1);
    says(&imported, Fate::Noted, "a span has the polarity \"mixed\"", 1);
    says(&imported, Fate::Noted, "what is said of a span can't be read", 1);
}

#[test]
fn columns_and_texts_of_conll_are_named() {
    let imported = read("a.conll", "# text = 屏幕 很 好！\n屏幕 NN B-NP B-ASP\n很 _ - O\n好 JJ O O\n", Kind::Conll);
    holds(&imported, &["屏幕 很 好！ | ASP:屏幕"]);
    says(&imported, Fate::Noted, "a column between a word and its tag", 2);
    let imported = read("a.conll", "# text = another text\n屏幕 B-ASP\n好 O\n", Kind::Conll);
    holds(&imported, &["屏幕好 | ASP:屏幕"]);
    says(&imported, Fate::Noted, "the words do not stand in the text", 1);
    let rows = "food B-ASP conflict\nis O -100\n\n屏 B-ASP Positive\n幕 I-ASP Negative\n好 O -999\n\nthe O -100\nbar B-ASP Negative\n";
    let imported = read("a.atepc", rows, Kind::Atepc);
    holds(&imported, &["food is | aspect:food", "屏幕好 | aspect:屏幕+", "the bar | aspect:bar-"]);
    says(&imported, Fate::Noted, "the polarity \"conflict\"", 1);
    says(&imported, Fate::Noted, "an aspect has two polarities", 1);
    is_silent(&imported, "-999");
}

#[test]
fn losses_of_a_person_beside_the_first_keep_their_count() {
    let span = |id: usize, start: usize, end: usize| {
        format!(r#"{{"id":"{id}","type":"labels","from_name":"l","value":{{"start":{start},"end":{end},"labels":["A"]}}}}"#)
    };
    let of = |by: usize, spans: &[String]| format!(r#"{{"completed_by":{by},"result":[{}]}}"#, spans.join(","));
    let outside: Vec<String> = (0..5).map(|id| span(id, 90 + id, 95 + id)).collect();
    let task = format!(r#"[{{"data":{{"text":"屏幕👍很好"}},"annotations":[{},{}]}}]"#, of(1, &[span(9, 0, 2)]), of(2, &outside));
    let imported = read("a.json", &task, Kind::LabelStudio);
    says(&imported, Fate::Dropped, "of the answers of one annotator: a span lies outside its text", 5);
    let spans = imported.report.spans.as_ref().unwrap();
    // The span of the first is in the outcome and in their own layer.
    assert_eq!((spans.kept, spans.dropped), (2, 5));
}

#[test]
fn people_without_a_name_are_told_apart() {
    let flat = "{\"text\":\"好\",\"mood.responses\":[\"pos\",\"neg\"],\"mood.suggestion\":null}\n";
    let imported = read("a.jsonl", flat, Kind::Argilla);
    let said = imported.drafts[0].annotation.as_ref().unwrap();
    assert_eq!(said.layers.keys().collect::<Vec<_>>(), ["unknown 1", "unknown 2"]);
}

#[test]
fn places_in_long_files_are_those_of_the_file() {
    // Values over many lines, broken far behind what is read at once.
    let value = |at: usize| format!("{{\n\"text\": \"第{at}条 {}\",\n\"label\": [\"pos\"]\n}}\n", "很好".repeat(500));
    let values: String = (0..3_000).map(value).collect();
    let imported = try_read("d.json", format!("{values}oops"), Some(Kind::Doccano)).unwrap();
    let last = imported.report.issues.iter().find(|issue| issue.skipped).unwrap();
    assert!(last.reason.contains(&format!("at line {}", 3_000 * 4 + 1)), "{}", last.reason);
    let xml = "\n<?xml version=\"1.0\"\n?>\n<sentences>\n<sentence><text>好</text></sentence>\n</sentences>";
    let imported = try_read("a.xml", xml.trim_start(), Some(Kind::SemEval14)).unwrap();
    assert_eq!(imported.drafts[0].row, 4);
    // Pairs of spaCy are known as such however long the file is.
    let pair = |at: usize| format!("[\"第{at}条 {}\", {{\"entities\": [[0, 1, \"A\"]]}}]\n", "很好".repeat(200));
    let pairs: String = (0..3_000).map(pair).collect();
    assert!(pairs.len() > 2 << 20);
    assert_eq!(try_read("p.jsonl", &pairs, None).unwrap().drafts.len(), 3_000);
}
