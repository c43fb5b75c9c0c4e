//! Models that `transformers` trained: the tags of their token classification, in whatever scheme, as ours.

use crate::text::tag_count;

/// Which of a model's outputs say each of our tags.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TagMap {
    /// Labels in the order of their first tag.
    pub labels: Vec<String>,
    /// How many outputs the model has.
    pub outputs: usize,
    /// For each tag of ours the outputs that mean it, and the logarithm of the share of each.
    parts: Vec<Vec<(usize, f32)>>,
}

/// What a tag of a scheme means.
enum Meaning<'a> {
    Outside,
    /// B, S and U.
    Begins(&'a str),
    /// I, E, L and M.
    GoesOn(&'a str),
    /// A label alone.
    Somewhere(&'a str),
}

fn meaning(name: &str) -> Meaning<'_> {
    if name == "O" {
        return Meaning::Outside;
    }
    let parted = name.split_once(['-', '_']).filter(|(_, label)| !label.is_empty());
    match parted {
        Some(("B" | "S" | "U", label)) => Meaning::Begins(label),
        Some(("I" | "E" | "L" | "M", label)) => Meaning::GoesOn(label),
        _ => Meaning::Somewhere(name),
    }
}

impl TagMap {
    /// # Errors
    /// A sentence where the names are no tags.
    pub fn of(names: &[String]) -> Result<Self, String> {
        let mut labels: Vec<String> = Vec::new();
        let mut outside = Vec::new();
        let mut parts: Vec<[Vec<usize>; 2]> = Vec::new();
        for (output, name) in names.iter().enumerate() {
            let (label, begins, goes_on) = match meaning(name) {
                Meaning::Outside => {
                    outside.push((output, 0.0));
                    continue;
                }
                Meaning::Begins(label) => (label, true, false),
                Meaning::GoesOn(label) => (label, false, true),
                Meaning::Somewhere(label) => (label, true, true),
            };
            let at = labels.iter().position(|held| held == label).unwrap_or(labels.len());
            if at == labels.len() {
                labels.push(label.to_owned());
                parts.push(Default::default());
            }
            parts[at][0].extend(begins.then_some(output));
            parts[at][1].extend(goes_on.then_some(output));
        }
        if outside.is_empty() || labels.is_empty() {
            return Err("its labels have no tag O, or nothing beside it".to_owned());
        }
        let mut all = vec![outside];
        for [begins, goes_on] in parts {
            // Where a scheme does not tell the two apart, both are as likely.
            let shared: Vec<usize> = match (begins.is_empty(), goes_on.is_empty()) {
                (true, _) => goes_on.clone(),
                (_, true) => begins.clone(),
                _ => begins.iter().filter(|output| goes_on.contains(output)).copied().collect(),
            };
            let share = |output: &usize| (*output, if shared.contains(output) { -std::f32::consts::LN_2 } else { 0.0 });
            let own = |outputs: &[usize]| {
                if outputs.is_empty() { shared.iter().map(share).collect() } else { outputs.iter().map(share).collect() }
            };
            all.push(own(&begins));
            all.push(own(&goes_on));
        }
        debug_assert_eq!(all.len(), tag_count(labels.len()));
        Ok(Self { labels, outputs: names.len(), parts: all })
    }

    /// Logarithms of probabilities, row after row, of our tags.
    pub fn ours(&self, theirs: &[f32]) -> Vec<f32> {
        let of = |row: &[f32], parts: &[(usize, f32)]| {
            let logs = || parts.iter().map(|(output, share)| row[*output] + share);
            let most = logs().fold(f32::NEG_INFINITY, f32::max);
            if most.is_finite() { most + logs().map(|log| (log - most).exp()).sum::<f32>().ln() } else { most }
        };
        theirs.chunks_exact(self.outputs).flat_map(|row| self.parts.iter().map(move |parts| of(row, parts))).collect()
    }

    /// The output that means a tag of ours first of all.
    pub fn output(&self, tag: usize) -> usize {
        self.parts.get(tag).and_then(|parts| parts.first()).map_or(0, |(output, _)| *output)
    }
}
