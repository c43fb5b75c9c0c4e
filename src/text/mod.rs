//! Text as the model and the marker see it: pieces of the encoder, words, tagging units, BIO tags.
//! Knows no network, no label names and no screen; every place it speaks of is a byte range of the original text.

mod bio;
mod strip;
mod tokenizer;
mod units;
mod words;

pub use bio::{BioTags, DecodedSpan, LeftOut, decode_spans, spans_of_tags, tag_count, tags_of_spans, units_under, viterbi, word_joins};
pub use strip::{PieceTag, piece_tags};
pub use tokenizer::{Pieces, TextError, Tokenizer};
pub use units::{Reading, UNIT_OFFSETS, Unit, is_cjk};
pub use words::{load_dictionary, next_character, next_word_end, previous_character, previous_word_start, word_at, words};
