//! A model as the bytes of its files, in Hugging Face layout. Reading and writing folders is the store's work.

use std::sync::Arc;

/// The weights file.
#[derive(Clone)]
pub enum Weights {
    /// `model.safetensors`
    Safetensors(Arc<[u8]>),
    /// `encoder.gguf`, as shipped in the program.
    Gguf(&'static [u8]),
}

/// The files of a model folder.
#[derive(Clone)]
pub struct ModelFiles {
    /// `config.json`. A model trained here has its own facts under the key `gloss`.
    pub config: String,
    /// `tokenizer.json`.
    pub tokenizer: Arc<[u8]>,
    pub weights: Weights,
    /// Further models that answer together with this one, as a mean: of an ensemble.
    pub others: Vec<ModelFiles>,
}

impl ModelFiles {
    /// The encoder compiled into the program.
    pub fn shipped() -> Self {
        Self {
            config: include_str!("../../assets/encoder/config.json").to_owned(),
            tokenizer: Arc::from(&include_bytes!("../../assets/encoder/tokenizer.json")[..]),
            weights: Weights::Gguf(include_bytes!("../../assets/encoder/encoder.gguf")),
            others: Vec::new(),
        }
    }
}
