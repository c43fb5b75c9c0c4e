//! Any bytes as a file of any format: rows, issues or an error; and what comes in is a project that goes out again.
#![no_main]

use gloss::project::{Project, Schema};
use gloss::store::export::{ExportFormat, export};
use gloss::store::formats::Kind;
use gloss::store::import::{self, Format, ImportOptions};
use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Formats whose name is no kind of annotated file, and the one found out.
const PLAIN: [Option<&str>; 6] = [None, Some("csv"), Some("tsv"), Some("jsonl"), Some("parquet"), Some("xlsx")];

fuzz_target!(|data: &[u8]| {
    // The first byte says the format, the rest is the file.
    let Some((which, bytes)) = data.split_first() else { return };
    let which = usize::from(*which) % (PLAIN.len() + Kind::ALL.len());
    let format = match which.checked_sub(PLAIN.len()) {
        None => PLAIN[which].and_then(Format::parse),
        Some(kind) => Some(Format::Annotated(Kind::ALL[kind])),
    };
    let path = std::env::temp_dir().join(format!("gloss-fuzz-{}", std::process::id()));
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    let options = ImportOptions { format, ..ImportOptions::default() };
    let read = import::read(&path, &options, &HashSet::new(), &mut |_, _| ControlFlow::Continue(()));
    let Ok(Some(imported)) = read else { return };
    let mut project = Project::new(Schema::default());
    let (edits, _) = import::edits(&project, imported.drafts);
    for edit in edits {
        project.apply(edit).expect("what an import makes fits the project");
    }
    for format in ExportFormat::ALL {
        export(&project, format).expect("every project goes out in every format");
    }
});
