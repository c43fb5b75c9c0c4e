//! Agreement on places in a text: pure numbers from sections of a continuum. Offsets are any unit, end exclusive.

use std::ops::Range;

/// A place with its label.
pub type Section = (u16, Range<usize>);

/// Something marked: one place, or several that are one thing, in reading order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub label: u16,
    pub places: Vec<Range<usize>>,
}

impl Mark {
    /// From where it begins to where it ends.
    pub fn hull(&self) -> Range<usize> {
        let start = self.places.iter().map(|place| place.start).min().unwrap_or_default();
        start..self.places.iter().map(|place| place.end).max().unwrap_or_default()
    }

    fn meets(&self, other: &Self) -> bool {
        let meet = |one: &Range<usize>| other.places.iter().any(|held| one.start < held.end && held.start < one.end);
        self.label == other.label && self.places.iter().any(meet)
    }
}

impl From<Section> for Mark {
    fn from((label, place): Section) -> Self {
        Self { label, places: vec![place] }
    }
}

/// How the marks of two annotators match, summed over any number of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// Marks that are equal in all places and in their label, each matched once.
    pub exact: usize,
    /// Marks of either that share a place with one of the other with the same label.
    pub met: [usize; 2],
    /// Marks of either.
    pub all: [usize; 2],
}

impl Matches {
    /// The matches in one text.
    pub fn between(one: &[Mark], other: &[Mark]) -> Self {
        let mut free: Vec<&Mark> = other.iter().collect();
        let is_equal = |mark: &&Mark| {
            let found = free.iter().position(|held| held == mark);
            found.map(|at| free.swap_remove(at)).is_some()
        };
        let exact = one.iter().filter(is_equal).count();
        let met = |these: &[Mark], those: &[Mark]| these.iter().filter(|one| those.iter().any(|other| one.meets(other))).count();
        Self { exact, met: [met(one, other), met(other, one)], all: [one.len(), other.len()] }
    }

    /// F1 of equal marks, the same whichever annotator is taken for the truth. `None` when there are no marks.
    pub fn exact_f1(self) -> Option<f64> {
        harmonic([self.exact, self.exact], self.all)
    }

    /// F1 of marks that overlap: the harmonic mean of the shares that are met. `None` when there are no marks.
    pub fn overlap_f1(self) -> Option<f64> {
        harmonic(self.met, self.all)
    }

    /// Marks of both.
    pub fn size(self) -> usize {
        self.all[0] + self.all[1]
    }
}

impl std::ops::AddAssign for Matches {
    fn add_assign(&mut self, other: Self) {
        self.exact += other.exact;
        for at in 0..2 {
            self.met[at] += other.met[at];
            self.all[at] += other.all[at];
        }
    }
}

/// The harmonic mean of two shares.
fn harmonic(part: [usize; 2], of: [usize; 2]) -> Option<f64> {
    let share = |at: usize| if of[at] == 0 { 0.0 } else { part[at] as f64 / of[at] as f64 };
    let (precision, recall) = (share(0), share(1));
    let sum = precision + recall;
    (of != [0, 0]).then(|| if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 })
}

/// The disagreement of several observers about the sections of one category, observed and expected by chance:
/// [`unitizing_alpha`] is 1 less their quotient, of one category or of sums over several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Disagreement {
    pub observed: f64,
    pub expected: f64,
}

impl Disagreement {
    /// `None` where there is nothing to disagree about.
    pub fn alpha(self) -> Option<f64> {
        (self.expected > 0.0).then(|| 1.0 - self.observed / self.expected)
    }
}

impl std::iter::Sum for Disagreement {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self { observed: sum.observed + one.observed, expected: sum.expected + one.expected })
    }
}

/// Krippendorff's alpha for unitizing (Krippendorff 1995, "On the reliability of unitizing continuous data"; in the form
/// of Krippendorff 2004, "Measuring the reliability of qualitative text analysis data", section 4): observed and expected
/// disagreement about one category on a continuum of `length` places. Each observer's sections must lie in it; sections of
/// one observer that overlap are taken as one, because the continuum has room for one section at a place.
pub fn unitizing_disagreement(observers: &[Vec<Range<usize>>], length: usize) -> Disagreement {
    let m = observers.len() as f64;
    let length_f = length as f64;
    let sections: Vec<Vec<Range<usize>>> = observers.iter().map(|sections| joined(sections)).collect();
    let gaps: Vec<Vec<Range<usize>>> = sections.iter().map(|sections| gaps_between(sections, length)).collect();
    let units: f64 = sections.iter().map(|sections| sections.len() as f64).sum();
    if units == 0.0 || observers.len() < 2 {
        return Disagreement::default();
    }
    let mut observed = 0.0;
    for (i, one) in sections.iter().enumerate() {
        for (j, other) in sections.iter().enumerate().filter(|(j, _)| *j != i) {
            observed += differences(one, other);
            // What one observer marked inside a gap of the other counts from both sides.
            observed += inside_gaps(one, &gaps[j]) + inside_gaps(other, &gaps[i]);
        }
    }
    observed /= m * (m - 1.0) * length_f * length_f;

    let mut widths: Vec<usize> = gaps.iter().flatten().map(Range::len).collect();
    widths.sort_unstable();
    // Sums of the widths from each place on, so that a sum over all gaps as wide as a section takes no loop.
    let mut from_here = vec![0.0; widths.len() + 1];
    for at in (0..widths.len()).rev() {
        from_here[at] = from_here[at + 1] + widths[at] as f64;
    }
    let (mut sum, mut within) = (0.0, 0.0);
    for section in sections.iter().flatten() {
        let l = section.len() as f64;
        let first = widths.partition_point(|width| *width < section.len());
        let room = from_here[first] - (widths.len() - first) as f64 * (l - 1.0);
        sum += (units - 1.0) / 3.0 * (2.0 * l.powi(3) - 3.0 * l * l + l) + l * l * room;
        within += l * (l - 1.0);
    }
    let pairs = m * length_f * (m * length_f - 1.0) - within;
    Disagreement { observed, expected: if pairs > 0.0 { 2.0 / length_f * sum / pairs } else { 0.0 } }
}

/// [`unitizing_disagreement`] as the coefficient.
pub fn unitizing_alpha(observers: &[Vec<Range<usize>>], length: usize) -> Option<f64> {
    unitizing_disagreement(observers, length).alpha()
}

/// In order, those that overlap made one.
fn joined(sections: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut sorted: Vec<Range<usize>> = sections.iter().filter(|section| !section.is_empty()).cloned().collect();
    sorted.sort_unstable_by_key(|section| (section.start, section.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(sorted.len());
    for section in sorted {
        match joined.last_mut() {
            Some(last) if section.start < last.end => last.end = last.end.max(section.end),
            _ => joined.push(section),
        }
    }
    joined
}

fn gaps_between(sections: &[Range<usize>], length: usize) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(sections.iter().map(|section| section.end));
    let ends = sections.iter().map(|section| section.start).chain([length]);
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
}

/// The sum of squared distances between starts and between ends of sections that overlap.
fn differences(one: &[Range<usize>], other: &[Range<usize>]) -> f64 {
    let mut sum = 0.0;
    let mut first = 0;
    for section in one {
        while other.get(first).is_some_and(|held| held.end <= section.start) {
            first += 1;
        }
        for held in other[first..].iter().take_while(|held| held.start < section.end) {
            let square = |a: usize, b: usize| (a as f64 - b as f64).powi(2);
            sum += square(section.start, held.start) + square(section.end, held.end);
        }
    }
    sum
}

/// The sum of squared lengths of sections that lie wholly in a gap.
fn inside_gaps(sections: &[Range<usize>], gaps: &[Range<usize>]) -> f64 {
    let is_inside = |section: &&Range<usize>| {
        let at = gaps.partition_point(|gap| gap.end < section.end);
        gaps.get(at).is_some_and(|gap| gap.start <= section.start)
    };
    sections.iter().filter(is_inside).map(|section| (section.len() as f64).powi(2)).sum()
}
