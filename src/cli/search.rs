//! `gloss search`: tries settings as runs of the project, gives up the worse ones early, and says which were best.

use super::train::{config_of, missing};
use super::{CliError, ProgressLine, SearchArgs, now_ms};
use crate::desk::{Search, SearchError, SearchNews, Trial, ask_models, training_data};
use crate::store::ProjectFile;
use crate::train::{Signal, TrainConfig, TrainEvent};
use serde_json::{Value, json};
use std::io::Write;

pub(super) fn run(args: &SearchArgs) -> Result<(), CliError> {
    let base = config_of(&args.settings, args.encoder.as_deref())?;
    let opened = ProjectFile::open(&args.project)?;
    let runs = opened.file.runs();
    let mut data = training_data(&opened.project, &runs, &base)?;
    if let Some(missing) = missing(&data) {
        return Err(CliError::Failed(missing));
    }
    if data.examples.iter().all(|example| example.split != crate::project::Split::Dev) {
        return Err(CliError::Failed("a search chooses by the dev documents, and there are none".to_owned()));
    }
    ask_models(&runs, &base, &mut data, &|| true).map_err(|error| CliError::Failed(error.to_string()))?;
    let mut news = News { json: args.json, line: ProgressLine::new(), base: &base, trials: usize::from(args.trials), trouble: None };
    let trials = usize::from(args.trials);
    let search = Search { runs: &runs, data: &data, base: &base, trials, now: &now_ms, wait: &|| Signal::Continue };
    let found = search.run(&mut |event| news.take(event));
    if let Some(error) = news.trouble {
        return Err(error);
    }
    let (trials, best) = found.map_err(|error: SearchError| CliError::Failed(error.to_string()))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let all: Vec<Value> = trials.iter().map(|trial| line_of(&base, trial)).collect();
        writeln!(out, "{}", json!({ "event": "found", "run": trials[best].run, "trials": all }))?;
        return Ok(());
    }
    for (at, trial) in trials.iter().enumerate() {
        let sign = if at == best { "*" } else { " " };
        let run = if trial.run.is_empty() { "-" } else { &trial.run };
        writeln!(
            out,
            "{sign} {run}  dev {:.4}  {:.1} of {} epochs  {}",
            trial.score,
            trial.epochs,
            trial.config.epochs,
            changes(&base, trial)
        )?;
    }
    writeln!(out, "best: run {}; its settings: {}", trials[best].run, changes(&base, &trials[best]))?;
    Ok(())
}

/// The settings that are tried, as `--set` takes them.
fn changes(base: &TrainConfig, trial: &Trial) -> String {
    let differences = base.differences(&trial.config).into_iter().map(|setting| format!("{}={}", setting.key, setting.second));
    let words = differences.collect::<Vec<_>>().join(" ");
    if words.is_empty() { "as given".to_owned() } else { words }
}

fn line_of(base: &TrainConfig, trial: &Trial) -> Value {
    json!({
        "run": trial.run, "score": trial.score, "epochs": trial.epochs, "finished": trial.finished, "settings": changes(base, trial),
    })
}

struct News<'a> {
    json: bool,
    line: ProgressLine,
    base: &'a TrainConfig,
    trials: usize,
    trouble: Option<CliError>,
}

impl News<'_> {
    fn take(&mut self, news: SearchNews) -> Signal {
        match self.tell(news) {
            Ok(()) => Signal::Continue,
            Err(error) => {
                self.trouble = Some(error);
                Signal::Cancel
            }
        }
    }

    fn tell(&mut self, news: SearchNews) -> Result<(), CliError> {
        let write = |line: Value| -> Result<(), CliError> {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{line}")?;
            Ok(out.flush()?)
        };
        match news {
            SearchNews::Trial { at, run, config, .. } if self.json => {
                let settings: Vec<String> =
                    self.base.differences(config).into_iter().map(|setting| format!("{}={}", setting.key, setting.second)).collect();
                write(json!({ "event": "trial", "trial": at + 1, "run": run, "settings": settings }))
            }
            SearchNews::Stands { at, score, epochs, finished } if self.json => {
                write(json!({ "event": "stands", "trial": at + 1, "score": score, "epochs": epochs, "finished": finished }))
            }
            SearchNews::Ended(ended) if self.json => {
                write(json!({ "event": "ended", "trials": ended.iter().map(|at| at + 1).collect::<Vec<_>>() }))
            }
            SearchNews::Event(event) if !self.json => {
                if let TrainEvent::Step(step) = *event {
                    self.line.passing(&format!("step {}  epoch {:.2}  loss {:.4}", step.step, step.epoch, step.loss));
                }
                Ok(())
            }
            SearchNews::Stands { at, score, epochs, .. } => {
                self.line.lasting(&format!("trial {} of {}: dev {score:.4} after {epochs:.1} epochs", at + 1, self.trials));
                Ok(())
            }
            SearchNews::Ended(ended) if !ended.is_empty() => {
                let names: Vec<String> = ended.iter().map(|at| (at + 1).to_string()).collect();
                self.line.lasting(&format!("given up: trial {}", names.join(", ")));
                Ok(())
            }
            SearchNews::Trial { .. } | SearchNews::Event(_) | SearchNews::Ended(_) => Ok(()),
        }
    }
}
