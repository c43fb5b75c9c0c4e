//! Pieces, words, tagging units and BIO tags: every place must lead back to the original text.

use gloss::nn::ModelFiles;
use gloss::project::TextRange;
use gloss::text::{
    LeftOut, Tokenizer, UNIT_OFFSETS, decode_spans, next_word_end, previous_word_start, spans_of_tags, tags_of_spans, viterbi, word_at,
    word_joins, words,
};
use proptest::prelude::*;
use std::sync::OnceLock;
use unicode_segmentation::UnicodeSegmentation;

fn shipped() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::from_bytes(&ModelFiles::shipped().tokenizer).unwrap())
}

const TEXTS: [&str; 9] = [
    "房间很干净，服务态度也不错。",
    "The waiter was friendly, but the soup was cold.",
    "屏幕清晰！ＷｉＦｉ信号１０分……电池不行😭",
    "消防员👨🏻‍🚒来了，cafe\u{301} naïve ﬁne ㎡",
    "  leading spaces\r\n\r\nand a second line\t",
    "外卖送达时汤洒了,差评!!! still tasty tho",
    "\u{0}\u{200b}control\u{7f} characters\u{feff}",
    "ラーメンが美味しい。한국어 문장도 있어요",
    "<s> not special </s>",
];

// ---- pieces ----

#[test]
fn pieces_lie_under_their_text() {
    let text = "很好吃，very good!";
    let pieces = shipped().encode(text, 64).unwrap();
    assert_eq!(pieces.ids.len(), pieces.ranges.len());
    assert_eq!((pieces.ids[0], *pieces.ids.last().unwrap()), (0, 2));
    let under: Vec<&str> = pieces.ranges.iter().filter(|range| !range.is_empty()).map(|range| &text[range.clone()]).collect();
    assert_eq!(under.concat(), "很好吃，verygood!");
    assert_eq!(pieces.cut_at, None);
}

#[test]
fn a_special_piece_in_a_review_is_text() {
    let text = "a </s> b";
    let pieces = shipped().encode(text, 64).unwrap();
    assert_eq!(pieces.ranges.iter().map(|range| &text[range.clone()]).collect::<String>(), "a</s>b");
    assert!(pieces.ranges.last().unwrap().is_empty(), "the closing piece is the one we added");
}

#[test]
fn the_cut_is_reported_where_reading_ends() {
    let text = "好的房间 ".repeat(50);
    let whole = shipped().encode(&text, 512).unwrap();
    let cut = shipped().encode(&text, 20).unwrap();
    assert_eq!(cut.ids.len(), 20);
    assert_eq!(cut.ids[..19], whole.ids[..19]);
    assert_eq!(cut.ids[19], 2, "the closing piece stays");
    let at = cut.cut_at.unwrap();
    assert_eq!(cut.ranges.iter().map(|range| range.end).max().unwrap(), text[..at].trim_end().len());
    assert!(shipped().units(&text, &cut).iter().all(|unit| unit.range.end() <= at));
}

#[test]
fn texts_of_any_kind_and_size_are_read() {
    let long_chinese = "味道不错".repeat(90_000);
    let long_spaces = " ".repeat(1_000_000) + "好";
    let one_word = "a".repeat(1_000_000);
    for text in ["", " ", "\0", "😀", "\u{301}", "\r\n", &long_chinese, &long_spaces, &one_word] {
        let pieces = shipped().encode(text, 128).unwrap();
        assert!(pieces.ids.len() <= 128);
        let units = shipped().units(text, &pieces);
        assert!(units.iter().all(|unit| (unit.piece as usize) < pieces.ids.len()));
    }
    assert!(shipped().encode(&long_chinese, 128).unwrap().cut_at.is_some_and(|at| at < 3000));
    assert_eq!(shipped().encode(&long_spaces, 128).unwrap().cut_at, None);
}

#[test]
fn a_limit_without_room_and_a_broken_file_are_errors() {
    assert!(shipped().encode("好", 2).is_err());
    assert!(Tokenizer::from_bytes(b"{}").is_err());
}

// ---- units ----

#[test]
fn every_character_but_white_space_is_a_unit_under_its_piece() {
    for text in TEXTS {
        let pieces = shipped().encode(text, 256).unwrap();
        let units = shipped().units(text, &pieces);
        let wanted: Vec<&str> = text.graphemes(true).filter(|g| !g.chars().all(char::is_whitespace)).collect();
        assert_eq!(units.iter().map(|unit| unit.range.of(text)).collect::<Vec<_>>(), wanted, "{text:?}");
        for unit in &units {
            let piece = &pieces.ranges[unit.piece as usize];
            let outside = piece.end <= unit.range.start() || unit.range.end() <= piece.start;
            // Only what the normaliser dropped has no piece of its own.
            assert!(
                !outside || unit.range.of(text).chars().all(|c| c.is_control() || c == '\u{feff}' || c == '\u{200b}'),
                "{text:?} {unit:?}"
            );
            assert!(unit.offset < UNIT_OFFSETS as u32);
        }
    }
}

#[test]
fn a_word_weighs_as_much_as_a_chinese_character() {
    let text = "很好 wonderful";
    let pieces = shipped().encode(text, 64).unwrap();
    let units = shipped().units(text, &pieces);
    let chinese: Vec<f32> = units.iter().filter(|unit| unit.range.end() <= "很好".len()).map(|unit| unit.weight).collect();
    assert_eq!(chinese, [1.0, 1.0]);
    let latin: f32 = units.iter().filter(|unit| unit.range.start() > "很好".len()).map(|unit| unit.weight).sum();
    let latin_pieces = pieces.ranges.iter().filter(|range| range.start > "很好".len()).count();
    assert!((latin - latin_pieces as f32).abs() < 1e-5, "{latin} of {latin_pieces} pieces");
    assert_eq!(units.last().map(|unit| unit.offset > 0), Some(true));
}

#[test]
fn units_know_the_piece_of_their_character() {
    let text = "不错！";
    let units = shipped().units(text, &shipped().encode(text, 64).unwrap());
    let ids: Vec<u32> = units.iter().map(|unit| unit.char_id).collect();
    let alone = |c: &str| *shipped().encode(&format!("好{c}"), 64).unwrap().ids.iter().rev().nth(1).unwrap();
    assert_eq!(ids[2], alone("!"), "full width is read as half width");
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    assert!(!ids.contains(&3), "common characters are known: {ids:?}");
}

// ---- spans and tags ----

/// Spans of a text with its marks: `[..]` is label 0, `{..}` label 1.
fn marked(source: &str) -> (String, Vec<(TextRange, u16)>) {
    let (mut text, mut open, mut places) = (String::new(), Vec::new(), Vec::new());
    for c in source.chars() {
        match c {
            '[' | '{' => open.push(text.len()),
            ']' | '}' => places.push((open.pop().unwrap()..text.len(), u16::from(c == '}'))),
            c => text.push(c),
        }
    }
    let spans = places.into_iter().map(|(bytes, label)| (TextRange::new(&text, bytes).unwrap(), label)).collect();
    (text, spans)
}

fn round_trip(text: &str, spans: &[(TextRange, u16)]) -> (Vec<(TextRange, u16)>, LeftOut) {
    let pieces = shipped().encode(text, 256).unwrap();
    let units = shipped().units(text, &pieces);
    let tagged = tags_of_spans(&units, spans, pieces.cut_at);
    let sure = vec![1.0; units.len() * 5];
    let back = decode_spans(text, &units, &tagged.tags, &sure).iter().map(|span| (span.range, span.label)).collect();
    (back, tagged.left_out)
}

#[test]
fn spans_survive_the_tags() {
    for source in [
        "[房间]很{干净}，[服务态度]也{不错}。",
        "The [waiter] was {friendly}, but the [tomato soup] was {cold}.",
        "{好}[好]{好}",
        "[消防员👨🏻‍🚒]来了 {cafe\u{301}}",
        "第一行\r\n[第二行 with words]\r\n",
        "[ＷｉＦｉ]信号{１０分}……",
        "w[on]d{er}ful",
    ] {
        let (text, spans) = marked(source);
        let (back, left_out) = round_trip(&text, &spans);
        assert_eq!(back, spans, "{source}");
        assert_eq!(left_out, LeftOut::default(), "{source}");
    }
}

#[test]
fn what_tags_can_not_say_is_counted() {
    let check = |source: &str, wanted: LeftOut, kept: &[&str]| {
        let (text, spans) = marked(source);
        let (back, left_out) = round_trip(&text, &spans);
        assert_eq!(left_out, wanted, "{source}");
        assert_eq!(back.iter().map(|(range, _)| range.of(&text)).collect::<Vec<_>>(), kept, "{source}");
    };
    let none = LeftOut::default();
    check("[客房{服务}]很好", LeftOut { overlapping: 1, ..none }, &["客房服务"]);
    check("very{ good }food", LeftOut { reshaped: 1, ..none }, &["good"]);
    check("a{  }b", LeftOut { blank: 1, ..none }, &[]);
    check("[e]\u{301}tage", LeftOut { reshaped: 1, ..none }, &["e\u{301}"]);
    let (long, spans) = marked(&("好 ".repeat(300) + "[房间]"));
    assert_eq!(round_trip(&long, &spans), (vec![], LeftOut { beyond: 1, ..none }));
}

#[test]
fn of_two_overlapping_spans_the_longer_then_the_earlier_stays() {
    let text = "abcdef";
    let span = |start, end, label| (TextRange::new(text, start..end).unwrap(), label);
    assert_eq!(round_trip(text, &[span(0, 2, 0), span(1, 5, 1)]).0, [span(1, 5, 1)]);
    assert_eq!(round_trip(text, &[span(2, 4, 1), span(1, 3, 0)]).0, [span(1, 3, 0)]);
}

#[test]
fn tags_read_as_spans() {
    // O, B0, I0, B1, I1
    let check = |tags: &[u16], wanted: &[(std::ops::Range<usize>, u16)]| assert_eq!(spans_of_tags(tags), wanted, "{tags:?}");
    check(&[], &[]);
    check(&[0, 1, 2, 0], &[(1..3, 0)]);
    check(&[1, 1, 2], &[(0..1, 0), (1..3, 0)]);
    check(&[1, 4, 4], &[(0..1, 0), (1..3, 1)]);
    check(&[2, 2, 0, 3], &[(0..2, 0), (3..4, 1)]);
}

#[test]
fn viterbi_keeps_tags_well_formed() {
    let log = |rows: &[[f32; 5]]| rows.iter().flatten().map(|p| p.ln()).collect::<Vec<f32>>();
    let check = |rows: &[[f32; 5]], wanted: &[u16]| assert_eq!(viterbi(&log(rows), 5, &[], &[]), wanted);
    check(&[], &[]);
    // I alone is most likely, but nothing began: B is the better way to have it.
    check(&[[0.1, 0.3, 0.6, 0.0, 0.0], [0.1, 0.0, 0.9, 0.0, 0.0]], &[1, 2]);
    // I of the other label can't go on.
    check(&[[0.0, 0.9, 0.0, 0.1, 0.0], [0.1, 0.0, 0.4, 0.0, 0.5]], &[1, 2]);
    check(&[[0.9, 0.1, 0.0, 0.0, 0.0], [0.9, 0.1, 0.0, 0.0, 0.0]], &[0, 0]);
    assert_eq!(viterbi(&[f32::NAN; 10], 5, &[], &[]), [0, 0], "no panic and no tag on nonsense");
}

#[test]
fn words_of_letters_are_said_whole_and_chinese_ones_by_character() {
    let text = "was lovely，屏幕iPhone好 cafe\u{301} 5G";
    let reading = shipped().read(text, 64, true).unwrap();
    let joined: String = reading
        .units
        .iter()
        .zip(word_joins(text, &reading.units))
        .map(|(unit, joined)| if joined { "-".to_owned() } else { unit.range.of(text).to_owned() })
        .collect();
    assert_eq!(joined, "w--l-----，屏幕i-----好c---5G");
    // Without the word the last letter alone would be the likeliest opinion.
    let row = |o: f32, b: f32, i: f32| [o.ln(), b.ln(), i.ln()];
    let logs = [row(0.9, 0.1, 0.0), row(0.8, 0.1, 0.1), row(0.1, 0.8, 0.1)].concat();
    assert_eq!(viterbi(&logs, 3, &[], &[]), [0, 0, 1]);
    assert_eq!(viterbi(&logs, 3, &[false, true, true], &[]), [0, 0, 0]);
    let logs = [row(0.4, 0.6, 0.0), row(0.5, 0.1, 0.4), row(0.1, 0.1, 0.8)].concat();
    assert_eq!(viterbi(&logs, 3, &[false, true, true], &[]), [1, 2, 2]);
}

#[test]
fn a_span_is_as_sure_as_its_least_sure_unit() {
    let text = "ab c";
    let units = shipped().units(text, &shipped().encode(text, 16).unwrap());
    let probabilities = [0.1, 0.9, 0.0, 0.2, 0.1, 0.7, 1.0, 0.0, 0.0];
    let spans = decode_spans(text, &units, &[1, 2, 0], &probabilities);
    assert_eq!((spans.len(), spans[0].range.of(text), spans[0].probability), (1, "ab", 0.7));
}

/// Texts of everything that is hard, and where to cut them.
fn text_and_cuts() -> impl Strategy<Value = (String, Vec<usize>)> {
    let bits = prop::sample::select(vec![
        "房",
        "间",
        "很好",
        "，",
        "ａ",
        "word",
        "a",
        " ",
        "  ",
        "\r\n",
        "\u{3000}",
        "👨🏻‍🚒",
        "e\u{301}",
        "ﬁ",
        "1",
        ".",
        "\u{200b}",
        "\u{0}",
        "不错",
        "ラ",
        "한",
    ]);
    (prop::collection::vec(bits, 1..40), prop::collection::vec(0..60usize, 0..12)).prop_map(|(bits, cuts)| (bits.concat(), cuts))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn any_spans_survive_the_tags((text, cuts) in text_and_cuts()) {
        let letters: Vec<(usize, &str)> = text.grapheme_indices(true).filter(|(_, g)| !g.chars().all(char::is_whitespace)).collect();
        // Pairs of cuts in order are spans of letters.
        let mut at: Vec<usize> = cuts.into_iter().filter(|cut| *cut < letters.len()).collect();
        at.sort_unstable();
        at.dedup();
        let spans: Vec<(TextRange, u16)> = at.chunks_exact(2).enumerate().map(|(n, pair)| {
            let (last, grapheme) = letters[pair[1] - 1];
            (TextRange::new(&text, letters[pair[0]].0..last + grapheme.len()).unwrap(), (n % 2) as u16)
        }).collect();
        let (back, left_out) = round_trip(&text, &spans);
        prop_assert_eq!(back, spans);
        prop_assert_eq!(left_out, LeftOut::default());
    }

    #[test]
    fn units_are_in_order_and_apart(text in "\\PC{0,60}") {
        let units = shipped().units(&text, &shipped().encode(&text, 64).unwrap());
        prop_assert!(units.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start() && pair[0].piece <= pair[1].piece));
    }

    #[test]
    fn words_are_in_order_and_moving_reaches_the_ends(text in "\\PC{0,40}") {
        let found = words(&text);
        prop_assert!(found.windows(2).all(|pair| pair[0].end() <= pair[1].start()));
        let mut at = 0;
        while at < text.len() {
            let next = next_word_end(&text, at);
            prop_assert!(next > at && text.is_char_boundary(next));
            at = next;
        }
        while at > 0 {
            let before = previous_word_start(&text, at);
            prop_assert!(before < at && text.is_char_boundary(before));
            at = before;
        }
    }

    #[test]
    fn decoded_tags_are_always_well_formed(
        logits in prop::collection::vec(-9f32..0.0, 0..100),
        joined in prop::collection::vec(any::<bool>(), 0..22),
    ) {
        let tags = viterbi(&logits, 5, &joined, &[]);
        prop_assert_eq!(tags.len(), logits.len() / 5);
        for (at, pair) in tags.windows(2).enumerate() {
            if joined.get(at + 1) == Some(&true) {
                let goes_on = pair[1] == 0 && pair[0] == 0 || pair[1] > 0 && pair[1] % 2 == 0;
                prop_assert!(goes_on, "{:?} inside a word", pair);
            }
        }
        for (at, tag) in tags.iter().enumerate() {
            if *tag > 0 && tag % 2 == 0 {
                prop_assert!(at > 0 && (tags[at - 1] == *tag || tags[at - 1] == tag - 1));
            }
        }
    }
}

// ---- words ----

#[test]
fn double_click_takes_the_word() {
    let check = |text: &str, before: &str, wanted: Option<&str>| {
        let byte = text.find(before).unwrap();
        assert_eq!(word_at(text, byte).map(|range| range.of(text)), wanted, "{text:?} at {before:?}");
    };
    check("前台服务态度很好", "台", Some("前台"));
    check("前台服务态度很好", "态度", Some("服务态度"));
    check("The waiter's friendly.", "aiter", Some("waiter's"));
    check("The waiter's friendly.", ".", None);
    check("好吃，不贵", "，", None);
    check("用iPhone拍照", "Phone", Some("iPhone"));
    check("来了👨🏻‍🚒吗", "👨", Some("👨🏻‍🚒"));
    check("cafe\u{301} noir", "a", Some("cafe\u{301}"));
    check("a\r\nb", "\r", Some("a"));
    assert_eq!(word_at("好", 99), None);
    assert_eq!(word_at("", 0), None);
}

#[test]
fn moving_by_word_stops_at_word_ends() {
    let text = "房间很干净，very clean";
    let mut stops = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let next = next_word_end(text, at);
        stops.push(text[at..next].to_owned());
        at = next;
    }
    assert_eq!(stops, ["房间", "很", "干净", "，very", " clean"]);
    assert_eq!(&text[previous_word_start(text, text.len())..], "clean");
    assert_eq!(previous_word_start("  ", 2), 0);
}

#[test]
fn words_of_a_huge_text_answer_at_once() {
    let text = "味道不错".repeat(100_000) + &" ".repeat(500_000) + "end";
    let start = std::time::Instant::now();
    assert!(word_at(&text, 600_000).is_some());
    assert_eq!(next_word_end(&text, text.len() - 100_000), text.len());
    assert_eq!(previous_word_start(&text, text.len() - 3) / 3, 400_000 - 2);
    assert!(start.elapsed().as_secs() < 5);
}
