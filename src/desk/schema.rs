//! Changes of the schema: one step each, whose name says how much of what was answered it touches.

use super::{Desk, Notice, phrase::Phrases};
use crate::project::{LabelId, Plan, Schema, SchemaChange};
use crate::store::Language;

impl Desk {
    pub(super) fn change_schema(&mut self, change: &SchemaChange) {
        let Some(project) = self.project() else { return };
        let before = project.schema().clone();
        match project.plan(change) {
            Ok(plan) if plan.edits.is_empty() => {}
            Ok(plan) => {
                let name = Phrases(self.settings.language).schema(&before, change, &plan);
                let said = plan.changes_answers().then(|| Notice::SchemaChanged(name.clone()));
                self.commit_as_is(name, plan.edits);
                self.follow_schema(&before);
                if let Some(notice) = said {
                    self.notify(notice);
                }
            }
            Err(error) => self.fail(error),
        }
    }

    /// A filter means labels, not places: it follows them when they move, and ends with them.
    pub(super) fn follow_schema(&mut self, before: &Schema) {
        let Some(project) = self.project() else { return };
        let after = project.schema().clone();
        if *after == *before {
            return;
        }
        let mut filter = self.filter.clone();
        if let Some((question, Some(class))) = filter.class {
            let place = place_of(before, &after, LabelId::Class(question, class));
            filter.class = place.map(|at| (question, Some(at)));
        }
        filter.span_label = filter.span_label.and_then(|label| place_of(before, &after, LabelId::Span(label)));
        if filter != self.filter {
            self.filter = filter;
        }
    }
}

/// Where a label stands in another schema: by its name, or at its place if it was only renamed.
fn place_of(before: &Schema, after: &Schema, label: LabelId) -> Option<u16> {
    let names = |schema: &Schema| -> Vec<String> {
        match label {
            LabelId::Class(question, _) => {
                schema.question(question).into_iter().flat_map(|asked| &asked.classes).map(|class| class.name.clone()).collect()
            }
            LabelId::Span(_) => schema.span_labels.iter().map(|label| label.name.clone()).collect(),
        }
    };
    let (LabelId::Class(_, at) | LabelId::Span(at)) = label;
    let (old, new) = (names(before), names(after));
    let name = old.get(usize::from(at))?;
    let found = new.iter().position(|held| held == name).map(|at| at as u16);
    found.or_else(|| (old.len() == new.len()).then_some(at))
}

impl Phrases {
    /// "Delete class neutral: 37 answers, 0 spans".
    fn schema(self, schema: &Schema, change: &SchemaChange, plan: &Plan) -> String {
        use SchemaChange as C;
        let zh = self.0 == Language::Chinese;
        let pick = |english: String, chinese: String| if zh { chinese } else { english };
        let kind = |label: &LabelId| match (label, zh) {
            (LabelId::Class(..), false) => "class",
            (LabelId::Span(_), false) => "span label",
            (LabelId::Class(..), true) => "类别",
            (LabelId::Span(_), true) => "片段标签",
        };
        let name = |label: &LabelId| {
            let name = schema.name(*label).unwrap_or_default();
            if zh { format!("{}「{name}」", kind(label)) } else { format!("{} {name}", kind(label)) }
        };
        let words = match change {
            C::AddClass { name, .. } => pick(format!("add class {}", name.trim()), format!("添加类别「{}」", name.trim())),
            C::AddSpanLabel { name } => pick(format!("add span label {}", name.trim()), format!("添加片段标签「{}」", name.trim())),
            C::AddAll { .. } => pick("add labels from a template".to_owned(), "从模板添加标签".to_owned()),
            C::Rename { label, to } => {
                pick(format!("rename {} to {}", name(label), to.trim()), format!("将{}改名为「{}」", name(label), to.trim()))
            }
            C::SetHue { label, .. } => pick(format!("recolour {}", name(label)), format!("更改{}的颜色", name(label))),
            C::SetKey { label, .. } => pick(format!("change the key of {}", name(label)), format!("更改{}的按键", name(label))),
            C::SetHelp { label, .. } => pick(format!("change the help of {}", name(label)), format!("更改{}的说明", name(label))),
            C::SetPolarity { label, to: true } => {
                let name = name(&LabelId::Span(*label));
                pick(format!("polarity for {name}"), format!("{name}带倾向"))
            }
            C::SetPolarity { label, to: false } => {
                let name = name(&LabelId::Span(*label));
                pick(format!("no polarity for {name}"), format!("{name}不带倾向"))
            }
            C::Move { label, .. } => pick(format!("move {}", name(label)), format!("移动{}", name(label))),
            C::Merge { label, into } => {
                let goal = match label {
                    LabelId::Class(question, _) => LabelId::Class(*question, *into),
                    LabelId::Span(_) => LabelId::Span(*into),
                };
                let goal = schema.name(goal).unwrap_or_default();
                pick(format!("merge {} into {goal}", name(label)), format!("将{}并入「{goal}」", name(label)))
            }
            C::Delete { label } => pick(format!("delete {}", name(label)), format!("删除{}", name(label))),
        };
        if plan.changes_answers() || matches!(change, C::Delete { .. } | C::Merge { .. }) { words + &self.counts(plan) } else { words }
    }

    fn counts(self, plan: &Plan) -> String {
        let Plan { answers, spans, links, polarities, .. } = plan;
        let mut words = match self.0 {
            Language::English => format!(": {answers} answers, {spans} spans"),
            Language::Chinese => format!("：{answers} 个答案，{spans} 个片段"),
        };
        for (count, english, chinese) in [(links, "links", "个连接"), (polarities, "polarities", "个倾向")] {
            if *count > 0 {
                words += &match self.0 {
                    Language::English => format!(", {count} {english}"),
                    Language::Chinese => format!("，{count} {chinese}"),
                };
            }
        }
        words
    }
}
