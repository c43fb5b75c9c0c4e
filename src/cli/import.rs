//! `gloss import`: the rows of a file into a project, as one step that can be undone in the window.

use super::{CliError, ImportArgs, ProgressLine, now_ms};
use crate::project::EntryKind;
use crate::store::formats::Unit;
use crate::store::import::{self, Column, ImportOptions, ImportReport, Look, Plan, RowIssue, TurnColumns};
use crate::store::{ProjectFile, Settings};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::Write;
use std::ops::ControlFlow;

pub(super) fn run(args: &ImportArgs) -> Result<(), CliError> {
    let opened = ProjectFile::open(&args.project)?;
    let (mut project, mut history, mut file) = (opened.project, opened.history, opened.file);
    let existing: HashSet<u64> = project.documents().map(import::document_hash).collect();
    let mut line = ProgressLine::new();
    let mut progress = |share: f32, rows: usize| {
        line.passing(&format!("{:.0} %  {rows} rows", share * 100.0));
        ControlFlow::Continue(())
    };
    let read = import::read(&args.file, &options(args)?, &existing, &mut progress)?;
    line.clear();
    let (plan, report) = import::plan(&project, &history, read.unwrap_or_default());
    match plan {
        Plan::Restore(restored) => {
            if !args.dry_run {
                let entries: Vec<_> = restored.history.entries().collect();
                file.replace(&restored.project, &entries)?;
            }
        }
        Plan::Edits(edits) => {
            if report.imported > 0 && !args.dry_run {
                let name = format!("import {} documents from {}", report.imported, report.file);
                let author = Settings::load().author;
                let step =
                    history.commit(&mut project, name, author, now_ms(), edits).map_err(|error| CliError::Failed(error.to_string()))?;
                file.record(EntryKind::Do, &step, &project)?;
            }
        }
    }
    if let Some(list) = &args.save_list {
        report.save_issues(list)?;
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", as_json(&report, args.dry_run))?;
        return Ok(out.flush()?);
    }
    write_report(&report, &mut out)?;
    if let Some(steps) = report.journal {
        writeln!(out, "the journal came along: {steps} steps, which can be undone in the window")?;
    }
    if args.dry_run {
        writeln!(out, "nothing was imported: this was a dry run")?;
    }
    Ok(())
}

/// How the file is read. Where nobody says whether the first row names the columns, columns that are called by name say so,
/// or else the rows.
fn options(args: &ImportArgs) -> Result<ImportOptions, CliError> {
    let mut named = columns(args).into_iter().flatten().chain(&args.leave_out);
    let is_named = named.any(|name| matches!(Column::parse(name), Column::Name(_)));
    let mut look = Look {
        header: if args.no_header { Some(false) } else { is_named.then_some(true) },
        format: args.format,
        charset: args.encoding,
        delimiter: args.delimiter,
        quoted: !args.no_quotes,
        sheet: args.sheet.clone(),
        unit: args.offsets,
    };
    let text = match &args.text {
        Some(text) if look.header.is_some() => Column::parse(text),
        text => {
            let preview = import::preview_as(&args.file, &look)?;
            look.header = look.header.or(preview.look.header);
            if let Some(text) = text {
                return Ok(with_roles(args, Column::parse(text)).looked(&look));
            }
            let guess = preview.columns.get(preview.text_guess).cloned();
            guess.map_or(Column::Number(1), Column::Name)
        }
    };
    Ok(with_roles(args, text).looked(&look))
}

/// The columns that were called.
fn columns(args: &ImportArgs) -> [&Option<String>; 10] {
    let ImportArgs { text, label, labels, id, date, annotator, part, conversation, turn, speaker, .. } = args;
    [text, label, labels, id, date, annotator, part, conversation, turn, speaker]
}

/// What each column is.
fn with_roles(args: &ImportArgs, text: Column) -> ImportOptions {
    let column = |name: &Option<String>| name.as_deref().map(Column::parse);
    ImportOptions {
        text,
        label: column(&args.label),
        labels: column(&args.labels),
        id: column(&args.id),
        date: column(&args.date),
        annotator: column(&args.annotator),
        part: column(&args.part),
        turns: column(&args.conversation)
            .map(|conversation| Box::new(TurnColumns { conversation, turn: column(&args.turn), speaker: column(&args.speaker) })),
        left_out: args.leave_out.iter().map(|name| Column::parse(name)).collect(),
        values: args.values.iter().cloned().collect(),
        split: args.split.map(Into::into),
        ..ImportOptions::default()
    }
}

fn write_report(report: &ImportReport, out: &mut impl Write) -> Result<(), CliError> {
    let ImportReport { file, format, encoding, rows, imported, skipped, .. } = report;
    writeln!(out, "{file} ({format}, {encoding}): {rows} rows, {imported} imported, {skipped} skipped")?;
    match report.header {
        Some(true) => writeln!(out, "the first row names the columns")?,
        Some(false) => writeln!(out, "no row names the columns: they go by number")?,
        None => {}
    }
    if *imported == 0 {
        writeln!(out, "nothing came in: no row of the file is new and has a text")?;
    }
    let duplicates = report.duplicates_in_file + report.duplicates_in_project;
    if duplicates > 0 {
        let (inside, before) = (report.duplicates_in_file, report.duplicates_in_project);
        writeln!(out, "{duplicates} duplicates left out: {inside} within the file, {before} already in the project")?;
    }
    if report.joined > 0 {
        writeln!(out, "{} of them bring the answer of another annotator to a text that came before", report.joined)?;
    }
    if report.blank > 0 {
        writeln!(out, "{} blank {}", report.blank, if report.blank == 1 { "line" } else { "lines" })?;
    }
    if !report.labels.is_empty() {
        let counts: Vec<String> = report.labels.iter().map(|(label, count)| format!("{label} {count}")).collect();
        writeln!(out, "labels: {}", counts.join(", "))?;
    }
    if !report.columns_left_out.is_empty() {
        writeln!(out, "columns left out: {}", report.columns_left_out.join(", "))?;
    }
    if let Some(spans) = &report.spans {
        writeln!(out, "{}", spans.sentence())?;
        if spans.unit_doubt.is_some() {
            let keys = Unit::ALL.map(Unit::key).join(", ");
            writeln!(out, "look whether the spans stand where they should; if not, say what the offsets count: --offsets {keys}")?;
        }
    }
    for issue in &report.issues {
        writeln!(out, "{}", issue.sentence(file))?;
    }
    Ok(out.flush()?)
}

fn as_json(report: &ImportReport, dry_run: bool) -> Value {
    let issue = |issue: &RowIssue| json!({"row": issue.row, "reason": issue.reason, "skipped": issue.skipped});
    json!({
        "file": report.file,
        "format": report.format,
        "encoding": report.encoding,
        "dry_run": dry_run,
        "header": report.header,
        "rows": report.rows,
        "imported": report.imported,
        "skipped": report.skipped,
        "blank": report.blank,
        "duplicates_in_file": report.duplicates_in_file,
        "joined": report.joined,
        "duplicates_in_project": report.duplicates_in_project,
        "labels": report.labels,
        "columns_left_out": report.columns_left_out,
        "spans": report.spans,
        "issues": report.issues.iter().map(issue).collect::<Vec<_>>(),
    })
}
