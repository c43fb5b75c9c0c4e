//! What a `config.json` says of a model that transformers trained: whether it gives a class to a text or tags to its pieces,
//! and what it calls them.

use serde_json::Value;

/// What the head of a model of transformers answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransformersHead {
    /// `…ForSequenceClassification`
    Texts,
    /// `…ForTokenClassification`
    Tokens,
}

/// The function between the two layers of a family's class head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bend {
    /// BERT and RoBERTa.
    #[default]
    Tanh,
    /// DistilBERT.
    Relu,
    /// ELECTRA.
    Gelu,
}

impl TransformersHead {
    /// The head that a configuration names first; `None` where it names none of these.
    pub fn of(config: &str) -> Option<Self> {
        let config: Value = serde_json::from_str(config).ok()?;
        let name = config["architectures"][0].as_str()?;
        match name {
            _ if name.ends_with("ForSequenceClassification") => Some(Self::Texts),
            _ if name.ends_with("ForTokenClassification") => Some(Self::Tokens),
            _ => None,
        }
    }

    /// The names of its outputs in their order.
    ///
    /// # Errors
    /// A sentence about what is missing.
    pub fn labels(config: &str) -> Result<Vec<String>, String> {
        let config: Value = serde_json::from_str(config).map_err(|error| error.to_string())?;
        let Some(by_id) = config["id2label"].as_object() else {
            // transformers leaves the names out where they are its own.
            return Ok((0..config["num_labels"].as_u64().unwrap_or(2)).map(|id| format!("LABEL_{id}")).collect());
        };
        let name = |id: usize| by_id.get(&id.to_string()).and_then(Value::as_str).map(str::to_owned);
        (0..by_id.len()).map(|id| name(id).ok_or_else(|| format!("id2label has no name for {id}"))).collect()
    }

    /// Whether the labels of a text are told each by itself, or stand for a number: then they are no classes.
    pub fn is_no_choice(config: &str) -> bool {
        let config: Value = serde_json::from_str(config).unwrap_or_default();
        matches!(config["problem_type"].as_str(), Some("multi_label_classification" | "regression"))
    }
}

impl Bend {
    /// That of the family of a configuration.
    pub fn of(config: &str) -> Self {
        let config: Value = serde_json::from_str(config).unwrap_or_default();
        match config["model_type"].as_str() {
            Some("distilbert") => Self::Relu,
            Some("electra") => Self::Gelu,
            _ => Self::Tanh,
        }
    }
}
