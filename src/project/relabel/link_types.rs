//! Changes of the types of links: new ones, names, colours, what they join. Links follow their type, or go with it.

use super::attributes::{free, move_to};
use super::{Plan, SchemaError};
use crate::project::{Document, Edit, LinkType, Schema};
use std::collections::BTreeSet;

/// A wish about the types of links, which are named by their places.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkTypeChange {
    Add {
        name: String,
    },
    Rename {
        at: u16,
        to: String,
    },
    SetHue {
        at: u16,
        to: u8,
    },
    SetHelp {
        at: u16,
        to: String,
    },
    /// The labels it joins; `None` for any. Links that are there stay.
    SetEnds {
        at: u16,
        from: Option<u16>,
        to: Option<u16>,
    },
    /// Whether the spans it joins are parts of one thing.
    SetParts {
        at: u16,
        to: bool,
    },
    /// To another place among the types. The first one trains.
    Move {
        at: u16,
        to: u16,
    },
    /// Links of the one become links of the other, which keeps its name.
    Merge {
        at: u16,
        into: u16,
    },
    /// With all its links. The last type stays.
    Delete {
        at: u16,
    },
}

/// What becomes of links.
pub(super) struct LinkFate {
    /// New place by old place.
    places: Vec<Option<u16>>,
    /// The type whose links are counted.
    subject: Option<u16>,
}

impl Plan {
    /// The links of a document afterwards. There are no more places than before, so every edit fits both schemas.
    pub(super) fn take_links(&mut self, doc: &Document, fate: &LinkFate) {
        let said = &doc.annotation;
        for link in &said.links {
            let held = said.link_type(link);
            let to = fate.places.get(usize::from(held)).copied().flatten();
            self.links += usize::from(fate.subject == Some(held));
            if to == Some(held) {
                continue;
            }
            self.edits.push(Edit::RemoveLink { doc: doc.id, link: *link });
            self.edits.extend(to.map(|link_type| Edit::PutLinkAs { doc: doc.id, link: *link, link_type }));
        }
    }
}

impl Schema {
    fn link_type_mut(&mut self, at: u16) -> Result<&mut LinkType, SchemaError> {
        self.link_types_mut().get_mut(usize::from(at)).ok_or(SchemaError::NoSuchLinkType)
    }

    pub(super) fn change_link_types(&mut self, change: &LinkTypeChange) -> Result<LinkFate, SchemaError> {
        use LinkTypeChange as C;
        let count = self.link_types().len() as u16;
        let mut fate = LinkFate { places: (0..count).map(Some).collect(), subject: None };
        match change {
            C::Add { name } => {
                let types = self.link_types_mut();
                let name = free(name, types.iter().map(|held| held.name.as_str()), None)?;
                let used: BTreeSet<u8> = types.iter().map(|held| held.hue).collect();
                let hue = (0..8).find(|hue| !used.contains(hue)).unwrap_or((types.len() % 8) as u8);
                types.push(LinkType::new(name, hue));
            }
            C::Rename { at, to } => {
                let name = free(to, self.link_types().iter().map(|held| held.name.as_str()), Some(*at))?;
                self.link_type_mut(*at)?.name = name;
            }
            C::SetHue { at, to } => self.link_type_mut(*at)?.hue = to % 8,
            C::SetParts { at, to } => self.link_type_mut(*at)?.parts = *to,
            C::SetHelp { at, to } => self.link_type_mut(*at)?.help = to.trim().to_owned(),
            C::SetEnds { at, from, to } => {
                let labels = self.span_labels.len();
                if [from, to].into_iter().flatten().any(|label| usize::from(*label) >= labels) {
                    return Err(SchemaError::NoSuchLabel);
                }
                let held = self.link_type_mut(*at)?;
                (held.from, held.to) = (*from, *to);
            }
            C::Move { at, to } => {
                self.link_type_mut(*at)?;
                fate.places = move_to(self.link_types_mut(), *at, *to).into_iter().map(Some).collect();
            }
            C::Merge { at, into } if at == into => return Err(SchemaError::IntoItself),
            C::Merge { at, into } => {
                if *into >= count {
                    return Err(SchemaError::NoSuchLinkType);
                }
                fate = self.without_link_type(*at, Some(*into))?;
            }
            C::Delete { at } => fate = self.without_link_type(*at, None)?,
        }
        self.forget_usual_link_type();
        Ok(fate)
    }

    fn without_link_type(&mut self, subject: u16, into: Option<u16>) -> Result<LinkFate, SchemaError> {
        let types = self.link_types_mut();
        let count = types.len() as u16;
        if subject >= count {
            return Err(SchemaError::NoSuchLinkType);
        }
        if count == 1 {
            return Err(SchemaError::OnlyLinkType);
        }
        types.remove(usize::from(subject));
        let after = |at: u16| at - u16::from(at > subject);
        let places = (0..count).map(|at| if at == subject { into.map(after) } else { Some(after(at)) }).collect();
        Ok(LinkFate { places, subject: Some(subject) })
    }
}
