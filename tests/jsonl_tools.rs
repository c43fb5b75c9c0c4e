//! Lines of Prodigy, spaCy and doccano whose fields are of another kind than those tools write: each is understood, becomes
//! metadata, or is named.

use crate::foreign::{holds, read, says, try_read};
use gloss::project::State;
use gloss::store::formats::{Fate, Kind};
use gloss::store::import::{DraftValue, Imported};
use std::fmt::Write;

fn read_as(name: &str, content: &str, kind: Option<Kind>) -> Imported {
    try_read(name, content, kind).unwrap()
}

/// The metadata of a document in one line.
fn fields(imported: &Imported, at: usize) -> String {
    imported.drafts[at].meta.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn attribute(imported: &Imported, span: u32, name: &str) -> Option<DraftValue> {
    imported.drafts[0].annotation.as_ref().unwrap().attributes.get(&span)?.get(name).cloned()
}

#[test]
fn fields_of_prodigy_of_another_kind_become_metadata() {
    let row = r#"{"text":"好 a 👍","meta":"source A","label":3,"spans":"none","tokens":12,"relations":"family","accept":true,"cats":"news","entities":"two","answer":"accept"}"#;
    let imported = read("p.jsonl", row, Kind::Prodigy);
    holds(&imported, &["好 a 👍 | 3"]);
    assert_eq!(fields(&imported, 0), "accept=true cats=news entities=two meta=source A relations=family spans=none tokens=12");

    let rows = concat!(
        r#"{"text":"好 b","_input_hash":1,"answer":"perhaps 👍","label":[["A"]],"spans":{"one":1},"paragraphs":["甲","乙"],"options":"x","words":["w"],"entities":[]}"#,
        "\n",
        r#"{"text":"c","meta":{"shop":"店"},"shop":"b","answer":"accept"}"#,
    );
    let imported = read("p.jsonl", rows, Kind::Prodigy);
    holds(&imported, &["好 b", "c"]);
    assert_eq!(
        fields(&imported, 0),
        r#"_input_hash=1 answer=perhaps 👍 label=[["A"]] options=x paragraphs=["甲","乙"] spans={"one":1} words=["w"]"#
    );
    assert_eq!(fields(&imported, 1), "shop=b");
    says(&imported, Fate::Noted, "a field of metadata has two values", 1);
}

#[test]
fn classes_of_prodigy_in_every_form() {
    let rows = [
        r#"{"text":"one 好","label":["A","B","A"],"answer":"accept"}"#,
        r#"{"text":"two 👍","accept":"pos","options":[{"id":"pos","text":"正面"},{"id":"neg","text":"负面"}],"answer":"accept"}"#,
        r#"{"text":"three","cats":[{"label":"A","value":1.0},{"label":"B","value":0.1},{"label":"C","value":"?"}],"answer":"accept"}"#,
        r#"{"text":"four","cats":["B"],"label":"X","answer":"accept"}"#,
        r#"{"text":"five","label":["A","B"],"answer":"reject"}"#,
        r#"{"text":"six","label":["A","B"],"answer":"ignore"}"#,
        r#"{"text":"seven","label":7,"answer":"reject"}"#,
    ];
    let imported = read("p.jsonl", &rows.join("\n"), Kind::Prodigy);
    let wanted =
        ["one 好 | labels=A+B", "two 👍 | labels=正面", "three | labels=A", "four | labels=B", "five", "six", "seven | labels=not 7"];
    holds(&imported, &wanted);
    assert_eq!((fields(&imported, 3), fields(&imported, 5)), ("asked about=X".to_owned(), "asked about=A, B".to_owned()));
    let states: Vec<State> = imported.drafts.iter().skip(3).map(|draft| draft.annotation.clone().unwrap().state).collect();
    assert_eq!(states, [State::Done, State::Todo, State::Skipped, State::Done]);
    says(&imported, Fate::Noted, "the score of a class is no number", 1);
    says(&imported, Fate::Noted, "a class of a rejected or ignored row", 2);
}

#[test]
fn what_stands_beside_paragraphs_of_spacy_is_kept() {
    let file = r#"[{"id":7,"source":"书","meta":{"year":1999},"paragraphs":[
        {"raw":"屏幕👍很好","sentences":[{"tokens":[{"id":0,"orth":"屏幕","ner":"U-ASP","tag":"NN","head":1},{"id":1,"orth":"👍","ner":"-"},{"id":2,"orth":"很好","ner":"O"}]}],"cats":[{"label":"good","value":1.0}],"source":"另"},
        {"raw":"second 好","sentences":[]}]}]"#;
    let imported = read("a.json", file, Kind::Prodigy);
    holds(&imported, &["屏幕👍很好 | good | ASP:屏幕", "second 好"]);
    assert_eq!([fields(&imported, 0), fields(&imported, 1)], ["id=7 source=另 year=1999", "id=7 source=书 year=1999"]);
    says(&imported, Fate::Noted, "a field of metadata has two values", 1);
    says(&imported, Fate::Noted, "what is said of words beside their entities", 1);
    assert!(imported.report.issues.iter().all(|issue| !issue.reason.contains("part of a span")), "{:?}", imported.report.issues);
    // A row without any is no row without a word.
    let imported = read_as("a.json", r#"[{"id":7,"paragraphs":[]},{"text":"好"}]"#, Some(Kind::Prodigy));
    assert_eq!((imported.drafts.len(), imported.report.skipped), (1, 1));
}

#[test]
fn what_prodigy_says_of_a_span_is_kept_or_named() {
    let row = r#"{"text":"Bei 北京 x 👍","spans":[{"start":4,"end":6,"label":"LOC","kb_id":"Q956"},{"start":0,"end":3,"label":"LOC","kb_id":956000000000},
        {"start":7,"end":8,"label":"X","answer":"reject"},{"start":9,"end":10,"label":"X","answer":"ignore","kb_id":"","polarity":"conflict"}],"answer":"accept"}"#
        .replace('\n', "");
    let imported = read("p.jsonl", &row, Kind::Prodigy);
    holds(&imported, &["Bei 北京 x 👍 | LOC:北京 | LOC:Bei | X:👍"]);
    let name = |words: &str| Some(DraftValue::Name(words.to_owned()));
    assert_eq!(
        (attribute(&imported, 0, "kb_id"), attribute(&imported, 1, "kb_id"), attribute(&imported, 2, "kb_id")),
        (name("Q956"), name("956000000000"), None)
    );
    assert_eq!(attribute(&imported, 2, "polarity"), name("conflict"));
    says(&imported, Fate::Dropped, "was rejected", 1);
    says(&imported, Fate::Noted, "has the answer \"ignore\"", 1);

    let rows = concat!(
        r#"{"text":"北京 b","entities":[[0,2,"LOC","Q956"]],"answer":"accept"}"#,
        "\n",
        r#"{"text":"好 c👍","spans":{"sc":[{"start":0,"end":1,"label":"A"}],"other":[{"start":2,"end":3,"label":"B"}]},"answer":"accept"}"#,
    );
    let imported = read("p.jsonl", rows, Kind::Prodigy);
    holds(&imported, &["北京 b | LOC:北京", "好 c👍 | B:c | A:好"]);
    says(&imported, Fate::Noted, "what stands behind the label of a span", 1);
    says(&imported, Fate::Noted, "a group of spans has a name", 2);
}

#[test]
fn tags_that_are_mere_classes_are_named() {
    let rows = concat!(
        r#"["Ann 住 here 👍",{"entities":["person","O","Service","place"]}]"#,
        "\n",
        r#"["好 👍 x",{"entities":["U-A","-",""]}]"#,
        "\n",
        r#"{"text":"a好b👍","tokens":["a","好","b👍"],"entities":["O","U-X","O"],"answer":"accept"}"#,
        "\n",
        r#"["two words",{"entities":["Service","U-A","O","O","O"]}]"#,
    );
    let imported = read("a.jsonl", rows, Kind::Prodigy);
    holds(&imported, &["Ann 住 here 👍", "好 👍 x | A:好", "a好b👍 | X:好", "two words"]);
    says(&imported, Fate::Noted, "a tag has no part of a span (such as B-)", 2);
    says(&imported, Fate::Dropped, "tokens of its text are not known", 1);
}

#[test]
fn a_long_text_with_many_tokens_takes_no_minutes() {
    const TOKENS: usize = 60_000;
    let (mut tokens, mut tags) = (String::new(), String::new());
    for at in 0..TOKENS {
        let end = if at + 1 < TOKENS { "," } else { "" };
        write!(tokens, r#"{{"start":{},"end":{}}}{end}"#, at * 3, at * 3 + 2).unwrap();
        tags += if at + 1 < TOKENS { "\"O\"," } else { "\"U-A\"" };
    }
    let text = "好👍 ".repeat(TOKENS);
    let row = format!(r#"{{"text":"{text}","tokens":[{tokens}],"entities":[{tags}],"answer":"accept"}}"#);
    let imported = read_as("p.jsonl", &row, Some(Kind::Prodigy));
    let [draft] = imported.drafts.as_slice() else { panic!("one row") };
    let [span] = draft.annotation.as_ref().unwrap().spans.as_slice() else { panic!("one span") };
    assert_eq!((span.range.of(&draft.text), span.range.end()), ("好👍", draft.text.len() - 1));
}

#[test]
fn fields_of_doccano_of_another_kind_are_kept_or_named() {
    let rows = concat!(
        r#"{"text":"好 屏幕👍","relations":"family","comments":[1,2],"entities":[{"id":1,"label":"ASP","start_offset":2,"end_offset":4,"polarity":"conflict"},{"id":2,"label":"ASP","start_offset":0,"end_offset":1,"polarity":"正面"}]}"#,
        "\n",
        r#"{"text":"a 好","relations":{"from":"甲"},"label":[[2,3,"ASP","sure"]]}"#,
    );
    let imported = read("d.jsonl", rows, Kind::Doccano);
    holds(&imported, &["好 屏幕👍 | ASP:屏幕 | ASP:好+", "a 好 | ASP:好"]);
    assert_eq!(
        (fields(&imported, 0), fields(&imported, 1)),
        ("comments=[1,2] relations=family".to_owned(), r#"relations={"from":"甲"}"#.to_owned())
    );
    says(&imported, Fate::Noted, "a span has the polarity \"conflict\"", 1);
    says(&imported, Fate::Noted, "what stands behind the label of a span", 1);
}
