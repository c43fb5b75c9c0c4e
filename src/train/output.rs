//! A trained model as files: of an encoder in Hugging Face layout, of a network without pretraining in the same layout but
//! a form of our own.

use super::TrainError;
use super::task::Task;
use crate::nn::{Calibration, JointModel, ModelFiles, Network, PIECE_TAGS, Params, QuestionForm, Weights};
use crate::text::tag_names;
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
    // One head can be transformers' own: that of the class, or else that of the pieces' tags.
    let tags_alone = task.classes.is_empty() && task.of_pieces && is_encoder;
    if tags_alone {
        config["architectures"] = json!(["BertForTokenClassification"]);
        name_outputs(&mut config, &tag_names(task.labels));
    } else if task.classes.is_empty() {
        if is_encoder {
            config["architectures"] = json!(["BertModel"]);
        }
    } else {
        name_outputs(&mut config, task.classes);
    }
    config["gloss"] = json!({
        "version": 1,
        "classes": task.classes,
        "span_labels": task.labels,
        "max_length": task.max_length,
        "turns_before": task.turns_before,
        "tags_of_pieces": task.of_pieces,
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
    let [ours, theirs] = PIECE_TAGS;
    let named = |name: &str| if tags_alone { name.replace(ours, theirs) } else { name.to_owned() };
    let weights = params.to_safetensors_as(named).map_err(TrainError::compute)?;
    Ok(ModelFiles {
        config: serde_json::to_string_pretty(&config).map_err(TrainError::compute)?,
        tokenizer: encoder.tokenizer.clone(),
        weights: Weights::Safetensors(Arc::from(weights)),
        others: Vec::new(),
    })
}

/// The names of a head's outputs, as transformers has them.
fn name_outputs(config: &mut Value, names: &[String]) {
    let by_id = names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name)));
    let by_name = names.iter().enumerate().map(|(id, name)| (name.clone(), json!(id)));
    config["id2label"] = Value::Object(by_id.collect::<Map<_, _>>());
    config["label2id"] = Value::Object(by_name.collect::<Map<_, _>>());
}
