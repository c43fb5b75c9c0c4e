//! A trained model as files: of an encoder in Hugging Face layout, of a network without pretraining in the same layout but
//! a form of our own.

use super::TrainError;
use super::task::Task;
use crate::nn::{Calibration, JointModel, ModelFiles, Network, Params, QuestionForm, Weights};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Keys of the encoder's own configuration that go over as they are.
const KEPT: [&str; 3] = ["bos_token_id", "eos_token_id", "initializer_range"];

/// The current weights with everything needed to predict.
pub(super) fn model_files(
    task: &Task,
    (model, params): (&JointModel, &Params),
    encoder: &ModelFiles,
    calibration: Calibration,
    questions: &[QuestionForm],
) -> Result<ModelFiles, TrainError> {
    let mut config = model.network().to_json().map_err(TrainError::compute)?;
    let is_encoder = matches!(model.network(), Network::Encoder(_));
    let original: Value = serde_json::from_str(&encoder.config).map_err(TrainError::encoder)?;
    for key in KEPT.iter().filter(|_| is_encoder) {
        if let Some(value) = original.get(key) {
            config[*key] = value.clone();
        }
    }
    if task.classes.is_empty() {
        if is_encoder {
            config["architectures"] = json!(["BertModel"]);
        }
    } else {
        let by_id = task.classes.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name)));
        let by_name = task.classes.iter().enumerate().map(|(id, name)| (name.clone(), json!(id)));
        config["id2label"] = Value::Object(by_id.collect::<Map<_, _>>());
        config["label2id"] = Value::Object(by_name.collect::<Map<_, _>>());
    }
    config["gloss"] = json!({
        "version": 1,
        "classes": task.classes,
        "span_labels": task.labels,
        "max_length": task.max_length,
        "turns_before": task.turns_before,
        "tag_transitions": model.chain().is_some(),
        "widest_span": task.widest,
        "questions": questions,
        "opinions": {
            "polarity": task.opinions.polarity,
            "context": task.opinions.context,
            "links": task.opinions.links,
            "link_polarity": task.opinions.link_polarity,
            "link_from": task.roles.opinions,
            "link_to": task.roles.aspects,
            "implicit": task.implicit,
            "attributes": task.attributes,
            "calibration": calibration,
        },
    });
    let weights = params.to_safetensors().map_err(TrainError::compute)?;
    Ok(ModelFiles {
        config: serde_json::to_string_pretty(&config).map_err(TrainError::compute)?,
        tokenizer: encoder.tokenizer.clone(),
        weights: Weights::Safetensors(Arc::from(weights)),
        others: Vec::new(),
    })
}
