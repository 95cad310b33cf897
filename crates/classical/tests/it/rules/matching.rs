//! What patterns and conditions match.

use super::{found, one_rule, rules};

#[track_caller]
fn check(pattern: &str, lines: &str, text: &str, expected: &[&str]) {
    // The file needs an example: for rules that find nothing here, one that no condition concerns.
    let example = if expected.is_empty() { "fever, a b" } else { text };
    assert_eq!(found(&one_rule(pattern, lines, example), text), expected, "{pattern}");
}

#[test]
fn patterns_match_words_in_any_case_and_across_white_space() {
    for (pattern, text, expected) in [
        ("'chest pain'", "Chest\n  PAIN, chest, pain", &["Chest\n  PAIN"][..]),
        ("'no' ('fever' | 'pain')?", "No fever. No pill.", &["No fever", "No"]),
        ("'very'+ 'ill'", "very very ill", &["very very ill"]),
        ("'very'{2} 'ill'", "very very very ill", &["very very ill"]),
        ("@symptom", "chest pain and pain", &["chest pain", "pain"]),
        ("@symptom", "feverish", &[]),
        ("@acronym", "us US", &["US"]),
        (r"/[A-Z]\w+-\d+/", "covid-19!", &["covid-19"]),
        (r"/no|none/", "none", &["none"]),
        (r"/\d{4}/", "20235 2023", &["2023"]),
        ("&day 'days'", "in 12 days", &["12 days"]),
        ("'a' !'b' any", "a b a c", &["a c"]),
        ("number 'mg'", "5mg", &["5mg"]),
        ("'end' inner* ", "end of it. More", &["end of it"]),
        ("'end' any*", "end of it. More\n\nAnd more", &["end of it. More"]),
        ("'end' break word", "end\n\nof", &["end\n\nof"]),
        ("'a' 'b'", "a\n\nb", &[]),
        ("@symptom '了'?", "他发烧了。", &["发烧了"]),
        ("'café'", "CAFÉ", &["CAFÉ"]),
    ] {
        check(pattern, "", text, expected);
    }
    check("'Us'", "case_sensitive = true", "us US Us", &["Us"]);
}

#[test]
fn conditions_look_around_a_match() {
    let negated = "not_before = \"@negation inner{0,3}\"";
    check("@symptom", negated, "Denies any chest pain. Fever today. 病人没有发烧", &["Fever"]);
    check("@symptom", "before = \"'severe'\"", "severe pain, mild fever", &["pain"]);
    check("@symptom", "after = \"'today' | 'now'\"", "pain today, fever", &["pain"]);
    check("@symptom", "not_after = \"'free'\"", "pain free, fever", &["fever"]);
    let text = "If fever rises, call. Fever is gone. Call us, for fever.";
    check("@symptom", "sentence_has = \"'call'\"", text, &["fever", "fever"]);
    check("@symptom", "sentence_lacks = \"'if' | 'gone'\"", text, &["fever"]);
    check("@symptom", "sentence_lacks = \"'gone'\"", "Gone is the\n\nfever", &["fever"]);
}

#[test]
fn captures_are_byte_spans_of_the_original() {
    let rules = one_rule(
        "<what: @symptom> 'for' <how-long: number ('day' | 'days')> <rest: 'x'>?",
        "",
        "Fever for 3 days",
    );
    let text = "é  Chest  pain for 12 days";
    let matches = rules.find(text);
    let [found] = matches.as_slice() else { panic!("one match") };
    assert_eq!(&text[found.captures["what"].clone()], "Chest  pain");
    assert_eq!(&text[found.captures["how-long"].clone()], "12 days");
    assert!(!found.captures.contains_key("rest"));
    assert_eq!(found.span, 4..text.len());
    assert_eq!((found.rule.id.as_str(), found.rule.source.as_str()), ("r", "a test"));
}

#[test]
fn of_overlapping_matches_priority_then_length_then_place_decides() {
    let rule = |id: &str, priority: i64, pattern: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\nlabel = \"l\"\nsource = \"s\"\npriority = {priority}\npattern = \"{pattern}\"\nmatches = [\"a b c d e\"]\n"
        )
    };
    let ids = |file: &[String]| -> Vec<String> {
        let rules = rules(&file.concat());
        rules.find("a b c d e").iter().map(|found| found.rule.id.clone()).collect()
    };
    assert_eq!(
        ids(&[
            rule("long", 0, "'a' 'b' 'c'"),
            rule("urgent", 1, "'c' 'd'"),
            rule("rest", 0, "'a'")
        ]),
        ["rest", "urgent"]
    );
    assert_eq!(ids(&[rule("short", 0, "'a' 'b'"), rule("long", 0, "'b' 'c' 'd'")]), ["long"]);
    assert_eq!(ids(&[rule("second", 0, "'b' 'c'"), rule("first", 0, "'a' 'b'")]), ["first"]);
    assert_eq!(ids(&[rule("earlier", 0, "'b'"), rule("later", 0, "'b' 'x'?")]), ["earlier"]);
    let both = rules(&[rule("x", 0, "'a' 'b'"), rule("y", 0, "'b'")].concat());
    assert_eq!(both.find_all("a b c").len(), 2);
}

#[test]
fn patterns_with_many_ways_through_take_time_in_proportion() {
    // A backtracking matcher would try every division of the words among the repetitions.
    let rules = one_rule("('a' | 'a' 'a')* ('a' any* any* any*)* 'b'", "", "a b");
    let text = "a ".repeat(3_000);
    assert!(rules.find(&text).is_empty());
    assert_eq!(found(&rules, "a a b"), ["a a b"]);
}

#[test]
fn a_match_is_no_longer_than_the_window() {
    let rules = one_rule("'a' inner*", "", "a");
    let text = "a ".repeat(1_000);
    let matches = rules.find(&text);
    assert_eq!(matches[0].span.len(), 2 * wuji_classical::rules::MAX_WORDS - 1);
    assert_eq!(matches.iter().map(|found| found.span.len().div_ceil(2)).sum::<usize>(), 1_000);
}
