//! The gamma of Mathet et al. 2015: the dissimilarity by hand, the best alignment against all alignments there are, laws
//! of the coefficient.

use gloss::project::agreement::gamma::{Dissimilarity, best_alignment, gamma};
use gloss::project::agreement::spans::Section;
use proptest::prelude::*;
use std::ops::Range;

const EVEN: Dissimilarity = Dissimilarity { position: 1.0, label: 1.0 };

fn unit(label: u16, place: Range<usize>) -> Section {
    (label, place)
}

#[test]
fn units_are_as_far_apart_as_the_formula_says() {
    // ((|start - start| + |end - end|) / (length + length))², and 1 for another label.
    for (one, other, wanted) in [
        (unit(0, 10..20), unit(0, 10..20), 0.0),
        (unit(0, 10..20), unit(1, 10..20), 1.0),
        (unit(0, 0..10), unit(0, 10..20), 1.0),
        (unit(0, 0..10), unit(0, 5..15), 0.25),
        (unit(0, 24..30), unit(0, 19..25), (10.0_f64 / 12.0).powi(2)),
        (unit(0, 0..4), unit(1, 1..3), (2.0_f64 / 6.0).powi(2) + 1.0),
    ] {
        let found = EVEN.between(&one, &other);
        assert!((found - wanted).abs() < 1e-12, "{one:?} {other:?}: {found}");
        assert_eq!(found, EVEN.between(&other, &one));
    }
    let heavy = Dissimilarity { position: 3.0, label: 1.0 };
    assert!((heavy.between(&unit(0, 0..10), &unit(1, 5..15)) - 1.75).abs() < 1e-12);
}

#[test]
fn lonely_units_cost_one_and_units_are_aligned_where_it_is_cheaper() {
    let one = [unit(0, 2..9), unit(1, 11..17), unit(4, 24..30)];
    let other = [unit(0, 2..9), unit(2, 11..17), unit(4, 19..25)];
    // 0, 1 and (10 / 12)² of three units each.
    let wanted = (1.0 + (10.0_f64 / 12.0).powi(2)) / 3.0;
    let (found, pairs) = best_alignment(&one, &other, EVEN).unwrap();
    assert!((found - wanted).abs() < 1e-12 && pairs == 3, "{found}");
    // With three times the weight of places the last pair would cost more than two lonely units.
    let heavy = Dissimilarity { position: 3.0, label: 1.0 };
    let (found, pairs) = best_alignment(&one, &other, heavy).unwrap();
    assert!((found - (1.0 + 2.0) / 3.0).abs() < 1e-12 && pairs == 2, "{found}");
    assert_eq!(best_alignment(&one, &[], EVEN), Some((2.0, 0)), "three lonely units, one and a half the mean");
    assert_eq!(best_alignment(&[], &[], EVEN), None);
}

/// The least disorder of all alignments, tried one by one.
fn least(one: &[Section], other: &[Section], by: Dissimilarity) -> f64 {
    let Some((first, rest)) = one.split_first() else { return other.len() as f64 };
    let alone = 1.0 + least(rest, other, by);
    (0..other.len()).fold(alone, |least_so_far, at| {
        let mut left = other.to_vec();
        let partner = left.remove(at);
        least_so_far.min(by.between(first, &partner) + least(rest, &left, by))
    })
}

fn units(most: usize) -> impl Strategy<Value = Vec<Section>> {
    prop::collection::vec((0u16..3, 0usize..30, 1usize..8), 0..most)
        .prop_map(|units| units.into_iter().map(|(label, start, length)| (label, start..start + length)).collect())
}

proptest! {
    #[test]
    fn the_best_alignment_is_the_best_of_all(one in units(6), other in units(6), position in 1u8..4) {
        let by = Dissimilarity { position: f64::from(position), label: 1.0 };
        match best_alignment(&one, &other, by) {
            Some((found, _)) => {
                let wanted = least(&one, &other, by) / ((one.len() + other.len()) as f64 / 2.0);
                prop_assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
                let (turned, _) = best_alignment(&other, &one, by).unwrap();
                prop_assert!((found - turned).abs() < 1e-9);
            }
            None => prop_assert!(one.is_empty() && other.is_empty()),
        }
    }

    #[test]
    fn gamma_is_one_for_the_same_units_and_never_more(one in units(8), other in units(8), seed in any::<u64>()) {
        const LENGTH: usize = 400;
        let found = gamma([&one, &other], LENGTH, EVEN, seed);
        prop_assert_eq!(found, gamma([&one, &other], LENGTH, EVEN, seed), "the same seed, the same number");
        prop_assert!(found.is_none_or(|gamma| gamma <= 1.0));
        if !one.is_empty() {
            let same = gamma([&one, &one], LENGTH, EVEN, seed).unwrap();
            prop_assert!((same - 1.0).abs() < 1e-12, "{same}");
        }
    }
}

#[test]
fn chance_gives_about_nothing_and_small_slips_cost_little() {
    // A unit every 20 places, of three labels in turn; the other annotator's begin elsewhere each time.
    let one: Vec<Section> = (0..200).map(|at| (at as u16 % 3, 20 * at..20 * at + 8)).collect();
    let mut at = 7usize;
    let other: Vec<Section> = (0..200)
        .map(|nth| {
            at = (at * 1_103 + 12_345) % 3_992;
            (nth as u16 * 7 % 3, at..at + 8)
        })
        .collect();
    let by_chance = gamma([&one, &other], 4_000, EVEN, 1).unwrap();
    assert!(by_chance.abs() < 0.12, "{by_chance}");
    let slipped: Vec<Section> = one.iter().map(|(label, place)| (*label, place.start + 1..place.end + 1)).collect();
    let slipped = gamma([&one, &slipped], 4_000, EVEN, 1).unwrap();
    assert!(slipped > 0.95, "{slipped}");
    let other_seed = gamma([&one, &other], 4_000, EVEN, 99).unwrap();
    assert!((by_chance - other_seed).abs() < 0.05, "the seed changes little: {by_chance}, {other_seed}");
}
