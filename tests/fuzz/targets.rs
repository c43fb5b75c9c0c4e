//! What each fuzz target does with its bytes: the parsers of one family are given them as a file. Shared by the targets of
//! `cargo fuzz` and by the ordinary tests, which replay the corpus. Nothing may panic, and what comes in must be a project
//! that goes out again.

use gloss::project::{Project, Schema};
use gloss::store::export::{ExportFormat, export, verify};
use gloss::store::formats::Kind;
use gloss::store::import::{self, Format, ImportOptions};
use gloss::store::{Charset, ProjectFile, copies, model_folder, word_vectors};
use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A name under `corpus/`, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 12] = [
    ("table", table),
    ("json", json),
    ("lines", lines),
    ("xml", xml),
    ("brat", brat),
    ("webanno", webanno),
    ("archive", archive),
    ("columns", columns),
    ("own", own),
    ("model", model),
    ("vectors", vectors),
    ("project", project),
];

/// Texts row by row, in all encodings; the first two bytes say how they are read.
fn table(data: &[u8]) {
    let Some(([how, charset], bytes)) = data.split_first_chunk::<2>() else { return };
    let format = [Format::Csv(','), Format::Csv(';'), Format::Tsv, Format::Text][usize::from(how % 4)];
    let charset = Charset::ALL.get(usize::from(charset % 8)).copied();
    let (header, quoted) = (how & 8 == 0, how & 16 == 0);
    let options =
        ImportOptions { text: import::Column::Number(1), format: Some(format), header, quoted, charset, ..ImportOptions::default() };
    read(&file("a.csv", bytes), &options);
    found_out("a.csv", bytes);
}

fn json(data: &[u8]) {
    any_of(data, "a.json", &[Kind::LabelStudio, Kind::Doccano, Kind::Prodigy, Kind::Argilla]);
}

fn lines(data: &[u8]) {
    any_of(data, "a.txt", &[Kind::Conll, Kind::Atepc, Kind::Aste, Kind::E2e, Kind::Apc, Kind::FastText]);
}

fn xml(data: &[u8]) {
    any_of(data, "a.xml", &[Kind::SemEval14, Kind::SemEval16]);
}

/// The text before a zero, the standoff after it.
fn brat(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let text = file("a.txt", &data[..at]);
    let ann = file("a.ann", data.get(at + 1..).unwrap_or_default());
    read(&ann, &annotated(Kind::Brat));
    remove(&text);
    remove(&ann);
}

fn webanno(data: &[u8]) {
    any_of(data, "a.tsv", &[Kind::WebAnno]);
}

/// A workbook, and an archive of a project.
fn archive(data: &[u8]) {
    let path = file("a.xlsx", data);
    read(&path, &ImportOptions { text: import::Column::Number(1), format: Some(Format::Xlsx), ..ImportOptions::default() });
    let unpacked = folder().join("unpacked.gloss");
    if copies::unarchive(&path, &unpacked).is_ok() {
        remove(&unpacked);
    }
    let _ = fs::remove_dir_all(folder().join("unpacked.runs"));
}

fn columns(data: &[u8]) {
    for name in ["a.parquet", "a.arrow"] {
        let path = file(name, data);
        read(&path, &annotated(Kind::HuggingFace));
        read(&path, &ImportOptions { text: import::Column::Number(1), format: Some(Format::Parquet), ..ImportOptions::default() });
    }
}

/// Our own lines: what came in goes out in every format, and comes back from ours as it was.
fn own(data: &[u8]) {
    let path = file("a.jsonl", data);
    let Some(held) = read(&path, &ImportOptions { format: Some(Format::Jsonl), ..ImportOptions::default() }) else { return };
    let back = folder().join("back.jsonl");
    let exported = export(&held, ExportFormat::Jsonl).expect("every project goes out");
    exported.write(&back).expect("the folder can be written to");
    let verified = verify(&held, ExportFormat::Jsonl, &back, &exported.losses).expect("what was written is read");
    assert!(verified.is_as_said(), "{:#?}", verified.sentences());
}

/// The settings of a model before a zero, its weights after it.
fn model(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let path = folder().join("model");
    fs::create_dir_all(&path).expect("the folder can be written to");
    let parts = [
        ("config.json", &data[..at]),
        ("tokenizer.json", &b"{\"version\":\"1.0\",\"added_tokens\":[],\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"[PAD]\":3,\"a\":4}}}"[..]),
        ("model.safetensors", data.get(at + 1..).unwrap_or_default()),
    ];
    for (name, bytes) in parts {
        fs::write(path.join(name), bytes).expect("the folder can be written to");
    }
    let Ok(files) = model_folder::read(&path) else { return };
    // A few numbers that make a network of gigabytes are refused by nobody: only small ones are built.
    if data.len() < 1 << 16 && at < 2_000 {
        let _ = gloss::predict::Predictor::new(&files);
    }
}

fn vectors(data: &[u8]) {
    for name in ["a.txt", "a.bin"] {
        let _ = word_vectors::read(&file(name, data), &|word| (word.len() < 8).then(|| word.to_owned()));
    }
}

/// A project's file; what opens can be changed and opens again.
fn project(data: &[u8]) {
    for ending in ["-wal", "-shm", ".lock"] {
        let _ = fs::remove_file(folder().join(format!("a.gloss{ending}")));
    }
    // Bytes alone are hardly ever a database: what is none says what changes in the cells of one.
    let path = match data.starts_with(b"SQLite format 3\0") {
        true => file("a.gloss", data),
        false => {
            let path = file("a.gloss", sound_project());
            change_cells(&path, data).expect("a sound project can be changed");
            path
        }
    };
    if let Ok(mut opened) = ProjectFile::open(&path) {
        export(&opened.project, ExportFormat::Jsonl).expect("every project goes out");
        while let Some(Ok(_)) = opened.history.undo(&mut opened.project) {}
        export(&opened.project, ExportFormat::Jsonl).expect("every project goes out");
    }
    let _ = gloss::store::read_project(&path);
}

/// The file of a project with a few reviews and two steps.
fn sound_project() -> &'static [u8] {
    static MADE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let lines: Vec<&str> = include_str!("../../sample-data/reviews.jsonl").lines().take(6).collect();
        let lines = file("sound.jsonl", lines.join("\n").as_bytes());
        let options = ImportOptions { format: Some(Format::Jsonl), ..ImportOptions::default() };
        let imported = import::read(&lines, &options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()));
        let drafts = imported.expect("the sample is read").expect("nobody stops it").drafts;
        let path = folder().join("sound.gloss");
        remove(&path);
        let mut project = Project::new(Schema::default());
        let mut history = gloss::project::History::default();
        let mut held = ProjectFile::create(&path, project.schema()).expect("the folder can be written to");
        let (edits, _) = import::edits(&project, drafts);
        for edits in [edits, vec![gloss::project::Edit::SetFlag { doc: gloss::project::DocId(1), to: true }]] {
            let step = history.commit(&mut project, "a step".to_owned(), "梅".to_owned(), 1, edits).expect("the edits fit");
            held.record(gloss::project::EntryKind::Do, &step, &project).expect("the folder can be written to");
        }
        drop(held);
        rusqlite::Connection::open(&path)
            .and_then(|database| database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
            .expect("the log goes into the file");
        fs::read(&path).expect("it is there")
    })
}

/// Each change is a table, a column, a row, a kind of value, the length of the value and the value.
fn change_cells(path: &Path, mut data: &[u8]) -> rusqlite::Result<()> {
    use rusqlite::types::Value;
    let database = rusqlite::Connection::open(path)?;
    database.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; PRAGMA journal_mode = MEMORY")?;
    let names = |sql: &str| database.prepare(sql)?.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>();
    let tables = names("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")?;
    while let Some(([table, column, row, kind, length], rest)) = data.split_first_chunk::<5>() {
        let (value, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let table = &tables[usize::from(*table) % tables.len()];
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
        let column = &columns[usize::from(*column) % columns.len()];
        let number = value.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let value = match kind % 6 {
            0 => Value::Null,
            1 => Value::Integer(number as i64),
            2 => Value::Real(f64::from_bits(number)),
            3 => Value::Blob(value.to_vec()),
            _ => Value::Text(String::from_utf8_lossy(value).into_owned()),
        };
        let place = format!(
            "\"{column}\" IS (SELECT \"{column}\" FROM \"{table}\" LIMIT 1 OFFSET {row} % max(1, (SELECT count(*) FROM \"{table}\")))"
        );
        // What the tables themselves refuse is no damage that can be found in a file.
        let _ = database.execute(&format!("UPDATE \"{table}\" SET \"{column}\" = ?1 WHERE {place}"), [value]);
    }
    Ok(())
}

/// One of these formats, as the first byte says, and the one that is found out.
fn any_of(data: &[u8], name: &str, kinds: &[Kind]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let path = file(name, bytes);
    read(&path, &annotated(kinds[usize::from(*which) % kinds.len()]));
    found_out(name, bytes);
}

fn found_out(name: &str, bytes: &[u8]) {
    let path = file(name, bytes);
    if let Ok(preview) = import::preview(&path, None) {
        let text = preview.columns.get(preview.text_guess).cloned().map_or(import::Column::Number(1), import::Column::Name);
        read(&path, &ImportOptions { text, ..ImportOptions::default() }.looked(&preview.look));
    }
}

fn annotated(kind: Kind) -> ImportOptions {
    ImportOptions { format: Some(Format::Annotated(kind)), ..ImportOptions::default() }
}

/// What comes of a file, which goes out in every format.
fn read(path: &Path, options: &ImportOptions) -> Option<Project> {
    let imported = import::read(path, options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(())).ok().flatten()?;
    let report = &imported.report;
    let others = report.duplicates_in_file + report.duplicates_in_project + report.skipped;
    assert_eq!(report.rows, report.imported + others, "every row is accounted for");
    let mut project = Project::new(Schema::default());
    let (edits, _) = import::edits(&project, imported.drafts);
    for edit in edits {
        project.apply(edit).expect("what an import makes fits the project");
    }
    for format in ExportFormat::ALL {
        export(&project, format).expect("every project goes out in every format");
    }
    Some(project)
}

/// A folder of this process's own, in memory where the system has such a place.
fn folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let thread = format!("{:?}", std::thread::current().id()).replace(|c: char| !c.is_ascii_digit(), "");
    let folder = place.join(format!("gloss-fuzz-{}-{thread}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for files");
    folder
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, bytes).expect("the folder can be written to");
    path
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Takes the files of a target away again.
pub fn clean() {
    let _ = fs::remove_dir_all(folder());
}

/// Runs the target of this name.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(held, _)| *held == name);
    found.expect("a target of this name").1(data);
}
