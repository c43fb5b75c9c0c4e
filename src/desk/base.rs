//! What a run begins from: a pretrained encoder, or a vocabulary of the project's own words with the vectors of a file.

use crate::nn::ModelFiles;
use crate::store::{StoreError, model_folder, word_vectors};
use crate::text::normalised_word;
use crate::train::{EncoderChoice, ModelChoice, TrainConfig, TrainData, TrainError, learn_vocabulary, scratch_files};

/// Why there is nothing to begin from.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error("the teacher {teacher} can't be used: {what}")]
    Teacher { teacher: String, what: String },
}

/// The encoder a configuration names, from the program or from its folder.
///
/// # Errors
/// When the folder can't be read.
pub fn encoder_files(choice: &EncoderChoice) -> Result<ModelFiles, StoreError> {
    match choice {
        EncoderChoice::Shipped => Ok(ModelFiles::shipped()),
        EncoderChoice::Folder(folder) => model_folder::read(folder),
    }
}

/// What a run with these settings begins from, for [`crate::train::fit`].
///
/// # Errors
/// When a folder or a file of word vectors can't be read, or the training texts have no words.
pub fn base_files(config: &TrainConfig, data: &TrainData) -> Result<ModelFiles, BaseError> {
    if config.model == ModelChoice::Encoder {
        return Ok(encoder_files(&config.encoder)?);
    }
    let vocabulary = learn_vocabulary(data, config)?;
    let wanted = |word: &str| vocabulary.id(word).map(|_| normalised_word(word).into_owned());
    let vectors = config.word_vectors.as_deref().map(|path| word_vectors::read(path, &wanted)).transpose()?;
    Ok(scratch_files(config, &vocabulary, vectors.as_ref())?)
}
