//! What spans look like to the encoder: a tag for each of its pieces, and the pieces that an edge of a span cuts.

use crate::project::TextRange;
use std::cmp::Reverse;
use std::ops::Range;

/// The tag of one piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PieceTag {
    /// Label, and whether the span begins here; `None` for O. Of overlapping spans the longest counts, as in training.
    pub label: Option<(u16, bool)>,
    /// An edge of a span lies inside the piece.
    pub is_cut: bool,
}

/// Tags of pieces given by their byte ranges, in order; empty ranges (special pieces) get O.
pub fn piece_tags(pieces: &[Range<usize>], spans: &[(TextRange, u16)]) -> Vec<PieceTag> {
    let mut tags = vec![PieceTag::default(); pieces.len()];
    let mut order = spans.to_vec();
    order.sort_by_key(|(range, label)| (Reverse(range.bytes().len()), range.start(), *label));
    for (range, label) in order {
        let touches = |piece: &Range<usize>| !piece.is_empty() && piece.start < range.end() && range.start() < piece.end;
        let inside: Vec<usize> = (0..pieces.len()).filter(|at| touches(&pieces[*at])).collect();
        for at in &inside {
            let piece = &pieces[*at];
            tags[*at].is_cut |= piece.start < range.start() || range.end() < piece.end;
        }
        if inside.iter().all(|at| tags[*at].label.is_none()) {
            for (place, at) in inside.iter().enumerate() {
                tags[*at].label = Some((label, place == 0));
            }
        }
    }
    tags
}
