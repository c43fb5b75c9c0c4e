//! What a run starts from: its documents by the settings, and the model it goes on from. Shared by the window and the
//! command line; reads runs and model folders, changes nothing.

use super::{BaseError, base_files};
use crate::nn::ModelFiles;
use crate::project::Project;
use crate::store::{Runs, StoreError, wordings};
use crate::train::{TrainConfig, TrainData};
use serde_json::Value;

/// The documents that a run learns from and is judged by, with the files that the settings name. What a teacher says of them
/// is asked later: see [`super::ask_models`].
///
/// # Errors
/// The run to go on from is not there, or a file can't be read.
pub fn training_data(project: &Project, runs: &Runs, config: &TrainConfig) -> Result<TrainData, StoreError> {
    let mut data = TrainData::of(project, config.dealing_seed(), config.dev_share);
    data.join_conversations(project, config.turns_before, (config.dealing_seed(), config.dev_share));
    if config.folds > 1 {
        data.deal_folds(config.fold, config.folds, config.dealing_seed());
    }
    if !config.continue_from.is_empty() {
        data.rehearse(&runs.learnt_from(&config.continue_from)?, config.replay, config.seed);
    }
    if let Some(path) = &config.synonyms {
        data.synonyms = wordings::synonyms(path)?;
    }
    if let Some(path) = &config.paraphrases {
        let count = data.add_wordings(&wordings::paraphrases(path)?);
        data.notes.push(format!("documents more in wordings of {}: {count}", path.display()));
    }
    if !config.teacher.is_empty() {
        data.find_unlabelled(project, config.dealing_seed(), config.dev_share);
    }
    Ok(data)
}

/// The model that a run starts with: that of an earlier run, or what [`base_files`] gives.
///
/// # Errors
/// When it can't be read, or the earlier run answers other things than the project asks now.
pub fn starting_model(runs: &Runs, config: &TrainConfig, data: &TrainData) -> Result<ModelFiles, BaseError> {
    if config.continue_from.is_empty() {
        return base_files(config, data);
    }
    let files = runs.model(&config.continue_from)?;
    if !files.others.is_empty() {
        let what = "it is several models that answer together; name one of its runs, or make it the teacher".to_owned();
        return Err(StoreError::Run { what, path: runs.folder().join(&config.continue_from) }.into());
    }
    // Heads are read by their shapes: labels in another order would be taken for each other without a word.
    let about: Value = serde_json::from_str(&files.config).unwrap_or_default();
    for (key, now) in [("classes", &data.classes), ("span_labels", &data.span_labels)] {
        let names = |list: &Vec<Value>| list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>();
        let then = about["gloss"][key].as_array().map(names).unwrap_or_default();
        if !then.is_empty() && !now.is_empty() && then != *now {
            let what = format!("it answers {}, the project now has {}: train from the encoder instead", then.join(", "), now.join(", "));
            return Err(StoreError::Run { what, path: runs.folder().join(&config.continue_from) }.into());
        }
    }
    Ok(files)
}
