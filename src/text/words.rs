//! Words for double-click and for moving by word: a segmenter for runs of Chinese characters, Unicode's rules
//! elsewhere. Looks only at the neighbourhood of a place, so a text of any size answers at once.

use crate::project::TextRange;
use std::ops::Range;
use std::sync::OnceLock;
use unicode_segmentation::UnicodeSegmentation;

/// So many bytes to either side are looked at.
const REACH: usize = 1024;

/// The dictionary takes a noticeable moment to load: once, at the first Chinese word.
fn jieba() -> &'static jieba_rs::Jieba {
    static JIEBA: OnceLock<jieba_rs::Jieba> = OnceLock::new();
    JIEBA.get_or_init(jieba_rs::Jieba::new)
}

/// Loads the dictionary ahead of the first Chinese word; for a thread that nobody waits for.
pub fn load_dictionary() {
    jieba();
}

/// A Chinese character.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3005}' | '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// The word at a byte offset; right after a word's last character counts as at it when nothing begins there.
/// `None` on spaces and punctuation, and beyond the text.
pub fn word_at(text: &str, byte: usize) -> Option<TextRange> {
    if byte > text.len() {
        return None;
    }
    let near = words_in(text, neighbourhood(text, byte));
    let inside = near.iter().find(|word| word.bytes().contains(&byte));
    inside.or_else(|| near.iter().find(|word| word.end() == byte && text[byte..].chars().next().is_none_or(char::is_whitespace))).copied()
}

/// All words of a text, in order.
pub fn words(text: &str) -> Vec<TextRange> {
    words_in(text, 0..text.len())
}

/// End of the word at or after `byte`, where Ctrl+Right goes; the text's end if there is no more word.
pub fn next_word_end(text: &str, byte: usize) -> usize {
    let mut at = text.floor_char_boundary(byte);
    while at < text.len() {
        let near = neighbourhood(text, at);
        if let Some(word) = words_in(text, near.clone()).into_iter().find(|word| word.end() > byte) {
            return word.end();
        }
        at = if near.end > at { near.end } else { text.ceil_char_boundary(at + 1) };
    }
    text.len()
}

/// Start of the word at or before `byte`, where Ctrl+Left goes; 0 if there is none.
pub fn previous_word_start(text: &str, byte: usize) -> usize {
    let mut at = text.floor_char_boundary(byte);
    while at > 0 {
        let near = neighbourhood(text, at);
        if let Some(word) = words_in(text, near.clone()).into_iter().rev().find(|word| word.start() < byte) {
            return word.start();
        }
        at = if near.start < at { near.start } else { text.floor_char_boundary(at - 1) };
    }
    0
}

/// Start of the character (grapheme) after `byte`; the text's end if there is none.
pub fn next_character(text: &str, byte: usize) -> usize {
    let byte = text.floor_char_boundary(byte);
    text[byte..].graphemes(true).next().map_or(text.len(), |one| byte + one.len())
}

/// Start of the character (grapheme) before `byte`; 0 if there is none.
pub fn previous_character(text: &str, byte: usize) -> usize {
    let byte = text.floor_char_boundary(byte);
    text[..byte].graphemes(true).next_back().map_or(0, |one| byte - one.len())
}

/// The line around a place, no more than [`REACH`] to either side.
fn neighbourhood(text: &str, byte: usize) -> Range<usize> {
    let byte = text.floor_char_boundary(byte);
    let low = text.floor_char_boundary(byte.saturating_sub(REACH));
    let high = text.ceil_char_boundary(byte.saturating_add(REACH).min(text.len()));
    let start = text[low..byte].rfind('\n').map_or(low, |at| low + at + 1);
    let end = text[byte..high].find('\n').map_or(high, |at| byte + at);
    start..end
}

fn words_in(text: &str, within: Range<usize>) -> Vec<TextRange> {
    let trimmed = |bytes| TextRange::new(text, bytes).and_then(|range| range.trimmed(text));
    segments(text, within, true).into_iter().filter_map(trimmed).collect()
}

/// Everything in a part of a text, in order and without gaps: words, signs, white space. Runs of Chinese characters are
/// cut into words, or left whole.
pub(super) fn segments(text: &str, within: Range<usize>, cut: bool) -> Vec<Range<usize>> {
    let slice = &text[within.clone()];
    let mut found = Vec::new();
    let mut run: Option<Range<usize>> = None;
    let segments = slice.split_word_bound_indices().map(|(at, segment)| (within.start + at, segment));
    for (at, segment) in segments.chain(std::iter::once((within.end, ""))) {
        if segment.chars().next().is_some_and(is_han) {
            let start = run.map_or(at, |run| run.start);
            run = Some(start..at + segment.len());
            continue;
        }
        let run = run.take();
        if let Some(run) = run.clone().filter(|_| cut) {
            let mut start = run.start;
            for token in jieba().cut(&text[run], true) {
                found.push(start..start + token.word.len());
                start += token.word.len();
            }
        } else if let Some(run) = run {
            found.push(run);
        }
        found.push(at..at + segment.len());
    }
    found
}
