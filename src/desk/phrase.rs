//! Names of steps, in the language of the person who makes them: they stand in the journal and beside Undo.

use crate::project::{Answer, Document, Kind, Polarity, Question, Settle, State, TextRange};
use crate::store::Language;

/// Speaks one language.
#[derive(Clone, Copy)]
pub struct Phrases(pub Language);

impl Phrases {
    fn pick(self, english: String, chinese: String) -> String {
        if self.0 == Language::Chinese { chinese } else { english }
    }

    /// "answer positive", "add joy to emotions", "intensity: 0.5".
    pub fn answer(self, question: &Question, held: Option<&Answer>, to: Option<&Answer>) -> String {
        let asked = &question.name;
        let Some(answer) = to else { return self.pick("clear the answer".to_owned(), "清除答案".to_owned()) };
        let words = excerpt(&question.words(answer));
        if let (Kind::Several, Answer::Classes(new)) = (question.kind, answer) {
            let old = match held {
                Some(Answer::Classes(old)) => old.clone(),
                _ => Default::default(),
            };
            let only = |one: std::collections::BTreeSet<u16>| (one.len() == 1).then(|| question.words(&Answer::Classes(one)));
            let added = only(new - &old).filter(|_| old.is_subset(new));
            let gone = only(&old - new).filter(|_| new.is_subset(&old));
            if let Some(name) = added {
                return self.pick(format!("add {name} to {asked}"), format!("{asked}加上{name}"));
            }
            if let Some(name) = gone {
                return self.pick(format!("take {name} from {asked}"), format!("{asked}去掉{name}"));
            }
        }
        match question.kind {
            Kind::One => self.pick(format!("answer {words}"), format!("标为{words}")),
            _ => self.pick(format!("{asked}: {words}"), format!("{asked}：{words}")),
        }
    }

    /// "answer positive (3 documents)".
    pub fn answer_of_many(self, question: &Question, to: Option<&Answer>, count: usize) -> String {
        let what = self.answer(question, None, to);
        self.pick(format!("{what} ({count} documents)"), format!("{what}（{count} 条）"))
    }

    pub fn state(self, to: &State) -> String {
        match to {
            State::Todo => self.pick("back to to-do".to_owned(), "改回待办".to_owned()),
            State::Done => self.pick("mark as done".to_owned(), "标为完成".to_owned()),
            State::Skipped => self.pick("skip".to_owned(), "跳过".to_owned()),
        }
    }

    pub fn skip(self, reason: &str) -> String {
        let why = excerpt(reason);
        self.pick(format!("skip: {why}"), format!("跳过：{why}"))
    }

    pub fn flag(self, to: bool) -> String {
        if to {
            self.pick("flag".to_owned(), "加旗标".to_owned())
        } else {
            self.pick("remove the flag".to_owned(), "去掉旗标".to_owned())
        }
    }

    pub fn mark(self, doc: &Document, range: TextRange, label: &str) -> String {
        let what = excerpt(range.of(&doc.text));
        self.pick(format!("mark {what} as {label}"), format!("将「{what}」标为{label}"))
    }

    pub fn mark_many(self, doc: &Document, range: TextRange, label: &str, count: usize) -> String {
        let what = excerpt(range.of(&doc.text));
        self.pick(format!("mark {what} as {label} in {count} more places"), format!("将其余 {count} 处「{what}」标为{label}"))
    }

    pub fn mark_in_many(self, marks: bool, words: &str, label: &str, places: usize, documents: usize) -> String {
        let what = excerpt(words);
        match marks {
            true => self.pick(
                format!("mark {what} as {label} in {places} places ({documents} documents)"),
                format!("将 {places} 处「{what}」标为{label}（{documents} 条）"),
            ),
            false => self.pick(
                format!("unmark {what} as {label} in {places} places ({documents} documents)"),
                format!("取消 {places} 处「{what}」的{label}标注（{documents} 条）"),
            ),
        }
    }

    /// "accept suggestion: mark 电池 as aspect (run 3, 87 %)".
    pub fn accepted(self, names: &[String], run: Option<&str>, least: Option<f32>) -> String {
        const SHOWN: usize = 3;
        let more = if names.len() > SHOWN { " …" } else { "" };
        let what =
            names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(if self.0 == Language::Chinese { "，" } else { ", " })
                + more;
        let percent = least.map(|least| (least * 100.0).round());
        match (run, percent) {
            (Some(run), Some(percent)) => self.pick(
                format!("accept suggestion: {what} (run {run}, {percent} %)"),
                format!("接受建议：{what}（训练 {run}，{percent} %）"),
            ),
            _ => self.pick(format!("accept suggestion: {what} (word list)"), format!("接受建议：{what}（词表）")),
        }
    }

    pub fn reject(self, doc: &Document, range: TextRange, label: &str) -> String {
        let what = excerpt(range.of(&doc.text));
        self.pick(format!("reject suggestion: {what} as {label}"), format!("拒绝建议：将「{what}」标为{label}"))
    }

    pub fn unmark(self, doc: &Document, range: TextRange) -> String {
        let what = excerpt(range.of(&doc.text));
        self.pick(format!("unmark {what}"), format!("取消标注「{what}」"))
    }

    pub fn change(self, doc: &Document, range: TextRange) -> String {
        let what = excerpt(range.of(&doc.text));
        self.pick(format!("change {what}"), format!("修改「{what}」"))
    }

    pub fn polarity(self, doc: &Document, range: TextRange, to: Option<Polarity>) -> String {
        let what = excerpt(range.of(&doc.text));
        let mark = to.map_or("?", Polarity::mark);
        self.pick(format!("polarity of {what}: {mark}"), format!("「{what}」的倾向：{mark}"))
    }

    /// `named`: the type, where there are several.
    pub fn link(self, linked: bool, named: Option<&str>) -> String {
        match (linked, named) {
            (true, Some(name)) => self.pick(format!("link spans: {name}"), format!("连接片段：{name}")),
            (true, None) => self.pick("link spans".to_owned(), "连接片段".to_owned()),
            (false, _) => self.pick("unlink spans".to_owned(), "断开连接".to_owned()),
        }
    }

    /// "category of 电池: hardware".
    pub fn attribute(self, doc: &Document, range: TextRange, asked: &str, to: Option<&str>) -> String {
        let what = excerpt(range.of(&doc.text));
        match to {
            Some(to) => self.pick(format!("{asked} of {what}: {to}"), format!("「{what}」的{asked}：{to}")),
            None => self.pick(format!("no {asked} of {what}"), format!("清除「{what}」的{asked}")),
        }
    }

    pub fn import(self, name: &str, count: usize) -> String {
        self.pick(format!("import {count} documents from {name}"), format!("从 {name} 导入 {count} 条"))
    }

    pub fn annotators(self, names: &[String]) -> String {
        self.pick(format!("{} may label", names.join(", ")), format!("{}参与标注", names.join("、")))
    }

    pub fn adopt(self, annotator: &str) -> String {
        self.pick(format!("take {annotator}'s answers as the outcome"), format!("以{annotator}的答案为最终结果"))
    }

    pub fn adopt_agreed(self, count: usize) -> String {
        self.pick(format!("settle {count} documents as all agree"), format!("按一致意见确定 {count} 条"))
    }

    pub fn comment(self, text: &str) -> String {
        self.pick(format!("comment: {}", excerpt(text)), format!("评论：{}", excerpt(text)))
    }

    pub fn resolve(self, text: &str, to: bool) -> String {
        let text = excerpt(text);
        match to {
            true => self.pick(format!("resolve the comment {text}"), format!("解决评论「{text}」")),
            false => self.pick(format!("reopen the comment {text}"), format!("重新打开评论「{text}」")),
        }
    }

    pub fn uncomment(self, text: &str) -> String {
        self.pick(format!("remove the comment {}", excerpt(text)), format!("删除评论「{}」", excerpt(text)))
    }

    pub fn guidelines(self) -> String {
        self.pick("change the guidelines".to_owned(), "修改标注指南".to_owned())
    }

    pub fn merge(self, file: &str) -> String {
        self.pick(format!("merge {file}"), format!("合并 {file}"))
    }

    pub fn near_duplicates(self, what: Settle, count: usize) -> String {
        match what {
            Settle::Remove => self.pick(format!("take out {count} near-duplicates"), format!("移出 {count} 条近似重复")),
            Settle::Flag => self.pick(format!("flag {count} near-duplicates"), format!("给 {count} 条近似重复加旗标")),
            Settle::Link => self.pick(format!("link {count} near-duplicates"), format!("关联 {count} 条近似重复")),
        }
    }

    /// The comment on a near-duplicate.
    pub fn is_like(self, document: usize) -> String {
        self.pick(format!("Nearly the same as document {document}"), format!("与第 {document} 条近似重复"))
    }

    pub fn shared(self, count: usize) -> String {
        self.pick(format!("copy of {count} documents"), format!("{count} 条文本的副本"))
    }

    pub fn add(self) -> String {
        self.pick("add a document".to_owned(), "添加一条文本".to_owned())
    }
}

/// The first characters of a long text.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 24;
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if chars.next().is_some() { head + "…" } else { head }
}
