//! `gloss merge`: a colleague's answers into a project, as one step that can be undone in the window.

use super::{CliError, MergeArgs, now_ms};
use crate::project::{Colleague, EntryKind, MergeReport};
use crate::store::{ProjectFile, Settings, read_project};
use std::io::Write;

pub(super) fn run(args: &MergeArgs) -> Result<(), CliError> {
    let (theirs, their_history) = read_project(&args.colleague)?;
    let opened = ProjectFile::open(&args.project)?;
    let (mut project, mut history, mut file) = (opened.project, opened.history, opened.file);
    let author = Settings::load().author;
    let name = args.name.as_deref().or_else(|| their_history.main_author()).unwrap_or_default();
    let colleague = Colleague { project: &theirs, history: &their_history, name };
    let plan = project.plan_merge(&history, &author, &colleague);
    let plan = plan.map_err(|error| CliError::Usage(format!("{error}. Say who with --as NAME")))?;
    if !plan.edits.is_empty() && !args.dry_run {
        let file_name = args.colleague.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let step = history.commit(&mut project, format!("merge {file_name}"), author, now_ms(), plan.edits);
        let step = step.map_err(|error| CliError::Failed(error.to_string()))?;
        file.record(EntryKind::Do, &step, &project)?;
    }
    let mut out = std::io::stdout().lock();
    write_report(&plan.report, &mut out)?;
    if args.dry_run {
        writeln!(out, "nothing was merged: this was a dry run")?;
    }
    Ok(out.flush()?)
}

fn write_report(report: &MergeReport, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{} documents found here, {} new ones", report.matched, report.added)?;
    for (name, layer) in &report.layers {
        let kept = if layer.kept > 0 { format!(", {} differ from yours, which stay", layer.kept) } else { String::new() };
        writeln!(out, "answers of {name}: {} new, {} changed, {} the same{kept}", layer.new, layer.changed, layer.same)?;
    }
    let lines =
        [(report.outcomes_left_out, "outcomes stay out: they are settled in one project only"), (report.comments, "comments come in")];
    for (count, what) in lines.into_iter().filter(|(count, _)| *count > 0) {
        writeln!(out, "{count} {what}")?;
    }
    if !report.new_labels.is_empty() {
        writeln!(out, "new in the schema: {}", report.new_labels.join(", "))?;
    }
    for label in &report.polarity_differs {
        writeln!(out, "the span label {label} carries a polarity in one of the projects only")?;
    }
    for id in &report.other_texts {
        writeln!(out, "the document with the id {id} has another text here and stays out")?;
    }
    if report.guidelines_differ {
        writeln!(out, "the guidelines differ; yours stay")?;
    }
    Ok(())
}
