//! The headless commands, as a shell runs them: the built program over files in a folder of their own.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const GLOSS: &str = env!("CARGO_BIN_EXE_gloss");

/// What a command answered.
#[derive(Debug)]
struct Answer {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Answer {
    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    fn says(self, part: &str) -> Self {
        assert!(self.out.contains(part) || self.err.contains(part), "{part:?} is not in {self:#?}");
        self
    }

    fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(GLOSS);
        command.args(arguments).current_dir(self.0.path()).env("GLOSS_CONFIG_DIR", self.0.path()).env_remove("RUST_LOG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with_input(arguments, b"")
    }

    fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Answer {
        let mut child = self.command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that reads nothing closes the pipe early; what it answers is what counts.
        stdin.write_all(input).ok();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A project with short reviews of ours, with classes and spans.
    fn with_labelled(&self, count: usize) -> &Self {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/reviews.jsonl");
        let all = fs::read_to_string(sample).unwrap();
        let labelled = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["answers"]["sentiment"].is_string();
        let mut lines: Vec<&str> = all.lines().filter(labelled).collect();
        lines.sort_by_key(|line| line.len());
        let chosen = lines[..count].join("\n");
        self.write("short.jsonl", chosen).run(&["new", "p.gloss"]).expect(0);
        self.run(&["import", "p.gloss", "short.jsonl", "--text", "text"]).expect(0).says(&format!("{count} imported"));
        self
    }
}

#[test]
fn wrong_usage_is_2_and_says_what_is_right() {
    let folder = Folder::new();
    folder.run(&["new", "p.gloss"]).expect(0);
    let rows: &[(&[&str], &str)] = &[
        (&["new"], "P.gloss"),
        (&["trian"], "no command"),
        (&["import", "p.gloss", "x.csv", "--split", "banana"], "possible values: train, dev, test"),
        (&["new", "q.gloss", "--classes", "a,,b"], "name 2"),
        (&["new", "q.gloss", "--classes", "好,差,好"], "named twice"),
        (&["new", "q.gloss", "--classes", "", "--spans", ""], "a class or a span label"),
        (&["train", "p.gloss", "--set", "epochs"], "KEY=VALUE"),
        (&["train", "p.gloss", "--set", "epocks=3"], "epochs"),
        (&["train", "p.gloss", "--set", "batch=3"], "batch_examples"),
        (&["train", "p.gloss", "--set", "lr=fast"], "lr"),
        (&["train", "p.gloss", "--set", "dropout=1.5"], "between 0 and 0.9"),
        (&["export", "p.gloss", "folder"], "--run"),
        (&["export", "p.gloss", "out", "--format", "xls"], "labelstudio"),
        (&["export", "p.gloss", "out", "--format", "csv", "--run", "r"], "cannot be used with"),
        (&["import", "p.gloss", "x.csv", "--format", "xls"], "semeval16"),
    ];
    for (arguments, says) in rows {
        let answer = folder.run(arguments).expect(2).says(says);
        assert_eq!(answer.out, "", "{arguments:?} wrote to standard output");
    }
    assert!(!folder.path("q.gloss").exists());
}

#[test]
fn help_and_version_are_no_failures() {
    let folder = Folder::new();
    folder.run(&["--help"]).expect(0).says("predict");
    folder.run(&["--version"]).expect(0).says(env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_project_is_never_overwritten() {
    let folder = Folder::new();
    folder.run(&["new", "p.gloss", "--classes", "差，好", "--spans", ""]).expect(0);
    let before = fs::read(folder.path("p.gloss")).unwrap();
    folder.run(&["new", "p.gloss"]).expect(1).says("already a file of this name");
    assert_eq!(fs::read(folder.path("p.gloss")).unwrap(), before);
    let project = gloss::store::ProjectFile::open(&folder.path("p.gloss")).unwrap().project;
    let names: Vec<&str> = project.schema().questions[0].classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, ["差", "好"]);
    assert!(project.schema().span_labels.is_empty());
}

#[test]
fn the_import_reports_every_row() {
    let folder = Folder::new();
    folder.run(&["new", "p.gloss", "--classes", "差"]).expect(0);
    // A byte order mark, CRLF, a quoted line break, a row too many columns, an empty text, a repeated row.
    let csv = "\u{feff}review,grade\r\n房间很干净，服务也好！,好\r\n\"two\nlines 👨🏻‍🚒\",好\r\ntoo,many,columns\r\n,差\r\n房间很干净，服务也好！,好\r\ncafe\u{301} fermé,差\r\n";
    let answer = folder.write("r.csv", csv).run(&["import", "p.gloss", "r.csv", "--text", "review", "--label", "grade"]).expect(0);
    assert!(answer.out.starts_with("r.csv (CSV, UTF-8"), "{}", answer.out);
    let answer = answer
        .says("6 rows, 3 imported, 2 skipped")
        .says("1 duplicates left out")
        .says("Row 4 of r.csv has 3 columns")
        .says("Row 5 of r.csv has an empty text");
    assert!(answer.out.contains("好 2") && answer.out.contains("差 1"), "{}", answer.out);
    let opened = gloss::store::ProjectFile::open(&folder.path("p.gloss")).unwrap();
    let texts: Vec<&str> = opened.project.documents().map(|doc| &*doc.text).collect();
    assert_eq!(texts[1], "two\nlines 👨🏻‍🚒");
    let question = opened.project.schema().main_question().unwrap().1;
    assert_eq!(question.class("好"), Some(1), "the class of the file was added behind the project's own");
    assert_eq!(opened.history.done().len(), 1, "one step, to be undone in the window");
    drop(opened);
    folder.run(&["import", "p.gloss", "r.csv", "--text", "review"]).expect(0).says("0 imported").says("4 already in the project");
}

#[test]
fn a_tsv_without_header_goes_by_column_numbers() {
    let folder = Folder::new();
    folder.write("t.tsv", "1\t电池不耐用\n0\tGreat screen, poor battery\n1\t\"quoted\" by nobody\n");
    folder.run(&["new", "p.gloss", "--classes", "0,1", "--spans", ""]).expect(0);
    let arguments = ["import", "p.gloss", "t.tsv", "--text", "2", "--label", "1", "--no-header", "--split", "test"];
    folder.run(&arguments).expect(0).says("3 imported, 0 skipped");
    let project = gloss::store::ProjectFile::open(&folder.path("p.gloss")).unwrap().project;
    let found: Vec<_> =
        project.documents().map(|doc| (&*doc.text, doc.annotation.class(gloss::project::QuestionId(0)), doc.split)).collect();
    let test = Some(gloss::project::Split::Test);
    assert_eq!(
        found,
        [("电池不耐用", Some(1), test), ("Great screen, poor battery", Some(0), test), ("\"quoted\" by nobody", Some(1), test)]
    );
}

#[test]
fn what_can_not_be_done_is_1_with_a_sentence() {
    let folder = Folder::new();
    folder.run(&["new", "p.gloss"]).expect(0);
    folder.write("r.csv", "review\nfine\n").write("no.gloss", "not a project");
    let rows: &[(&[&str], &str)] = &[
        (&["import", "p.gloss", "r.csv", "--text", "text"], "review"),
        (&["import", "p.gloss", "missing.csv", "--text", "text"], "missing.csv"),
        (&["import", "no.gloss", "r.csv", "--text", "review"], "not a Gloss project"),
        (&["train", "p.gloss"], "0 labelled documents"),
        (&["train", "p.gloss", "--encoder", "nowhere"], "0 labelled documents"),
        (&["predict", "p.gloss"], "no run has finished"),
        (&["predict", "nowhere.gloss"], "no such file"),
        (&["export", "p.gloss", "--run", "run-0001", "folder"], "run-0001"),
    ];
    for (arguments, says) in rows {
        let answer = folder.run(arguments).expect(1).says(says);
        assert_eq!(answer.out, "", "{arguments:?}");
        assert!(answer.err.starts_with("gloss: ") && answer.err.lines().count() == 1, "one sentence: {}", answer.err);
    }
    let held = gloss::store::ProjectFile::open(&folder.path("p.gloss")).unwrap();
    folder.run(&["import", "p.gloss", "r.csv", "--text", "review"]).expect(1).says("another window or program");
    drop(held);
}

#[test]
fn train_predict_export() {
    let folder = Folder::new();
    folder.with_labelled(40);
    let settings = ["--set", "layers=1", "--set", "epochs=2", "--set", "max_length=48", "--set", "dev_share=0.3"];
    let trained = folder.run(&[&["train", "p.gloss", "--json"], &settings[..]].concat()).expect(0);
    let lines = trained.json_lines();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events[0], "started");
    assert!(events.contains(&"step") && events.contains(&"evaluated"), "{events:?}");
    assert_eq!(events.iter().filter(|event| **event == "finished").count(), 1);
    let finished = lines.last().unwrap();
    let keys: Vec<&str> = finished.as_object().unwrap().keys().map(String::as_str).collect();
    for expected in ["event", "run", "accuracy", "macro_f1", "span_f1", "examples", "seconds", "real_tokens_per_s"] {
        assert!(keys.contains(&expected), "{expected} is not in {keys:?}");
    }
    assert_eq!(finished["event"], "finished");
    let held_out = lines[0]["dev_examples"].as_u64().unwrap();
    assert_eq!(finished["examples"].as_u64(), Some(held_out));
    assert!((0.0..=1.0).contains(&finished["accuracy"].as_f64().unwrap()), "{finished}");
    assert!(finished["real_tokens_per_s"].as_f64().unwrap() > 0.0);
    let run = finished["run"].as_str().unwrap();

    // The window will show the run.
    let summary = gloss::store::Runs::of(&folder.path("p.gloss")).summary(run).unwrap();
    assert_eq!(summary.status, gloss::store::RunStatus::Finished);
    assert_eq!(summary.report.unwrap().held_out.len() as u64, held_out);

    let texts = "房间很干净，服务也好！\r\n\n👨🏻‍🚒 saved the stay, the bed was terrible\ncafe\u{301} 很吵\n";
    let predicted = folder.run_with_input(&["predict", "p.gloss"], texts.as_bytes()).expect(0);
    let answers = predicted.json_lines();
    assert_eq!(answers.len(), 4, "a line for each line");
    assert_eq!(answers[1]["class"], Value::Null, "an empty line asks nothing");
    let texts: Vec<&str> = texts.lines().collect();
    for (text, answer) in texts.iter().zip(&answers).filter(|(text, _)| !text.is_empty()) {
        let probabilities = answer["probabilities"].as_object().unwrap();
        let sum: f64 = probabilities.values().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{answer}");
        let best = probabilities.iter().max_by(|a, b| a.1.as_f64().unwrap().total_cmp(&b.1.as_f64().unwrap())).unwrap().0;
        assert_eq!(answer["class"].as_str(), Some(best.as_str()));
        for span in answer["spans"].as_array().unwrap() {
            let (start, end) = (span["start"].as_u64().unwrap() as usize, span["end"].as_u64().unwrap() as usize);
            let inside: String = text.chars().skip(start).take(end - start).collect();
            assert_eq!(span["text"].as_str(), Some(inside.as_str()), "code points of {text:?}");
        }
    }

    // The project may be open in the window meanwhile.
    let held = gloss::store::ProjectFile::open(&folder.path("p.gloss")).unwrap();
    folder.run(&["export", "p.gloss", "--run", run, "model"]).expect(0);
    drop(held);
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        assert!(folder.path("model").join(name).exists(), "{name}");
    }
    let from_folder = folder.run_with_input(&["predict", "model"], texts.join("\n").as_bytes()).expect(0);
    alike(&from_folder.json_lines(), &answers);
    folder.run(&["predict", "model", "--run", run]).expect(2).says("is a model folder");

    answers_come_while_the_input_is_open(&folder);
    input_that_is_no_text(&folder);
    the_reader_may_leave(&folder);
}

#[test]
fn a_network_without_pretraining_trains_predicts_and_exports() {
    let folder = Folder::new();
    folder.with_labelled(40);
    // The model comes first wherever it stands: 2 epochs are a change of its defaults.
    let settings = ["--set", "epochs=2", "--set", "hidden_size=8", "--set", "dev_share=0.3", "--set", "model=lstm"];
    let lines = folder.run(&[&["train", "p.gloss", "--json"], &settings[..]].concat()).expect(0).json_lines();
    assert!(lines[0]["notes"][0].as_str().unwrap().starts_with("LSTM: 1 layer, hidden size 8"), "{}", lines[0]);
    let finished = lines.last().unwrap();
    let run = finished["run"].as_str().unwrap();
    let texts = "房间很干净，服务也好！\n\n👨🏻‍🚒 saved the stay\n".as_bytes();
    let answers = folder.run_with_input(&["predict", "p.gloss", "--why"], texts).expect(0).json_lines();
    assert_eq!((answers.len(), &answers[1]["class"]), (3, &Value::Null));
    folder.run(&["export", "p.gloss", "--run", run, "model"]).expect(0).says("Gloss's own form");
    let again = folder.run_with_input(&["predict", "model", "--why"], texts).expect(0).json_lines();
    alike(&again, &answers);
    folder.run(&["train", "p.gloss", "--set", "model=transformer"]).expect(2).says("lstm");
    folder.run(&["train", "p.gloss", "--set", "model=gru", "--set", "word_vectors=absent.bin"]).expect(1).says("absent.bin");
}

/// The same answers, but for the last digits: how texts are batched depends on how they come in.
#[track_caller]
fn alike(found: &[Value], expected: &[Value]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found["class"], expected["class"]);
        let (found, expected) = (found["probabilities"].as_object().unwrap(), expected["probabilities"].as_object().unwrap());
        assert!(found.keys().eq(expected.keys()));
        for (name, probability) in found {
            let difference = probability.as_f64().unwrap() - expected[name].as_f64().unwrap();
            assert!(difference.abs() < 1e-5, "{name}: {found:?}, not {expected:?}");
        }
    }
}

fn answers_come_while_the_input_is_open(folder: &Folder) {
    let mut child = folder.command(&["predict", "model"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for text in ["first\n", "第二行\n"] {
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(serde_json::from_str::<Value>(&line).unwrap()["class"].is_string(), "{line}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

fn input_that_is_no_text(folder: &Folder) {
    let answer = folder.run_with_input(&["predict", "model"], b"fine\n\xc4\xe3\xba\xc3\nnever reached\n").expect(1).says("line 2");
    assert_eq!(answer.json_lines().len(), 1, "what came before is answered");
}

fn the_reader_may_leave(folder: &Folder) {
    let mut child =
        folder.command(&["predict", "model"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(b"nobody reads this\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panic"), "{output:?}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn too_few_labels_are_counted_before_anything_is_made() {
    let folder = Folder::new();
    folder.with_labelled(12);
    folder.run(&["train", "p.gloss", "--json"]).expect(1).says("; 16 are needed");
    assert!(!folder.path("p.runs").exists(), "no run was started");
}

#[test]
fn annotated_files_come_in_and_go_out() {
    let folder = Folder::new();
    folder.run(&["new", "p.gloss"]).expect(0);
    let before = fs::read(folder.path("p.gloss")).unwrap();
    let rows = "{\"text\":\"屏幕很好\",\"entities\":[[0,2,\"aspect\"],[2,9,\"opinion\"],[7,9,\"brand\"]],\"cats\":[\"positive\"]}\n{\"text\":\"cut";
    folder.write("d.jsonl", rows);
    let answer = folder.run(&["import", "p.gloss", "d.jsonl", "--dry-run"]).expect(0);
    answer
        .says("d.jsonl (doccano")
        .says("1 kept, 1 clipped or moved, 1 dropped")
        .says("dry run")
        .says("Row 2 of d.jsonl is not valid JSON");
    assert_eq!(fs::read(folder.path("p.gloss")).unwrap(), before, "a dry run changes nothing");
    let report = folder.run(&["import", "p.gloss", "d.jsonl", "--json", "--format", "doccano"]).expect(0).json_lines();
    assert_eq!((report[0]["imported"].as_u64(), report[0]["spans"]["dropped"].as_u64()), (Some(1), Some(1)), "{report:?}");

    folder.run(&["export", "p.gloss", "out.conll", "--format", "conll", "--dry-run"]).expect(0).says("an answer to a question");
    assert!(!folder.path("out.conll").exists());
    folder.run(&["export", "p.gloss", "out.conll", "--format", "conll"]).expect(0).says("CoNLL: 1 documents");
    let written = fs::read_to_string(folder.path("out.conll")).unwrap();
    assert_eq!(written, "# text = 屏幕很好\n屏\tB-aspect\n幕\tI-aspect\n很\tB-opinion\n好\tI-opinion\n\n");
    folder.run(&["new", "q.gloss"]).expect(0);
    folder.run(&["import", "q.gloss", "out.conll"]).expect(0).says("(CoNLL, UTF-8)").says("2 kept, 0 clipped");
    folder.run(&["export", "q.gloss", "no/such/folder/x", "--format", "jsonl"]).expect(1);

    // One step: undone and redone as one, and still there when the project is opened again.
    let mut opened = gloss::store::ProjectFile::open(&folder.path("q.gloss")).unwrap();
    assert!(opened.history.undo(&mut opened.project).unwrap().is_ok());
    assert_eq!(opened.project.documents().count(), 0);
    assert!(opened.history.undo(&mut opened.project).is_none());
}

#[test]
fn a_broken_annotated_file_leaves_the_project_alone() {
    let folder = Folder::new();
    folder.run(&["new", "p.gloss"]).expect(0);
    let before = fs::read(folder.path("p.gloss")).unwrap();
    folder.write("t.json", "[{\"data\":{\"text\":\"好\"},\"annotations\":[]},{\"data\":");
    folder.run(&["import", "p.gloss", "t.json"]).expect(1).says("no whole Label Studio file").says("t.json");
    folder.write("x.xml", "<sentences><sentence><text>好</te");
    folder.run(&["import", "p.gloss", "x.xml", "--format", "semeval14"]).expect(1).says("broken XML");
    folder.run(&["import", "p.gloss", "gone.ann", "--format", "brat"]).expect(1).says("no such file");
    assert_eq!(fs::read(folder.path("p.gloss")).unwrap(), before);
}

#[test]
fn a_colleagues_file_is_merged_after_a_dry_run() {
    let folder = Folder::new();
    folder.write("a.csv", "text,class\n屏幕好,\n很差,\n").write("b.csv", "text,class\n很差,negative\n新的,positive\n");
    for (project, file) in [("ours.gloss", "a.csv"), ("theirs.gloss", "b.csv")] {
        folder.run(&["new", project]).expect(0);
        folder.run(&["import", project, file, "--text", "text", "--label", "class"]).expect(0);
    }
    folder.run(&["merge", "ours.gloss", "theirs.gloss"]).expect(2).says("--as NAME");
    let dry = folder.run(&["merge", "ours.gloss", "theirs.gloss", "--as", "小军", "--dry-run"]).expect(0);
    dry.says("1 documents found here, 1 new ones").says("answers of 小军: 2 new").says("dry run");
    folder.run(&["merge", "ours.gloss", "theirs.gloss", "--as", "小军"]).expect(0);
    folder.run(&["merge", "ours.gloss", "theirs.gloss", "--as", "小军"]).expect(0).says("0 new, 0 changed, 2 the same");
    folder.run(&["export", "ours.gloss", "--format", "jsonl", "out.jsonl"]).expect(0);
    let lines: Vec<Value> =
        fs::read_to_string(folder.path("out.jsonl")).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1]["layers"]["小军"]["answers"]["sentiment"], "negative");
    folder.run(&["export", "ours.gloss", "--format", "csv", "out.csv"]).expect(0).says("only the outcome is written");
    folder.run(&["merge", "ours.gloss", "missing.gloss"]).expect(1).says("no such file");
}

#[test]
fn triplets_from_an_aste_file_to_predictions() {
    let folder = Folder::new();
    let said = [("房 间", "很 干 净", "POS"), ("早 餐", "难 吃", "NEG"), ("the staff", "friendly", "POS"), ("the fan 👍", "noisy", "NEG")];
    let line = |at: usize| {
        let (aspect, opinion, polarity) = said[at % said.len()];
        let (long, short) = (aspect.split(' ').count(), opinion.split(' ').count());
        let places = |from: usize, count: usize| (from..from + count).map(|at| at.to_string()).collect::<Vec<_>>().join(", ");
        format!("{aspect} {opinion} {at} .####[([{}], [{}], '{polarity}')]\n", places(0, long), places(long, short))
    };
    std::fs::write(folder.path("train.txt"), (0..32).map(line).collect::<String>()).unwrap();
    std::fs::write(folder.path("dev.txt"), (100..116).map(line).collect::<String>()).unwrap();
    folder.run(&["new", "o.gloss"]).expect(0);
    for split in ["train", "dev"] {
        folder.run(&["import", "o.gloss", &format!("{split}.txt"), "--format", "aste", "--split", split]).expect(0);
    }
    let settings = ["--set", "layers=3", "--set", "epochs=16", "--set", "lr=5e-4", "--set", "dropout=0"];
    let trained = folder.run(&[&["train", "o.gloss", "--json"], &settings[..]].concat()).expect(0);
    let finished = trained.json_lines().pop().unwrap();
    for name in ["span_f1", "aspect_f1", "opinion_f1", "polarity_accuracy", "polarity_macro_f1", "pair_f1", "triplet_f1"] {
        assert!(finished[name].as_f64().is_some_and(|score| score > 0.8), "{name} of {finished}");
    }
    assert!(finished["aspect_polarity_f1"].is_null(), "no aspect has a polarity of its own");

    let run = finished["run"].as_str().unwrap();
    folder.run(&["export", "o.gloss", "--run", run, "model"]).expect(0);
    let texts = ["👨🏻‍🚒 早餐难吃 201 .", "the staff friendly 202 ."];
    let mut answers = Vec::new();
    for model in ["o.gloss", "model"] {
        let predicted = folder.run_with_input(&["predict", model], texts.join("\n").as_bytes()).expect(0);
        answers.push(predicted.json_lines());
    }
    assert_eq!(answers[0], answers[1], "an exported folder answers the same");
    for (answer, (text, polarity)) in answers[0].iter().zip(texts.iter().zip(["negative", "positive"])) {
        let triplet = &answer["triplets"][0];
        assert_eq!(triplet["polarity"], polarity, "{answer}");
        let probability = triplet["probability"].as_f64().unwrap();
        assert!(probability > 0.0 && probability <= 1.0);
        for part in ["aspect", "opinion"] {
            let place = |end: &str| triplet[part][end].as_u64().unwrap() as usize;
            let inside: String = text.chars().skip(place("start")).take(place("end") - place("start")).collect();
            assert_eq!(triplet[part]["text"].as_str(), Some(inside.as_str()), "code points of {text:?}");
        }
        let opinion = answer["spans"].as_array().unwrap().iter().find(|span| span["label"] == "opinion").unwrap();
        assert_eq!(opinion["polarity"], polarity);
        assert!(opinion["polarity_probability"].as_f64().unwrap() > 0.4);
    }
}
