//! Vocabularies learnt from a project's texts: what is a token, which are kept, and that every token leads back to its
//! place in the text.

use gloss::project::TextRange;
use gloss::text::{Tokenizer, Vocabulary, VocabularyUnit, normalised_word, tags_of_spans, word_joins};
use proptest::prelude::*;

const ZH: &str = "房间很干净，服务态度很好！";

fn learn(texts: &[&str], unit: VocabularyUnit, most: usize, least: usize) -> Vocabulary {
    Vocabulary::learn(texts.iter().copied(), unit, most, least)
}

fn tokenizer(texts: &[&str], unit: VocabularyUnit) -> Tokenizer {
    Tokenizer::from_bytes(&learn(texts, unit, 1000, 1).to_json()).unwrap()
}

/// What stands under each token, and whether it is known.
fn read<'t>(tokenizer: &Tokenizer, text: &'t str) -> Vec<(&'t str, bool)> {
    let pieces = tokenizer.encode(text, 64).unwrap();
    pieces.ids.iter().zip(&pieces.ranges).map(|(id, range)| (&text[range.clone()], *id > 1)).collect()
}

#[test]
fn a_word_is_spelt_one_way() {
    for (word, wanted) in
        [("Hotel", "hotel"), ("ＷｉＦｉ", "wifi"), ("１０", "10"), ("！", "!"), ("很好", "很好"), ("ÉTÉ", "été"), ("😭", "😭"), ("", "")]
    {
        assert_eq!(normalised_word(word), wanted);
    }
}

#[test]
fn the_most_frequent_tokens_are_kept() {
    // b 4, a 3, the 2 and its letters; x once.
    let texts = ["b b b a a the", "B a x the"];
    let tokens = |most, least| learn(&texts, VocabularyUnit::Words, most, least).tokens()[2..].to_vec();
    assert_eq!(tokens(3, 1), ["b", "a", "e"], "of equally frequent ones the first in order; letters count inside words");
    assert_eq!(tokens(99, 2), ["b", "a", "e", "h", "t", "the"]);
    assert!(tokens(99, 1).contains(&"x".to_owned()));
    let none = learn(&texts, VocabularyUnit::Words, 99, 9);
    assert!(none.is_empty() && none.len() == 2);
    let taken = learn(&["[UNK] [PAD] 好"], VocabularyUnit::Characters, 99, 1);
    assert_eq!(taken.tokens()[..2], ["[PAD]", "[UNK]"], "typed into a review they are signs and words");
    assert_eq!(taken.tokens().iter().filter(|token| *token == "[UNK]").count(), 1);
}

#[test]
fn chinese_is_read_by_words_or_by_characters() {
    let words = tokenizer(&[ZH, "服务"], VocabularyUnit::Words);
    assert_eq!(read(&words, "服务很好！"), [("服务", true), ("很", true), ("好", true), ("！", true)]);
    let characters = tokenizer(&[ZH, "the staff"], VocabularyUnit::Characters);
    assert_eq!(read(&characters, "服务 Staff!"), [("服", true), ("务", true), ("Staff", true), ("!", true)]);
    assert_eq!(read(&characters, "ラ한"), [("ラ", false), ("한", false)]);
}

#[test]
fn what_is_not_known_is_said_so() {
    let words = tokenizer(&[ZH, "friendly staff"], VocabularyUnit::Words);
    // A Chinese word by its characters, any other as a whole.
    assert_eq!(read(&words, "净服"), [("净", true), ("服", true)]);
    assert_eq!(read(&words, "unfriendly 👨🏻‍🚒"), [("unfriendly", false), ("👨🏻‍🚒", false)]);
    for nothing in ["", "  \r\n"] {
        let pieces = words.encode(nothing, 8).unwrap();
        assert_eq!((pieces.ids.len(), pieces.ranges.len(), pieces.cut_at), (1, 1, None), "a network reads something");
        assert!(pieces.ranges[0].is_empty());
    }
    assert_eq!(words.char_id("😀"), 1);
    assert_eq!(words.char_id("！"), words.char_id("!"));
    assert!(words.char_id("净") > 1 && words.hidden_id() == 1);
}

#[test]
fn reading_ends_at_the_limit() {
    let text = "房间 ".repeat(5000);
    let words = tokenizer(&["房间"], VocabularyUnit::Words);
    let pieces = words.encode(&text, 20).unwrap();
    assert_eq!((pieces.ids.len(), pieces.cut_at), (20, Some(20 * "房间 ".len())));
    assert!(words.encode(&text, 0).is_err());
}

#[test]
fn a_vocabulary_comes_back_from_its_file() {
    for unit in [VocabularyUnit::Words, VocabularyUnit::Characters] {
        let vocabulary = learn(&[ZH, "the staff, \"quoted\"\u{1f62d}"], unit, 99, 1);
        let again = Tokenizer::from_bytes(&vocabulary.to_json()).unwrap();
        assert_eq!(again.vocab_size(), vocabulary.len());
        for (id, token) in vocabulary.words() {
            assert_eq!(vocabulary.id(token), Some(id), "{token}");
        }
    }
    let refused = |json: &str| Tokenizer::from_bytes(json.as_bytes()).err().unwrap().to_string();
    assert!(refused(r#"{"gloss_vocabulary":2}"#).contains("version 2"));
    assert!(refused(r#"{"gloss_vocabulary":1,"unit":"words","tokens":["a"]}"#).contains("[PAD]"));
    assert!(refused(r#"{"gloss_vocabulary":1,"unit":"words","tokens":["[PAD]","[UNK]","a","a"]}"#).contains("twice"));
    assert!(refused(r#"{"gloss_vocabulary":1,"unit":"lines","tokens":[]}"#).contains("lines"));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Every visible character is a unit under the token that holds it, so that spans are learnt where they are.
    #[test]
    fn units_lie_under_their_tokens(text in "([a-zA-Z的房间很好,。！ \n👍é]|[\u{300}-\u{303}]|👨🏻‍🚒){0,60}", characters in any::<bool>()) {
        let unit = if characters { VocabularyUnit::Characters } else { VocabularyUnit::Words };
        let tokenizer = tokenizer(&[ZH, "good staff"], unit);
        let reading = tokenizer.read(&text, 512, true).unwrap();
        let ranges = &reading.pieces.ranges;
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{ranges:?}");
        for unit in &reading.units {
            let piece = &ranges[unit.piece as usize];
            prop_assert!(piece.start <= unit.range.start() && unit.range.end() <= piece.end, "{unit:?} in {piece:?}");
        }
        let covered: usize = reading.units.iter().map(|unit| unit.range.end() - unit.range.start()).sum();
        let visible: usize = unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true)
            .filter(|one| !one.chars().all(char::is_whitespace)).map(str::len).sum();
        prop_assert_eq!(covered, visible);
        prop_assert_eq!(word_joins(&text, &reading.units).len(), reading.units.len());
    }
}

#[test]
fn spans_are_learnt_where_they_are() {
    let text = "房间很干净, very friendly staff!";
    let words = tokenizer(&[text], VocabularyUnit::Words);
    let reading = words.read(text, 64, true).unwrap();
    let span = |part: &str| {
        let start = text.find(part).unwrap();
        TextRange::new(text, start..start + part.len()).unwrap()
    };
    // The second begins inside a word.
    let tagged = tags_of_spans(&reading.units, &[(span("房间"), 0), (span("净"), 1), (span("friendly staff"), 1)], None);
    assert_eq!((tagged.left_out.overlapping, tagged.left_out.reshaped), (0, 0));
    assert_eq!(gloss::text::spans_of_tags(&tagged.tags).len(), 3);
}
