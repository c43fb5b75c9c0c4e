//! `gloss train`: a run like those of the window, with its news on a terminal or as JSON lines.

use super::{CliError, ProgressLine, TrainArgs, now_ms};
use crate::desk::{BaseError, KeepingPace, ask_models, starting_model, training_data};
use crate::nn::{ModelFiles, State};
use crate::store::{ProjectFile, ResumedRun, RunWriter, Runs};
use crate::train::{
    EncoderChoice, Outcome, QuestionScores, Readiness, Report, Resumable, SavedRun, Scores, Signal, Slice, TrainConfig, TrainData,
    TrainEvent, fit_from,
};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) fn run(args: &TrainArgs) -> Result<(), CliError> {
    if let Some(run) = &args.resume {
        let job = resumed(args, run)?;
        return told(job, args.json).map(|_| ());
    }
    let config = config_of(&args.settings, args.encoder.as_deref())?;
    let Some(folds) = args.folds.map(usize::from) else {
        return told(started(args, config)?, args.json).map(|_| ());
    };
    let mut reports = Vec::with_capacity(folds);
    for fold in 0..folds {
        reports.push(told(started(args, TrainConfig { folds, fold, ..config.clone() })?, args.json)?);
    }
    let mut out = std::io::stdout().lock();
    let means = means(&reports);
    if args.json {
        let key = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
        let of = |(name, mean, deviation): &(&'static str, f64, f64)| (key(name), json!({ "mean": mean, "deviation": deviation }));
        let scores: serde_json::Map<String, Value> = means.iter().map(of).collect();
        writeln!(out, "{}", json!({ "event": "folds", "folds": folds, "scores": scores }))?;
    } else {
        let scores = means.iter().map(|(name, mean, deviation)| format!("{name} {mean:.4} ± {deviation:.4}")).collect::<Vec<_>>();
        writeln!(out, "{folds} folds: {}; ± is the standard deviation between folds", scores.join(", "))?;
    }
    Ok(())
}

/// Makes a run, and tells what came of it.
fn told((mut job, encoder): (Job, ModelFiles), as_json: bool) -> Result<Report, CliError> {
    let id = job.writer.id().to_owned();
    let report = match go(&mut job, &encoder, as_json) {
        Ok(report) => report,
        Err(error) => {
            // The disk may be what failed: the sentence is told in any case.
            job.writer.fail(&error.to_string()).ok();
            return Err(error);
        }
    };
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{}", finished_line(&id, &report))?;
    } else {
        writeln!(out, "{}", finished_sentence(&id, &report))?;
    }
    Ok(report)
}

/// Mean and standard deviation (of a sample) of each score that all reports have.
fn means(reports: &[Report]) -> Vec<(&'static str, f64, f64)> {
    let Some(first) = reports.first() else { return Vec::new() };
    let mean_of = |(name, _): (&'static str, f64)| {
        let of = |report: &Report| named(&report.scores).into_iter().find(|(other, _)| *other == name).map(|(_, score)| score);
        let scores = reports.iter().map(of).collect::<Option<Vec<f64>>>()?;
        let count = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / count;
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        Some((name, mean, (squares / (count - 1.0).max(1.0)).sqrt()))
    };
    named(&first.scores).into_iter().filter_map(mean_of).collect()
}

/// A run to be made.
struct Job {
    writer: RunWriter,
    data: TrainData,
    config: TrainConfig,
    /// Where it goes on.
    state: Option<SavedRun>,
}

fn started(args: &TrainArgs, config: TrainConfig) -> Result<(Job, ModelFiles), CliError> {
    let opened = ProjectFile::open(&args.project)?;
    let runs = opened.file.runs();
    let mut data = training_data(&opened.project, &runs, &config)?;
    if let Some(missing) = missing(&data) {
        return Err(CliError::Failed(missing));
    }
    ask_models(&runs, &config, &mut data, &|| true).map_err(failed)?;
    let encoder = starting_model(&runs, &config, &data).map_err(failed)?;
    let writer = runs.start(&config, &data, now_ms())?;
    Ok((Job { writer, data, config, state: None }, encoder))
}

fn resumed(args: &TrainArgs, run: &str) -> Result<(Job, ModelFiles), CliError> {
    let runs = Runs::of(&args.project);
    let ResumedRun { writer, config, data, state, .. } = runs.resume(run)?;
    let encoder = starting_model(&runs, &config, &data).map_err(failed)?;
    Ok((Job { writer, data, config, state: Some(state) }, encoder))
}

fn failed(error: BaseError) -> CliError {
    CliError::Failed(error.to_string())
}

/// The settings that the arguments ask for.
pub(super) fn config_of(settings: &[(String, String)], encoder: Option<&Path>) -> Result<TrainConfig, CliError> {
    let mut config = TrainConfig::default();
    // The model first: other settings are changes of its defaults.
    let (model, others): (Vec<_>, Vec<_>) = settings.iter().partition(|(key, _)| key == "model");
    for (key, value) in model.into_iter().chain(others) {
        config.set(key, value)?;
    }
    if let Some(folder) = encoder {
        config.encoder = EncoderChoice::Folder(folder.to_owned());
    }
    config.check()?;
    Ok(config)
}

/// What keeps training from starting, as a sentence.
pub(super) fn missing(data: &TrainData) -> Option<String> {
    let ready = data.readiness();
    if ready.can_start() {
        return None;
    }
    Some(if ready.train < Readiness::MIN_TRAIN {
        format!("{} labelled documents to learn from; {} are needed", ready.train, Readiness::MIN_TRAIN)
    } else if ready.held_out == 0 {
        "no labelled document is held out to be judged by; label more, or import some with --split dev".to_owned()
    } else {
        "all labelled documents have the same class, none has a span and none answers another question; label a second class".to_owned()
    })
}

/// Trains and keeps the model.
fn go(job: &mut Job, encoder: &ModelFiles, json: bool) -> Result<Report, CliError> {
    let Job { writer, data, config, state } = job;
    let began = Instant::now();
    let mut news = News { json, line: ProgressLine::new(), steps_total: 0, said: began };
    let mut report = None;
    let (writer, trouble) = (RefCell::new(writer), RefCell::new(None));
    let mut sink = |event: TrainEvent| {
        let stored = writer.borrow_mut().event(&event).map_err(CliError::from);
        if let Err(error) = stored.and_then(|()| news.tell(&event)) {
            trouble.replace(Some(error));
            return Signal::Cancel;
        }
        if let TrainEvent::Finished(finished) = event {
            report = Some(finished);
        }
        Signal::Continue
    };
    let mut pace = KeepingPace::new();
    let mut keep = |state: &State| {
        if pace.is_due() {
            if let Err(error) = writer.borrow_mut().keep(state, data) {
                trouble.replace(Some(error.into()));
                return Signal::Cancel;
            }
            pace.kept();
        }
        Signal::Continue
    };
    let resumable = Resumable { from: state.take(), keep: &mut keep };
    let outcome = fit_from(data, config, encoder, resumable, &|| began.elapsed(), &mut sink);
    let (writer, trouble) = (writer.into_inner(), trouble.into_inner());
    if let Some(error) = trouble {
        return Err(error);
    }
    match (outcome.map_err(|error| CliError::Failed(error.to_string()))?, report) {
        (Outcome::Finished(files), Some(report)) => {
            writer.finish(&files, &report)?;
            Ok(report)
        }
        _ => Err(CliError::Failed("the run ended without a report".to_owned())),
    }
}

/// Tells what happens, for people or for programs.
struct News {
    json: bool,
    line: ProgressLine,
    steps_total: usize,
    /// When a step was last reported where there is no terminal.
    said: Instant,
}

impl News {
    fn tell(&mut self, event: &TrainEvent) -> Result<(), CliError> {
        if self.json {
            // The last line comes when the model is on the disk.
            if !matches!(event, TrainEvent::Finished(_)) {
                let text = serde_json::to_string(event).map_err(std::io::Error::from)?;
                let mut out = std::io::stdout().lock();
                writeln!(out, "{text}")?;
                out.flush()?;
            }
            return Ok(());
        }
        match event {
            TrainEvent::Started(started) => {
                self.steps_total = started.steps_total;
                let counts = (started.train_examples, started.dev_examples, started.test_examples, started.steps_total);
                self.line.lasting(&format!("{} to learn from, {} dev, {} test; {} steps", counts.0, counts.1, counts.2, counts.3));
                started.notes.iter().for_each(|note| self.line.lasting(note));
            }
            TrainEvent::Step(step) => {
                let text = format!(
                    "step {}/{}  epoch {:.2}  loss {:.4}  lr {:.1e}  {:.0} tokens/s",
                    step.step, self.steps_total, step.epoch, step.loss, step.lr, step.tokens_per_s
                );
                const QUIET: Duration = Duration::from_secs(10);
                if self.line.on_terminal {
                    self.line.passing(&text);
                } else if self.said.elapsed() > QUIET {
                    self.said = Instant::now();
                    self.line.lasting(&text);
                }
            }
            TrainEvent::Evaluated(evaluation) => {
                let scores = &evaluation.scores;
                let mut text = format!("epoch {:.2}  dev loss {:.4}", evaluation.epoch, scores.loss);
                for (name, score) in named_with_questions(scores) {
                    text += &format!("  {name} {score:.4}");
                }
                self.line.lasting(&if evaluation.is_best { text + "  best so far" } else { text });
            }
            TrainEvent::Checkpoint { .. } | TrainEvent::Layers(_) => {}
            TrainEvent::Finished(_) => self.line.clear(),
        }
        Ok(())
    }
}

fn finished_line(run: &str, report: &Report) -> Value {
    let scores = &report.scores;
    let mut line = json!({
        "event": "finished",
        "run": run,
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "span_f1": scores.span_f1,
        "examples": report.examples,
        "seconds": report.seconds,
        "real_tokens_per_s": report.real_tokens_per_s,
    });
    for (name, score) in scores.opinions.named() {
        if let Some(score) = score {
            line[name] = json!(score);
        }
    }
    if !scores.questions.is_empty() {
        let question = |question: &QuestionScores| -> Value {
            let figures = question.named().map(|(name, value)| (name.to_owned(), json!(value)));
            let mut line: serde_json::Map<String, Value> = figures.collect();
            line.insert("examples".to_owned(), json!(question.examples));
            line.into()
        };
        let questions = scores.questions.iter().map(|scores| (scores.name.clone(), question(scores)));
        line["questions"] = Value::Object(questions.collect());
    }
    if let Some(eight) = report.eight_bits {
        line["int8"] = json!(eight);
    }
    line["slices"] = report.slices.iter().map(slice).collect();
    line
}

/// A part of the held-out documents; scores that it has none of are left out.
fn slice(slice: &Slice) -> Value {
    let mut line = json!({ "of": slice.of, "examples": slice.docs.len() });
    if let Some((shortest, longest)) = slice.characters {
        line["characters"] = json!([shortest, longest]);
    }
    let all = [("accuracy", slice.accuracy), ("macro_f1", slice.macro_f1), ("span_f1", slice.span_f1)];
    for (name, score) in all.into_iter().chain(slice.opinions.named()) {
        if let Some(score) = score {
            line[name] = json!(score);
        }
    }
    line
}

/// All scores in a line.
pub(super) fn named_scores(scores: &Scores) -> String {
    named_with_questions(scores).into_iter().map(|(name, score)| format!("{name} {score:.4}")).collect::<Vec<_>>().join("  ")
}

/// Every score there is, with those of questions beside the main one.
fn named_with_questions(scores: &Scores) -> Vec<(String, f64)> {
    let questions = scores.questions.iter().flat_map(|question| {
        let named = question.named().filter(|(name, _)| *name != "exact");
        named.map(move |(name, value)| (format!("{}: {}", question.name, name.replace("_f1", "-F1")), value))
    });
    named(scores).into_iter().map(|(name, value)| (name.to_owned(), value)).chain(questions).collect()
}

/// Every score of class, spans and links, under the name people know it by.
fn named(scores: &Scores) -> Vec<(&'static str, f64)> {
    let all = [("accuracy", scores.accuracy), ("macro-F1", scores.macro_f1), ("span F1", scores.span_f1)];
    let opinions = scores.opinions.named();
    all.into_iter().chain(opinions).filter_map(|(name, score)| Some((name, score?))).collect()
}

fn finished_sentence(run: &str, report: &Report) -> String {
    let named = named_with_questions(&report.scores).into_iter().map(|(name, score)| format!("{name} {score:.4}"));
    let eight = report.eight_bits.map_or_else(String::new, |eight| format!("; as int8 {} of them are answered otherwise", eight.changed));
    format!(
        "run {run}: {} on {} {} documents; best after epoch {:.2}; {:.0} s, {:.0} tokens/s{eight}",
        named.collect::<Vec<_>>().join(", "),
        report.examples,
        report.scored_on,
        report.best_epoch,
        report.seconds,
        report.real_tokens_per_s
    )
}
