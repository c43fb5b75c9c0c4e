//! Copies of projects, anonymised ones, near-duplicates and statistics.

use gloss::project::{
    Annotation, Anonymiser, Answer, Comment, CommentId, DocId, Document, Edit, Private, Project, QuestionId, Replaced, Schema, Span,
    SpanId, Split, State, Statistics, TextRange, near_groups, near_pairs,
};
use gloss::store::{ProjectFile, StoreError, copies, read_project};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

fn document(at: usize, text: &str) -> Document {
    Document::new(DocId::from_index(at), text)
}

fn project(texts: &[&str]) -> Project {
    let mut project = Project::new(Schema::default());
    let documents: Vec<Document> = texts.iter().enumerate().map(|(at, text)| document(at, text)).collect();
    project.apply(Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }).unwrap();
    project
}

fn mark(doc: &mut Document, words: &str, label: u16) {
    let at = doc.text.find(words).unwrap();
    let range = TextRange::new(&doc.text, at..at + words.len()).unwrap();
    let id = doc.annotation.free_span_id();
    doc.annotation.spans.insert(id, Span { range, label, polarity: None });
}

fn words_of(doc: &Document) -> Vec<&str> {
    doc.annotation.spans.values().map(|span| span.range.of(&doc.text)).collect()
}

fn private(names: &[&str]) -> Private {
    let patterns = vec![regex::Regex::new(r"ORD-\d+").unwrap()];
    Private { names: names.iter().map(|name| (*name).to_owned()).collect(), phones: true, mails: true, patterns }
}

#[test]
fn what_is_private_goes_and_marks_stay() {
    let mut doc = document(
        0,
        "王小明说屏幕很好👍，电话 138-0013-8000，mail li.na@example.com，ORD-77。Li Na agrees; Linen too. 2024 and 1234567890123456789",
    );
    mark(&mut doc, "屏幕", 0);
    mark(&mut doc, "很好👍", 1);
    mark(&mut doc, "小明说", 0);
    doc.annotation.answers.insert(QuestionId(0), Answer::Text("ask li na".to_owned()));
    doc.comments.insert(CommentId(0), Comment { author: "Li Na".into(), time_ms: 1, text: "王小明?".into(), resolved: false });
    doc.meta = [("phone", "+86 138 0013 8000")].into_iter().collect();
    let mut anonymiser = Anonymiser::new(&private(&["Li Na", "王小明", ""])).unwrap();
    let other = anonymiser.document(&doc);
    let wanted =
        "[NAME-1][NAME-2]说屏幕很好👍，电话 [PHONE-1]，mail [MAIL-1]，[ID-1]。[NAME-3] agrees; Linen too. 2024 and 1234567890123456789";
    assert_eq!(&*other.text, wanted);
    assert_eq!(words_of(&other), ["屏幕", "很好👍", "[NAME-2]说"]);
    assert_eq!(other.comments[&CommentId(0)].author, "[NAME-3]");
    assert_eq!(other.comments[&CommentId(0)].text, "[NAME-5]?");
    assert!(other.meta.get("phone").unwrap().starts_with("[PHONE-"));
    let Replaced { key, counts, .. } = anonymiser.finish();
    let words = |stand_in: &str| key[stand_in].as_str();
    assert_eq!((words("[NAME-1]"), words("[NAME-2]"), words("[NAME-5]"), counts["NAME"]), ("王", "小明", "王小明", 5));
    assert_eq!(words("[MAIL-1]"), "li.na@example.com");
    let mut restorer = Anonymiser::restoring(&key).unwrap();
    assert_eq!(restorer.document(&other), doc, "marks inside a name come back too");
    assert_eq!(restorer.finish().widened, 0);
    // A colleague marks half of a stand-in: what that means of the words, nobody knows.
    let mut half = other.clone();
    mark(&mut half, "AME-1", 0);
    let mut restorer = Anonymiser::restoring(&key).unwrap();
    assert_eq!(words_of(&restorer.document(&half)).last(), Some(&"王"));
    assert_eq!(restorer.finish().widened, 1);
}

#[test]
fn what_was_anonymised_before_keeps_its_stand_ins() {
    let (first, second) = ("王小明 called [ID-7]", "Li Na and 王小明");
    let (documents, team) = ([document(0, first), document(1, second)], ["Li Na".to_owned()]);
    let mut names = Anonymiser::new(&private(&["王小明"])).unwrap();
    let (once, ..) = names.all(&documents.iter().collect::<Vec<_>>(), &team, "");
    let mut others = Anonymiser::new(&private(&["Li Na"])).unwrap();
    let (twice, annotators, guidelines) = others.all(&once.iter().collect::<Vec<_>>(), &team, "ask ORD-1");
    let texts: Vec<&str> = twice.iter().map(|doc| &*doc.text).collect();
    assert_eq!(texts, ["[NAME-1] called [ID-7]", "[NAME-2] and [NAME-1]"]);
    assert_eq!((annotators[0].as_str(), guidelines.as_str()), ("[NAME-2]", "ask [ID-8]"));
    let back = |anonymiser: Anonymiser, documents: &[Document]| {
        Anonymiser::restoring(&anonymiser.finish().key).unwrap().all(&documents.iter().collect::<Vec<_>>(), &[], "").0
    };
    let once_again = back(others, &twice);
    assert_eq!(once_again, once);
    assert_eq!(back(names, &once_again), documents);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Whatever is replaced comes back with its key, and every mark keeps its words, also one that ends inside a name.
    #[test]
    fn anonymised_and_back(pieces in prop::collection::vec(0usize..10, 1..12), start in 0usize..30, length in 1usize..6) {
        const PIECES: [&str; 10] = ["王小明", "Li Na", " ", "138-0013-8000", "屏幕", "a@b.cn", "👨🏻‍🚒", "e\u{301}", "\r\n", "，"];
        let text: String = pieces.iter().map(|at| PIECES[*at]).collect();
        let mut doc = document(0, &text);
        if let Some(range) = TextRange::from_chars(&text, start..start + length) {
            doc.annotation.spans.insert(SpanId(0), Span { range, label: 0, polarity: None });
        }
        let mut anonymiser = Anonymiser::new(&private(&["Li Na", "王小明"])).unwrap();
        let other = anonymiser.document(&doc);
        // Of two addresses without anything between, the second is no address any more.
        prop_assert!(!other.text.contains("王小明") && !other.text.contains("a@b.cn"));
        prop_assert_eq!(other.annotation.spans.len(), doc.annotation.spans.len());
        let key = anonymiser.finish().key;
        let back = Anonymiser::restoring(&key).unwrap().document(&other);
        prop_assert_eq!(back, doc);
    }
}

#[test]
fn near_duplicates_and_leakage() {
    let long = "房间很干净，早餐也不错，服务员态度很好，下次还会再来住";
    let texts = [
        long,
        "完全不同的一句话，说的是手机屏幕和电池",
        &format!("{long}！"),
        "The battery died after two days",
        "the  battery died after two days!",
        "好",
    ];
    let mut project = project(&texts);
    let pairs = near_pairs(project.documents(), 0.7);
    let found: Vec<(u32, u32)> = pairs.iter().map(|pair| (pair.first.0, pair.second.0)).collect();
    assert_eq!(found, [(0, 2), (3, 4)]);
    assert!(pairs.iter().all(|pair| (0.7..1.0).contains(&pair.likeness)), "{pairs:?}");
    let part = |id: DocId| [Some(Split::Train), None, Some(Split::Test), Some(Split::Train), None, None][id.index()];
    let groups = near_groups(&pairs, part);
    assert_eq!(groups.iter().map(|group| (group.docs.len(), group.leaks)).collect::<Vec<_>>(), [(2, true), (2, false)]);
    // Chains are one group, and a document that is gone takes part in none.
    project.apply(Edit::SetPresent { first: DocId(4), count: 1, to: false }).unwrap();
    assert_eq!(near_pairs(project.documents(), 0.7).len(), 1);
    assert_eq!(near_pairs(project.documents(), 1.0).len(), 0);
    assert!(near_groups(&[], part).is_empty());
}

#[test]
fn statistics_count_what_trains() {
    let mut project = project(&["很好", "battery died", "", "👍 123"]);
    project.apply(Edit::SetAnswer { doc: DocId(0), question: QuestionId(0), to: Some(Answer::Class(2)) }).unwrap();
    let statistics = Statistics::of(&project, 3, |text| text.chars().map(u32::from).collect());
    assert_eq!((statistics.documents, statistics.beyond, statistics.characters.longest, statistics.characters.median), (4, 2, 12, 5));
    assert_eq!(statistics.scripts.values().sum::<usize>(), 4);
    assert_eq!(statistics.questions[0].1, 1);
    assert_eq!(statistics.questions[0].2[2], ("positive".to_owned(), 1));
    assert_eq!(Statistics::of(&Project::new(Schema::default()), 3, |_| Vec::new()).characters, Default::default());
}

fn gloss(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_gloss")).args(arguments).current_dir(folder).env("GLOSS_CONFIG_DIR", folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

/// A project with a class, a mark, a comment and two annotators, through the file.
fn made(path: &Path) {
    let mut doc = document(0, "王小明 likes the screen, ORD-5");
    doc.annotation = Annotation { state: State::Done, ..Annotation::default() };
    mark(&mut doc, "screen", 0);
    let documents = vec![doc, document(1, "很好"), document(2, "王小明  likes the screen, ORD-5!")];
    copies::new_with(path, &Schema::default(), (&["甲".to_owned()], "# how"), documents, ("made".into(), "甲".into(), 5)).unwrap();
}

#[test]
fn copies_keep_everything() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    made(&at("p.gloss"));
    fs::create_dir_all(at("p.runs/run-0001")).unwrap();
    fs::write(at("p.runs/run-0001/run.json"), "{}").unwrap();
    let (project, history) = read_project(&at("p.gloss")).unwrap();
    assert_eq!(gloss(folder.path(), &["duplicate", "p.gloss", "q.gloss"]).0, Some(0));
    assert_eq!(gloss(folder.path(), &["archive", "p.gloss", "a.zip"]).0, Some(0));
    assert_eq!(gloss(folder.path(), &["unarchive", "a.zip", "r.gloss"]).0, Some(0));
    for name in ["q", "r"] {
        let (copy, its_history) = read_project(&at(&format!("{name}.gloss"))).unwrap();
        assert!(copy.all_documents() == project.all_documents() && copy.schema() == project.schema(), "{name}");
        assert_eq!((copy.annotators(), copy.guidelines(), its_history.done().len()), (project.annotators(), "# how", history.done().len()));
        assert!(at(&format!("{name}.runs/run-0001/run.json")).is_file());
    }
    let (code, said) = gloss(folder.path(), &["duplicate", "p.gloss", "q.gloss"]);
    assert!(code == Some(1) && said.contains("already a file"), "{said}");
    // While it is open elsewhere nothing is copied.
    let open = ProjectFile::open(&at("p.gloss")).unwrap();
    assert!(matches!(copies::duplicate(&at("p.gloss"), &at("s.gloss")), Err(StoreError::AlreadyOpen { .. })));
    drop(open);
    assert!(!at("s.gloss").exists());
}

#[test]
fn archives_lead_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, word) in
        [("../evil.txt", "leads out"), ("/etc/evil", "leads out"), ("other.txt", "no part of a project"), ("runs/x", "no project")]
    {
        let mut archive = zip::ZipWriter::new(fs::File::create(at("bad.zip")).unwrap());
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"x").unwrap();
        archive.finish().unwrap();
        let said = copies::unarchive(&at("bad.zip"), &at("p.gloss")).unwrap_err().to_string();
        assert!(said.contains(word), "{name}: {said}");
        assert!(!at("p.gloss").exists() && !folder.path().parent().unwrap().join("evil.txt").exists());
    }
    fs::write(at("no.zip"), "text").unwrap();
    assert!(copies::unarchive(&at("no.zip"), &at("p.gloss")).is_err());
}

#[test]
fn parts_anonymised_and_restored_by_command() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    made(&at("p.gloss"));
    let before = fs::read(at("p.gloss")).unwrap();
    let (code, said) = gloss(folder.path(), &["extract", "p.gloss", "part.gloss", "--span", "aspect", "--state", "done"]);
    assert_eq!(code, Some(0), "{said}");
    let (part, _) = read_project(&at("part.gloss")).unwrap();
    assert_eq!((part.documents().count(), part.guidelines(), part.annotators().len()), (1, "# how", 1));
    assert_eq!(gloss(folder.path(), &["extract", "p.gloss", "none.gloss", "--search", "nowhere"]).0, Some(1));
    assert_eq!(gloss(folder.path(), &["extract", "p.gloss", "none.gloss", "--class", "nope"]).0, Some(2));

    fs::write(at("names.txt"), "王小明\n").unwrap();
    let arguments = ["anonymise", "p.gloss", "a.gloss", "--names", "names.txt", "--pattern", r"ORD-\d+", "--key", "key.json"];
    let (code, said) = gloss(folder.path(), &arguments);
    assert!(code == Some(0) && said.contains("name replaced: 2"), "{said}");
    let (anonymous, _) = read_project(&at("a.gloss")).unwrap();
    assert_eq!(&*anonymous.document(DocId(0)).unwrap().text, "[NAME-1] likes the screen, [ID-1]");
    assert_eq!(words_of(anonymous.document(DocId(0)).unwrap()), ["screen"]);
    let bytes = fs::read(at("a.gloss")).unwrap();
    assert!(!bytes.windows("王小明".len()).any(|window| window == "王小明".as_bytes()), "no name is left anywhere in the file");
    assert_eq!(gloss(folder.path(), &["restore", "a.gloss", "b.gloss", "--key", "key.json"]).0, Some(0));
    let (restored, _) = read_project(&at("b.gloss")).unwrap();
    let (original, _) = read_project(&at("p.gloss")).unwrap();
    assert!(restored.documents().eq(original.documents()));
    assert_eq!(gloss(folder.path(), &["anonymise", "p.gloss", "c.gloss"]).0, Some(2));
    assert_eq!(fs::read(at("p.gloss")).unwrap(), before, "the project was only read");

    let (code, said) = gloss(folder.path(), &["duplicates", "p.gloss", "--likeness", "0.6"]);
    assert!(code == Some(0) && said.contains("1 groups, 1 documents"), "{said}");
    for linked in [1, 1] {
        // A second time nothing is left to say.
        assert_eq!(gloss(folder.path(), &["duplicates", "p.gloss", "--likeness", "0.6", "--do", "link"]).0, Some(0));
        let (project, _) = read_project(&at("p.gloss")).unwrap();
        let comments = project.documents().flat_map(|doc| doc.comments.values());
        assert_eq!(comments.filter(|comment| comment.text.starts_with("Nearly the same as document ")).count(), linked);
    }
    let (code, said) = gloss(folder.path(), &["duplicates", "p.gloss", "--likeness", "0.6", "--do", "remove"]);
    assert!(code == Some(0) && said.contains("taken out"), "{said}");
    assert_eq!(read_project(&at("p.gloss")).unwrap().0.documents().count(), 2);
    let (code, said) = gloss(folder.path(), &["stats", "p.gloss", "--json"]);
    let stats: BTreeMap<String, serde_json::Value> = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error} {code:?}: {said}"));
    assert_eq!((stats["documents"].as_u64(), stats["spans"]["aspect"].as_u64(), stats["limit"].as_u64()), (Some(2), Some(1), Some(256)));
    assert!(gloss(folder.path(), &["stats", "p.gloss"]).1.contains("different pieces"));
}
