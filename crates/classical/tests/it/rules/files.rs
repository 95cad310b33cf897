//! What is said of rule files that cannot be used.

use wuji_classical::rules::{RuleChat, RuleError, RuleSet};

fn message(text: &str) -> String {
    RuleSet::parse(text).unwrap_err().to_string()
}

/// A file with one rule, with `line` added.
fn with(line: &str) -> String {
    message(&format!("[[rule]]\nid = \"r\"\nlabel = \"l\"\nsource = \"s\"\n{line}\n"))
}

#[test]
fn everything_wrong_with_a_file_is_reported_with_its_line() {
    let text = r#"[lists]
drug = ["aspirin", " "]

[patterns]
dose = "number 'mg"
loop = "&loop 'a'"

[[rule]]
id = "one"
label = ""
source = "s"
pattern = "@drugs"
matches = ["aspirin"]

[[rule]]
id = "one"
label = "l"
source = "s"
pattern = "&loop"
replace = "{x}"
matches = ["a"]
"#;
    let Err(RuleError::File { problems }) = RuleSet::parse(text) else { panic!("an error") };
    let found: Vec<(usize, &str, &str)> = problems
        .iter()
        .map(|problem| (problem.line, problem.place.as_str(), problem.expected.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (2, "the list drug", "a phrase"),
            (5, "the pattern dose", "a closing '"),
            (9, "label of the rule one", "some text"),
            (9, "pattern of the rule one", "the name of a list"),
            (16, "id of the rule one", "one that no other rule has"),
            (16, "pattern of the rule one", "patterns that do not contain themselves"),
        ]
    );
    assert!(
        message(text)
            .starts_with("problems in the rule file (6): line 2, the list drug: expected a phrase")
    );
}

#[test]
fn examples_are_run_when_the_file_is_read() {
    for (lines, expected) in [
        ("pattern = \"'a'\"\nmatches = []", "expected at least one text that the rule matches"),
        (
            "pattern = \"'a'\"\nmatches = [\"b\"]",
            "expected a text that the rule matches, got \"b\"",
        ),
        (
            "pattern = \"'a'\"\nmatches = [\"a\"]\nno_match = [\"b A\"]",
            "expected no match in \"b A\", got \"A\"",
        ),
        (
            "pattern = \"'a' any\"\nmatches = [{ text = \"x a b c\", found = \"a\" }]",
            "expected the match \"a\" in \"x a b c\", got \"a b\"",
        ),
        (
            "pattern = \"'a' <c: any>\"\nmatches = [{ text = \"a b\", captures = { c = \"d\" } }]",
            "expected the capture c \"d\" in \"a b\", got \"b\"",
        ),
        (
            "pattern = \"'a'\"\nreplace = \"x\"\nmatches = [{ text = \"a b\", replaced = \"y\" }]",
            "expected the replacement \"y\" in \"a b\", got \"x\"",
        ),
    ] {
        let found = with(lines);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn patterns_that_cannot_be_run_are_named() {
    for (pattern, expected) in [
        ("'a'?", "a pattern of at least one word"),
        ("!'a'", "a pattern of at least one word"),
        ("&x", "the name of a pattern, got &x"),
        ("/(/", "a regular expression, got /(/"),
        ("/a)(b/", "a regular expression"),
        ("/(?<n>a)/", "captures around the expression"),
        ("(any{100}){100} any{100}", "at most 10000 parts"),
    ] {
        let found = with(&format!("pattern = '''{pattern}'''\nmatches = ['a']"));
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn what_is_no_rule_file_is_an_error_of_its_format() {
    for text in
        ["x = 1", "[[rule]]", "[lists]\na = 1", "rule = 3", "[[rule", "[chat]\ngreeting = 'a'"]
    {
        assert!(matches!(RuleSet::parse(text), Err(RuleError::Toml(_))), "{text}");
    }
    assert!(with("matches = ['a']\npattern = \"'a'\"\npriorty = 3").contains("priorty"));
    let no_answer = message("[chat]\ngreeting = 'hi'\nfallback = []");
    assert!(no_answer.contains("fallback of [chat]: expected at least one answer"), "{no_answer}");
    let empty = RuleSet::parse("").unwrap();
    assert!(empty.find("anything").is_empty());
    assert_eq!(RuleChat::new(empty).unwrap_err(), RuleError::NoChat);
}
