//! The figures of `docs/objectives.md`: each objective on a fixed seed, drawn here and compared with
//! the page, so that the page shows what the code does.

use std::fmt::Write as _;

use wuji_data::objectives::{
    BlankInfillingOptions, FillInTheMiddleOptions, IidDenoisingOptions, MaskedExample,
    MaskingOptions, PairTask, PrefixLmOptions, SegmentPair, SentencePairOptions, Seq2SeqCollation,
    Seq2SeqExample, SpanCorruptionOptions, SpecialIds, WordRule, WordTable,
};

const PAGE: &str = include_str!("../../../../../docs/objectives.md");
const WIDTH: usize = 96;

/// The vocabulary of the figures: special tokens, then words in the order of their first use.
const SPECIAL: [&str; 17] = [
    "[PAD]", "[CLS]", "[SEP]", "[MASK]", "[sMASK]", "[gMASK]", "<sop>", "<eop>", "</s>", "<pre>",
    "<mid>", "<suf>", "<0>", "<1>", "<2>", "<3>", "<4>",
];
const TEXT: &str = "the old fisher man row ##ed slow ##ly across the quiet lake . his dog slept in the boat . \
                    nobody saw them come home .";
const CHINESE: &str = "我 们 喜 欢 在 早 上 学 习 自 然 语 言 处 理 。";

struct Vocabulary {
    pieces: Vec<String>,
}

impl Vocabulary {
    fn new() -> Self {
        let mut pieces: Vec<String> = SPECIAL.map(str::to_owned).to_vec();
        for word in TEXT.split_whitespace().chain(CHINESE.split_whitespace()) {
            if !pieces.iter().any(|known| known == word) {
                pieces.push(word.to_owned());
            }
        }
        Self { pieces }
    }

    fn id(&self, piece: &str) -> u32 {
        self.pieces.iter().position(|known| known == piece).expect("in the vocabulary") as u32
    }

    fn ids(&self, text: &str) -> Vec<u32> {
        text.split_whitespace().map(|piece| self.id(piece)).collect()
    }

    fn special(&self) -> SpecialIds {
        let id = |piece: &str| Some(self.id(piece));
        SpecialIds {
            pad: id("[PAD]"),
            cls: id("[CLS]"),
            sep: id("[SEP]"),
            mask: id("[MASK]"),
            sentence_mask: id("[sMASK]"),
            generation_mask: id("[gMASK]"),
            start_of_piece: id("<sop>"),
            end_of_piece: id("<eop>"),
            eos: id("</s>"),
            fim_prefix: id("<pre>"),
            fim_middle: id("<mid>"),
            fim_suffix: id("<suf>"),
            sentinels: (0..5).map(|k| self.id(&format!("<{k}>"))).collect(),
            words: Some(WordTable::new(WordRule::Continuation, self.pieces.clone())),
            ..SpecialIds::new(self.pieces.len() as u32)
        }
    }

    fn tokens(&self, ids: &[u32]) -> Vec<String> {
        ids.iter().map(|&id| self.pieces[id as usize].clone()).collect()
    }

    fn labels(&self, labels: &[i64]) -> Vec<String> {
        let label =
            |&label: &i64| u32::try_from(label).ok().map(|id| self.pieces[id as usize].clone());
        labels.iter().map(|id| label(id).unwrap_or_else(|| "·".to_owned())).collect()
    }
}

/// Named rows of tokens, one column per position, cut into lines of [`WIDTH`].
fn table(rows: &[(&str, Vec<String>)]) -> String {
    let name_width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let columns = rows.iter().map(|(_, tokens)| tokens.len()).max().unwrap_or(0);
    let cell = |row: usize, column: usize| rows[row].1.get(column).map_or("", String::as_str);
    let width = |column: usize| {
        (0..rows.len()).map(|row| display_width(cell(row, column))).max().unwrap_or(0)
    };
    let mut out = String::new();
    let mut start = 0;
    while start < columns {
        let mut end = start;
        let mut used = name_width;
        while end < columns && (end == start || used + 2 + width(end) <= WIDTH) {
            used += 2 + width(end);
            end += 1;
        }
        for (row, (name, _)) in rows.iter().enumerate() {
            let mut line = format!("{name:name_width$}");
            for column in start..end {
                let cell = cell(row, column);
                let gap = width(column) - display_width(cell);
                write!(line, "  {cell}{}", " ".repeat(gap)).expect("a string");
            }
            writeln!(out, "{}", line.trim_end()).expect("a string");
        }
        start = end;
        if start < columns {
            out.push('\n');
        }
    }
    out
}

/// Chinese characters and punctuation take two columns.
fn display_width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2E80}' { 2 } else { 1 }).sum()
}

/// Compares a figure with the page, where it follows `<!-- figure: NAME -->` in a fence.
fn check(name: &str, figure: &str) {
    let marker = format!("<!-- figure: {name} -->\n```text\n");
    let shown = PAGE
        .split_once(&marker)
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(shown, _)| shown)
        .unwrap_or_default();
    assert!(shown == figure, "docs/objectives.md should show, for {name}:\n{marker}{figure}```\n");
}

fn masked(vocabulary: &Vocabulary, text: &[u32], example: &MaskedExample) -> String {
    table(&[
        ("text", vocabulary.tokens(text)),
        ("input", vocabulary.tokens(&example.input_ids)),
        ("label", vocabulary.labels(&example.labels)),
    ])
}

fn pair(vocabulary: &Vocabulary, text: &[u32], example: Seq2SeqExample) -> String {
    let batch = Seq2SeqCollation::default().collate(&[example]).expect("collates");
    let tokens = |ids: &[u32]| vocabulary.tokens(ids);
    [
        table(&[("text", tokens(text))]),
        table(&[("encoder", tokens(&batch.input_ids))]),
        table(&[
            ("decoder", tokens(&batch.decoder_input_ids)),
            ("label", vocabulary.labels(&batch.labels)),
        ]),
    ]
    .join("\n")
}

#[test]
fn the_page_shows_masked_lm() {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids(TEXT);
    let example = MaskingOptions::default().apply(&vocabulary.special(), &text, 9).expect("valid");
    check("masked-lm", &masked(&vocabulary, &text, &example));
}

#[test]
fn the_page_shows_whole_word_masking() {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids(TEXT);
    let options = MaskingOptions { whole_word: true, ..MaskingOptions::default() };
    let example = options.apply(&vocabulary.special(), &text, 4).expect("valid");
    check("whole-word", &masked(&vocabulary, &text, &example));
}

#[test]
fn the_page_shows_chinese_whole_word_masking() {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids(CHINESE);
    let special = vocabulary.special();
    let options = MaskingOptions {
        mlm_probability: 0.3,
        whole_word: true,
        segment_chinese: true,
        ..MaskingOptions::default()
    };
    let example = options.apply(&special, &text, 1).expect("valid");
    let groups = special.words.clone().expect("a table").chinese_groups(&text, |_| false);
    let words = groups.iter().map(|word| word.map_or("·".to_owned(), |word| word.to_string()));
    let figure = table(&[
        ("text", vocabulary.tokens(&text)),
        ("word", words.collect()),
        ("input", vocabulary.tokens(&example.input_ids)),
        ("label", vocabulary.labels(&example.labels)),
    ]);
    check("chinese-whole-word", &figure);
}

fn sentence_pair(task: PairTask, pair: &SegmentPair, seed: u64) -> String {
    let vocabulary = Vocabulary::new();
    let options = SentencePairOptions { task, ..SentencePairOptions::default() };
    let masking = MaskingOptions::default();
    let example = options.example(pair, &masking, &vocabulary.special(), seed).expect("valid");
    let types = example.token_type_ids.as_ref().expect("segments");
    let rows = table(&[
        ("input", vocabulary.tokens(&example.input_ids)),
        ("type", types.iter().map(u32::to_string).collect()),
        ("label", vocabulary.labels(&example.labels)),
    ]);
    format!("{rows}sentence label: {}\n", example.sentence_label.expect("a class"))
}

/// Two documents of two sentences each.
fn documents(vocabulary: &Vocabulary) -> Vec<Vec<Vec<u32>>> {
    let sentences = |texts: [&str; 2]| texts.map(|text| vocabulary.ids(text)).to_vec();
    vec![
        sentences(["the old fisher man row ##ed across the lake .", "his dog slept in the boat ."]),
        sentences(["nobody saw them .", "the quiet man slept ."]),
    ]
}

#[test]
fn the_page_shows_next_sentence_prediction() {
    let vocabulary = Vocabulary::new();
    let documents = documents(&vocabulary);
    let options = SentencePairOptions::default();
    let first = |seed| options.pairs(&documents, 0, seed).expect("pairs").remove(0);
    let figures = [first(1), first(2), first(3), first(4)];
    let next = figures.iter().find(|pair| pair.label == 0).expect("half of them");
    let random = figures.iter().find(|pair| pair.label == 1).expect("half of them");
    let figure = [
        sentence_pair(PairTask::NextSentence, next, 5),
        sentence_pair(PairTask::NextSentence, random, 2),
    ];
    check("next-sentence", &figure.join("\n"));
}

#[test]
fn the_page_shows_sentence_order_prediction() {
    let vocabulary = Vocabulary::new();
    let documents = documents(&vocabulary);
    let options =
        SentencePairOptions { task: PairTask::SentenceOrder, ..SentencePairOptions::default() };
    let swapped = (1..5)
        .flat_map(|seed| options.pairs(&documents, 0, seed).expect("pairs"))
        .find(|pair| pair.label == 1)
        .expect("half of them");
    check("sentence-order", &sentence_pair(PairTask::SentenceOrder, &swapped, 3));
}

#[test]
fn the_page_shows_span_corruption() {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids(TEXT);
    // Denser than T5, so that a text this short has several spans.
    let options = SpanCorruptionOptions { noise_density: 0.3, mean_noise_span_length: 3.0 };
    let example = options.apply(&vocabulary.special(), &text, 1).expect("valid");
    check("span-corruption", &pair(&vocabulary, &text, example));
}

#[test]
fn the_page_shows_iid_denoising() {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids(TEXT);
    let example =
        IidDenoisingOptions::default().apply(&vocabulary.special(), &text, 1).expect("valid");
    check("iid-denoising", &pair(&vocabulary, &text, example));
}

#[test]
fn the_page_shows_prefix_lm() {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids(TEXT);
    let example = PrefixLmOptions {}.apply(&text, 6);
    let prefix = example.prefix_len.expect("a prefix");
    let part = (0..example.input_ids.len()).map(|at| if at < prefix { "prefix" } else { "·" });
    let figure = table(&[
        ("input", vocabulary.tokens(&example.input_ids)),
        ("part", part.map(str::to_owned).collect()),
        ("label", vocabulary.labels(&example.labels)),
    ]);
    check("prefix-lm", &figure);
}

fn infilled(options: &BlankInfillingOptions, seed: u64) -> String {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids(TEXT);
    let example = options.apply(&vocabulary.special(), &text, seed).expect("valid");
    let numbers = |ids: &Option<Vec<u32>>| -> Vec<String> {
        ids.as_ref().expect("positions").iter().map(u32::to_string).collect()
    };
    let part_a_len = example.prefix_len.expect("part A");
    let part = (0..example.input_ids.len()).map(|at| if at < part_a_len { "A" } else { "B" });
    table(&[
        ("input", vocabulary.tokens(&example.input_ids)),
        ("part", part.map(str::to_owned).collect()),
        ("position", numbers(&example.position_ids)),
        ("block", numbers(&example.block_position_ids)),
        ("label", vocabulary.labels(&example.labels)),
    ])
}

#[test]
fn the_page_shows_blank_infilling() {
    let options = BlankInfillingOptions { mask_ratio: 0.3, ..BlankInfillingOptions::default() };
    check("blank-infilling", &infilled(&options, 1));
}

#[test]
fn the_page_shows_blank_infilling_of_sentences() {
    let end = Vocabulary::new().id(".");
    let options = BlankInfillingOptions {
        sentence_probability: 1.0,
        sentence_end_ids: vec![end],
        ..BlankInfillingOptions::default()
    };
    check("blank-infilling-sentences", &infilled(&options, 1));
}

#[test]
fn the_page_shows_blank_infilling_of_the_end() {
    let options =
        BlankInfillingOptions { generation_probability: 1.0, ..BlankInfillingOptions::default() };
    check("blank-infilling-end", &infilled(&options, 3));
}

#[test]
fn the_page_shows_fill_in_the_middle() {
    let vocabulary = Vocabulary::new();
    let text = vocabulary.ids("the old fisher man row ##ed slow ##ly across the quiet lake .");
    let rearranged = |spm_rate| {
        let options = FillInTheMiddleOptions { fim_rate: 1.0, spm_rate };
        // Three tokens of room, as padding that belongs to no document.
        let room = [&text[..], &vocabulary.ids("</s> [PAD] [PAD] [PAD]")].concat();
        let out = options.apply(&vocabulary.special(), &room, 2).expect("valid");
        vocabulary.tokens(&out[..text.len() + 3])
    };
    let figure = [
        table(&[("text", vocabulary.tokens(&text))]),
        table(&[("PSM", rearranged(0.0))]),
        table(&[("SPM", rearranged(1.0))]),
    ];
    check("fill-in-the-middle", &figure.join("\n"));
}

#[test]
fn the_page_shows_sequence_to_sequence() {
    let vocabulary = Vocabulary::new();
    let example = Seq2SeqExample::new(
        &vocabulary.ids("the fisher man slept </s>"),
        &vocabulary.ids("his dog slept </s>"),
    );
    let longer = Seq2SeqExample::new(
        &vocabulary.ids("nobody saw them come home </s>"),
        &vocabulary.ids("home </s>"),
    );
    let batch = Seq2SeqCollation::default().collate(&[example, longer]).expect("collates");
    let row = |row: usize| {
        let source = row * batch.source_len..(row + 1) * batch.source_len;
        let target = row * batch.target_len..(row + 1) * batch.target_len;
        let mask = batch.attention_mask[source.clone()].iter().map(u32::to_string);
        [
            table(&[
                ("encoder", vocabulary.tokens(&batch.input_ids[source])),
                ("mask", mask.collect()),
            ]),
            table(&[
                ("decoder", vocabulary.tokens(&batch.decoder_input_ids[target.clone()])),
                ("label", vocabulary.labels(&batch.labels[target])),
            ]),
        ]
        .concat()
    };
    check("sequence-to-sequence", &format!("{}\n{}", row(0), row(1)));
}
