//! What other tools write beyond the plain case: several people, several layers, discarded work, odd ids. It comes in right
//! or its loss is named.

use crate::interchange::line;
use gloss::project::{Project, Schema, State};
use gloss::store::StoreError;
use gloss::store::formats::{Fate, Kind};
use gloss::store::import::{self, Draft, DraftValue, Format, ImportOptions, Imported};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn read_path(path: &Path, kind: Option<Kind>) -> Result<Imported, StoreError> {
    let options = ImportOptions { format: kind.map(Format::Annotated), ..ImportOptions::default() };
    let imported = import::read(path, &options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()))?.unwrap();
    let report = &imported.report;
    assert_eq!(report.rows, report.imported + report.skipped + report.duplicates_in_file + report.duplicates_in_project, "{report:?}");
    Ok(imported)
}

pub fn try_read(name: &str, content: impl AsRef<[u8]>, kind: Option<Kind>) -> Result<Imported, StoreError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    read_path(&path, kind)
}

/// Reads a file of this format, said and found out alike.
#[track_caller]
pub fn read(name: &str, content: &str, kind: Kind) -> Imported {
    let found = try_read(name, content, None).unwrap();
    assert_eq!(found.report.format, kind.name());
    let said = try_read(name, content, Some(kind)).unwrap();
    assert_eq!(found, said);
    said
}

#[track_caller]
pub fn holds(imported: &Imported, wanted: &[&str]) {
    assert_eq!(imported.drafts.iter().map(line).collect::<Vec<_>>(), wanted);
    // A project takes all of it.
    let mut project = Project::new(Schema::default());
    import::edits(&project, imported.drafts.clone()).0.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    let spans: usize = project.documents().map(|doc| doc.annotation.spans.len()).sum();
    let drafted = |draft: &Draft| draft.annotation.as_ref().map_or(0, |said| said.spans.len());
    assert_eq!((project.documents().count(), spans), (wanted.len(), imported.drafts.iter().map(drafted).sum()));
}

#[track_caller]
pub fn says(imported: &Imported, fate: Fate, part: &str, count: usize) {
    let losses = &imported.report.spans.as_ref().unwrap().losses;
    let found = losses.iter().find(|loss| loss.fate == fate && loss.what.contains(part));
    assert_eq!(found.map(|loss| loss.count), Some(count), "{part:?} in {losses:#?}");
}

#[track_caller]
pub fn is_silent(imported: &Imported, part: &str) {
    let losses = &imported.report.spans.as_ref().unwrap().losses;
    assert!(losses.iter().all(|loss| !loss.what.contains(part)), "{part:?} in {losses:#?}");
}

pub fn states(imported: &Imported) -> Vec<State> {
    imported.drafts.iter().map(|draft| draft.annotation.clone().unwrap_or_default().state).collect()
}

#[test]
fn records_of_argilla_1_keep_their_answers() {
    let one = r#"[{"fields":{"text":"one feedback text"},"metadata":{"a":"b"},"external_id":"e1","responses":[{"user_id":"u1","status":"submitted","values":{"sentiment":{"value":"positive"}}}],"suggestions":[]}]"#;
    let imported = read("records.json", one, Kind::Argilla);
    holds(&imported, &["one feedback text | sentiment=positive"]);
    assert_eq!((imported.drafts[0].meta["id"].as_str(), imported.drafts[0].meta["a"].as_str()), ("e1", "b"));
    assert_eq!(states(&imported), [State::Done]);

    let two = r#"[{"id":"made by the server","fields":{"text":"good screen"},"external_id":null,"responses":[
        {"user_id":"u1","status":"submitted","values":{"stars":{"value":4},"topics":{"value":["a","b"]},
            "spans":{"value":[{"start":5,"end":11,"label":"ASP"}]},"order":{"value":[{"value":"x","rank":1}]}}},
        {"user_id":"u2","status":"submitted","values":{"stars":{"value":2}}}],"suggestions":[]},
        {"fields":{"text":"only suggested"},"responses":[],"suggestions":[{"question_name":"stars","value":3}]},
        {"fields":{"text":"put away"},"responses":[{"user_id":"u1","status":"discarded","values":{}}],"suggestions":[]}]"#;
    let imported = read("records.json", two, Kind::Argilla);
    let wanted = [
        "good screen | stars=4 | topics=a+b | ASP:screen | u1 says 4 a+b and marks 1 | u2 says 2 and marks 0",
        "only suggested",
        "put away",
    ];
    holds(&imported, &wanted);
    assert_eq!(states(&imported), [State::Done, State::Todo, State::Skipped]);
    says(&imported, Fate::Noted, "an answer to \"order\" is of a kind without counterpart", 1);
    says(&imported, Fate::Noted, "several people answered", 1);
    says(&imported, Fate::Noted, "suggestions without an answer", 1);
}

#[test]
fn a_discarded_response_is_no_answer() {
    let flat = r#"{"id":"a1","status":"completed","text":"hello","sentiment.responses":["negative","positive"],"sentiment.responses.users":["u2","u1"],"sentiment.responses.status":["discarded","submitted"]}"#;
    let imported = read("flat.jsonl", flat, Kind::Argilla);
    holds(&imported, &["hello | sentiment=positive"]);
    says(&imported, Fate::Noted, "with the status \"discarded\"", 1);
    let list = r#"[{"fields":{"text":"hello"},"responses":[{"user_id":"u2","status":"draft","values":{"sentiment":{"value":"negative"}}},
        {"user_id":"u1","status":"submitted","values":{"sentiment":{"value":"positive"}}}]}]"#;
    let imported = read("records.json", list, Kind::Argilla);
    holds(&imported, &["hello | sentiment=positive"]);
    says(&imported, Fate::Noted, "with the status \"draft\"", 1);
    let object = r#"[{"fields":{"text":"hello"},"suggestions":{},"responses":{"sentiment":[{"value":"negative","user_id":"u2","status":"discarded"}]}}]"#;
    let imported = read("records.json", object, Kind::Argilla);
    holds(&imported, &["hello"]);
    says(&imported, Fate::Noted, "with the status \"discarded\"", 1);
}

/// An annotation of Label Studio with one choice.
fn chosen(by: u32, choice: &str, cancelled: bool) -> String {
    let result = format!(r#"{{"from_name":"s","type":"choices","value":{{"choices":["{}"]}}}}"#, choice.replace('+', "\",\""));
    format!(r#"{{"completed_by":{by},"was_cancelled":{cancelled},"result":[{result}]}}"#)
}

#[test]
fn a_second_annotation_by_one_of_several_people_is_named() {
    let annotations = [chosen(7, "good", false), chosen(9, "bad", true), chosen(7, "fine", false), chosen(9, "poor", false)];
    let task = format!(r#"[{{"data":{{"text":"nice"}},"annotations":[{}]}}]"#, annotations.join(","));
    let imported = read("t.json", &task, Kind::LabelStudio);
    holds(&imported, &["nice | s=good | 7 says good and marks 0 | 9 says poor and marks 0"]);
    says(&imported, Fate::Noted, "second annotation by the same person", 2);
}

#[test]
fn a_question_takes_several_classes_where_only_a_second_person_chose_several() {
    let annotations = [chosen(7, "good", false), chosen(9, "bad+loud", false)];
    let task = format!(r#"[{{"data":{{"text":"nice"}},"annotations":[{}]}}]"#, annotations.join(","));
    let imported = read("t.json", &task, Kind::LabelStudio);
    holds(&imported, &["nice | s=good | 7 says good and marks 0 | 9 says bad+loud and marks 0"]);
    let mut project = Project::new(Schema::default());
    let (edits, remarks) = import::edits(&project, imported.drafts);
    edits.into_iter().for_each(|edit| drop(project.apply(edit).unwrap()));
    let said: Vec<usize> = project.documents().next().unwrap().layers.values().map(|own| own.answers.len()).collect();
    assert_eq!(said, [1, 1], "{remarks:?}");
}

#[test]
fn what_is_about_a_region_is_no_span() {
    let task = r#"[{"data":{"text":"good screen"},"annotations":[{"result":[
        {"id":"r1","from_name":"label","type":"labels","value":{"start":5,"end":11,"text":"screen","labels":["ASP"]}},
        {"id":"r1","from_name":"why","type":"textarea","value":{"start":5,"end":11,"text":["because"]}},
        {"id":"r1","from_name":"tree","type":"taxonomy","value":{"start":5,"end":11,"taxonomy":[["a","b"]]}},
        {"id":"r2","from_name":"label","type":"labels","value":{"start":-1,"end":3,"labels":["ASP"]}},
        {"id":"r3","from_name":"label","type":"labels","value":{"start":0,"end":4,"labels":[]}}]}]}]"#;
    let imported = read("t.json", task, Kind::LabelStudio);
    holds(&imported, &["good screen | ASP:screen"]);
    says(&imported, Fate::Noted, "a result of the kind \"textarea\"", 1);
    says(&imported, Fate::Noted, "a result of the kind \"taxonomy\"", 1);
    says(&imported, Fate::Dropped, "no offsets or label that make sense", 1);
    says(&imported, Fate::Dropped, "has no label", 1);
    let spans = imported.report.spans.as_ref().unwrap();
    assert_eq!((spans.kept, spans.clipped, spans.dropped), (1, 0, 2));
}

#[test]
fn rows_of_json_min_become_layers() {
    let rows = r#"[{"id":1,"text":"good screen","sentiment":"positive","label":[{"start":5,"end":11,"text":"screen","labels":["ASP"]}],"annotator":1,"annotation_id":3,"created_at":"2021-03-09T22:16:08Z","shop":"b"},
        {"id":1,"text":"good screen","sentiment":"negative","annotator":2,"annotation_id":4,"shop":"b"},
        {"id":1,"text":"good screen","sentiment":"neutral","annotator":2,"annotation_id":5,"shop":"b"},
        {"id":2,"text":"other","sentiment":"neutral","annotator":2,"annotation_id":6}]"#;
    let imported = read("min.json", rows, Kind::LabelStudio);
    let wanted = [
        "good screen | sentiment=positive | ASP:screen | 1 says positive and marks 1 | 2 says negative and marks 0",
        "other | sentiment=neutral",
    ];
    holds(&imported, &wanted);
    says(&imported, Fate::Noted, "several people annotated a text", 1);
    says(&imported, Fate::Noted, "second annotation by the same person", 1);
    let report = &imported.report;
    assert_eq!((report.rows, report.imported, report.duplicates_in_file, report.joined), (4, 2, 2, 1));
}

#[test]
fn a_span_that_cuts_a_character_is_not_stretched() {
    let file = r#"{"text":"good👍 phone, nice screen here","label":[[0,5,"ASP"],[7,12,"OPN"],[19,25,"OPN"]]}"#;
    let imported = read("d.jsonl", file, Kind::Doccano);
    holds(&imported, &["good👍 phone, nice screen here | OPN:phone | OPN:screen"]);
    says(&imported, Fate::Dropped, "cuts a character in half", 1);
    is_silent(&imported, "beyond the end");
    let beyond = r#"{"text":"good👍 phone","label":[[7,12,"OPN"],[0,4,"OPN"],[7,99,"ASP"]]}"#;
    let imported = read("d.jsonl", beyond, Kind::Doccano);
    holds(&imported, &["good👍 phone | OPN:phone | OPN:good | ASP:phone"]);
    says(&imported, Fate::Clipped, "beyond the end", 1);
}

#[test]
fn on_a_tie_doccano_counts_as_its_editor_does() {
    let imported = read("d.jsonl", r#"{"text":"好😀屏幕很好用","label":[[3,5,"X"]]}"#, Kind::Doccano);
    holds(&imported, &["好😀屏幕很好用 | X:屏幕"]);
    let spans = imported.report.spans.as_ref().unwrap();
    assert_eq!(spans.unit, Some("UTF-16 units"));
    assert!(spans.unit_doubt.as_ref().unwrap().contains("code points would fit as well"), "{spans:?}");
}

#[test]
fn relations_of_webanno_join_spans_of_their_layer() {
    let tsv = concat!(
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value\n",
        "#T_SP=webanno.custom.Aspect|label|ROLE_webanno.custom.Aspect:args_webanno.custom.AspectArgsLink|webanno.custom.Aspect\n",
        "#T_RL=webanno.custom.About|kind|BT_webanno.custom.Aspect\n\n\n#Text=good screen\n",
        "1-1\t0-4\tgood\t_\tORG\tOPN\tof|for\t1-2|1-2\t_\t_\t\n1-2\t5-11\tscreen\t_\tPER\tASP\t_\t_\tabout\t1-1\t\n",
    );
    let imported = read("a.tsv", tsv, Kind::WebAnno);
    let said = imported.drafts[0].annotation.clone().unwrap();
    let label = |id: &u32| said.spans.iter().find(|span| span.id == *id).unwrap().label.clone();
    let links: Vec<(String, String)> = said.links.iter().map(|(from, to)| (label(from), label(to))).collect();
    assert_eq!(links, [("OPN".to_owned(), "ASP".to_owned())]);
    assert_eq!((said.spans.len(), said.attributes.len()), (4, 0), "{:?}", said.attributes);
    says(&imported, Fate::Noted, "the slot \"args\" of a span", 1);
}

#[test]
fn opinions_on_a_whole_review_and_sentences_out_of_scope() {
    let xml = r#"<Reviews><Review rid="1"><sentences><sentence id="1:0"><text>Good food</text><Opinions>
<Opinion target="food" category="FOOD#QUALITY" polarity="positive" from="5" to="9"/></Opinions></sentence>
<sentence id="1:1" OutOfScope="TRUE"><text>My dog sings</text></sentence></sentences>
<Opinions><Opinion category="RESTAURANT#GENERAL" polarity="positive"/><Opinion category="FOOD#PRICES" polarity="negative"/></Opinions></Review>
<Review rid="2"><sentences/><Opinions><Opinion category="SERVICE#GENERAL" polarity="negative"/></Opinions></Review></Reviews>"#;
    let imported = read("x.xml", xml, Kind::SemEval16);
    holds(&imported, &["Good food | aspect:food+", "My dog sings"]);
    assert_eq!(imported.drafts[0].meta["categories of the review"], "RESTAURANT#GENERAL positive; FOOD#PRICES negative");
    assert_eq!(imported.drafts[1].meta["OutOfScope"], "TRUE");
    assert_eq!(states(&imported), [State::Done, State::Skipped]);
    says(&imported, Fate::Noted, "an opinion on a whole review", 2);
    says(&imported, Fate::Noted, "stands with no sentence", 1);
    says(&imported, Fate::Noted, "out of scope", 1);
}

#[test]
fn the_field_of_texts_is_chosen_once() {
    let task = |url: &str, body: &str, words: &str| {
        let result =
            format!(r#"{{"id":"a","from_name":"l","type":"labels","value":{{"start":0,"end":4,"text":"{words}","labels":["ASP"]}}}}"#);
        format!(
            r#"{{"data":{{"url":"{url}","raw":"{body}","note":"a note that is longer than it"}},"annotations":[{{"result":[{result}]}}]}}"#
        )
    };
    let long = format!("https://example.org/{}", "a".repeat(90));
    let file = format!("[{},{}]", task(&long, "nice day", "nice"), task("https://x.y", "fine", "fine"));
    let imported = read("t.json", &file, Kind::LabelStudio);
    holds(&imported, &["nice day | ASP:nice", "fine | ASP:fine"]);
    assert_eq!(imported.drafts[1].meta["url"], "https://x.y");
    // No words are stated: the name, then the length of all rows together.
    let records = r#"[{"fields":{"body":"short","note":"something long beside it"},"responses":{},"suggestions":{}},{"fields":{"body":"s","note":""},"responses":{},"suggestions":{}}]"#;
    holds(&read("records.json", records, Kind::Argilla), &["short", "s"]);
    let records = r#"[{"fields":{"one":"a short one, once","two":"b"},"responses":{},"suggestions":{}},{"fields":{"one":"c","two":"a text that is longer than all of the other"},"responses":{},"suggestions":{}}]"#;
    holds(&read("records.json", records, Kind::Argilla), &["b", "a text that is longer than all of the other"]);
}

#[test]
fn tags_without_a_name_or_a_word_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let head = "---\ndataset_info:\n  features:\n  - name: tokens\n    sequence: string\n  - name: ner_tags\n    sequence:\n      class_label:\n        names:\n          '0': O\n          '1': B-ASP\n---\n";
    fs::write(folder.path().join("README.md"), head).unwrap();
    let rows = "{\"tokens\":[\"good\",\"screen\"],\"ner_tags\":[7,1]}\n{\"tokens\":[\"bad\"],\"ner_tags\":[0,1]}\n{\"tokens\":[\"none\"],\"ner_tags\":[-100]}\n";
    fs::write(folder.path().join("train.jsonl"), rows).unwrap();
    let imported = read_path(folder.path(), None).unwrap();
    holds(&imported, &["good screen | ASP:screen", "bad", "none"]);
    says(&imported, Fate::Noted, "\"ner_tags\" holds a class without a name", 1);
    says(&imported, Fate::Noted, "\"ner_tags\" are not as many as the words", 1);
}

#[test]
fn options_links_and_places_of_prodigy() {
    let rows = concat!(
        r#"{"text":"pick","options":[{"id":1,"text":"positive"},{"id":2,"text":"negative"}],"accept":[1],"answer":"accept"}"#,
        "\n",
        r#"{"text":"good one","spans":[{"start":0,"end":4,"label":"A"},{"start":5,"end":8,"label":"B"}],"relations":[{"head":0,"child":1,"label":"of","head_span":{"start":0,"end":4,"label":"A"},"child_span":{"start":5,"end":8,"label":"B"}}],"answer":"reject"}"#,
        "\n",
        r#"{"text":"good two","spans":[{"start":0,"end":4,"label":"A"},{"start":0,"end":4,"label":"B"},{"start":5,"end":8,"label":"C"}],"relations":[{"head":0,"child":1,"label":"of","head_span":{"start":0,"end":4,"label":"B"},"child_span":{"start":5,"end":8,"label":"C"}},{"head":0,"child":1,"label":"of","head_span":{"start":5,"end":8},"child_span":{"start":0,"end":4}}],"answer":"accept"}"#,
        "\n",
    );
    let imported = read("p.jsonl", rows, Kind::Prodigy);
    holds(&imported, &["pick | positive", "good one", "good two | A:good | B:good | C:two | 1>2 | 2>0"]);
    says(&imported, Fate::Dropped, "was rejected", 2);
    says(&imported, Fate::Noted, "a link of a rejected row", 1);
}

#[test]
fn a_folder_of_brat_is_read_whole_or_what_is_not_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    fs::create_dir(folder.path().join("more")).unwrap();
    write("a.txt", "nobody said a thing");
    write("b.txt", "good screen");
    write("b.ann", "T1\tASP 5 11\tscreen\n");
    write("more/c.txt", "inside");
    write("more/c.ann", "");
    let imported = read_path(folder.path(), None).unwrap();
    holds(&imported, &["nobody said a thing", "good screen | ASP:screen"]);
    assert_eq!((imported.drafts[0].meta["file"].as_str(), states(&imported)), ("a.txt", vec![State::Todo, State::Done]));
    says(&imported, Fate::Noted, "a folder inside the folder was not read", 1);
}

#[test]
fn comments_of_doccano_do_not_hide_a_field() {
    let file = "{\"text\":\"a b\",\"label\":[\"x\"],\"Comments\":[\"check\"],\"comments\":\"seven\"}\n{\"text\":\"c d\",\"label\":[\"x\"],\"comments\":\"eight\"}\n";
    let imported = read("d.jsonl", file, Kind::Doccano);
    holds(&imported, &["a b | x", "c d | x"]);
    let field = |at: usize, name: &str| imported.drafts[at].meta.get(name).cloned();
    assert_eq!((field(0, "comments"), field(0, "Comments")), (Some("seven".to_owned()), Some("check".to_owned())));
    assert_eq!(field(1, "comments"), Some("eight".to_owned()));
}

#[test]
fn labels_of_fast_text_and_apc_are_all_accounted_for() {
    let imported = read("a.txt", "__label__a  __label__b good  one\n__label__a bad __label__b two\n", Kind::FastText);
    holds(&imported, &["good  one | labels=a+b", "bad __label__b two | labels=a"]);
    says(&imported, Fate::Noted, "a label stands within its text", 1);
    let lines = "The [B-ASP]food[E-ASP] and [B-ASP]bar[E-ASP] $LABEL$ Positive\na [B-ASP]bed[E-ASP] $LABEL$ Positive, Negative\nno [B-ASP]label[E-ASP]\n";
    let imported = read("x.txt", lines, Kind::Apc);
    holds(&imported, &["The food and bar | aspect:food+ | aspect:bar", "a bed | aspect:bed+", "no label | aspect:label"]);
    says(&imported, Fate::Noted, "an aspect has no label in its line", 1);
    says(&imported, Fate::Noted, "one too many for the aspects", 1);
}

#[test]
fn a_picture_is_no_file_of_lines() {
    let bytes: Vec<u8> = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".iter().copied().chain((0..4_000u32).map(|at| (at * 7 % 256) as u8)).collect();
    for kind in [Kind::Conll, Kind::Atepc, Kind::FastText] {
        let error = try_read("a.bin", &bytes, Some(kind)).unwrap_err().to_string();
        assert!(error.contains("no text"), "{error}");
    }
}

/// Where an option has no text to be called by.
#[test]
fn ids_that_are_words_stay() {
    let rows = r#"{"text":"pick","options":[{"id":"POS","text":"good"},{"id":"NEG"}],"accept":["POS"],"answer":"accept","spans":[{"start":0,"end":4,"label":"A","level":2}]}"#;
    let imported = read("p.jsonl", rows, Kind::Prodigy);
    holds(&imported, &["pick | POS | A:pick"]);
    let said = imported.drafts[0].annotation.clone().unwrap();
    assert!(matches!(said.attributes[&0]["level"], DraftValue::Number(_)));
}
