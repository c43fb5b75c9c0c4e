//! Chinese of sentences that come from below this room with names and numbers already in them: what went wrong, and why.
//! Each is found by its words; what stands in its places is looked up too.

use super::CHINESE;
use crate::desk::Language;

/// English sentence with `{}` where something stands, Chinese sentence. Of two that fit, the first one counts.
pub const ROWS: &[(&str, &str)] = &[
    ("There is already a file of this name. Choose another name: {}", "已有同名文件，请换一个名称：{}"),
    ("There is no such file. It may have been moved or renamed: {}", "找不到此文件，它可能已被移动或改名：{}"),
    ("This file is not a Gloss project. Choose a file that Gloss made: {}", "此文件不是 Gloss 项目，请选择由 Gloss 创建的文件：{}"),
    (
        "This project was made by a newer Gloss (format {}, this one knows {}). Update Gloss; the file was not touched: {}",
        "此项目由更新版本的 Gloss 创建（格式 {}，本程序支持到 {}），请更新 Gloss；文件未作改动：{}",
    ),
    (
        "This project is damaged ({}). Restore it from a backup; the file was not touched: {}",
        "此项目已损坏（{}），请从备份恢复；文件未作改动：{}",
    ),
    ("This project is open in another window or program. Close it there first: {}", "此项目已在另一个窗口或程序中打开，请先在那里关闭：{}"),
    ("The disk is full, so the change is not saved yet. Free some space and try again: {}", "磁盘已满，更改尚未保存，请腾出空间后重试：{}"),
    ("This place can't be written to. Change its permissions or choose another folder: {}", "此处无法写入，请修改权限或换一个文件夹：{}"),
    ("{} failed ({}). Check the disk and try again: {}", "{}失败（{}），请检查磁盘后重试：{}"),
    ("{} failed ({}). Try again, or open the project anew: {}", "{}失败（{}），请重试或重新打开项目：{}"),
    (
        "The change does not follow the last one saved ({}). Open the project anew: {}",
        "此更改与上次保存的内容不连贯（{}），请重新打开项目：{}",
    ),
    ("There is no column {}; the columns are {}. Choose one of them: {}", "没有列 {}，现有的列为 {}，请选择其一：{}"),
    (
        "The file can't be read ({}). Save it again as CSV in UTF-8 and import that: {}",
        "文件无法读取（{}），请另存为 UTF-8 编码的 CSV 再导入：{}",
    ),
    ("This can't be used ({}). Choose a file that Gloss made: {}", "此文件无法使用（{}），请选择由 Gloss 创建的文件：{}"),
    (
        "The workbook can't be read ({}). Open it in the program it comes from and save it again as xlsx: {}",
        "工作簿无法读取（{}），请在原程序中打开并另存为 xlsx：{}",
    ),
    (
        "This is no whole {} file ({}). Export it again from the tool it comes from, or say which format it has: {}",
        "这不是完整的 {} 文件（{}），请从原工具重新导出，或指明其格式：{}",
    ),
    (
        "Column {} has more than {} different values, so it holds no classes. Choose another label column: {}",
        "列 {} 的不同取值超过 {} 个，不像是类别，请换一个标签列：{}",
    ),
    (
        "The model folder can't be used ({}). It needs config.json, tokenizer.json and model.safetensors: {}",
        "模型文件夹无法使用（{}），其中须有 config.json、tokenizer.json 和 model.safetensors：{}",
    ),
    (
        "The word vectors can't be used ({}). Choose text of word2vec or GloVe, or word2vec binary (.bin): {}",
        "词向量无法使用（{}），请选择 word2vec 或 GloVe 的文本文件，或 word2vec 的二进制文件（.bin）：{}",
    ),
    ("The run can't be used ({}). Train again or choose another run: {}", "此次训练无法使用（{}），请重新训练或选择另一次训练：{}"),
    (
        "This file is larger than 2 GB and of a kind that is read at once. Split it, or save it as JSON Lines or CSV: {}",
        "此文件超过 2 GB，且其格式须一次读入，请拆分，或另存为 JSON Lines 或 CSV：{}",
    ),
    ("the search was cancelled", "搜索已取消"),
    ("the search was left", "搜索已中止"),
    // What was being done.
    ("Starting the run", "开始训练"),
    ("Copying the project", "复制项目"),
    ("Duplicating the project", "复制项目"),
    ("Opening the project", "打开项目"),
    ("Making the project", "创建项目"),
    ("Saving the change", "保存更改"),
    ("Bringing the project up to date", "升级项目"),
    ("Making the folder", "创建文件夹"),
    ("Saving the keys", "保存按键"),
    ("Saving the list", "保存列表"),
    ("Saving the settings", "保存设置"),
    ("Exporting", "导出"),
    ("Writing the file", "写入文件"),
    ("Writing the model", "写入模型"),
    ("Writing the run", "写入训练"),
    ("Ending the run", "结束训练"),
    ("Deleting the run", "删除训练"),
    ("Keeping the notes", "保存备注"),
    ("Keeping the run", "保存训练"),
    ("Keeping the run's state", "保存训练状态"),
    ("Unpacking the archive", "解开归档"),
    ("Reading the archive", "读取归档"),
    ("Reading the file", "读取文件"),
    ("Reading the folder", "读取文件夹"),
    ("Reading the key", "读取密钥"),
    ("Reading the run", "读取训练"),
    ("Reading the runs", "读取训练列表"),
    ("Reading the word list", "读取词表"),
    ("Reading the word vectors", "读取词向量"),
    // Why.
    ("its pages are not those of a project", "页面内容不是项目"),
    ("the file ends in its first 100 bytes", "文件不足 100 字节"),
    ("the file is empty", "文件为空"),
    ("it is empty", "它是空的"),
    ("it has no sheet", "其中没有工作表"),
    ("it kept no model", "它没有保留模型"),
    ("it is still running", "它仍在进行"),
    ("database disk image is malformed", "数据库页面已损坏"),
    ("a part of it could not be read", "有一部分无法读取"),
    ("a link of document {} has lost a span", "文本 {} 的一条连接缺少片段"),
    ("an attribute or a type of document {} has lost its span or link", "文本 {} 的属性或连接类型缺少片段或连接"),
    ("documents {} are not there", "缺少文本 {}"),
    ("document {} was never saved", "文本 {} 从未保存"),
    // Changes that don't fit.
    ("document {} is not in the project", "项目中没有文本 {}"),
    ("document {} has no span {}", "文本 {} 没有片段 {}"),
    ("the span does not lie in the text of document {}", "片段不在文本 {} 之内"),
    ("span {} of document {} is linked", "片段 {}（文本 {}）已有连接"),
    ("the link of document {} is missing, already there, or joins a span to itself", "文本 {} 的连接不存在、已存在或连接自身"),
    (
        "the schema has no such question, class, label, attribute or type of link, or the answer is of another kind",
        "没有这样的问题、类别、标签、属性或连接类型，或答案类型不符",
    ),
    ("documents must be numbered in order: {} was due, {} came", "文本须按顺序编号：应为 {}，得到 {}"),
    ("the project has no such annotator, or two annotators would have one name", "没有这位标注者，或两位标注者重名"),
    ("only what is said about a document can be said by an annotator", "标注者只能标注文本本身"),
    ("document {} has no such comment", "文本 {} 没有这条评论"),
    ("the answers in the colleague's file need a name", "同事文件中的答案需要一个名字"),
    (
        "both of you are called {}: give the colleague another name, so that your answers stay apart",
        "你们都叫 {}，请给同事换一个名字，以便区分答案",
    ),
    ("there is no room for more labels or annotators", "标签或标注者已达上限"),
    ("This is the project that is open. Choose the file of a colleague", "这就是已打开的项目，请选择同事的文件"),
    ("the schema has no such label", "没有这个标签"),
    ("the schema has no such question", "没有这个问题"),
    ("a question needs a name", "问题需要名称"),
    ("there is already a question called {}", "已有名为「{}」的问题"),
    ("a label needs a name", "标签需要名称"),
    ("there is already a label called {}", "已有名为「{}」的标签"),
    ("a key is one letter from A to Z or one digit, not {}", "按键须是一个字母（A 到 Z）或一个数字，而不是 {}"),
    ("the key {} is taken by a command", "按键 {} 已用于命令"),
    ("the key {} is taken by {}", "按键 {} 已用于「{}」"),
    ("the key {} is taken{}", "按键 {} 已被占用{}"),
    ("a label can't be merged into itself", "标签不能并入自身"),
    ("the label has no such attribute or value", "标签没有这个属性或取值"),
    ("the schema has no such type of link", "没有这种连接类型"),
    ("the last type of link can't be deleted", "最后一种连接类型不能删除"),
    ("a range goes up, in steps that fit into it", "范围须由小到大，步长须能放入其中"),
    ("a name is needed", "需要名称"),
    ("there is already one called {}", "已有名为「{}」的一项"),
    ("{} can't be searched for: {}", "无法搜索 {}：{}"),
    ("a view needs a name", "视图需要名称"),
    ("there is no room for more labels", "标签已达上限"),
    // Learning and models.
    ("nothing to learn from: {}", "没有可供学习的内容：{}"),
    ("the encoder can't be used: {}", "编码器无法使用：{}"),
    ("the loss is not a number after step {} (learning rate {}); try a lower rate", "第 {} 步后损失不是数（学习率 {}），请降低学习率"),
    ("the run can't be continued: what it kept does not fit ({}); start it anew", "训练无法继续：保留的内容不符（{}），请重新开始"),
    ("computation failed: {}", "计算失败：{}"),
    ("there is no setting {}; near ones: {}", "没有设置 {}，相近的有：{}"),
    ("{} can't be {}: {}", "{} 不能是 {}：{}"),
    ("the model can't be used: {}", "模型无法使用：{}"),
    ("config.json can't be used: {}", "config.json 无法使用：{}"),
    ("the weights file is damaged: {}", "权重文件已损坏：{}"),
    ("the weights file lacks {} of the encoder's parameters, among them {}", "权重文件缺少 {} 个编码器参数，其中有 {}"),
    ("{} has shape {}, wanted {}", "{} 的形状为 {}，应为 {}"),
    ("{} layers are wanted, the encoder has {}", "需要 {} 层，编码器只有 {} 层"),
    ("tokenizer.json can't be read: {}", "tokenizer.json 无法读取：{}"),
    ("the tokenizer adds {} special pieces, which leaves nothing of a limit of {}", "分词器会加 {} 个特殊词元，在 {} 的上限内没有余地"),
    ("the tokenizer could not split a text: {}", "分词器无法切分文本：{}"),
    ("The pieces can't be shown: {}", "词元无法显示：{}"),
    ("{} is not the name of an encoder. It looks like owner/name, as the hub writes it", "{} 不是编码器的名称，应形如 所有者/名称"),
    (
        "{} is not the address of a hub. It begins with https:// (or http:// in your own network)",
        "{} 不是站点地址，应以 https:// 开头（内网可用 http://）",
    ),
    (
        "{} has no {}. Check its name and revision; a private one needs a token (HF_TOKEN)",
        "{} 上没有 {}，请检查名称和版本；私有的需要令牌（HF_TOKEN）",
    ),
    ("{} does not let anyone in without a token of its own for {}. Set HF_TOKEN to yours", "{} 要求有令牌才能获取 {}，请设置 HF_TOKEN"),
    ("{} answered with {}. Try again later, or choose a mirror", "{} 返回 {}，请稍后重试或换一个镜像"),
    (
        "{} is not what the hub says it should be ({}) and was thrown away. Try again, or choose another mirror",
        "{} 与站点所说的不符（{}），已丢弃，请重试或换一个镜像",
    ),
    ("{} can't be used: {}", "{} 无法使用：{}"),
    ("stopped; what has come stays, and the next try goes on from there", "已停止；已下载的会保留，下次从此继续"),
];

/// A sentence in a language, whatever stands in its places; itself where there is no translation.
pub fn said(language: Language, sentence: &str) -> String {
    if language == Language::English {
        return sentence.to_owned();
    }
    let whole = CHINESE.get(sentence).map(|words| (*words).to_owned());
    whole.unwrap_or_else(|| chinese(sentence))
}

/// Names stay as they are, also where they are words of the interface.
fn chinese(sentence: &str) -> String {
    let found = ROWS.iter().find_map(|(english, words)| Some((words, places(english, sentence)?)));
    let Some((words, parts)) = found else { return sentence.to_owned() };
    let parts: Vec<String> = parts.into_iter().map(chinese).collect();
    let parts: Vec<&dyn std::fmt::Display> = parts.iter().map(|part| part as &dyn std::fmt::Display).collect();
    super::fill(words, &parts)
}

/// What stands in the places of a sentence, if these are its words. The first letter may be a capital.
fn places<'s>(english: &str, sentence: &'s str) -> Option<Vec<&'s str>> {
    let mut pieces = english.split("{}");
    let first = pieces.next()?;
    let head = sentence.get(..first.len())?;
    let begins = head == first || first.chars().next().is_some_and(char::is_lowercase) && head.eq_ignore_ascii_case(first);
    let mut rest = begins.then(|| &sentence[first.len()..])?;
    let mut parts = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_none() {
            // The last one reaches to the end.
            rest.ends_with(piece).then(|| rest.len() - piece.len())?
        } else {
            rest.find(piece)?
        };
        parts.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(parts)
}
