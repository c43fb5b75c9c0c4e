//! Settings of networks without pretraining: their vocabulary, word vectors and sizes. Shown where such a network is chosen.

use super::row::{Row, choice, count, file, pick, switch};
use crate::train::{ModelChoice, Pooling, TrainConfig, VocabularyUnit};

/// A network without pretraining.
fn is_scratch(config: &TrainConfig) -> bool {
    config.model != ModelChoice::Encoder
}

fn is_cnn(config: &TrainConfig) -> bool {
    config.model == ModelChoice::Cnn
}

fn is_recurrent(config: &TrainConfig) -> bool {
    is_scratch(config) && !is_cnn(config)
}

/// Always in sight.
pub(super) const MAIN: &[Row] = &[
    choice(
        "Read by",
        "Words: Chinese ones as a dictionary finds them. Characters: a Chinese character each; other scripts by word all the same.",
        &[
            pick!("Words", "Words, Chinese ones as a dictionary finds them", vocabulary = VocabularyUnit::Words),
            pick!("Characters", "A Chinese character each: better with few reviews, slower", vocabulary = VocabularyUnit::Characters),
        ],
    )
    .when(is_scratch),
    file(
        "Word vectors",
        "Vectors learnt from a large corpus to begin from: text of word2vec or GloVe, or word2vec binary (.bin). They help most with few reviews.",
        "word_vectors",
        |config| &mut config.word_vectors,
    )
    .when(is_scratch),
];

pub(super) const ROWS: &[Row] = &[
    count("Largest vocabulary", "At most so many words are known, the most frequent ones", (100, 1_000_000), |config| {
        &mut config.vocabulary_size
    })
    .when(is_scratch),
    count("Rarest word", "A word must stand in the training reviews at least so often to be known", (1, 100), |config| {
        &mut config.vocabulary_min_count
    })
    .when(is_scratch),
    count("Size of word vectors", "Numbers that stand for each word", (8, 1024), |config| &mut config.embedding_size)
        .when(|config| is_scratch(config) && config.word_vectors.is_none()),
    count("Size of the states", "Numbers that the network remembers in each direction", (8, 1024), |config| &mut config.hidden_size)
        .when(is_recurrent),
    count("Filters", "Patterns that are looked for, of each width", (8, 1024), |config| &mut config.hidden_size).when(is_cnn),
    choice(
        "Widths of filters",
        "How many words in a row a pattern may hold",
        &[
            pick!("3, 4, 5", "Three, four and five words", kernel_sizes = [3, 4, 5].to_vec()),
            pick!("2, 3, 4", "Shorter patterns, for short reviews", kernel_sizes = [2, 3, 4].to_vec()),
            pick!("2, 3, 4, 5", "Four widths", kernel_sizes = [2, 3, 4, 5].to_vec()),
            pick!("1, 3, 5, 7", "Wider patterns, for spans and for characters", kernel_sizes = [1, 3, 5, 7].to_vec()),
        ],
    )
    .when(is_cnn),
    count("Network layers", "Layers above each other. More than two seldom pay.", (1, 8), |config| &mut config.network_layers)
        .when(is_scratch),
    switch("Both directions", "Reads each review from its end too, so that every word knows what follows it", |config| {
        &mut config.bidirectional
    })
    .when(is_recurrent),
    choice(
        "Summed up by",
        "How the states of all words become one vector that the class is read from",
        &[
            pick!("Attention", "A mean with learnt weights: words that matter count for more", pooling = Pooling::Attention),
            pick!("Largest", "The largest value of each number, wherever it stands", pooling = Pooling::Max),
            pick!("Mean", "The mean over all words", pooling = Pooling::Mean),
            pick!("Last", "The state behind the last word", pooling = Pooling::Last),
        ],
    )
    .when(is_scratch),
];
