//! Bytes of a text file to text: which encoding it is in, and where its bytes make no sense.
//! Guesses from the bytes alone and says what it guessed; never drops a byte silently.

use super::StoreError;
use encoding_rs::{BIG5, Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::fs::File;
use std::io::Read;
use std::path::Path;

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

    /// What its files may begin with.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xef\xbb\xbf",
            Self::Utf16Le => b"\xff\xfe",
            Self::Utf16Be => b"\xfe\xff",
            _ => b"",
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
    let rest = bytes.strip_prefix(charset.mark()).unwrap_or(bytes);
    Decoded { text: decode_as(charset.encoding(), rest), encoding: charset.name() }
}

/// [`decode_in`] where nobody said.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut survey = Survey::default();
    survey.feed(bytes, true);
    let Found { encoding, name, mark } = survey.found();
    Decoded { text: decode_as(encoding, &bytes[mark..]), encoding: name }
}

/// Larger than what is read at once.
const MOST_WHOLE: u64 = 2 << 30;

/// Reads a file that is understood only as a whole.
///
/// # Errors
/// It can't be read, or is too large for that.
pub(super) fn read_whole(path: &Path) -> Result<Vec<u8>, StoreError> {
    const DOING: &str = "Reading the file";
    let file = File::open(path).map_err(StoreError::io_read(DOING, path))?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(MOST_WHOLE)).unwrap_or_default());
    file.take(MOST_WHOLE + 1).read_to_end(&mut bytes).map_err(StoreError::io_read(DOING, path))?;
    if bytes.len() as u64 > MOST_WHOLE {
        return Err(StoreError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// An encoding that was found out or said.
pub(super) struct Found {
    pub encoding: &'static Encoding,
    /// As people call it.
    pub name: &'static str,
    /// Bytes of its mark.
    pub mark: usize,
}

/// The encoding of a file, by all of its bytes; a part of it is in memory at a time.
///
/// # Errors
/// The file is missing or can't be read.
pub(super) fn find(path: &Path, charset: Option<Charset>) -> Result<Found, StoreError> {
    const DOING: &str = "Reading the file";
    let mut file = File::open(path).map_err(StoreError::io_read(DOING, path))?;
    let mut survey = Survey::default();
    let mut block = vec![0; 1 << 20];
    loop {
        let mut length = 0;
        while length < block.len() {
            match file.read(&mut block[length..]).map_err(StoreError::io_read(DOING, path))? {
                0 => break,
                read => length += read,
            }
        }
        let is_last = length < block.len();
        if let Some(charset) = charset {
            let mark = charset.mark();
            let mark = if block[..length].starts_with(mark) { mark.len() } else { 0 };
            return Ok(Found { encoding: charset.encoding(), name: charset.name(), mark });
        }
        survey.feed(&block[..length], is_last);
        if is_last || survey.is_certain() {
            return Ok(survey.found());
        }
    }
}

/// What the bytes of a file speak for, as far as they were seen.
#[derive(Default)]
struct Survey {
    begun: bool,
    /// By a mark, or by zeros at the side of letters.
    certain: Option<(&'static Encoding, &'static str, usize)>,
    /// The bytes of a character that goes on in the next block.
    carried: Vec<u8>,
    /// Characters beyond ASCII as UTF-8, and places that are none.
    sound: usize,
    broken: usize,
    /// Pairs of high bytes, and single ones.
    pairs: usize,
    singles: usize,
    /// A high byte that may be the first of a pair.
    high: bool,
    /// Bytes from the first high one on.
    sample: Vec<u8>,
}

impl Survey {
    /// As much as tells encodings of eastern Asia from each other.
    const SAMPLE: usize = 64 << 10;

    fn is_certain(&self) -> bool {
        self.certain.is_some()
    }

    fn feed(&mut self, bytes: &[u8], is_last: bool) {
        if !std::mem::replace(&mut self.begun, true) {
            let marks: [(&[u8], &'static Encoding, &'static str); 3] =
                [(b"\xef\xbb\xbf", UTF_8, "UTF-8 with BOM"), (b"\xff\xfe", UTF_16LE, "UTF-16 LE"), (b"\xfe\xff", UTF_16BE, "UTF-16 BE")];
            let marked = marks.into_iter().find(|(mark, ..)| bytes.starts_with(mark));
            self.certain = marked.map(|(mark, encoding, name)| (encoding, name, mark.len()));
            self.certain = self.certain.or_else(|| wide(bytes).map(|charset| (charset.encoding(), charset.name(), 0)));
        }
        if self.is_certain() {
            return;
        }
        if self.sample.len() < Self::SAMPLE {
            let from = if self.sample.is_empty() { bytes.iter().position(|byte| *byte >= 0x80).unwrap_or(bytes.len()) } else { 0 };
            let more = &bytes[from..];
            self.sample.extend_from_slice(&more[..more.len().min(Self::SAMPLE - self.sample.len())]);
        }
        self.count_pairs(bytes);
        self.carried.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.carried);
        for chunk in held.utf8_chunks() {
            let (valid, invalid) = (chunk.valid(), chunk.invalid());
            self.sound += valid.chars().filter(|c| !c.is_ascii()).count();
            let goes_on = !is_last
                && str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none())
                && std::ptr::eq(invalid.as_ptr_range().end, held.as_ptr_range().end);
            if goes_on {
                self.carried = invalid.to_vec();
            } else {
                self.broken += usize::from(!invalid.is_empty());
            }
        }
    }

    /// Chinese comes in pairs of high bytes; in western texts a high byte mostly stands between letters of ASCII.
    fn count_pairs(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.high {
                // The second byte of GBK may be ASCII.
                let count = if *byte >= 0x80 { &mut self.pairs } else { &mut self.singles };
                *count += 1;
                self.high = false;
            } else {
                self.high = *byte >= 0x80;
            }
        }
    }

    fn found(&self) -> Found {
        if let Some((encoding, name, mark)) = self.certain {
            return Found { encoding, name, mark };
        }
        // A few broken bytes make no other encoding: sound sequences outnumber them by far.
        if self.broken == 0 || self.sound >= self.broken.saturating_mul(10) {
            return Found { encoding: UTF_8, name: "UTF-8", mark: 0 };
        }
        let charset = if self.pairs > self.singles { eastern(&self.sample) } else { Charset::Latin1 };
        Found { encoding: charset.encoding(), name: charset.name(), mark: 0 }
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
    let sense = |charset: Charset| -> i64 {
        let text = decode_as(charset.encoding(), bytes);
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

/// Like `decode`, for the first bytes of a file: what the cut may have halved is left out, if it is cut at all.
pub(super) fn decode_head(bytes: &[u8], is_whole: bool, charset: Option<Charset>) -> Decoded {
    if is_whole {
        return decode_in(bytes, charset);
    }
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
