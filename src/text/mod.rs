//! Text as the model and the marker see it: pieces of the encoder, words of a learnt vocabulary, words, tagging units, BIO tags, candidate spans.
//! Knows no network, no label names and no screen; every place it speaks of is a byte range of the original text.

mod bio;
mod candidates;
mod strip;
mod tokenizer;
mod units;
mod vocabulary;
mod words;

pub use bio::{
    BioTags, DecodedSpan, LeftOut, decode_spans, may_follow, moves, spans_of_tags, tag_count, tag_names, tags_of_spans, units_under,
    viterbi, weighted, word_joins,
};
pub use candidates::{Candidate, candidates, judged_or_tagged, likely_spans, words_in};
pub use strip::{PieceTag, piece_tags};
pub use tokenizer::{Pieces, TextError, Tokenizer};
pub use units::{Reading, UNIT_OFFSETS, Unit, is_cjk};
pub use vocabulary::{Vocabulary, VocabularyUnit, normalised_word};
pub use words::{load_dictionary, next_character, next_word_end, previous_character, previous_word_start, word_at, words};
