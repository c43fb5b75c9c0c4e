//! Bytes of a text file to text: which encoding it is in, and where its bytes make no sense.
//! Guesses from the bytes alone and says what it guessed; never drops a byte silently.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Stands where bytes made no character. A noncharacter of Unicode: no honest text holds it.
pub(super) const DAMAGE: char = '\u{fdd0}';

/// A decoded file.
#[derive(Debug)]
pub(super) struct Decoded {
    /// Without byte order mark.
    pub text: String,
    /// As people call it.
    pub encoding: &'static str,
}

/// Decodes a file by its byte order mark, or else as UTF-8, GB18030 or Windows-1252, whichever its bytes speak for.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let marks: [(&[u8], &'static Encoding, &'static str); 3] =
        [(b"\xef\xbb\xbf", UTF_8, "UTF-8 with BOM"), (b"\xff\xfe", UTF_16LE, "UTF-16 LE"), (b"\xfe\xff", UTF_16BE, "UTF-16 BE")];
    for (mark, encoding, name) in marks {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return Decoded { text: decode_as(encoding, rest), encoding: name };
        }
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return Decoded { text: text.to_owned(), encoding: "UTF-8" };
    }
    if is_mostly_utf8(bytes) {
        return Decoded { text: decode_as(UTF_8, bytes), encoding: "UTF-8" };
    }
    if is_chinese(bytes) {
        Decoded { text: decode_as(GB18030, bytes), encoding: "GB18030" }
    } else {
        Decoded { text: decode_as(WINDOWS_1252, bytes), encoding: "Windows-1252" }
    }
}

/// Like `decode`, for the first bytes of a longer file: what the cut may have halved is left out.
pub(super) fn decode_head(bytes: &[u8]) -> Decoded {
    let line_end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    // In UTF-16 LE the byte after the line feed belongs to it.
    let wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let end = if wide { (line_end + 1) & !1 } else { line_end };
    decode(&bytes[..end.min(bytes.len())])
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
