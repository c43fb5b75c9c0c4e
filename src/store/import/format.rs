//! The kinds of files that can be imported, and their names.

use crate::store::formats::Kind;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With its delimiter.
    Csv(char),
    Tsv,
    Jsonl,
    /// Also Arrow's own files.
    Parquet,
    /// An Excel workbook.
    Xlsx,
    /// One review a line.
    Text,
    /// A file of another tool, with classes and spans.
    Annotated(Kind),
}

impl Format {
    /// Every kind; the delimiter of CSV is found out.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [Self::Csv(','), Self::Tsv, Self::Xlsx, Self::Jsonl, Self::Parquet, Self::Text];
        plain.into_iter().chain(Kind::ALL.into_iter().map(Self::Annotated))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Csv(_) => "CSV",
            Self::Tsv => "TSV",
            Self::Jsonl => "JSON Lines",
            Self::Parquet => "Parquet",
            Self::Xlsx => "Excel",
            Self::Text => "plain text",
            Self::Annotated(kind) => kind.name(),
        }
    }

    /// By its name on a command line; the delimiter of CSV is found out later.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = [
            ("csv", Self::Csv(',')),
            ("tsv", Self::Tsv),
            ("jsonl", Self::Jsonl),
            ("json", Self::Jsonl),
            ("parquet", Self::Parquet),
            ("arrow", Self::Parquet),
            ("xlsx", Self::Xlsx),
            ("text", Self::Text),
        ];
        let plain = plain.into_iter().find(|(key, _)| *key == name).map(|(_, format)| format);
        plain.or_else(|| Kind::ALL.into_iter().find(|kind| kind.key() == name).map(Self::Annotated))
    }

    /// Whether it says itself what stands where: no column is to be chosen.
    pub fn is_annotated(self) -> bool {
        matches!(self, Self::Annotated(_))
    }

    /// Whether its first row may be a header.
    pub fn may_have_header(self) -> bool {
        matches!(self, Self::Csv(_) | Self::Tsv | Self::Xlsx)
    }

    /// Whether it is written in characters, so that an encoding can be chosen.
    pub fn is_text(self) -> bool {
        !matches!(self, Self::Parquet | Self::Xlsx | Self::Annotated(Kind::HuggingFace | Kind::Argilla))
    }

    pub(super) fn delimiter(self) -> Option<u8> {
        match self {
            Self::Csv(delimiter) => u8::try_from(delimiter).ok(),
            Self::Tsv => Some(b'\t'),
            _ => None,
        }
    }
}
