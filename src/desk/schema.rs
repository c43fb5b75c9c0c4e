//! Changes of the schema: one step each, whose name says how much of what was answered it touches.

use super::{Desk, Notice, phrase::Phrases};
use crate::project::{AttributeChange, LabelId, LinkTypeChange, Plan, QuestionId, Schema, SchemaChange, Touched};
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
        let question = |id| question_of(before, &after, id);
        let label = |label| match label {
            LabelId::Class(id, class) => place_of(before, &after, [label, LabelId::Class(question(id)?, class)]),
            LabelId::Span(_) => place_of(before, &after, [label; 2]),
        };
        filter.follow_schema([before, &after], question, label);
        if filter != self.filter {
            self.filter = filter;
        }
    }
}

/// Where a question stands in another schema: by its name, or at its place if it was only renamed.
fn question_of(before: &Schema, after: &Schema, id: QuestionId) -> Option<QuestionId> {
    let name = &before.question(id)?.name;
    let found = after.questions().find(|(_, question)| question.name == *name).map(|(id, _)| id);
    found.or_else(|| (before.questions.len() == after.questions.len()).then_some(id))
}

/// Where a label stands in another schema, the lists being given by a label of each: by its name, or at its place if it
/// was only renamed.
fn place_of(before: &Schema, after: &Schema, [label, goal]: [LabelId; 2]) -> Option<u16> {
    let names = |schema: &Schema, label: LabelId| -> Vec<String> {
        match label {
            LabelId::Class(question, _) => {
                schema.question(question).into_iter().flat_map(|asked| &asked.classes).map(|class| class.name.clone()).collect()
            }
            LabelId::Span(_) => schema.span_labels.iter().map(|label| label.name.clone()).collect(),
        }
    };
    let (LabelId::Class(_, at) | LabelId::Span(at)) = label;
    let (old, new) = (names(before, label), names(after, goal));
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
        let asked = |id: &QuestionId| {
            let name = schema.question(*id).map_or("", |question| question.name.as_str());
            pick(format!("question {name}"), format!("问题「{name}」"))
        };
        let words = match change {
            C::AddQuestion { name, .. } => pick(format!("add question {}", name.trim()), format!("添加问题「{}」", name.trim())),
            C::RenameQuestion { question, to } => {
                pick(format!("rename {} to {}", asked(question), to.trim()), format!("将{}改名为「{}」", asked(question), to.trim()))
            }
            C::SetKind { question, .. } => {
                pick(format!("other answers to {}", asked(question)), format!("更改{}的作答方式", asked(question)))
            }
            C::MoveQuestion { question, .. } => pick(format!("move {}", asked(question)), format!("移动{}", asked(question))),
            C::DeleteQuestion { question } => pick(format!("delete {}", asked(question)), format!("删除{}", asked(question))),
            C::AddWords { words } => match words.as_slice() {
                [one] => pick(format!("suggest {}", one.pattern), format!("建议标注「{}」", one.pattern)),
                many => pick(format!("suggest {} words", many.len()), format!("建议标注 {} 个词", many.len())),
            },
            C::RemoveWords { places } => pick(format!("stop suggesting {} words", places.len()), format!("不再建议 {} 个词", places.len())),
            C::SaveView { view } => pick(format!("keep the view {}", view.name), format!("保存视图「{}」", view.name)),
            C::DeleteView { name } => pick(format!("delete the view {name}"), format!("删除视图「{name}」")),
            C::GroupTerms { terms, name } if name.trim().is_empty() => {
                pick(format!("{} terms by themselves", terms.len()), format!("{} 个词各自统计", terms.len()))
            }
            C::GroupTerms { terms, name } => {
                pick(format!("count {} terms as {}", terms.len(), name.trim()), format!("将 {} 个词归为「{}」", terms.len(), name.trim()))
            }
            C::AddClass { name, .. } => pick(format!("add class {}", name.trim()), format!("添加类别「{}」", name.trim())),
            C::AddSpanLabel { name } => pick(format!("add span label {}", name.trim()), format!("添加片段标签「{}」", name.trim())),
            C::AddAll { .. } => pick("add labels from a template".to_owned(), "从模板添加标签".to_owned()),
            C::Rename { label, to } => {
                pick(format!("rename {} to {}", name(label), to.trim()), format!("将{}改名为「{}」", name(label), to.trim()))
            }
            C::SetHue { label, .. } => pick(format!("recolour {}", name(label)), format!("更改{}的颜色", name(label))),
            C::SetKey { label, .. } => pick(format!("change the key of {}", name(label)), format!("更改{}的按键", name(label))),
            C::SetHelp { label, .. } => pick(format!("change the help of {}", name(label)), format!("更改{}的说明", name(label))),
            C::SetQuestionHelp { question, .. } => {
                pick(format!("change the help of {}", asked(question)), format!("更改{}的说明", asked(question)))
            }
            C::Attribute { label, change } => self.attribute_change(schema, *label, change),
            C::LinkType(change) => self.link_type_change(schema, change),
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
            C::Split { label, to, .. } => {
                pick(format!("split {} off {}", to.trim(), name(label)), format!("从{}拆出「{}」", name(label), to.trim()))
            }
            C::Delete { label } => pick(format!("delete {}", name(label)), format!("删除{}", name(label))),
        };
        let counts_anyway = matches!(
            change,
            C::Delete { .. }
                | C::DeleteQuestion { .. }
                | C::Merge { .. }
                | C::Split { .. }
                | C::LinkType(LinkTypeChange::Delete { .. } | LinkTypeChange::Merge { .. })
                | C::Attribute { change: AttributeChange::Delete { .. }, .. }
        );
        if plan.changes_answers() || counts_anyway { words + &self.counts(plan, change) } else { words }
    }

    /// ": 4 spans, 2 links": what a change is about comes first even if it is none, the rest only where there is some.
    fn counts(self, plan: &Plan, change: &SchemaChange) -> String {
        let Plan { answers, spans, links, polarities, attributes, .. } = *plan;
        let about = change.is_about();
        let kinds = [
            (Touched::Answers, answers, "answers", "个答案"),
            (Touched::Spans, spans, "spans", "个片段"),
            (Touched::Links, links, "links", "个连接"),
            (Touched::Polarities, polarities, "polarities", "个倾向"),
            (Touched::Attributes, attributes, "attributes", "个属性"),
        ];
        let said = kinds.into_iter().filter(|(kind, count, ..)| *kind == about || *count > 0);
        let zh = self.0 == Language::Chinese;
        let said: Vec<String> =
            said.map(|(_, count, english, chinese)| if zh { format!("{count} {chinese}") } else { format!("{count} {english}") }).collect();
        if zh { format!("：{}", said.join("，")) } else { format!(": {}", said.join(", ")) }
    }

    /// "add attribute category to span label aspect".
    fn attribute_change(self, schema: &Schema, label: u16, change: &AttributeChange) -> String {
        use AttributeChange as C;
        let zh = self.0 == Language::Chinese;
        let pick = |english: String, chinese: String| if zh { chinese } else { english };
        let of = schema.name(LabelId::Span(label)).unwrap_or_default();
        let asked = |at: &u16| schema.attributes(label).get(usize::from(*at));
        let name = |at: &u16| asked(at).map_or("", |held| held.name.as_str());
        let value = |at: &u16, value: &u16| asked(at).and_then(|held| held.values().get(usize::from(*value))).map_or("", String::as_str);
        match change {
            C::Add { name, .. } => {
                let name = name.trim();
                pick(format!("add attribute {name} to {of}"), format!("为「{of}」添加属性「{name}」"))
            }
            C::Rename { attribute, to } => {
                let (name, to) = (name(attribute), to.trim());
                pick(format!("rename attribute {name} of {of} to {to}"), format!("将「{of}」的属性「{name}」改名为「{to}」"))
            }
            C::SetHelp { attribute, .. } => {
                let name = name(attribute);
                pick(format!("change the help of attribute {name} of {of}"), format!("更改「{of}」的属性「{name}」的说明"))
            }
            C::SetKind { attribute, .. } => {
                let name = name(attribute);
                pick(format!("other values for attribute {name} of {of}"), format!("更改「{of}」的属性「{name}」的取值"))
            }
            C::Move { attribute, .. } => {
                let name = name(attribute);
                pick(format!("move attribute {name} of {of}"), format!("移动「{of}」的属性「{name}」"))
            }
            C::MoveValue { attribute, value: at, .. } => {
                let (name, held) = (name(attribute), value(attribute, at));
                pick(format!("move {held} in {name} of {of}"), format!("移动「{of}」的「{name}」中的「{held}」"))
            }
            C::Delete { attribute } => {
                let name = name(attribute);
                pick(format!("delete attribute {name} of {of}"), format!("删除「{of}」的属性「{name}」"))
            }
            C::AddValue { attribute, name: fresh } => {
                let (name, fresh) = (name(attribute), fresh.trim());
                pick(format!("add {fresh} to {name} of {of}"), format!("为「{of}」的「{name}」添加「{fresh}」"))
            }
            C::RenameValue { attribute, value: at, to } => {
                let (name, held, to) = (name(attribute), value(attribute, at), to.trim());
                pick(format!("rename {held} to {to} in {name} of {of}"), format!("将「{of}」的「{name}」中的「{held}」改名为「{to}」"))
            }
            C::MergeValue { attribute, value: at, into } => {
                let (name, held, into) = (name(attribute), value(attribute, at), value(attribute, into));
                pick(format!("merge {held} into {into} in {name} of {of}"), format!("将「{of}」的「{name}」中的「{held}」并入「{into}」"))
            }
            C::DeleteValue { attribute, value: at } => {
                let (name, held) = (name(attribute), value(attribute, at));
                pick(format!("delete {held} from {name} of {of}"), format!("从「{of}」的「{name}」中删除「{held}」"))
            }
        }
    }

    /// "delete link type part of".
    fn link_type_change(self, schema: &Schema, change: &LinkTypeChange) -> String {
        use LinkTypeChange as C;
        let zh = self.0 == Language::Chinese;
        let pick = |english: String, chinese: String| if zh { chinese } else { english };
        let name = |at: &u16| schema.link_types().get(usize::from(*at)).map_or("", |held| held.name.as_str());
        match change {
            C::Add { name } => pick(format!("add link type {}", name.trim()), format!("添加连接类型「{}」", name.trim())),
            C::Rename { at, to } => {
                let (name, to) = (name(at), to.trim());
                pick(format!("rename link type {name} to {to}"), format!("将连接类型「{name}」改名为「{to}」"))
            }
            C::SetHue { at, .. } => pick(format!("recolour link type {}", name(at)), format!("更改连接类型「{}」的颜色", name(at))),
            C::SetHelp { at, .. } => {
                pick(format!("change the help of link type {}", name(at)), format!("更改连接类型「{}」的说明", name(at)))
            }
            C::SetEnds { at, .. } => pick(format!("what link type {} joins", name(at)), format!("更改连接类型「{}」的两端", name(at))),
            C::SetParts { at, to: true } => {
                pick(format!("link type {} joins parts", name(at)), format!("连接类型「{}」连接各部分", name(at)))
            }
            C::SetParts { at, to: false } => {
                pick(format!("link type {} joins no parts", name(at)), format!("连接类型「{}」不再连接各部分", name(at)))
            }
            C::Merge { at, into } => {
                let (name, into) = (name(at), name(into));
                pick(format!("merge link type {name} into {into}"), format!("将连接类型「{name}」并入「{into}」"))
            }
            C::Move { at, .. } => pick(format!("move link type {}", name(at)), format!("移动连接类型「{}」", name(at))),
            C::Delete { at } => pick(format!("delete link type {}", name(at)), format!("删除连接类型「{}」", name(at))),
        }
    }
}
