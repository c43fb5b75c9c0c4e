//! Bytes of a text file to text: which encoding it is in, and where its bytes make no sense.
//! Guesses from the bytes alone and says what it guessed; never drops a byte silently.

use encoding_rs::{BIG5, Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Stands where bytes made no character. A noncharacter of Unicode: no honest text holds it.
pub(super) const DAMAGE: char = '\u{fdd0}';

/// An encoding that a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
    Gb18030,
    Big5,
    ShiftJis,
    /// As browsers read it: Windows-1252.
    Latin1,
}

impl Charset {
    pub const ALL: [Self; 7] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Gb18030, Self::Big5, Self::ShiftJis, Self::Latin1];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16 LE",
            Self::Utf16Be => "UTF-16 BE",
            Self::Gb18030 => "GB18030",
            Self::Big5 => "Big5",
            Self::ShiftJis => "Shift-JIS",
            Self::Latin1 => "Windows-1252",
        }
    }

    /// By name, however it is written: "utf8", "GBK", "latin-1".
    pub fn parse(name: &str) -> Option<Self> {
        let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        Some(match plain.as_str() {
            "utf8" | "utf8withbom" => Self::Utf8,
            "utf16" | "utf16le" => Self::Utf16Le,
            "utf16be" => Self::Utf16Be,
            "gb18030" | "gbk" | "gb2312" => Self::Gb18030,
            "big5" => Self::Big5,
            "shiftjis" | "sjis" => Self::ShiftJis,
            "latin1" | "iso88591" | "windows1252" | "cp1252" => Self::Latin1,
            _ => return None,
        })
    }

    fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Gb18030 => GB18030,
            Self::Big5 => BIG5,
            Self::ShiftJis => SHIFT_JIS,
            Self::Latin1 => WINDOWS_1252,
        }
    }

    fn is_wide(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }
}

/// A decoded file.
#[derive(Debug)]
pub(super) struct Decoded {
    /// Without byte order mark.
    pub text: String,
    /// As people call it.
    pub encoding: &'static str,
}

/// Decodes a file as a person said, or else by its byte order mark, or else as UTF-8, an encoding of eastern Asia or
/// Windows-1252, whichever its bytes speak for.
pub(super) fn decode_in(bytes: &[u8], charset: Option<Charset>) -> Decoded {
    let Some(charset) = charset else { return decode(bytes) };
    let mark: &[u8] = match charset {
        Charset::Utf8 => b"\xef\xbb\xbf",
        Charset::Utf16Le => b"\xff\xfe",
        Charset::Utf16Be => b"\xfe\xff",
        _ => b"",
    };
    let rest = bytes.strip_prefix(mark).unwrap_or(bytes);
    Decoded { text: decode_as(charset.encoding(), rest), encoding: charset.name() }
}

/// [`decode_in`] where nobody said.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let marks: [(&[u8], &'static Encoding, &'static str); 3] =
        [(b"\xef\xbb\xbf", UTF_8, "UTF-8 with BOM"), (b"\xff\xfe", UTF_16LE, "UTF-16 LE"), (b"\xfe\xff", UTF_16BE, "UTF-16 BE")];
    for (mark, encoding, name) in marks {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return Decoded { text: decode_as(encoding, rest), encoding: name };
        }
    }
    if let Some(charset) = wide(bytes) {
        return Decoded { text: decode_as(charset.encoding(), bytes), encoding: charset.name() };
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return Decoded { text: text.to_owned(), encoding: "UTF-8" };
    }
    if is_mostly_utf8(bytes) {
        return Decoded { text: decode_as(UTF_8, bytes), encoding: "UTF-8" };
    }
    if is_chinese(bytes) {
        let charset = eastern(bytes);
        Decoded { text: decode_as(charset.encoding(), bytes), encoding: charset.name() }
    } else {
        Decoded { text: decode_as(WINDOWS_1252, bytes), encoding: "Windows-1252" }
    }
}

/// UTF-16 without its mark: line feeds and spaces have a zero at their side, which no other text has.
fn wide(bytes: &[u8]) -> Option<Charset> {
    let head = &bytes[..bytes.len().min(4096) & !1];
    let zeros = |at: usize| head.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let enough = (head.len() / 200).max(2);
    match (first, second) {
        (few, many) if many >= enough && many > 8 * few => Some(Charset::Utf16Le),
        (many, few) if many >= enough && many > 8 * few => Some(Charset::Utf16Be),
        _ => None,
    }
}

/// Of the encodings that write a character in two bytes, the one whose reading makes the most sense: whole, and of
/// characters that are used much.
fn eastern(bytes: &[u8]) -> Charset {
    /// Among the commonest of their scripts.
    const COMMON: &str = "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后\
        這個來們說時會國為學對過裡後還點麼沒開關東車長門問間見馬魚鳥龍樂體機動務業區圖實發聽聲讀書話語認買賣錢飯館";
    const ENOUGH: usize = 64 << 10;
    let head = &bytes[..bytes.len().min(ENOUGH)];
    let sense = |charset: Charset| -> i64 {
        let text = decode_as(charset.encoding(), head);
        let value = |c: char| match c {
            DAMAGE => -40,
            '\u{3041}'..='\u{30ff}' => 4 * i64::from(charset == Charset::ShiftJis),
            // Half-width kana are what other encodings look like as Shift-JIS.
            '\u{ff61}'..='\u{ff9f}' | '\u{e000}'..='\u{f8ff}' => -4,
            '，' | '。' | '、' | '！' => 3,
            c if COMMON.contains(c) => 6,
            _ => 0,
        };
        text.chars().map(value).sum()
    };
    let candidates = [Charset::Gb18030, Charset::Big5, Charset::ShiftJis];
    // Of equals the last would win: the most usual one stands there.
    candidates.into_iter().rev().max_by_key(|charset| sense(*charset)).unwrap_or(Charset::Gb18030)
}

/// Like `decode`, for the first bytes of a longer file: what the cut may have halved is left out.
pub(super) fn decode_head(bytes: &[u8], charset: Option<Charset>) -> Decoded {
    let line_end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    // In UTF-16 LE the byte after the line feed belongs to it.
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let wide = charset.map_or(marked || wide(bytes).is_some(), Charset::is_wide);
    let end = if wide { (line_end + 1) & !1 } else { line_end };
    decode_in(&bytes[..end.min(bytes.len())], charset)
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2 + 16);
    let mut rest = bytes;
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        rest = &rest[read..];
        match result {
            encoding_rs::DecoderResult::InputEmpty => return text,
            encoding_rs::DecoderResult::OutputFull => text.reserve(rest.len() * 2 + 16),
            encoding_rs::DecoderResult::Malformed(..) => text.push(DAMAGE),
        }
    }
}

/// A UTF-8 file with a few broken bytes, rather than another encoding: sound sequences outnumber broken ones by far.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut sound, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    sound >= broken.saturating_mul(10)
}

/// Chinese comes in pairs of high bytes; in western texts a high byte mostly stands between letters of ASCII.
fn is_chinese(bytes: &[u8]) -> bool {
    let (mut pairs, mut singles, mut at) = (0usize, 0usize, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            0..0x80 => at += 1,
            _ if bytes.get(at + 1).is_some_and(|next| *next >= 0x80) => {
                pairs += 1;
                at += 2;
            }
            _ => {
                singles += 1;
                at += 2; // GBK's second byte may be ASCII
            }
        }
    }
    pairs > singles
}
