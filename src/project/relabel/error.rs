//! Why a schema can't be changed as wished, in sentences.

/// Who has a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyUse {
    Label(String),
    /// It means something else where one labels.
    Program,
}

/// Why the schema can't be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error("the schema has no such label")]
    NoSuchLabel,
    #[error("the schema has no such question")]
    NoSuchQuestion,
    #[error("a question needs a name")]
    NoQuestionName,
    #[error("there is already a question called {0}")]
    QuestionNameTaken(String),
    #[error("a label needs a name")]
    NoName,
    #[error("there is already a label called {0}")]
    NameTaken(String),
    #[error("a key is one letter from A to Z or one digit, not {0:?}")]
    NotAKey(char),
    #[error("the key {key} is taken{}", match .by { KeyUse::Label(name) => format!(" by {name}"), KeyUse::Program => " by a command".to_owned() })]
    KeyTaken { key: char, by: KeyUse },
    #[error("a label can't be merged into itself")]
    IntoItself,
    #[error("the label has no such attribute or value")]
    NoSuchAttribute,
    #[error("the schema has no such type of link")]
    NoSuchLinkType,
    #[error("the last type of link can't be deleted")]
    OnlyLinkType,
    #[error("a range goes up, in steps that fit into it")]
    BadRange,
    #[error("a name is needed")]
    Nameless,
    #[error("there is already one called {0}")]
    Taken(String),
    #[error("{pattern} can't be searched for: {reason}")]
    BadPattern { pattern: String, reason: String },
    #[error("a view needs a name")]
    NoViewName,
    #[error("there is no room for more labels")]
    TooMany,
}
