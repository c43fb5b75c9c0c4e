//! fastText: `__label__positive Great price.`, a line a document.

use super::{No, Out};
use crate::project::{Answer, Document, State};
use crate::store::formats::FAST;

pub(super) fn write(out: &mut Out) -> Option<&'static str> {
    for doc in out.project.documents() {
        document(out, doc);
    }
    None
}

fn document(out: &mut Out, doc: &Document) {
    let said = &doc.annotation;
    let main = out.main_class(said);
    // Without a question of one class, one of several.
    let several = said.answers.iter().find(|(_, answer)| main.is_none() && matches!(answer, Answer::Classes(_)));
    let names: Vec<&str> = match (main, several) {
        (Some(class), _) => vec![class],
        (None, Some((id, Answer::Classes(classes)))) => {
            let question = out.schema().question(*id);
            classes.iter().filter_map(|class| Some(question?.classes.get(usize::from(*class))?.name.as_str())).collect()
        }
        _ => Vec::new(),
    };
    out.lacks(doc, &[No::Polarity, No::Links, No::Attributes, No::LinkTypes, No::States, No::Meta]);
    said.spans.values().for_each(|_| out.note(doc, "a span", &doc.text));
    // Read back, several labels are those of no question in particular.
    let held = usize::from(main.is_some());
    (held..said.answers.len()).for_each(|_| out.note(doc, "an answer to another question than the main one", &doc.text));
    if names.is_empty() {
        return out.note(doc, "a document without a class", &doc.text);
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
