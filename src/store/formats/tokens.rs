//! Words without their text: joined again, with their places. Chinese is joined without spaces.

use std::ops::Range;

/// Whether a character is written without spaces around: Chinese, kana, and their punctuation.
pub(in crate::store) fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{312f}' | '\u{3190}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

/// The text of words, a space between two unless one of them is Chinese at that side, and the place of each word.
pub(in crate::store) fn join(words: &[&str]) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut places = Vec::with_capacity(words.len());
    for word in words {
        let touching = text.chars().next_back().is_none_or(is_wide) || word.chars().next().is_none_or(is_wide);
        if !touching {
            text.push(' ');
        }
        let start = text.len();
        text.push_str(word);
        places.push(start..text.len());
    }
    (text, places)
}

/// The places of words in a text they were taken from, in order. `None` where a word is not there.
pub(super) fn find(text: &str, words: &[&str]) -> Option<Vec<Range<usize>>> {
    let mut at = 0;
    let place = |word: &&str| {
        let start = at + text.get(at..)?.find(*word)?;
        at = start + word.len();
        Some(start..at)
    };
    words.iter().map(place).collect()
}

/// Runs of letters and digits, and every other sign by itself; without spaces.
pub(super) fn words_and_signs(text: &str) -> Vec<&str> {
    let of_word = |word: &str| {
        let mut ends: Vec<usize> = word
            .char_indices()
            .zip(word.chars().skip(1))
            .filter(|((_, one), other)| !(one.is_alphanumeric() && other.is_alphanumeric()))
            .map(|((at, one), _)| at + one.len_utf8())
            .collect();
        ends.push(word.len());
        ends
    };
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let mut start = 0;
        for end in of_word(word) {
            found.push(&word[start..end]);
            start = end;
        }
    }
    found
}
