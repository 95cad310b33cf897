//! Texts rewritten by rules.

use super::rules;

const DATES: &str = include_str!("../../../examples/dates.toml");

#[test]
fn dates_become_iso_and_every_edit_knows_its_place() {
    let rules = rules(DATES);
    let text = "Signed on May 3rd, 2021 (not 4 June 99), 签于2021年5月3日；due 12.11.2022.";
    let rewritten = rules.rewrite(text);
    assert_eq!(
        rewritten.text,
        "Signed on 2021-05-03 (not 4 June 99), 签于2021-05-03；due 2022-11-12."
    );
    assert_eq!(rewritten.edits.len(), 3);
    let originals: Vec<&str> =
        rewritten.edits.iter().map(|edit| &text[edit.original.clone()]).collect();
    assert_eq!(originals, ["May 3rd, 2021", "2021年5月3日", "12.11.2022"]);
    for edit in &rewritten.edits {
        assert!(["2021-05-03", "2022-11-12"].contains(&&rewritten.text[edit.replaced.clone()]));
        assert!(edit.rule.id.starts_with("date."));
    }
}

#[test]
fn a_rule_without_replacement_protects_its_text() {
    let file = r#"
        [[rule]]
        id = "keep"
        label = "l"
        source = "s"
        priority = 1
        pattern = "'new' 'york'"
        matches = ["New York"]

        [[rule]]
        id = "change"
        label = "l"
        source = "s"
        pattern = "'new'"
        replace = "old"
        matches = [{ text = "new", replaced = "old" }]
    "#;
    assert_eq!(rules(file).rewrite("New hats in New York").text, "old hats in New York");
}
