//! The gamma of Mathet et al. 2015: the dissimilarity by hand, the best alignment against all alignments there are, laws
//! of the coefficient.

use gloss::project::agreement::gamma::{Dissimilarity, best_alignment, gamma};
use gloss::project::agreement::joint::best_joint_alignment;
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
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

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
        let both = [one.clone(), other];
        let found = gamma(&both, LENGTH, EVEN, seed);
        prop_assert_eq!(found, gamma(&both, LENGTH, EVEN, seed), "the same seed, the same number");
        prop_assert!(found.is_none_or(|gamma| gamma.value <= 1.0 && gamma.exact));
        if !one.is_empty() {
            let same = gamma(&[one.clone(), one.clone()], LENGTH, EVEN, seed).unwrap().value;
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
    let of = |other: &[Section], seed: u64| gamma(&[one.clone(), other.to_vec()], 4_000, EVEN, seed).unwrap().value;
    let by_chance = of(&other, 1);
    assert!(by_chance.abs() < 0.12, "{by_chance}");
    let slipped: Vec<Section> = one.iter().map(|(label, place)| (*label, place.start + 1..place.end + 1)).collect();
    let slipped_gamma = of(&slipped, 1);
    assert!(slipped_gamma > 0.95, "{slipped_gamma}");
    let other_seed = of(&other, 99);
    assert!((by_chance - other_seed).abs() < 0.05, "the seed changes little: {by_chance}, {other_seed}");
    // A third who slips agrees with the first; one who marks by chance with nobody.
    let joint = |third: &[Section]| gamma(&[one.clone(), slipped.clone(), third.to_vec()], 4_000, EVEN, 1).unwrap().value;
    let (good, bad) = (joint(&slipped), joint(&other));
    assert!(good > 0.9 && bad < 0.75 && bad > 0.2, "{good}, {bad}");
}

/// Three annotators, the example of pygamma-agreement (`tests/data/AlexPaulSuzan.csv`) after the figures of the paper.
fn alex_paul_suzan() -> Vec<Vec<Section>> {
    let of = |units: &[(u16, Range<usize>)]| units.to_vec();
    vec![
        of(&[(1, 2..9), (2, 11..17), (5, 24..30), (6, 32..36), (6, 36..44), (7, 44..60)]),
        of(&[(1, 2..9), (3, 11..17), (5, 19..25), (6, 32..44)]),
        of(&[(1, 2..9), (4, 11..17), (5, 21..27), (6, 32..36), (6, 36..40), (6, 40..44)]),
    ]
}

#[test]
fn three_annotators_have_the_disorder_and_the_gamma_of_the_reference_implementation() {
    // Its tests ask for six alignments, a disorder of .96 to one per cent and a gamma of .44 to .47 (shuffled continua, as
    // here; .43 to .47 on the command line).
    let heavy = Dissimilarity { position: 3.0, label: 1.0 };
    let found = best_joint_alignment(&alex_paul_suzan(), heavy).unwrap();
    assert!(found.exact);
    assert!((found.disorder - 0.96).abs() < 0.0096, "{found:?}");
    let gamma = gamma(&alex_paul_suzan(), 60, heavy, 4_772).unwrap();
    assert!(gamma.exact && (0.42..0.50).contains(&gamma.value), "{gamma:?}");
}

/// The least disorder of all partitions into unitary alignments, tried one by one.
fn least_joint(units: &[(usize, Section)], annotators: usize, by: Dissimilarity) -> f64 {
    let Some(((who, first), rest)) = units.split_first() else { return 0.0 };
    let pairs = (annotators * (annotators - 1)) as f64 / 2.0;
    let cost = |members: &[&(usize, Section)]| {
        let (mut sum, mut real) = (0.0, 0);
        for (at, one) in members.iter().enumerate() {
            for other in &members[at + 1..] {
                sum += by.between(&one.1, &other.1);
                real += 1;
            }
        }
        (sum + (pairs - f64::from(real))) / pairs
    };
    let held = (*who, first.clone());
    let mut least = f64::INFINITY;
    // Every set of the rest with at most one unit of each other annotator.
    for chosen in 0u32..1 << rest.len() {
        let members: Vec<&(usize, Section)> = (0..rest.len()).filter(|at| chosen >> at & 1 == 1).map(|at| &rest[at]).collect();
        let mut who: Vec<usize> = members.iter().map(|(who, _)| *who).chain([*who]).collect();
        who.sort_unstable();
        if who.windows(2).any(|two| two[0] == two[1]) {
            continue;
        }
        let left: Vec<(usize, Section)> = (0..rest.len()).filter(|at| chosen >> at & 1 == 0).map(|at| rest[at].clone()).collect();
        let all: Vec<&(usize, Section)> = members.into_iter().chain([&held]).collect();
        least = least.min(cost(&all) + least_joint(&left, annotators, by));
    }
    least
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn the_best_joint_alignment_is_the_best_of_all(
        sheets in prop::collection::vec(units(4), 3..5),
        position in 1u8..4,
    ) {
        let by = Dissimilarity { position: f64::from(position), label: 1.0 };
        let mut all: Vec<(usize, Section)> =
            sheets.iter().enumerate().flat_map(|(who, units)| units.iter().map(move |unit| (who, unit.clone()))).collect();
        all.truncate(9);
        let kept: Vec<Vec<Section>> = (0..sheets.len())
            .map(|who| all.iter().filter(|(held, _)| *held == who).map(|(_, unit)| unit.clone()).collect())
            .collect();
        match best_joint_alignment(&kept, by) {
            None => prop_assert!(all.is_empty()),
            Some(found) => {
                let wanted = least_joint(&all, kept.len(), by) / (all.len() as f64 / kept.len() as f64);
                prop_assert!(found.exact);
                prop_assert!((found.disorder - wanted).abs() < 1e-9, "{} is not {wanted}", found.disorder);
                let mut turned = kept.clone();
                turned.rotate_left(1);
                prop_assert!((best_joint_alignment(&turned, by).unwrap().disorder - found.disorder).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn two_annotators_are_aligned_alike_both_ways(one in units(7), other in units(7)) {
        let pairwise = best_alignment(&one, &other, EVEN).map(|(disorder, _)| disorder);
        let joint = best_joint_alignment(&[one, other], EVEN).map(|found| found.disorder);
        prop_assert_eq!(pairwise.is_none(), joint.is_none());
        prop_assert!(pairwise.zip(joint).is_none_or(|(a, b)| (a - b).abs() < 1e-9));
    }
}

#[test]
fn a_long_text_of_five_annotators_is_aligned_in_bounds() {
    // Fifty units each, slipped by a little: every one has its four counterparts.
    let sheet = |slip: usize| (0..50).map(|at| (at as u16 % 2, 9 * at + slip..9 * at + slip + 5)).collect::<Vec<Section>>();
    let sheets: Vec<Vec<Section>> = (0..5).map(|who| sheet(who % 2)).collect();
    let found = best_joint_alignment(&sheets, EVEN).unwrap();
    assert_eq!(found.size, 50);
    // Six of the ten pairs of each alignment slip by one at both ends of five.
    let wanted = 50.0 * 0.6 * (2.0_f64 / 10.0).powi(2) / 50.0;
    assert!((found.disorder - wanted).abs() < 1e-9, "{found:?}");
}
