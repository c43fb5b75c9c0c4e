//! fastText: `__label__positive Great price.`, a line a document.

use super::{No, Out};
use crate::project::{Answer, Document, State};
use crate::store::formats::FAST;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    // One line with several labels, and those of all lines are read so.
    let has_several = out.project.documents().any(|doc| names(out, doc).len() > 1);
    for doc in out.each() {
        document(out, doc, has_several);
    }
    None
}

/// The main class, or without a question of one class the classes of one of several.
fn names<'a>(out: &Out<'a>, doc: &'a Document) -> Vec<&'a str> {
    let main = out.main_class(&doc.annotation);
    let several = doc.annotation.answers.iter().find(|(_, answer)| main.is_none() && matches!(answer, Answer::Classes(_)));
    match (main, several) {
        (Some(class), _) => vec![class],
        (None, Some((id, Answer::Classes(classes)))) => {
            let question = out.schema().question(*id);
            classes.iter().filter_map(|class| Some(question?.classes.get(usize::from(*class))?.name.as_str())).collect()
        }
        _ => Vec::new(),
    }
}

fn document(out: &mut Out, doc: &Document, has_several: bool) {
    let said = &doc.annotation;
    let (main, names) = (out.main_class(said), names(out, doc));
    out.lacks(doc, &[No::Polarity, No::Links, No::Attributes, No::LinkTypes, No::States, No::Meta]);
    said.spans.values().for_each(|_| out.note(doc, "a span", &doc.text));
    // Read back, several labels are those of no question in particular.
    let held = usize::from(main.is_some());
    (held..said.answers.len()).for_each(|_| out.note(doc, "an answer to another question than the main one", &doc.text));
    if names.is_empty() {
        return out.note(doc, "a document without a class", &doc.text);
    }
    if doc.text.trim_start().starts_with(FAST) {
        return out.note(doc, "a document whose text begins like a class", &doc.text);
    }
    if let Some(class) = main.filter(|_| has_several) {
        out.note(doc, "an answer that will read as one of several, as other documents have several", class);
    }
    out.state_changes(doc, &State::Done);
    let mut line = String::new();
    for name in names {
        let plain: String = name.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
        if plain != name {
            out.note(doc, "an answer whose class has a space in its name, written as _", name);
        }
        line += &format!("{FAST}{plain} ");
    }
    let text: String = doc.text.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }).collect();
    if text != *doc.text {
        out.note(doc, "the line ends of a text, written as spaces", &doc.text);
    }
    out.documents += 1;
    out.bytes.extend_from_slice(format!("{line}{text}\n").as_bytes());
}
