//! A hundred of the sample's reviews labelled in the real window by keys alone: a class, an aspect, an opinion with its
//! polarity, the link between them, done. Then the file is read and every one compared with what was meant.
//! `cargo bench --bench stopwatch [-- REVIEWS]`. Needs Xvfb and xdotool. The window is small: without a graphics card
//! drawing the pixels takes longer than all else.
#![allow(clippy::unwrap_used)] // A bench that fails should stop.

mod screen;

use gloss::desk::{next_character, next_word_end, previous_character, previous_word_start};
use gloss::project::{Answer, DocId, Document, Edit, History, LabelId, Polarity, Project, QuestionId, Schema, Span, State, TextRange};
use gloss::store::ProjectFile;
use screen::{Running, screen};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one review is to get.
struct Wish {
    text: String,
    class: u16,
    aspect: Span,
    opinion: Span,
}

/// The first reviews of the sample that have a class and a link, with the labels by place in `schema`.
fn wishes(schema: &Schema, most: usize) -> Vec<Wish> {
    let sample = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/reviews.jsonl")).unwrap();
    let (question, asked) = schema.main_question().unwrap();
    assert_eq!(question, QuestionId(0));
    let wish = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = row["text"].as_str()?.to_owned();
        let class = asked.class(row["answers"][&asked.name].as_str()?)?;
        let link = row["links"].get(0)?;
        let span = |id: &serde_json::Value| {
            let span = row["spans"].as_array()?.iter().find(|span| span["id"] == *id)?;
            let range = TextRange::from_chars(&text, span["start"].as_u64()? as usize..span["end"].as_u64()? as usize)?;
            let polarity = span["polarity"].as_str().map(|name| serde_json::from_value::<Polarity>(name.into()).unwrap());
            Some(Span { range, label: schema.span_label(span["label"].as_str()?)?, polarity })
        };
        let (opinion, aspect) = (span(&link["from"])?, span(&link["to"])?);
        opinion.polarity?;
        Some(Wish { class, aspect, opinion, text })
    };
    sample.lines().filter_map(wish).take(most).collect()
}

/// The fewest arrow keys that lead from one place to another: by character, by word, or from an end of the text.
fn steps(text: &str, from: usize, to: usize) -> Vec<&'static str> {
    type Move = fn(&str, usize) -> usize;
    let moves: [(&str, Move); 6] = [
        ("Right", next_character),
        ("Left", previous_character),
        ("ctrl+Right", next_word_end),
        ("ctrl+Left", previous_word_start),
        ("ctrl+Home", |_, _| 0),
        ("ctrl+End", |text, _| text.len()),
    ];
    let mut came: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    let mut reached = VecDeque::from([from]);
    while let Some(at) = reached.pop_front().filter(|at| *at != to) {
        for (key, step) in moves {
            let next = step(text, at);
            if next != from && !came.contains_key(&next) {
                came.insert(next, (at, key));
                reached.push_back(next);
            }
        }
    }
    let mut keys = Vec::new();
    let mut at = to;
    while at != from {
        let (before, key) = came[&at];
        keys.push(key);
        at = before;
    }
    keys.reverse();
    keys
}

/// The keys that label one review, from its first character to "done, go on".
fn keys(schema: &Schema, wish: &Wish) -> Vec<String> {
    let letter = |label: LabelId| schema.key(label).unwrap().to_string();
    let mut keys = vec![letter(LabelId::Class(QuestionId(0), wish.class))];
    let mut caret = 0;
    for span in [&wish.aspect, &wish.opinion] {
        keys.extend(steps(&wish.text, caret, span.range.start()).into_iter().map(str::to_owned));
        keys.extend(steps(&wish.text, span.range.start(), span.range.end()).into_iter().map(|key| format!("shift+{key}")));
        keys.push(letter(LabelId::Span(span.label)));
        caret = span.range.end();
    }
    let polarity = match wish.opinion.polarity {
        Some(Polarity::Positive) => "equal",
        Some(Polarity::Negative) => "minus",
        _ => "0",
    };
    keys.extend([polarity, "l", "Return", "Return"].map(str::to_owned));
    keys
}

/// What is wrong with a labelled review; `None` when all is as it was meant.
fn fault(document: &Document, wish: &Wish) -> Option<String> {
    let said = &document.annotation;
    let mut spans: Vec<Span> = said.spans.values().copied().collect();
    spans.sort_by_key(|span| span.label != wish.aspect.label);
    let aspect = Span { polarity: None, ..wish.aspect };
    let joined = said.links.iter().map(|link| (said.spans[&link.from], said.spans[&link.to])).collect::<Vec<_>>();
    let right = said.answers.get(&QuestionId(0)) == Some(&Answer::Class(wish.class))
        && said.state == State::Done
        && spans == [aspect, wish.opinion]
        && joined == [(wish.opinion, aspect)];
    (!right).then(|| format!("{:?}: {said:?}", document.text))
}

/// The documents as they are in the file now, which may be open elsewhere.
fn labelled(path: &Path) -> impl Iterator<Item = Document> + use<> {
    let copy = path.with_file_name("copy.gloss");
    for end in ["", "-wal"] {
        let name = |path: &Path| format!("{}{end}", path.display());
        std::fs::remove_file(name(&copy)).ok();
        std::fs::copy(name(path), name(&copy)).ok();
    }
    // A copy made while something was written may be none: then nothing is done yet.
    let documents = ProjectFile::open(&copy).map(|opened| opened.project.all_documents().to_vec());
    documents.unwrap_or_else(|_| vec![Document::new(DocId(0), "")]).into_iter()
}

fn xdotool(display: &str, arguments: &[&str]) -> std::io::Result<String> {
    let output = Command::new("xdotool").env("DISPLAY", display).args(arguments).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Waits for this to be so.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn main() {
    let most = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100);
    let schema = Schema::default();
    let wishes = wishes(&schema, most);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stopwatch.gloss");
    let documents: Vec<Document> = (0..).zip(&wishes).map(|(at, wish)| Document::new(DocId(at), wish.text.as_str())).collect();
    let (mut project, mut history) = (Project::new(schema.clone()), History::default());
    let edits = vec![Edit::AddDocuments { first: DocId(0), count: documents.len() as u32, documents }];
    let step = history.commit(&mut project, "import".into(), "bench".into(), 0, edits).unwrap().clone();
    drop(ProjectFile::create_filled(&path, &project, &[step]).unwrap());

    let (_server, display) = screen();
    let program = Command::new(env!("CARGO_BIN_EXE_gloss"))
        .arg(&path)
        .env("DISPLAY", &display)
        .env_remove("WAYLAND_DISPLAY")
        .env("GLOSS_CONFIG_DIR", folder.path().join("config"))
        .env("XDG_RUNTIME_DIR", folder.path())
        .stderr(Stdio::null())
        .spawn();
    let program = Running(program.unwrap());
    let window = wait_for("the window", || {
        let found = xdotool(&display, &["search", "--onlyvisible", "--name", "."]).expect("xdotool is needed");
        found.lines().last().map(str::to_owned).filter(|id| !id.is_empty())
    });
    xdotool(&display, &["windowmove", &window, "0", "0", "windowsize", &window, "720", "520", "windowfocus", &window]).unwrap();
    std::thread::sleep(Duration::from_secs(3)); // the first pictures of a software driver

    let start = Instant::now();
    let mut strokes = 0;
    for wish in &wishes {
        let keys = keys(&schema, wish);
        strokes += keys.len();
        let mut arguments = vec!["key", "--clearmodifiers", "--delay", "6"];
        arguments.extend(keys.iter().map(String::as_str));
        xdotool(&display, &arguments).unwrap();
    }
    // The program may be behind the keys: it has ended when the last review is done in a copy of its file.
    let seconds = loop {
        std::thread::sleep(Duration::from_millis(500));
        let seconds = start.elapsed().as_secs_f64();
        if labelled(&path).all(|document| document.annotation.state == State::Done) || seconds > 30.0 + 10.0 * wishes.len() as f64 {
            break seconds;
        }
    };
    drop(program);

    let faults: Vec<String> = labelled(&path).zip(&wishes).filter_map(|(document, wish)| fault(&document, wish)).collect();
    faults.iter().for_each(|fault| println!("wrong: {fault}"));
    let count = wishes.len();
    println!(
        "{} of {count} reviews right in the file, {strokes} keys, {seconds:.0} s, {:.2} s a review",
        count - faults.len(),
        seconds / count as f64
    );
    assert!(faults.is_empty() && count == most, "not every review is as it was meant");
}
