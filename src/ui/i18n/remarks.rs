//! Remarks on the rows of an import in Chinese. They are made below this room, as English sentences with the names and
//! numbers of the file in them: each is known here by its pattern.

use super::fill;
use crate::desk::Language;

/// A sentence with what varies as `{}`, and the same in Chinese in the same order.
pub(super) const PATTERNS: &[(&str, &str)] = &[
    // What becomes of rows.
    ("has an empty text", "文本为空"),
    ("has a text longer than 4 GB", "文本超过 4 GB"),
    ("is longer than 64 MB", "超过 64 MB"),
    ("holds bytes that are no {}", "含有不属于 {} 的字节"),
    ("has a quote that is never closed", "引号没有闭合"),
    ("has text after a closing quote; the field was kept as it stands", "闭合引号之后还有文字，单元格原样保留"),
    ("has {} columns, the header has {}", "有 {} 列，而表头有 {} 列"),
    ("has {} column, the header has {}", "有 {} 列，而表头有 {} 列"),
    ("has {} columns, the other rows have {}", "有 {} 列，而其他行有 {} 列"),
    ("has {} column, the other rows have {}", "有 {} 列，而其他行有 {} 列"),
    (
        "repeats row {} with another label ({} instead of {}); the first one was kept",
        "与第 {} 行文本相同而标签不同（{} 而非 {}），保留先出现的",
    ),
    ("repeats row {} with other answers; those of the first one were kept", "与第 {} 行文本相同而答案不同，保留先出现的"),
    ("repeats row {} with other spans; those of the first one were kept", "与第 {} 行文本相同而片段不同，保留先出现的"),
    (
        "repeats row {} with other answers of annotators; those of the first one were kept",
        "与第 {} 行文本相同而标注者的答案不同，保留先出现的",
    ),
    ("has a text that is in the project already; the labels it brings were left out", "的文本项目中已有，所带标签未导入"),
    (
        "is the first of {} whose text is in the project already; the labels they bring were left out",
        "起共 {} 行的文本项目中已有，所带标签未导入",
    ),
    ("has an answer to {} that is none ({})", "对 {} 的答案不成立（{}）"),
    ("names the part {}, which is neither train, dev nor test; it was left to chance", "数据划分 {} 不是 train、dev 或 test，改为随机划分"),
    (
        "is of the sheet {}; {} more in the workbook were not read (choose one to read it)",
        "来自工作表 {}；另有 {} 个工作表未读取（可另选）",
    ),
    ("is not valid JSON ({})", "不是有效的 JSON（{}）"),
    ("holds no JSON object", "不是 JSON 对象"),
    ("has no text", "没有文本"),
    ("has no words", "没有词"),
    ("has no fields", "没有字段"),
    ("has no data", "没有数据"),
    ("has no {}", "没有 {}"),
    ("has a link from span {} to span {}, which do not both exist", "关联从片段 {} 到片段 {}，二者不都存在"),
    ("has a span {} to {} that does not lie in its text", "片段 {} 至 {} 不在文本之内"),
    ("has two spans with the id {}", "有两个片段的编号同为 {}"),
    ("has a {} that makes no sense ({})", "{} 无法理解（{}）"),
    ("states the text {} and no words", "只有文本 {} 而没有词"),
    // What the schema gets.
    ("brings the new class {}; it was added to the schema", "带来新类别 {}，已加入标签体系"),
    ("brings the new question {}; it was added to the schema", "带来新问题 {}，已加入标签体系"),
    ("brings the new span label {}; it was added to the schema", "带来新片段标签 {}，已加入标签体系"),
    ("brings the new attribute {}; it was added to the schema", "带来新属性 {}，已加入标签体系"),
    ("brings the new value {}; it was added to the schema", "带来新取值 {}，已加入标签体系"),
    ("brings the new type of link {}; it was added to the schema", "带来新关联类型 {}，已加入标签体系"),
    ("gives a polarity to {}; spans of this label can have one from now on", "给 {} 标了极性，此后该标签的片段可以有极性"),
    ("calls its links {}; the first type of links is called so from now on", "把关联称为 {}，第一种关联类型从此用此名"),
    ("answers {} in a way that the question does not take; the answer was left out", "对 {} 的回答不符合该问题，未导入"),
    ("says {} of a span in a way that it does not take; that was left out", "片段属性 {} 的取值不合适，未导入"),
    // Losses: these patterns hold others.
    ("is the first of {} places where {}", "共 {} 处，这里是第一处：{}"),
    ("is where {}", "{}"),
    ("of the answers of one annotator: {}", "某位标注者的回答中：{}"),
    ("a span lies outside its text and was dropped", "片段超出文本，已舍弃"),
    ("a span cuts a character in half and was dropped", "片段把一个字符切开，已舍弃"),
    ("a span is empty and was dropped", "片段为空，已舍弃"),
    ("a span ends before it starts and was dropped", "片段终点在起点之前，已舍弃"),
    ("a span reached beyond the end of its text and was cut there", "片段超出文本末尾，已截到末尾"),
    ("a span did not stand where the file says and was put where its words are", "片段不在文件所说的位置，已按其文字定位"),
    ("a span had no place and was put where its words are", "片段没有位置，已按其文字定位"),
    ("a span has no place, and its words are not in its text and was dropped", "片段没有位置，文本中也没有其文字，已舍弃"),
    ("a span has no place, and its words stand more than once in its text and was dropped", "片段没有位置，其文字在文本中不止一处，已舍弃"),
    ("a span has other words in the file than in the text and was dropped", "片段文字与文本不符，已舍弃"),
    ("a span has no offsets or label that make sense and was dropped", "片段没有可理解的位置或标签，已舍弃"),
    ("a span has no label and was dropped", "片段没有标签，已舍弃"),
    ("a span can't be read and was dropped", "片段无法读取，已舍弃"),
    ("a span was rejected and was dropped", "片段已被否决，舍弃"),
    (
        "a span belongs to a row that stayed outside (its text is there already, or it was skipped) and was dropped",
        "片段所在的行未导入（文本已存在或被跳过），已舍弃",
    ),
    ("a span stands in several rows of its text; it came over once", "同一文本的多行含同一片段，只导入一次"),
    ("a span in pieces became one, with the words between", "不连续的片段合为一个，含中间文字"),
    ("a link joins a span to itself and was left out", "关联的两端是同一片段，未导入"),
    ("a link was left out with a span that it joins", "关联的一端片段未导入，关联也未导入"),
    ("a second link between two spans was left out", "两个片段之间的第二个关联未导入"),
    ("a second annotation of the same text was left out; the first one was taken", "同一文本的第二份标注未导入，取第一份"),
    ("predictions of a model were left out: they are no annotation", "模型的预测不是标注，未导入"),
    (
        "several people annotated a text: each keeps their answers, and those of the first are the outcome too",
        "多人标注了同一文本：各自保留，第一人的同时作为结果",
    ),
    ("an aspect has two polarities; the first was kept", "方面有两种极性，保留第一种"),
    ("an opinion has two polarities; the first was kept", "观点有两种极性，保留第一种"),
    ("an aspect has the polarity {}, which has no counterpart; it came without", "方面的极性 {} 没有对应项，不带极性导入"),
    ("an aspect is stated again; its span stands once", "同一方面重复出现，片段只有一个"),
    ("a span begins or ends with white space; it came in as it is", "片段首尾有空白，原样导入"),
    ("a span overlaps another; both came in", "片段与另一片段重叠，二者都导入"),
    ("an {} without words has no place in the text and was left out", "没有文字的 {} 在文本中无位置，未导入"),
    ("an opinion without words has no place in the text; it is kept as metadata", "没有文字的观点在文本中无位置，作为字段保留"),
    ("a category of the whole sentence is kept as metadata", "整句的类别作为字段保留"),
    ("an aspect is stated again for another category; its span stands once, with both", "同一方面另有类别，片段只有一个，带两个类别"),
    ("the words do not stand in the text; the text was made of the words", "文本中没有这些词，文本由词拼成"),
    ("a word has no tag and was taken as outside of spans", "有词没有标记，视为在片段之外"),
    ("a response with the status {} is no answer and was left out", "状态为 {} 的回答不算答案，未导入"),
    (
        "several people answered: each keeps their answers, and those of the first are the outcome too",
        "多人作答：各自保留，第一人的同时作为结果",
    ),
    ("an answer to {} is of a kind without counterpart and was left out", "对 {} 的回答属于没有对应项的类型，未导入"),
    ("suggestions without an answer were left out: they are no annotation", "没有答案的建议不是标注，未导入"),
    ("a column between a word and its tag was left out", "词与标签之间的列未导入"),
    ("a word has the polarity {}, which has no counterpart; it came without", "词的极性 {} 没有对应项，不带极性导入"),
    ("a span has the polarity {}, which has no counterpart; it came without", "片段的极性 {} 没有对应项，不带极性导入"),
    ("a span has the answer {}, which has no counterpart; it came without", "片段的回答 {} 没有对应项，不带回答导入"),
    ("a tag has no part of a span (such as T-) and was left out", "标签没有片段位置前缀（如 T-），未导入"),
    ("a tag has no part of a span (such as B-) and was left out", "标签没有片段位置前缀（如 B-），未导入"),
    (
        "the tags of {} have no part of a span (such as B-): words side by side of one tag became one span",
        "{} 的标签没有片段位置前缀（如 B-）：相邻同标签的词合成一个片段",
    ),
    ("a link names no spans and was left out", "关联没有指明片段，未导入"),
    ("what is said of a span can't be read and was left out", "片段的属性无法读取，未导入"),
    ("what is said of words beside their entities has no counterpart and was left out", "词的实体之外的标注没有对应项，未导入"),
    ("a group of spans has a name, which has no counterpart; its spans came without", "片段组的名称没有对应项，片段不带组名导入"),
    ("a field of metadata has two values; the first was kept", "一个元数据字段有两个值，保留第一个"),
    ("the score of a class is no number and was left out", "类别的分数不是数字，未导入"),
    ("what stands behind the label of a span was left out", "片段标签之后的内容未导入"),
    ("what stands before the first sentence is not in the file and was left out", "第一句之前的内容不在文件中，未导入"),
    ("a sentence begins before the end of the one before; a line end was put between them", "句子起点早于前一句的终点，两句之间加了换行"),
    ("a gap between two sentences was cut to 16 signs", "两句之间的空隙缩短为 16 个字符"),
    ("a text without words stands at the end and was left out", "末尾有一段没有词的文本，未导入"),
    ("the layer {} is about single words and was left out", "图层 {} 只涉及单个词，未导入"),
    ("{}; what comes after it was not read", "{}，其后的内容未读取"),
    ("a second annotation by the same person was left out", "同一人的第二份标注未导入"),
    ("a result of the kind {} was left out", "类型为 {} 的结果未导入"),
    ("the slot {} of a span has no counterpart and was left out", "片段的槽位 {} 没有对应项，未导入"),
    ("a relation joins words that are no spans and was left out", "关系连接的词不是片段，未导入"),
    ("an opinion on a whole review is kept as metadata of its first sentence", "对整篇评论的观点作为首句的字段保留"),
    ("an opinion that stands with no sentence was left out", "不属于任何句子的观点未导入"),
    ("a sentence is out of scope; it came in as skipped", "句子不在标注范围内，按跳过导入"),
    ("the column {} holds a class without a name, which was left out", "列 {} 含有没有名称的类别，未导入"),
    ("the tags of {} are a second list about the same words and were left out", "{} 的标记是同一批词的另一份，未导入"),
    ("the tags of {} are not as many as the words and were left out", "{} 的标记与词数不等，未导入"),
    ("a link of a rejected row was left out", "被否决的行中的关联未导入"),
    ("a folder inside the folder was not read", "文件夹中的子文件夹未读取"),
    ("a label stands within its text and was left there", "标签位于文本中间，原样留下"),
    ("an aspect has no label in its line; it came without polarity", "方面在该行没有标签，不带极性导入"),
    ("a label is one too many for the aspects of its line and was left out", "该行的标签多于方面，多余的未导入"),
    ("a rejected class became the class {}", "被否决的类别成为类别 {}"),
];

/// What a row's remark is called in a language: "第 14 行：文本为空。此行已跳过。"
pub fn remark(language: Language, sentence: &dyn Fn() -> String, (row, reason, skipped): (usize, &str, bool)) -> String {
    match language {
        Language::English => sentence(),
        Language::Chinese => format!("第 {row} 行：{}。{}", chinese(reason), if skipped { "此行已跳过。" } else { "" }),
    }
}

/// A remark in Chinese; itself where no pattern knows it.
pub(super) fn chinese(reason: &str) -> String {
    let known = PATTERNS.iter().find_map(|(english, chinese)| Some((matched(english, reason)?, *chinese)));
    if let Some((parts, chinese_words)) = known {
        let parts: Vec<String> = parts.into_iter().map(chinese).collect();
        let parts: Vec<&dyn std::fmt::Display> = parts.iter().map(|part| part as &dyn std::fmt::Display).collect();
        return fill(chinese_words, &parts);
    }
    // With an example behind.
    match reason.strip_suffix(')').and_then(|before| before.split_once(" (")) {
        Some((what, example)) if is_known(what) => format!("{}（{example}）", chinese(what)),
        _ => reason.to_owned(),
    }
}

fn is_known(reason: &str) -> bool {
    PATTERNS.iter().any(|(english, _)| matched(english, reason).is_some())
}

/// What stands in the places of `{}`, if a sentence is of this pattern.
fn matched<'a>(pattern: &str, sentence: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = sentence.strip_prefix(pieces.next()?)?;
    let mut parts = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        let at = if is_last { rest.ends_with(piece).then(|| rest.len() - piece.len())? } else { rest.find(piece)? };
        parts.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(parts)
}
