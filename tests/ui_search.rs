//! The search for settings in the place Train: started with a click, watched, and its best run shown.

use super::small;
use super::stage::{Stage, draw_until, tiny};
use egui_kittest::kittest::Queryable;
use gloss::desk::{Command, Phase, RunStatus, TrialState};
use gloss::train::TrainConfig;
use gloss::ui::panes::train::TrainPane;

#[test]
fn a_search_is_watched_and_shows_the_best_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = Stage::<TrainPane>::with_reviews(40).harness(TrainPane::ui);
    harness.run_steps(3);
    harness.get_by_label("Search for settings");
    let config = TrainConfig { encoder: small::choice(folder.path()), epochs: 4, lr: 1e-3, patience: 0, ..tiny() };
    harness.state_mut().desk.run(Command::StartSearch { config: Box::new(config), trials: 4 });
    draw_until(&mut harness, |stage| stage.desk.search().is_some_and(|search| search.trials.len() > 1));
    harness.get_by_label_contains("Search: trial");
    draw_until(&mut harness, |stage| !stage.desk.is_training());
    let desk = &harness.state().desk;
    let search = desk.search().unwrap().clone();
    let best = search.best.clone().unwrap();
    assert_eq!((search.trials.len(), desk.runs().len(), search.is_going_on), (4, 4, false));
    assert_eq!(desk.run_view().map(|view| (view.id.clone(), view.phase.clone())), Some((best.clone(), Phase::Finished)));
    assert!(search.trials.iter().any(|trial| trial.state == TrialState::Ended));
    assert_eq!(desk.runs().iter().find(|run| run.id == best).unwrap().status, RunStatus::Finished);
    harness.get_by_label_contains("has the best settings");
    harness.get_by_label("as given");
}

#[test]
fn a_search_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = Stage::<TrainPane>::with_reviews(40).harness(TrainPane::ui);
    let config = TrainConfig { encoder: small::choice(folder.path()), epochs: 200, patience: 0, ..tiny() };
    harness.state_mut().desk.run(Command::StartSearch { config: Box::new(config), trials: 9 });
    draw_until(&mut harness, |stage| stage.desk.run_view().is_some_and(|view| view.last_step.is_some()));
    harness.get_by_label("Cancel").click();
    draw_until(&mut harness, |stage| !stage.desk.is_training());
    let desk = &harness.state().desk;
    assert!(desk.search().is_some_and(|search| search.best.is_none() && !search.is_going_on));
    assert!(desk.runs().iter().all(|run| run.report.is_none() || run.status == RunStatus::Finished));
    harness.get_by_label("Search ended before its time");
}
