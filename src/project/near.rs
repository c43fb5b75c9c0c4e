//! Documents that say nearly the same: MinHash over runs of characters, with bands, so that not all pairs are compared
//! (Broder 1997, "On the resemblance and containment of documents"; Leskovec, Rajaraman and Ullman, "Mining of Massive
//! Datasets", 3.3 and 3.4). A pair that the bands propose is then compared exactly.

use super::split::mix;
use super::{Comment, DocId, Document, Edit, Project, Split};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Characters of a run.
const RUN: usize = 4;
const BANDS: usize = 24;
const ROWS: usize = 3;

/// Two documents and the share of runs of characters that both have (Jaccard), 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearPair {
    pub first: DocId,
    pub second: DocId,
    pub likeness: f64,
}

/// Documents that are alike, each to another of the group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NearGroup {
    /// In order.
    pub docs: Vec<DocId>,
    /// The least likeness among the pairs that made the group.
    pub likeness: f64,
    /// Whether one is trained on and another one tests or tunes: its score flatters the model.
    pub leaks: bool,
}

/// What happens to all but the first document of each group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// They leave the project.
    Remove,
    Flag,
    /// They stay, each with a comment that says which document it is like.
    Link,
}

/// The edits that settle groups. `comment` makes the comment of a document that is like the one of this number, from 1.
pub fn settle(project: &Project, groups: &[NearGroup], what: Settle, comment: impl Fn(usize) -> Comment) -> Vec<Edit> {
    let others = groups.iter().filter_map(|group| Some((group.docs.first()?, group.docs.get(1..)?)));
    let others = others.flat_map(|(first, others)| others.iter().map(move |id| (first.index() + 1, *id)));
    let edit = |(first, id): (usize, DocId)| {
        let doc = project.document(id)?;
        match what {
            Settle::Remove => Some(Edit::SetPresent { first: id, count: 1, to: false }),
            Settle::Flag => (!doc.annotation.flagged).then_some(Edit::SetFlag { doc: id, to: true }),
            Settle::Link => {
                let comment = comment(first);
                let is_said = doc.comments.values().any(|held| held.text == comment.text);
                (!is_said).then(|| Edit::PutComment { doc: id, id: doc.free_comment_id(), comment })
            }
        }
    };
    others.filter_map(edit).collect()
}

/// Runs of characters by their hash, upper case and white space not told apart.
fn runs(text: &str) -> HashSet<u64> {
    let mut chars: Vec<char> = Vec::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        let c = if c.is_whitespace() { ' ' } else { c };
        if c != ' ' || chars.last() != Some(&' ') {
            chars.push(c);
        }
    }
    let hash = |run: &[char]| run.iter().fold(0x5bd1_e995, |held, c| mix(held ^ u64::from(u32::from(*c))));
    if chars.len() < RUN {
        return std::iter::once(hash(&chars)).collect();
    }
    chars.windows(RUN).map(hash).collect()
}

fn signature(runs: &HashSet<u64>) -> [u64; BANDS * ROWS] {
    std::array::from_fn(|at| runs.iter().map(|run| mix(run ^ mix(at as u64 + 1))).min().unwrap_or(0))
}

fn likeness(a: &HashSet<u64>, b: &HashSet<u64>) -> f64 {
    let both = a.intersection(b).count();
    both as f64 / (a.len() + b.len() - both).max(1) as f64
}

/// Pairs at least so much alike, in order. With 24 bands of 3 rows, of pairs with a likeness of 0.7 one in 20,000 is
/// missed, of those with 0.5 one in 25.
pub fn near_pairs<'a>(documents: impl Iterator<Item = &'a Document>, least: f64) -> Vec<NearPair> {
    near_texts(documents.map(|doc| (doc.id, &*doc.text)), least)
}

/// [`near_pairs`] of texts.
pub fn near_texts<'a>(texts: impl Iterator<Item = (DocId, &'a str)>, least: f64) -> Vec<NearPair> {
    let docs: Vec<(DocId, HashSet<u64>)> = texts.map(|(id, text)| (id, runs(text))).collect();
    let mut buckets: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    let mut pairs = BTreeSet::new();
    for (at, (_, runs)) in docs.iter().enumerate() {
        for (band, rows) in signature(runs).chunks_exact(ROWS).enumerate() {
            let bucket = buckets.entry((band, rows.iter().fold(7, |held, row| mix(held ^ row)))).or_default();
            // A text that stands in thousands of copies: each is compared with the first of them.
            const MOST: usize = 32;
            pairs.extend(bucket.iter().take(MOST).map(|other| (*other, at)));
            bucket.push(at);
        }
    }
    let compared =
        pairs.into_iter().map(|(a, b)| NearPair { first: docs[a].0, second: docs[b].0, likeness: likeness(&docs[a].1, &docs[b].1) });
    compared.filter(|pair| pair.likeness >= least).collect()
}

/// Puts pairs together into groups, and says which of them lie on both sides of training. `part` is the part of a document.
pub fn near_groups(pairs: &[NearPair], part: impl Fn(DocId) -> Option<Split>) -> Vec<NearGroup> {
    let mut leader: BTreeMap<DocId, DocId> = BTreeMap::new();
    fn find(leader: &BTreeMap<DocId, DocId>, mut id: DocId) -> DocId {
        while let Some(next) = leader.get(&id).filter(|next| **next != id) {
            id = *next;
        }
        id
    }
    for pair in pairs {
        let (a, b) = (find(&leader, pair.first), find(&leader, pair.second));
        leader.insert(a.max(b), a.min(b));
        leader.entry(a.min(b)).or_insert(a.min(b));
    }
    let mut groups: BTreeMap<DocId, NearGroup> = BTreeMap::new();
    for id in leader.keys() {
        groups.entry(find(&leader, *id)).or_insert_with(|| NearGroup { likeness: 1.0, ..NearGroup::default() }).docs.push(*id);
    }
    for pair in pairs {
        if let Some(group) = groups.get_mut(&find(&leader, pair.first)) {
            group.likeness = group.likeness.min(pair.likeness);
        }
    }
    let mut groups: Vec<NearGroup> = groups.into_values().filter(|group| group.docs.len() > 1).collect();
    for group in &mut groups {
        let parts: BTreeSet<Option<Split>> = group.docs.iter().map(|id| part(*id)).collect();
        let trains = parts.contains(&Some(Split::Train));
        group.leaks = trains && (parts.contains(&Some(Split::Dev)) || parts.contains(&Some(Split::Test)));
    }
    groups
}
