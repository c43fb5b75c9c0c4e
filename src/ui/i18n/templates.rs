//! Sets of labels to start from, in both languages: the names go into the project, so they are no words of the window.

use crate::desk::Language;
use crate::project::{Kind, NewQuestion, Scale, SchemaChange};

/// A set of labels for a usual task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    Sentiment3,
    Sentiment5,
    /// Ekman's six (1992), and neutral; several may hold.
    Emotions,
    /// Plutchik's eight (1980); several may hold.
    Plutchik,
    Topic,
    Intent,
    Spam,
    /// Sentiment of aspects: what is talked about, and what is said about it.
    Aspects,
    /// Sentiment, aspects, Plutchik's emotions, intensity and a remark, all together.
    Everything,
}

impl Template {
    pub const ALL: [Self; 9] = [
        Self::Sentiment3,
        Self::Sentiment5,
        Self::Emotions,
        Self::Plutchik,
        Self::Topic,
        Self::Intent,
        Self::Spam,
        Self::Aspects,
        Self::Everything,
    ];

    /// A sentence for [`super::translate`].
    pub fn words(self) -> &'static str {
        match self {
            Self::Sentiment3 => "Sentiment, 3 classes",
            Self::Sentiment5 => "Sentiment, 5 classes",
            Self::Emotions => "Emotions (Ekman)",
            Self::Plutchik => "Emotions (Plutchik)",
            Self::Topic => "Topic",
            Self::Intent => "Intent",
            Self::Spam => "Spam",
            Self::Aspects => "Aspects and opinions",
            Self::Everything => "All together",
        }
    }

    /// Names of classes of the main question, in the language they will have in the project.
    pub fn classes(self, language: Language) -> &'static [&'static str] {
        let (english, chinese): (&[&str], &[&str]) = match self {
            Self::Sentiment3 | Self::Aspects | Self::Everything => (&["negative", "neutral", "positive"], &["负面", "中性", "正面"]),
            Self::Sentiment5 => {
                (&["very negative", "negative", "neutral", "positive", "very positive"], &["很差", "较差", "一般", "较好", "很好"])
            }
            Self::Emotions | Self::Plutchik => (&[], &[]),
            Self::Topic => {
                (&["quality", "price", "service", "delivery", "packaging", "other"], &["质量", "价格", "服务", "物流", "包装", "其他"])
            }
            Self::Intent => {
                (&["praise", "complaint", "question", "request", "suggestion", "other"], &["表扬", "投诉", "咨询", "请求", "建议", "其他"])
            }
            Self::Spam => (&["genuine", "spam"], &["正常", "垃圾"]),
        };
        pick(language, english, chinese)
    }

    /// Names of span labels; empty when the task marks nothing.
    pub fn spans(self, language: Language) -> &'static [&'static str] {
        match self {
            Self::Aspects | Self::Everything => pick(language, &["aspect", "opinion"], &["方面", "观点"]),
            _ => &[],
        }
    }

    /// Questions beside the main one.
    pub fn questions(self, language: Language) -> Vec<NewQuestion> {
        let emotions = |english: &'static [&str], chinese: &'static [&str]| NewQuestion {
            name: pick(language, "emotions", "情绪").to_owned(),
            kind: Kind::Several,
            classes: pick(language, english, chinese).iter().map(|name| (*name).to_owned()).collect(),
        };
        let plain = |english: &'static str, chinese: &'static str, kind| NewQuestion {
            name: pick(language, english, chinese).to_owned(),
            kind,
            classes: Vec::new(),
        };
        let plutchik = || {
            emotions(
                &["joy", "trust", "fear", "surprise", "sadness", "disgust", "anger", "anticipation"],
                &["喜悦", "信任", "恐惧", "惊讶", "悲伤", "厌恶", "愤怒", "期待"],
            )
        };
        match self {
            Self::Emotions => vec![emotions(
                &["anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"],
                &["愤怒", "厌恶", "恐惧", "喜悦", "悲伤", "惊讶", "中性"],
            )],
            Self::Plutchik => vec![plutchik()],
            Self::Everything => {
                vec![plutchik(), plain("intensity", "强度", Kind::Number(Scale::default())), plain("remark", "备注", Kind::Text)]
            }
            _ => Vec::new(),
        }
    }

    /// Adds what a project lacks of it.
    pub fn change(self, language: Language) -> SchemaChange {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let questions = self.questions(language);
        SchemaChange::AddAll { classes: names(self.classes(language)), questions, spans: names(self.spans(language)) }
    }

    /// All names, on one line.
    pub fn hint(self, language: Language) -> String {
        let questions = self.questions(language);
        let more = questions.iter().flat_map(|question| std::iter::once(&question.name).chain(&question.classes));
        let own = [self.classes(language), self.spans(language)].concat();
        own.into_iter().chain(more.map(String::as_str)).collect::<Vec<_>>().join(" · ")
    }

    /// Classes and span labels with commas between them, as they are typed.
    pub fn lists(self, language: Language) -> (String, String) {
        let comma = pick(language, ", ", "，");
        (self.classes(language).join(comma), self.spans(language).join(comma))
    }
}

fn pick<T: ?Sized>(language: Language, english: &'static T, chinese: &'static T) -> &'static T {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}
