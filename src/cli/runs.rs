//! `gloss runs`: the runs of a project as a list; two of them compared; one deleted, annotated, or written for
//! TensorBoard. Reads run folders only, so that the project may be open elsewhere;
//! only to join runs it reads the project too.

use super::args::{RunsArgs, RunsCommand};
use super::{CliError, existing, now_ms};
use crate::desk::{JoinData, in_order, join_runs};
use crate::store::{ProjectFile, RunStatus, RunSummary, Runs, tensorboard};
use crate::train::{Better, Comparison, Difference, Score, SettingDifference, Side, TrainConfig, compare};
use serde_json::{Value, json};
use std::io::Write;

pub(super) fn run(args: &RunsArgs) -> Result<(), CliError> {
    let runs = Runs::of(&existing(&args.project)?);
    let mut out = std::io::stdout().lock();
    match &args.what {
        None => list(&runs, args.json, &mut out),
        Some(RunsCommand::Compare { first, second, json }) => {
            let (first, second) = (runs.summary(&id_of(first))?, runs.summary(&id_of(second))?);
            let text = if *json || args.json { compared_json(&first, &second)?.to_string() } else { compared(&first, &second)? };
            Ok(writeln!(out, "{text}")?)
        }
        Some(RunsCommand::Delete { run }) => {
            let run = runs.summary(&id_of(run))?;
            runs.delete(&run.id)?;
            Ok(writeln!(out, "deleted {}: its weights, curves and predictions are gone; {} are free", run.id, size(run.bytes))?)
        }
        Some(RunsCommand::Join { runs: names }) => {
            let ids = in_order(&names.iter().map(|name| id_of(name)).collect::<Vec<_>>());
            let project = ProjectFile::open(&args.project)?.project;
            let first = runs.summary(ids.first().map_or("", String::as_str))?;
            let data = JoinData::of(&project, first.report.as_ref());
            let id = join_runs(&runs, &ids, &data, now_ms()).map_err(|error| CliError::Failed(error.to_string()))?;
            let report = runs.summary(&id)?.report.filter(|report| report.examples > 0);
            let scores = report.map_or_else(
                || "nothing to judge it by: no document was held out by all of them and learnt by none".to_owned(),
                |report| format!("{} on {} {} documents", super::train::named_scores(&report.scores), report.examples, report.scored_on),
            );
            Ok(writeln!(out, "{id}: {} answer together: {scores}", ids.join(", "))?)
        }
        Some(RunsCommand::Note { run, text }) => Ok(runs.set_notes(&id_of(run), text)?),
        Some(RunsCommand::Export { run, tensorboard }) => {
            let run = runs.summary(&id_of(run))?;
            let file = tensorboard::export(&run, &runs.events(&run.id)?, tensorboard)?;
            Ok(writeln!(out, "{}", file.display())?)
        }
    }
}

/// "3" is short for "run-0003".
fn id_of(name: &str) -> String {
    name.parse::<u32>().map_or_else(|_| name.to_owned(), |number| format!("run-{number:04}"))
}

fn list(runs: &Runs, as_json: bool, out: &mut impl Write) -> Result<(), CliError> {
    for run in runs.list() {
        if as_json {
            writeln!(out, "{}", run_json(&run))?;
            continue;
        }
        let settings: Vec<String> = TrainConfig::default()
            .differences(&run.config)
            .into_iter()
            .map(|setting| format!("{}={}", setting.key, setting.second))
            .collect();
        let scores = run.report.as_ref().map(|report| super::train::named_scores(&report.scores)).unwrap_or_default();
        let parts = [status(&run.status), scores, settings.join(" "), size(run.bytes), run.notes.replace('\n', " ")];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        writeln!(out, "{}  revision {}  {}", run.id, run.revision, parts.join("  "))?;
    }
    Ok(())
}

fn run_json(run: &RunSummary) -> Value {
    let report = run.report.as_ref();
    json!({
        "run": run.id,
        "started_ms": run.started_ms,
        "status": status(&run.status),
        "revision": run.revision,
        "data_hash": run.data_hash,
        "bytes": run.bytes,
        "notes": run.notes,
        "settings": settings_json(&TrainConfig::default().differences(&run.config), "default", "value"),
        "macro_f1": report.and_then(|report| report.scores.macro_f1),
        "accuracy": report.and_then(|report| report.scores.accuracy),
        "span_f1": report.and_then(|report| report.scores.span_f1),
        "examples": report.map(|report| report.examples),
        "scored_on": report.map(|report| &report.scored_on),
        "seconds": report.map(|report| report.seconds),
    })
}

fn status(status: &RunStatus) -> String {
    match status {
        RunStatus::Running => "running".to_owned(),
        RunStatus::Finished => "finished".to_owned(),
        RunStatus::Failed(why) => format!("failed: {why}"),
        RunStatus::Cancelled => "cancelled".to_owned(),
        RunStatus::Interrupted => "interrupted".to_owned(),
    }
}

fn size(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn comparison(first: &RunSummary, second: &RunSummary) -> Result<Comparison, CliError> {
    Ok(compare(side(first)?, side(second)?, second.config.seed))
}

fn side(run: &RunSummary) -> Result<Side<'_>, CliError> {
    let nothing = || CliError::Failed(format!("{} did not finish, so there is nothing to compare", run.id));
    Ok(Side { report: run.report.as_ref().ok_or_else(nothing)?, classes: &run.classes, span_labels: &run.span_labels })
}

fn compared(first: &RunSummary, second: &RunSummary) -> Result<String, CliError> {
    let found = comparison(first, second)?;
    let mut lines = vec![sentence(first, second, &found)];
    for difference in &found.scores {
        let Difference { score, first: ours, second: theirs, difference } = difference;
        let name = name(*score, second);
        lines.push(format!(
            "{name}: {ours:.4} to {theirs:.4}, {:+.4} (95 % interval {:+.4} to {:+.4})",
            difference.score, difference.low, difference.high
        ));
    }
    for SettingDifference { key, first, second } in first.config.differences(&second.config) {
        lines.push(format!("{key}: {first} to {second}"));
    }
    lines.push(format!(
        "{} documents where {} does better, {} where {} does, {} that differ without one being the better",
        found.worse.len(),
        first.id,
        found.better.len(),
        second.id,
        found.otherwise.len()
    ));
    Ok(lines.join("\n"))
}

/// What the comparison comes to.
fn sentence(first: &RunSummary, second: &RunSummary, found: &Comparison) -> String {
    let Some(main) = found.main() else {
        return format!("{} and {} were judged by different documents: nothing can be said", first.id, second.id);
    };
    let interval = format!("95 % interval {:+.3} to {:+.3}", main.difference.low, main.difference.high);
    let by = main.difference.score.abs();
    let name = name(main.score, second);
    match main.better() {
        Better::Second => format!("{} is better by {by:.3} in {name} ({interval}, {} documents)", second.id, found.documents),
        Better::First => format!("{} is better by {by:.3} in {name} ({interval}, {} documents)", first.id, found.documents),
        Better::CannotBeTold => format!(
            "{} and {} cannot be told apart on {} documents: {:+.3} in {name} ({interval})",
            first.id, second.id, found.documents, main.difference.score
        ),
    }
}

fn name(score: Score, run: &RunSummary) -> String {
    score.name(&run.classes, &run.span_labels)
}

fn compared_json(first: &RunSummary, second: &RunSummary) -> Result<Value, CliError> {
    let found = comparison(first, second)?;
    let scores = found.scores.iter().map(|difference| {
        json!({
            "score": name(difference.score, second),
            "first": difference.first,
            "second": difference.second,
            "difference": difference.difference.score,
            "low": difference.difference.low,
            "high": difference.difference.high,
        })
    });
    Ok(json!({
        "first": first.id,
        "second": second.id,
        "documents": found.documents,
        "only_first": found.only_first,
        "only_second": found.only_second,
        "regraded": found.regraded,
        "sentence": sentence(first, second, &found),
        "scores": scores.collect::<Vec<_>>(),
        "settings": settings_json(&first.config.differences(&second.config), "first", "second"),
        "better": found.better,
        "worse": found.worse,
        "otherwise": found.otherwise,
    }))
}

fn settings_json(differences: &[SettingDifference], first: &str, second: &str) -> Value {
    differences.iter().map(|setting| json!({ "key": setting.key, first: setting.first, second: setting.second })).collect()
}
