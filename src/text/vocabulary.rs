//! A vocabulary learnt from a project's texts, for networks without pretraining: words, or characters where a script
//! writes no spaces. Kept as `tokenizer.json` in a form of our own, since no reader of that file segments Chinese.

use super::words::segments;
use super::{TextError, is_cjk};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// What is one token of a vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VocabularyUnit {
    /// Words, Chinese ones as the segmenter finds them. A Chinese word that is not known is read by its characters.
    #[default]
    Words,
    /// A Chinese, Japanese or Korean character each; words elsewhere.
    Characters,
}

/// Padding, which no text is read as, and what is not known: the first two tokens.
const SPECIAL: [&str; 2] = ["[PAD]", "[UNK]"];
const UNKNOWN: u32 = 1;

/// Tokens and their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    unit: VocabularyUnit,
    tokens: Vec<String>,
    ids: HashMap<String, u32>,
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    gloss_vocabulary: u32,
    unit: VocabularyUnit,
    tokens: Vec<String>,
}

/// A word as vocabularies spell it: lower case, full-width Latin letters, digits and signs as their usual ones.
pub fn normalised_word(word: &str) -> Cow<'_, str> {
    if word.chars().all(|c| c.is_ascii() && !c.is_ascii_uppercase() || is_cjk(c)) {
        return Cow::Borrowed(word);
    }
    let usual = |c: char| if matches!(c, '\u{ff01}'..='\u{ff5e}') { char::from_u32(c as u32 - 0xfee0).unwrap_or(c) } else { c };
    Cow::Owned(word.chars().flat_map(|c| usual(c).to_lowercase()).collect())
}

impl Vocabulary {
    /// The most frequent tokens of these texts: those that stand in them `least` times or more, `most` at most. A single
    /// character is counted wherever it stands, inside words too. Of equally frequent ones the first in code point order.
    pub fn learn<'t>(texts: impl Iterator<Item = &'t str>, unit: VocabularyUnit, most: usize, least: usize) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = |token: &str| match counts.get_mut(token) {
            Some(count) => *count += 1,
            None => {
                counts.insert(token.to_owned(), 1);
            }
        };
        for text in texts {
            for range in pieces(text, unit) {
                let word = normalised_word(&text[range]);
                let mut graphemes = word.graphemes(true);
                if graphemes.next().is_some() && graphemes.next().is_some() {
                    count(&word);
                }
                word.graphemes(true).for_each(&mut count);
            }
        }
        let mut ranked: Vec<(String, usize)> = counts.into_iter().filter(|(_, count)| *count >= least).collect();
        // Stable: ties stay in the order of the map.
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let learnt = ranked.into_iter().map(|(token, _)| token).filter(|token| !SPECIAL.contains(&token.as_str())).take(most);
        Self::of(unit, SPECIAL.iter().map(ToString::to_string).chain(learnt).collect())
    }

    fn of(unit: VocabularyUnit, tokens: Vec<String>) -> Self {
        let ids = (0u32..).zip(&tokens).map(|(id, token)| (token.clone(), id)).collect();
        Self { unit, tokens, ids }
    }

    /// How many tokens there are, the two special ones with them.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether nothing was learnt.
    pub fn is_empty(&self) -> bool {
        self.tokens.len() <= SPECIAL.len()
    }

    /// The tokens in the order of their ids; the first two stand for padding and for what is not known.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The learnt tokens with their ids.
    pub fn words(&self) -> impl Iterator<Item = (u32, &str)> {
        (0u32..).zip(&self.tokens).skip(SPECIAL.len()).map(|(id, token)| (id, token.as_str()))
    }

    /// The id of a token however it is spelt; `None` when it is not known.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(normalised_word(token).as_ref()).copied().filter(|id| *id as usize >= SPECIAL.len())
    }

    pub(super) fn unknown_id(&self) -> u32 {
        UNKNOWN
    }

    /// A text as ids and their places. A Chinese word that is not known is read by its characters.
    pub(super) fn split(&self, text: &str) -> Vec<(u32, Range<usize>)> {
        let mut found = Vec::new();
        for range in pieces(text, self.unit) {
            let word = &text[range.clone()];
            match self.id(word) {
                Some(id) => found.push((id, range)),
                None if word.starts_with(is_cjk) => {
                    let characters = word.grapheme_indices(true);
                    found.extend(characters.map(|(at, one)| {
                        let start = range.start + at;
                        (self.id(one).unwrap_or(UNKNOWN), start..start + one.len())
                    }));
                }
                None => found.push((UNKNOWN, range)),
            }
        }
        found
    }

    /// As `tokenizer.json`.
    pub fn to_json(&self) -> Vec<u8> {
        let stored = Stored { gloss_vocabulary: 1, unit: self.unit, tokens: self.tokens.clone() };
        // Strings and numbers always have a JSON form.
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    /// Reads `tokenizer.json`; `None` when it is that of an encoder.
    ///
    /// # Errors
    /// A vocabulary that a newer version made, or that is damaged.
    pub(super) fn from_json(json: &[u8]) -> Result<Option<Self>, TextError> {
        #[derive(Deserialize)]
        struct Kind {
            gloss_vocabulary: Option<u32>,
        }
        match serde_json::from_slice::<Kind>(json).ok().and_then(|kind| kind.gloss_vocabulary) {
            None => return Ok(None),
            Some(1) => {}
            Some(version) => return Err(TextError::Unreadable(format!("its vocabulary has version {version}, this Gloss knows 1"))),
        }
        let Stored { unit, tokens, .. } = serde_json::from_slice(json).map_err(|error| TextError::Unreadable(error.to_string()))?;
        let read = Self::of(unit, tokens);
        if read.ids.len() != read.tokens.len() || !read.tokens.iter().zip(SPECIAL).all(|(token, special)| token == special) {
            return Err(TextError::Unreadable("its vocabulary does not begin with [PAD] and [UNK], or has a token twice".to_owned()));
        }
        Ok(Some(read))
    }
}

/// What a text falls into before the vocabulary is looked at: words and signs without the white space between them.
fn pieces(text: &str, unit: VocabularyUnit) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for range in segments(text, 0..text.len(), unit == VocabularyUnit::Words) {
        let segment = &text[range.clone()];
        if segment.trim().is_empty() {
            continue;
        }
        if unit == VocabularyUnit::Characters && segment.starts_with(is_cjk) {
            found.extend(segment.grapheme_indices(true).map(|(at, one)| range.start + at..range.start + at + one.len()));
        } else {
            match found.last_mut() {
                // The segmenter of Chinese knows no marks that combine with the character before.
                Some(last) if last.end == range.start && !begins_grapheme(text, range.start) => last.end = range.end,
                _ => found.push(range),
            }
        }
    }
    found
}

fn begins_grapheme(text: &str, byte: usize) -> bool {
    GraphemeCursor::new(byte, text.len(), true).is_boundary(text, 0).unwrap_or(true)
}
