//! Elements of an XML file one after the other: only the one that is read stands in memory. Entities that a file defines
//! itself are not expanded.

use super::source::Source;
use crate::store::StoreError;
use crate::store::pieces::{MOST_ROW, Pieces};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::io::{BufRead, Read};

/// More than any honest file has: a damaged one must not exhaust the stack.
const MOST_NESTED: usize = 64;

/// An element with what is inside.
#[derive(Debug)]
pub(super) struct Element {
    pub name: String,
    /// The line it begins in.
    pub row: usize,
    /// The number of the nearest element around it of the name that [`each`] was told, if it stands in one.
    pub group: Option<usize>,
    /// Its own words.
    pub text: Option<String>,
    pub children: Vec<Element>,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// All elements inside, an outer one before those in it.
    pub(super) fn inside(&self) -> Box<dyn Iterator<Item = &Element> + '_> {
        Box::new(self.children.iter().flat_map(|child| std::iter::once(child).chain(child.inside())))
    }
}

/// Hands on every element of one of the names that stands in no other of them, when it ends.
///
/// # Errors
/// The file can't be read, or is broken XML.
pub(super) fn each(source: &mut Source, names: &[&str], group: &str, mut each: impl FnMut(Element)) -> Result<(), StoreError> {
    let mut pieces = source.pieces()?;
    // It says how the file was encoded; here it is decoded already.
    let mut line = 1;
    if let Some(end) = declaration(pieces.rest()) {
        line += memchr::memchr_iter(b'\n', &pieces.bytes()[..end]).count();
        pieces.take(end);
    }
    let mut walk = Walk { group, ..Walk::default() };
    let mut reader = Reader::from_reader(Counted { pieces, line, held: 0, error: None });
    /// A file of another kind may have no element that is wanted.
    const EVENTS: usize = 1_000;
    let (mut buffer, mut rows) = (Vec::new(), 0);
    for event in 1.. {
        buffer.clear();
        if event % EVENTS == 0 && !source.goes_on(rows, reader.get_ref().pieces.share(0)) {
            break;
        }
        let done = match reader.read_event_into(&mut buffer) {
            Ok(event) => {
                let line = reader.get_ref().line;
                walk.take(event, line, names)
            }
            Err(error) => {
                let line = reader.get_ref().line;
                Err(format!("{error}, near line {line}"))
            }
        };
        if let Some(error) = reader.get_mut().error.take() {
            return Err(error);
        }
        match done.map_err(|what| source.broken(format!("it is broken XML: {what}")))? {
            Step::On => {}
            Step::Element(element) => {
                each(*element);
                rows += 1;
                let share = reader.get_ref().pieces.share(0);
                if !source.goes_on(rows, share) {
                    return Ok(());
                }
            }
            Step::End => return Ok(()),
        }
        if walk.open.is_empty() {
            reader.get_mut().held = 0;
        }
    }
    Ok(())
}

/// Where the declaration at the beginning of a file ends.
fn declaration(text: &str) -> Option<usize> {
    let space = text.len() - text.trim_start().len();
    text[space..].starts_with("<?xml ").then(|| text.find("?>").map(|at| at + 2)).flatten()
}

enum Step {
    On,
    Element(Box<Element>),
    End,
}

/// Where in the file we are.
#[derive(Default)]
struct Walk<'a> {
    group: &'a str,
    /// Groups so far, and whether one is open.
    groups: usize,
    in_group: bool,
    depth: usize,
    /// The element that is read and those open in it.
    open: Vec<Element>,
}

impl Walk<'_> {
    fn take(&mut self, event: Event, line: usize, names: &[&str]) -> Result<Step, String> {
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                if self.depth > MOST_NESTED {
                    return Err(format!("its elements are nested more than {MOST_NESTED} deep"));
                }
                self.start(&tag, line, names)?;
                Ok(Step::On)
            }
            Event::Empty(tag) => {
                if !self.start(&tag, line, names)? {
                    return Ok(Step::On);
                }
                Ok(self.end())
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                if self.open.is_empty() {
                    self.in_group &= tag.local_name().as_ref() != self.group;
                    return Ok(Step::On);
                }
                Ok(self.end())
            }
            Event::Text(text) => self.words(&text.xml10_content()),
            Event::CData(text) => self.words(&text.xml10_content()),
            Event::GeneralRef(name) => self.words(&entity(&name)?),
            Event::DocType(_) => Err("it defines its own document type, which is not read here".to_owned()),
            Event::Eof if self.depth > 0 => Err("it ends before its last element does".to_owned()),
            Event::Eof => Ok(Step::End),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Ok(Step::On),
        }
    }

    /// Whether the element is one to be kept.
    fn start(&mut self, tag: &BytesStart, line: usize, names: &[&str]) -> Result<bool, String> {
        let name = tag.local_name().as_ref().to_owned();
        if self.open.is_empty() && !names.contains(&name.as_str()) {
            if name == self.group {
                self.groups += 1;
                self.in_group = true;
            }
            return Ok(false);
        }
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| format!("{error}, near line {line}"))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| format!("{error}, near line {line}"))?;
            attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        let row = line.saturating_sub(tag.matches('\n').count());
        let group = self.in_group.then_some(self.groups);
        self.open.push(Element { name, row, group, text: None, children: Vec::new(), attributes });
        Ok(true)
    }

    fn end(&mut self) -> Step {
        let Some(done) = self.open.pop() else { return Step::On };
        match self.open.last_mut() {
            Some(outer) => {
                outer.children.push(done);
                Step::On
            }
            None => Step::Element(Box::new(done)),
        }
    }

    fn words(&mut self, words: &str) -> Result<Step, String> {
        if let Some(open) = self.open.last_mut() {
            open.text.get_or_insert_default().push_str(words);
        }
        Ok(Step::On)
    }
}

/// What a reference stands for: a character, or one of the five names that XML knows.
fn entity(name: &BytesRef) -> Result<String, String> {
    let unknown = || format!("it uses the name &{};, which is not known here", &**name);
    match name.resolve_char_ref() {
        Ok(Some(c)) => Ok(c.to_string()),
        Ok(None) => resolve_predefined_entity(name).map(str::to_owned).ok_or_else(unknown),
        Err(_) => Err(unknown()),
    }
}

/// The decoded file with the line it is at. What is longer than a row may be ends it.
struct Counted {
    pieces: Pieces,
    line: usize,
    /// Bytes since the last element that was handed on.
    held: usize,
    /// What is no fault of the XML.
    error: Option<StoreError>,
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.held > MOST_ROW {
            return Err(std::io::Error::other(format!("an element is longer than {} MB", MOST_ROW >> 20)));
        }
        while self.pieces.bytes().is_empty() && !self.pieces.is_last() {
            if let Err(error) = self.pieces.more() {
                self.error = Some(error);
                return Err(std::io::Error::other("the file can't be read"));
            }
        }
        Ok(self.pieces.bytes())
    }

    fn consume(&mut self, length: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.pieces.bytes()[..length]).count();
        self.held += length;
        self.pieces.take(length);
    }
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let held = self.fill_buf()?;
        let length = held.len().min(into.len());
        into[..length].copy_from_slice(&held[..length]);
        self.consume(length);
        Ok(length)
    }
}
