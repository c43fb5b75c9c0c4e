//! Agreement where answers can be nearer or farther: numbers and sets of labels. Pure numbers from ratings; each is `None`
//! where it is not defined.

use std::collections::{BTreeMap, BTreeSet};

/// Krippendorff's alpha with missing values under any difference function (Krippendorff 2011, "Computing Krippendorff's
/// Alpha-Reliability", section D). `difference` is the metric's δ², 0 for equal values; [`interval`] makes it alpha for
/// interval data, [`masi`] for sets.
pub fn alpha<T: Ord>(units: &[Vec<Option<T>>], difference: impl Fn(&T, &T) -> f64) -> Option<f64> {
    let mut of_value: BTreeMap<&T, f64> = BTreeMap::new();
    let mut observed = 0.0;
    for unit in units {
        let given: Vec<&T> = unit.iter().flatten().collect();
        if given.len() < 2 {
            continue; // pairs with nothing
        }
        let mut sum = 0.0;
        for (at, one) in given.iter().enumerate() {
            sum += given[at + 1..].iter().map(|other| difference(one, other)).sum::<f64>();
            *of_value.entry(*one).or_default() += 1.0;
        }
        observed += 2.0 * sum / (given.len() - 1) as f64;
    }
    let n: f64 = of_value.values().sum();
    let counts: Vec<(&T, f64)> = of_value.into_iter().collect();
    let mut expected = 0.0;
    for (at, (one, count)) in counts.iter().enumerate() {
        expected += counts[at + 1..].iter().map(|(other, others)| 2.0 * count * others * difference(one, other)).sum::<f64>();
    }
    (expected > 0.0).then(|| 1.0 - (n - 1.0) * observed / expected)
}

/// The squared distance of two numbers: the difference function of interval data.
pub fn interval(one: f64, other: f64) -> f64 {
    (one - other).powi(2)
}

/// The mean distance of two ratings of the same thing, over all pairs of ratings.
pub fn mean_difference(units: &[Vec<Option<f64>>]) -> Option<f64> {
    let (mut sum, mut pairs) = (0.0, 0usize);
    for unit in units {
        let given: Vec<f64> = unit.iter().flatten().copied().collect();
        for (at, one) in given.iter().enumerate() {
            sum += given[at + 1..].iter().map(|other| (one - other).abs()).sum::<f64>();
            pairs += given.len() - at - 1;
        }
    }
    (pairs > 0).then(|| sum / pairs as f64)
}

/// MASI as a distance from 0 to 1 (Passonneau 2006, "Measuring agreement on set-valued items (MASI) for semantic and
/// pragmatic annotation", section 4): 1 less the Jaccard coefficient times 1 for equal sets, 2/3 where one holds the other,
/// 1/3 where they share something, 0 otherwise.
pub fn masi<T: Ord>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> f64 {
    let shared = one.intersection(other).count();
    let all = one.len() + other.len() - shared;
    if all == 0 {
        return 0.0;
    }
    let monotonic = if one == other {
        1.0
    } else if shared == one.len() || shared == other.len() {
        2.0 / 3.0
    } else {
        1.0 / 3.0
    };
    1.0 - monotonic * shared as f64 / all as f64
}
