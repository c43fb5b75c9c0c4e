//! What `config.json` says about an encoder of the BERT family.

use super::LoadError;
use serde_json::{Value, json};

/// The function between the two feed-forward layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// GELU by the error function.
    Gelu,
    /// GELU by the hyperbolic tangent.
    GeluTanh,
    Relu,
}

/// Sizes of an encoder. `num_hidden_layers` counts the layers in use.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderConfig {
    /// bert, roberta, xlm-roberta, distilbert or electra.
    pub model_type: String,
    pub hidden_size: usize,
    /// Width of the embeddings: the hidden size but for small electra models, which project them.
    pub embedding_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    /// Positions that can be used (the rows before `position_offset` are not counted).
    pub max_position_embeddings: usize,
    /// Row of the position table that the first token takes: the padding id + 1 for roberta, else 0.
    pub position_offset: usize,
    pub layer_norm_eps: f64,
    pub vocab_size: usize,
    /// 0 when there are no token types.
    pub type_vocab_size: usize,
    pub pad_token_id: u32,
    pub hidden_act: Activation,
}

impl EncoderConfig {
    /// # Errors
    /// Text that is not JSON, a family, activation or kind of position that is not supported, or a missing size.
    pub fn parse(config: &str) -> Result<Self, LoadError> {
        let bad = LoadError::Config;
        let value: Value = serde_json::from_str(config).map_err(|error| bad(format!("it is not JSON: {error}")))?;
        let model_type = value["model_type"].as_str().unwrap_or("bert").to_owned();
        let size = |names: &[&str]| {
            let found = names.iter().find_map(|name| value[*name].as_u64());
            found.map(|size| size as usize).filter(|size| *size > 0).ok_or_else(|| bad(format!("{} is missing", names[0])))
        };
        if !matches!(model_type.as_str(), "bert" | "roberta" | "xlm-roberta" | "distilbert" | "electra") {
            return Err(bad(format!("model type {model_type:?} is not one of bert, roberta, xlm-roberta, distilbert, electra")));
        }
        if let Some(kind) = value["position_embedding_type"].as_str().filter(|kind| *kind != "absolute") {
            return Err(bad(format!("positions of type {kind:?} are not supported")));
        }
        let hidden_act = match value["hidden_act"].as_str().or(value["activation"].as_str()).unwrap_or("gelu") {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => return Err(bad(format!("activation {other:?} is not supported"))),
        };
        let pad_token_id = value["pad_token_id"].as_u64().unwrap_or(0) as u32;
        let position_offset = if model_type.contains("roberta") { pad_token_id as usize + 1 } else { 0 };
        let hidden_size = size(&["hidden_size", "dim"])?;
        let read = Self {
            hidden_size,
            embedding_size: value["embedding_size"].as_u64().map_or(hidden_size, |size| size as usize),
            num_hidden_layers: size(&["num_hidden_layers", "n_layers"])?,
            num_attention_heads: size(&["num_attention_heads", "n_heads"])?,
            intermediate_size: size(&["intermediate_size", "hidden_dim"])?,
            max_position_embeddings: size(&["max_position_embeddings"])?.saturating_sub(position_offset),
            position_offset,
            layer_norm_eps: value["layer_norm_eps"].as_f64().unwrap_or(1e-12),
            vocab_size: size(&["vocab_size"])?,
            type_vocab_size: if model_type == "distilbert" { 0 } else { value["type_vocab_size"].as_u64().unwrap_or(2) as usize },
            pad_token_id,
            hidden_act,
            model_type,
        };
        if !read.hidden_size.is_multiple_of(read.num_attention_heads) {
            return Err(bad(format!("{} heads do not divide the hidden size {}", read.num_attention_heads, read.hidden_size)));
        }
        if read.max_position_embeddings == 0 {
            return Err(bad("there is no position".to_owned()));
        }
        Ok(read)
    }

    /// The configuration under which [`Params::to_safetensors`](super::Params::to_safetensors) of this encoder is
    /// transformers' `BertForSequenceClassification`: whatever the family, parameters are held in BERT's layout.
    /// The caller adds `id2label`, `label2id` and the key `gloss`.
    pub fn to_bert_json(&self) -> Value {
        let hidden_act = match self.hidden_act {
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_new",
            Activation::Relu => "relu",
        };
        let mut value = json!({
            "architectures": ["BertForSequenceClassification"],
            "model_type": "bert",
            "hidden_size": self.hidden_size,
            "num_hidden_layers": self.num_hidden_layers,
            "num_attention_heads": self.num_attention_heads,
            "intermediate_size": self.intermediate_size,
            "max_position_embeddings": self.max_position_embeddings,
            "layer_norm_eps": self.layer_norm_eps,
            "vocab_size": self.vocab_size,
            "type_vocab_size": self.type_vocab_size.max(1),
            "pad_token_id": self.pad_token_id,
            "hidden_act": hidden_act,
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "position_embedding_type": "absolute",
        });
        if self.embedding_size != self.hidden_size {
            value["embedding_size"] = json!(self.embedding_size);
        }
        value
    }
}
