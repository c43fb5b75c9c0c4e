//! The best alignment of the units of three annotators and more (Mathet et al. 2015, sections 4.2, 4.3 and 5.1).
//!
//! A unitary alignment takes at most one unit of each annotator; its disorder is the mean dissimilarity of its pairs, a
//! missing unit being one away from everything, from another missing one too. Finding the partition of all units with the
//! least disorder is a set partitioning problem, hard in general. Units that no worthwhile alignment joins are solved apart;
//! each part is swept from its first unit to its last, all partial alignments being kept that can still become the best.
//! So the answer is exact, but where more than [`MOST_OPEN`] of them stand open at one place, or more than [`MOST_TUPLES`]
//! alignments begin with one unit: then the best of them are followed, and the answer says that it may not be the best.

use super::gamma::Dissimilarity;
use super::spans::Section;
use std::collections::BTreeMap;

/// Partial alignments kept at one place.
const MOST_OPEN: usize = 512;
/// Unitary alignments tried for one unit.
const MOST_TUPLES: usize = 256;
/// Units behind the one that is looked at which a partial alignment can hold: bits of a mask.
const WINDOW: usize = 128;
/// Sums of floating-point numbers that differ by less are the same.
const NOTHING: f64 = 1e-12;

/// The best alignment of several annotators' units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// The sum over unitary alignments, by the mean number of units.
    pub disorder: f64,
    /// How many unitary alignments it has, units alone among them.
    pub size: usize,
    /// Whether no better one can exist.
    pub exact: bool,
}

/// The best alignment; `None` without units or with fewer than two annotators.
pub fn best_joint_alignment(annotators: &[Vec<Section>], by: Dissimilarity) -> Option<Alignment> {
    let count: usize = annotators.iter().map(Vec::len).sum();
    if count == 0 || annotators.len() < 2 {
        return None;
    }
    let sweep = Sweep::of(annotators, by);
    let mut whole = Best { saved: 0.0, size: 0, exact: true };
    for part in sweep.parts() {
        let best = sweep.best_of(&part);
        whole = Best { saved: whole.saved + best.saved, size: whole.size + best.size, exact: whole.exact && best.exact };
    }
    let mean = count as f64 / annotators.len() as f64;
    Some(Alignment { disorder: (count as f64 - whole.saved) / mean, size: whole.size, exact: whole.exact })
}

struct Unit<'a> {
    annotator: usize,
    section: &'a Section,
}

/// All units in order of their places, and which of the later ones are near enough to be aligned with each.
struct Sweep<'a> {
    units: Vec<Unit<'a>>,
    /// By unit: later units of other annotators with their dissimilarity.
    near: Vec<Vec<(usize, f64)>>,
    /// By unit: the most it can add to an alignment.
    worth: Vec<f64>,
    annotators: usize,
    /// Pairs of annotators.
    pairs: f64,
}

/// What a part of the units comes to. Saved is counted against leaving every unit alone, which costs one each.
#[derive(Clone, Copy)]
struct Best {
    saved: f64,
    size: usize,
    exact: bool,
}

/// A unitary alignment under way.
#[derive(Clone)]
struct Tuple {
    units: Vec<usize>,
    /// The sum of the dissimilarities of its pairs.
    apart: f64,
}

/// A partial alignment: which units behind the place it has taken already is the key that it is kept under.
#[derive(Clone, Copy)]
struct Open {
    saved: f64,
    size: usize,
}

impl<'a> Sweep<'a> {
    fn of(annotators: &'a [Vec<Section>], by: Dissimilarity) -> Self {
        let of = |(annotator, sections): (usize, &'a Vec<Section>)| sections.iter().map(move |section| Unit { annotator, section });
        let mut units: Vec<Unit<'a>> = annotators.iter().enumerate().flat_map(of).collect();
        units.sort_by_key(|unit| (unit.section.1.start, unit.section.1.end, unit.annotator, unit.section.0));
        let pairs = (annotators.len() * (annotators.len() - 1)) as f64 / 2.0;
        // Two units farther apart than this are never together: each would do better alone.
        let limit = pairs + annotators.len() as f64 - 1.0;
        let reach = (limit / by.position.max(1e-9)).sqrt();
        let longest = units.iter().map(|unit| unit.section.1.len()).max().unwrap_or_default();
        let near: Vec<Vec<(usize, f64)>> = (0..units.len())
            .map(|at| {
                let one = &units[at];
                let last = one.section.1.start as f64 + reach * (one.section.1.len() + longest) as f64;
                let later = (at + 1..units.len()).take_while(|other| units[*other].section.1.start as f64 <= last);
                let others = later.filter(|other| units[*other].annotator != one.annotator);
                others.map(|other| (other, by.between(one.section, units[other].section))).filter(|(_, apart)| *apart < limit).collect()
            })
            .collect();
        let worth = worth_of(&units, &near, annotators.len(), pairs);
        Self { units, near, worth, annotators: annotators.len(), pairs }
    }

    /// The units in groups that no alignment joins, each in order.
    fn parts(&self) -> Vec<Vec<usize>> {
        let mut group: Vec<usize> = (0..self.units.len()).collect();
        fn root(group: &mut [usize], mut at: usize) -> usize {
            while group[at] != at {
                group[at] = group[group[at]];
                at = group[at];
            }
            at
        }
        for (at, near) in self.near.iter().enumerate() {
            for (other, _) in near {
                let (one, other) = (root(&mut group, at), root(&mut group, *other));
                group[one.max(other)] = one.min(other);
            }
        }
        let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in 0..self.units.len() {
            parts.entry(root(&mut group, at)).or_default().push(at);
        }
        parts.into_values().collect()
    }

    /// What an alignment of so many units saves.
    fn saved(&self, units: usize, apart: f64) -> f64 {
        let units = units as f64;
        units - 1.0 + (units * (units - 1.0) / 2.0 - apart) / self.pairs
    }

    fn apart(&self, one: usize, other: usize) -> Option<f64> {
        let near = &self.near[one.min(other)];
        near.binary_search_by_key(&one.max(other), |(at, _)| *at).ok().map(|at| near[at].1)
    }

    /// Alignments that begin with this unit and are worth more than their parts, and whether these are all.
    fn tuples(&self, first: usize) -> (Vec<Tuple>, bool) {
        let mut complete = true;
        let mut held = vec![Tuple { units: vec![first], apart: 0.0 }];
        for annotator in (0..self.annotators).filter(|annotator| *annotator != self.units[first].annotator) {
            let candidates: Vec<usize> =
                self.near[first].iter().map(|(at, _)| *at).filter(|at| self.units[*at].annotator == annotator).collect();
            let mut longer = Vec::new();
            for tuple in &held {
                for candidate in &candidates {
                    let apart = tuple.units.iter().map(|unit| self.apart(*unit, *candidate)).sum::<Option<f64>>();
                    longer.extend(apart.map(|apart| {
                        let units = tuple.units.iter().copied().chain([*candidate]).collect();
                        Tuple { units, apart: tuple.apart + apart }
                    }));
                }
            }
            held.append(&mut longer);
            if held.len() > MOST_TUPLES {
                let worth = |tuple: &Tuple| self.saved(tuple.units.len(), tuple.apart);
                held.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then_with(|| a.units.cmp(&b.units)));
                held.truncate(MOST_TUPLES);
                complete = false;
            }
        }
        held.retain(|tuple| tuple.units.len() > 1 && self.holds_together(tuple));
        (held, complete)
    }

    /// Whether no unit of it would do better alone.
    fn holds_together(&self, tuple: &Tuple) -> bool {
        let most = self.pairs + tuple.units.len() as f64 - 1.0;
        tuple.units.iter().all(|unit| {
            let others = tuple.units.iter().filter(|other| *other != unit);
            others.filter_map(|other| self.apart(*unit, *other)).sum::<f64>() < most
        })
    }

    /// The best alignment of the units of one part.
    fn best_of(&self, part: &[usize]) -> Best {
        let mut exact = true;
        let mut open = BTreeMap::from([(0u128, Open { saved: 0.0, size: 0 })]);
        for (place, first) in part.iter().enumerate() {
            let (tuples, complete) = self.tuples(*first);
            exact &= complete;
            let mut ways: Vec<(u128, f64)> = vec![(0, 0.0)];
            for tuple in &tuples {
                let bits = tuple.units[1..].iter().map(|unit| part.binary_search(unit).ok().map(|at| at - place - 1));
                match bits.collect::<Option<Vec<usize>>>() {
                    Some(bits) if bits.iter().all(|bit| *bit < WINDOW - 1) => {
                        let mask = bits.iter().fold(0, |mask, bit| mask | 1u128 << bit);
                        ways.push((mask, self.saved(tuple.units.len(), tuple.apart)));
                    }
                    _ => exact = false,
                }
            }
            let mut next: BTreeMap<u128, Open> = BTreeMap::new();
            for (mask, held) in open {
                let later = mask >> 1;
                if mask & 1 == 1 {
                    keep(&mut next, later, held); // taken by an alignment that began before it
                    continue;
                }
                for (bits, saved) in ways.iter().filter(|(bits, _)| bits & later == 0) {
                    keep(&mut next, later | bits, Open { saved: held.saved + saved, size: held.size + 1 });
                }
            }
            open = self.promising(next, &part[place + 1..], &mut exact);
        }
        let best = open.into_values().max_by(|a, b| a.saved.total_cmp(&b.saved)).unwrap_or(Open { saved: 0.0, size: 0 });
        Best { saved: best.saved, size: best.size, exact }
    }

    /// Drops what can't become better than the best there is, whatever comes: it is behind by more than the units are worth
    /// that it has free and the best one has not.
    fn promising(&self, open: BTreeMap<u128, Open>, later: &[usize], exact: &mut bool) -> BTreeMap<u128, Open> {
        let mut ranked: Vec<(u128, Open)> = open.into_iter().collect();
        ranked.sort_by(|a, b| b.1.saved.total_cmp(&a.1.saved).then(a.0.count_ones().cmp(&b.0.count_ones())).then(a.0.cmp(&b.0)));
        const LEADERS: usize = 16;
        let mut kept: Vec<(u128, Open)> = Vec::new();
        for (mask, held) in ranked {
            let hopeless = kept.iter().take(LEADERS).any(|(leading, best)| {
                let mut free = leading & !mask;
                let mut worth = 0.0;
                while free != 0 {
                    worth += later.get(free.trailing_zeros() as usize).map_or(0.0, |unit| self.worth[*unit]);
                    free &= free - 1;
                }
                held.saved + worth <= best.saved + NOTHING
            });
            if !hopeless {
                kept.push((mask, held));
            }
        }
        if kept.len() > MOST_OPEN {
            kept.truncate(MOST_OPEN);
            *exact = false;
        }
        kept.into_iter().collect()
    }
}

/// The better one of two that took the same units.
fn keep(open: &mut BTreeMap<u128, Open>, mask: u128, new: Open) {
    open.entry(mask)
        .and_modify(|held| {
            if new.saved > held.saved {
                *held = new
            }
        })
        .or_insert(new);
}

/// What each unit can add to an alignment at most: one for not being alone, and what its nearest unit of each other
/// annotator spares.
fn worth_of(units: &[Unit<'_>], near: &[Vec<(usize, f64)>], annotators: usize, pairs: f64) -> Vec<f64> {
    let mut spared = vec![vec![0.0f64; annotators]; units.len()];
    for (one, near) in near.iter().enumerate() {
        for (other, apart) in near {
            for (at, who) in [(one, units[*other].annotator), (*other, units[one].annotator)] {
                spared[at][who] = spared[at][who].max(1.0 - apart);
            }
        }
    }
    spared.into_iter().map(|by| 1.0 + by.iter().sum::<f64>() / pairs).collect()
}
