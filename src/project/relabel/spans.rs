//! Spans and links of a document under changed span labels: they follow their label, join those of another, or go.

use super::{Fate, Plan};
use crate::project::{Attributes, Document, Edit, Link, Schema, Span, SpanId, carried};
use std::collections::BTreeMap;

/// Spans and links as they are to be.
#[derive(Default)]
struct Marks {
    spans: BTreeMap<SpanId, Span>,
    attributes: BTreeMap<SpanId, Attributes>,
    links: BTreeMap<Link, u16>,
}

impl Plan {
    /// `self.edits` take away what changes, `later` puts attributes back where only the new schema has room for them.
    pub(super) fn take_spans(&mut self, doc: &Document, fate: &Fate, [before, after]: [&Schema; 2], later: &mut Vec<Edit>) {
        let said = &doc.annotation;
        // A span that would stand twice, with the same place and label: its links go to the one that stays.
        let twin = |span: &Span| {
            let same = |other: &Span| other.range == span.range && Some(other.label) == fate.into;
            let of_subject = Some(span.label) == fate.subject;
            said.spans.iter().find(|(_, other)| of_subject && same(other)).map(|(id, _)| *id)
        };
        let mut marks = Marks::default();
        let mut twins: BTreeMap<SpanId, SpanId> = BTreeMap::new();
        for (id, span) in &said.spans {
            self.spans += usize::from(fate.subject == Some(span.label));
            let held = said.attributes_of(*id);
            match (twin(span), fate.place(span.label)) {
                (Some(other), _) => {
                    twins.insert(*id, other);
                    self.attributes += held.len();
                }
                (None, None) => {}
                (None, Some(label)) => {
                    let bears = after.span_labels.get(usize::from(label)).is_some_and(|kind| kind.polarity);
                    let polarity = span.polarity.filter(|_| bears);
                    self.polarities += usize::from(polarity != span.polarity);
                    marks.spans.insert(*id, Span { label, polarity, ..*span });
                    let kept = carried(held, before.attributes(span.label), after.attributes(label));
                    self.attributes += held.len() - kept.len();
                    if !kept.is_empty() {
                        marks.attributes.insert(*id, kept);
                    }
                }
            }
        }
        let end = |id: SpanId| twins.get(&id).copied().unwrap_or(id);
        let moved = said.links.iter().map(|link| (Link { from: end(link.from), to: end(link.to) }, said.link_type(link)));
        let whole = |link: &Link| link.from != link.to && marks.spans.contains_key(&link.from) && marks.spans.contains_key(&link.to);
        for (link, link_type) in moved.filter(|(link, _)| whole(link)) {
            marks.links.entry(link).or_insert(link_type);
        }
        self.links += said.links.len() - marks.links.len();
        self.become_so(doc, &marks, later);
    }

    /// The edits that make these the spans and links of a document.
    fn become_so(&mut self, doc: &Document, marks: &Marks, later: &mut Vec<Edit>) {
        let (said, doc) = (&doc.annotation, doc.id);
        let is_same = |link: &Link| marks.links.get(link) == Some(&said.link_type(link));
        let gone = said.links.iter().filter(|link| !is_same(link)).map(|link| Edit::RemoveLink { doc, link: *link });
        let removed = said.spans.keys().filter(|id| !marks.spans.contains_key(id)).map(|id| Edit::RemoveSpan { doc, id: *id });
        self.edits.extend(gone.chain(removed));
        let none = Attributes::default();
        for (id, span) in &marks.spans {
            let attributes = marks.attributes.get(id).unwrap_or(&none);
            let moves = said.spans.get(id) != Some(span);
            if !moves && said.attributes_of(*id) == attributes {
                continue;
            }
            // Bare in between: what is said of a span must fit whichever schema is in force.
            let (id, span) = (*id, *span);
            if said.attributes_of(id).is_empty() {
                self.edits.push(Edit::PutSpan { doc, id, span });
            } else {
                self.edits.push(Edit::PutSpanWith { doc, id, span, attributes: none.clone() });
            }
            if !attributes.is_empty() {
                later.push(Edit::PutSpanWith { doc, id, span, attributes: attributes.clone() });
            }
        }
        let held = |link: &Link| said.links.contains(link).then(|| said.link_type(link));
        for (link, link_type) in marks.links.iter().filter(|(link, link_type)| held(link) != Some(**link_type)) {
            self.edits.push(match link_type {
                0 => Edit::PutLink { doc, link: *link },
                link_type => Edit::PutLinkAs { doc, link: *link, link_type: *link_type },
            });
        }
    }
}
