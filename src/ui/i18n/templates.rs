//! Sets of labels to start from, in both languages: the names go into the project, so they are no words of the window.

use crate::desk::Language;

/// A set of labels for a usual task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    Sentiment3,
    Sentiment5,
    /// Ekman's six, and neutral.
    Emotions,
    Topic,
    Intent,
    Spam,
    /// Sentiment of aspects: what is talked about, and what is said about it.
    Aspects,
}

impl Template {
    pub const ALL: [Self; 7] = [Self::Sentiment3, Self::Sentiment5, Self::Emotions, Self::Topic, Self::Intent, Self::Spam, Self::Aspects];

    /// A sentence for [`super::translate`].
    pub fn words(self) -> &'static str {
        match self {
            Self::Sentiment3 => "Sentiment, 3 classes",
            Self::Sentiment5 => "Sentiment, 5 classes",
            Self::Emotions => "Emotions",
            Self::Topic => "Topic",
            Self::Intent => "Intent",
            Self::Spam => "Spam",
            Self::Aspects => "Aspects and opinions",
        }
    }

    /// Names of classes, in the language they will have in the project.
    pub fn classes(self, language: Language) -> &'static [&'static str] {
        let (english, chinese): (&[&str], &[&str]) = match self {
            Self::Sentiment3 | Self::Aspects => (&["negative", "neutral", "positive"], &["负面", "中性", "正面"]),
            Self::Sentiment5 => {
                (&["very negative", "negative", "neutral", "positive", "very positive"], &["很差", "较差", "一般", "较好", "很好"])
            }
            Self::Emotions => (
                &["anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"],
                &["愤怒", "厌恶", "恐惧", "喜悦", "悲伤", "惊讶", "中性"],
            ),
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
            Self::Aspects => pick(language, &["aspect", "opinion"], &["方面", "观点"]),
            _ => &[],
        }
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
