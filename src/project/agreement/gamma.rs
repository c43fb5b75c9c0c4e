//! Gamma (Mathet, Widlöcher and Métivier 2015, "The Unified and Holistic Method Gamma (γ) for
//! Inter-Annotator Agreement Measure and Alignment", Computational Linguistics 41(3)): pure numbers from sections of a
//! continuum. The best alignment of two annotators is exact, of more it is sought by [`super::joint`]; the chance level is
//! drawn from a generator whose seed is given, so the same sections give the same number.

use super::joint::best_joint_alignment;
use super::spans::Section;
use std::collections::BTreeMap;
use std::ops::Range;

/// How units are held against each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dissimilarity {
    /// Weight of the places (the paper's α).
    pub position: f64,
    /// Weight of the labels (β); labels are equal or not.
    pub label: f64,
}

impl Default for Dissimilarity {
    fn default() -> Self {
        Self { position: 1.0, label: 1.0 }
    }
}

/// What it costs that a unit has no counterpart (Δ∅): the unit in which disorder is measured.
const EMPTY: f64 = 1.0;

impl Dissimilarity {
    /// The combined dissimilarity of two units (section 4.6): α times the sporadic positional one (section 4.4) plus β for
    /// different labels.
    pub fn between(self, one: &Section, other: &Section) -> f64 {
        let apart = one.1.start.abs_diff(other.1.start) + one.1.end.abs_diff(other.1.end);
        let lengths = one.1.len() + other.1.len();
        let position = if lengths == 0 { 0.0 } else { (apart as f64 / lengths as f64).powi(2) };
        let label = if one.0 == other.0 { 0.0 } else { 1.0 };
        (self.position * position + self.label * label) * EMPTY
    }

    /// How far apart the starts of two units may be, in lengths of both, for their alignment to cost less than none.
    fn reach(self) -> f64 {
        (2.0 / self.position.max(1e-9)).sqrt()
    }
}

/// The disorder of the best alignment of two annotators' units (section 4.3), and how many pairs it aligns: the sum over
/// aligned pairs and lonely units, by the mean number of units. `None` without units.
pub fn best_alignment(one: &[Section], other: &[Section], by: Dissimilarity) -> Option<(f64, usize)> {
    let units = one.len() + other.len();
    if units == 0 {
        return None;
    }
    let (saved, pairs) = most_saved(one, other, by);
    Some(((units as f64 * EMPTY - saved) / (units as f64 / 2.0), pairs))
}

/// Gamma of two annotators and more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    pub value: f64,
    /// Whether every alignment it stands on is the best there is; always so for two annotators.
    pub exact: bool,
}

/// The disorder of the best alignment, and whether it is surely the best; `None` without units.
fn disorder(units: &[Vec<Section>], by: Dissimilarity) -> Option<(f64, bool)> {
    match units {
        [one, other] => best_alignment(one, other, by).map(|(disorder, _)| (disorder, true)),
        units => best_joint_alignment(units, by).map(|found| (found.disorder, found.exact)),
    }
}

/// Gamma: 1 less the disorder of the best alignment by the disorder that chance would give. `None` without units, or with
/// fewer than two annotators.
///
/// Chance is as in section 5.2: each annotator gets the units of one drawn from all, shifted round the continuum of `length`
/// places by a drawn distance; the distances differ by at least half a mean unit. Thirty such continua are drawn, and more
/// until the mean is known to two per cent with 95 % confidence (section 5.3), five hundred at most.
pub fn gamma(units: &[Vec<Section>], length: usize, by: Dissimilarity, seed: u64) -> Option<Gamma> {
    gamma_until(units, length, by, seed, &|| false)
}

/// [`gamma`], which takes long for long texts; `None` too once it is told to stop.
pub(super) fn gamma_until(
    units: &[Vec<Section>],
    length: usize,
    by: Dissimilarity,
    seed: u64,
    stopped: &dyn Fn() -> bool,
) -> Option<Gamma> {
    const FIRST: usize = 30;
    const MOST: usize = 500;
    const PRECISION: f64 = 0.02;
    let (observed, mut exact) = disorder(units, by)?;
    if length == 0 || units.len() < 2 {
        return None;
    }
    let count: usize = units.iter().map(Vec::len).sum();
    let total: usize = units.iter().flatten().map(|(_, place)| place.len()).sum();
    let apart = total as f64 / count as f64 / 2.0;
    let mut dice = Dice(seed);
    let mut drawn: Vec<f64> = Vec::new();
    let mut wanted = FIRST;
    while drawn.len() < wanted {
        if stopped() {
            return None;
        }
        let by_chance: Vec<Vec<Section>> = distances(&mut dice, units.len(), length, apart)
            .into_iter()
            .map(|by| shifted(&units[dice.below(units.len())], by, length))
            .collect();
        // One who marked nothing may be drawn every time: empty sheets do not disagree.
        let (disorder, is_best) = disorder(&by_chance, by).unwrap_or((0.0, true));
        exact &= is_best;
        drawn.push(disorder);
        if drawn.len() == FIRST {
            let (mean, deviation) = mean_and_deviation(&drawn);
            if mean > 0.0 {
                wanted = ((deviation / mean * 1.96 / PRECISION).powi(2).ceil() as usize).clamp(FIRST, MOST);
            }
        }
    }
    let (expected, _) = mean_and_deviation(&drawn);
    (expected > 0.0).then(|| Gamma { value: 1.0 - observed / expected, exact })
}

/// As many distances as there are annotators, each `apart` from those before it where a hundred draws find one.
fn distances(dice: &mut Dice, annotators: usize, length: usize, apart: f64) -> Vec<usize> {
    let mut drawn: Vec<usize> = Vec::with_capacity(annotators);
    for _ in 0..annotators {
        let mut next = dice.below(length);
        for _ in 0..100 {
            if drawn.iter().all(|held| held.abs_diff(next) as f64 >= apart) {
                break;
            }
            next = dice.below(length);
        }
        drawn.push(next);
    }
    drawn
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

/// The units moved on by a distance; those that would begin past the end begin again from the start.
fn shifted(units: &[Section], by: usize, length: usize) -> Vec<Section> {
    let moved = |place: &Range<usize>| {
        let start = if place.start + by >= length { place.start + by - length } else { place.start + by };
        start..start + place.len()
    };
    units.iter().map(|(label, place)| (*label, moved(place))).collect()
}

/// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators": SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

/// An alignment that is worth while: cheaper than leaving both units alone.
struct Edge {
    to: usize,
    /// What it saves.
    saves: f64,
}

/// The most that aligning units saves over leaving all alone, and the number of pairs: a bipartite matching of greatest
/// weight, found by augmenting along the path that saves most until none saves anything (Edmonds and Karp 1972).
fn most_saved(one: &[Section], other: &[Section], by: Dissimilarity) -> (f64, usize) {
    let edges = worthwhile(one, other, by);
    let mut with: Vec<Option<usize>> = vec![None; one.len()];
    let mut of_other: Vec<Option<usize>> = vec![None; other.len()];
    let (mut saved, mut pairs) = (0.0, 0);
    // Parts that no alignment joins are matched each for itself: a long text falls into many small ones.
    for part in parts(&edges, other.len()) {
        while let Some((gain, path)) = best_path(&part, &edges, &with, &of_other) {
            for (left, right) in path {
                with[left] = Some(right);
                of_other[right] = Some(left);
            }
            saved += gain;
            pairs += 1;
        }
    }
    (saved, pairs)
}

fn worthwhile(one: &[Section], other: &[Section], by: Dissimilarity) -> Vec<Vec<Edge>> {
    let mut order: Vec<usize> = (0..other.len()).collect();
    order.sort_by_key(|at| other[*at].1.start);
    let longest = other.iter().map(|(_, place)| place.len()).max().unwrap_or_default();
    let near = |unit: &Section| {
        let reach = (by.reach() * (unit.1.len() + longest) as f64).ceil() as usize;
        let first = order.partition_point(|at| other[*at].1.start + reach < unit.1.start);
        let edge = move |at: usize| {
            let saves = 2.0 * EMPTY - by.between(unit, &other[at]);
            (saves > 1e-12).then_some(Edge { to: at, saves })
        };
        let last = unit.1.start + reach;
        order[first..].iter().copied().take_while(move |at| other[*at].1.start <= last).filter_map(edge).collect()
    };
    one.iter().map(near).collect()
}

/// The units of the first annotator, in groups that share no worthwhile partner.
fn parts(edges: &[Vec<Edge>], others: usize) -> Vec<Vec<usize>> {
    let mut seekers: Vec<Vec<usize>> = vec![Vec::new(); others];
    for (left, edges) in edges.iter().enumerate() {
        edges.iter().for_each(|edge| seekers[edge.to].push(left));
    }
    let mut seen = vec![false; edges.len()];
    let mut parts = Vec::new();
    for start in 0..edges.len() {
        if std::mem::replace(&mut seen[start], true) || edges[start].is_empty() {
            continue;
        }
        let mut part = vec![start];
        let mut next = 0;
        while let Some(left) = part.get(next).copied() {
            next += 1;
            for other in edges[left].iter().flat_map(|edge| &seekers[edge.to]) {
                if !std::mem::replace(&mut seen[*other], true) {
                    part.push(*other);
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// The augmenting path of a part that saves most, as the pairs it makes; `None` when none saves anything.
fn best_path(
    part: &[usize],
    edges: &[Vec<Edge>],
    with: &[Option<usize>],
    of_other: &[Option<usize>],
) -> Option<(f64, Vec<(usize, usize)>)> {
    // What the best path to each unit of the first annotator saves so far, and from where it came.
    let mut best: BTreeMap<usize, f64> = part.iter().filter(|left| with[**left].is_none()).map(|left| (*left, 0.0)).collect();
    let mut came: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut end: Option<(f64, usize, usize)> = None;
    let mut changed: Vec<usize> = best.keys().copied().collect();
    // Longest paths by relaxation (Bellman and Ford): no cycle saves anything while the matching so far is a best one.
    for _ in 0..=part.len() {
        let mut next = Vec::new();
        for left in std::mem::take(&mut changed) {
            let held = best[&left];
            for edge in edges[left].iter().filter(|edge| with[left] != Some(edge.to)) {
                let gain = held + edge.saves;
                match of_other[edge.to] {
                    None if end.is_none_or(|(most, ..)| gain > most + 1e-12) => end = Some((gain, left, edge.to)),
                    None => {}
                    Some(holder) => {
                        let lost = edges[holder].iter().find(|held| held.to == edge.to).map_or(0.0, |held| held.saves);
                        let gain = gain - lost;
                        if best.get(&holder).is_none_or(|held| gain > held + 1e-12) {
                            best.insert(holder, gain);
                            came.insert(holder, (left, edge.to));
                            next.push(holder);
                        }
                    }
                }
            }
        }
        if next.is_empty() {
            break;
        }
        next.sort_unstable();
        next.dedup();
        changed = next;
    }
    let (gain, left, right) = end.filter(|(gain, ..)| *gain > 1e-12)?;
    let mut path = vec![(left, right)];
    let mut at = left;
    while let Some((before, partner)) = came.get(&at).copied() {
        path.push((before, partner));
        at = before;
        if path.len() > part.len() {
            break;
        }
    }
    Some((gain, path))
}
