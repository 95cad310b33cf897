//! The configuration reference, `docs/configuration.md`: generated, so that it cannot be wrong.
//!
//! Meanings are the doc comments of the config structs, defaults are their defaults. The sources
//! that hold the comments are compiled in, which costs the program some tens of kilobytes.

mod sections;
mod source;

use std::fmt::Write;

use serde_json::Value;

use sections::{Choice, Section, Table};
use source::{Content, Field, Variant};

const INTRODUCTION: &str = include_str!("introduction.txt");

/// The whole page, as Markdown.
pub fn reference() -> String {
    let mut page = INTRODUCTION.to_string();
    for section in sections::all() {
        write_section(&mut page, &section);
    }
    page
}

// Writing to a string cannot fail, so the results of `write!` are dropped below.

fn write_section(page: &mut String, section: &Section) {
    let _ = write!(page, "\n## {}\n\n{}\n", section.heading, section.text.trim());
    for table in &section.tables {
        write_table(page, table);
    }
    for choice in &section.choices {
        write_choice(page, choice);
    }
}

fn write_table(page: &mut String, table: &Table) {
    if let Some(title) = table.title {
        let _ = write!(page, "\n### {title}\n");
    }
    page.push_str("\n| key | default | meaning |\n|---|---|---|\n");
    for field in table.fields() {
        let default = default(table.defaults.get(&field.name));
        let Field { name, docs, .. } = &field;
        let _ = writeln!(page, "| `{name}` | {default} | {} |", cell(docs));
    }
}

fn write_choice(page: &mut String, choice: &Choice) {
    let _ = write!(page, "\n{}:\n\n", choice.title);
    for Variant { name, docs, content } in choice.variants() {
        let _ = writeln!(page, "- `{}`: {docs}", spelling(choice, &name, &content));
        let Content::Fields(fields) = content else { continue };
        for Field { name, docs, .. } in fields {
            let _ = writeln!(page, "  - `{name}`: {docs}");
        }
    }
}

/// How a variant is written in a file.
fn spelling(choice: &Choice, name: &str, content: &Content) -> String {
    match content {
        _ if choice.tagged => format!("kind = \"{name}\""),
        Content::Nothing => format!("\"{name}\""),
        Content::One => format!("{{ {name} = … }}"),
        Content::Fields(fields) => {
            let names: Vec<String> =
                fields.iter().map(|field| format!("{} = …", field.name)).collect();
            format!("{{ {name} = {{ {} }} }}", names.join(", "))
        }
    }
}

fn default(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_string(),
        Some(value) => format!("`{}`", toml(value)),
    }
}

/// A value as TOML on one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Null => "none".to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => shortest(float),
            _ => number.to_string(),
        },
        Value::String(text) => format!("{text:?}"),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> =
                fields.map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// A float as it was written, also where it went through f32.
fn shortest(value: f64) -> String {
    let narrow = value as f32;
    if f64::from(narrow) == value { format!("{narrow:?}") } else { format!("{value:?}") }
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_key_of_every_section_is_documented() {
        for section in sections::all() {
            for table in &section.tables {
                let fields = table.fields();
                assert!(fields.iter().all(|field| !field.docs.is_empty()), "{}", table.structure);
                let documented: BTreeSet<&str> =
                    fields.iter().map(|field| field.name.as_str()).collect();
                let Value::Object(defaults) = &table.defaults else {
                    panic!("{}", table.structure)
                };
                for key in defaults.keys() {
                    assert!(documented.contains(key.as_str()), "{}.{key}", table.structure);
                }
                for field in &fields {
                    let absent = field.attributes.contains("skip_serializing_if");
                    let known = absent || defaults.contains_key(&field.name);
                    assert!(known, "{}.{} is no key", table.structure, field.name);
                }
            }
        }
    }

    #[test]
    fn every_choice_lists_values_that_can_be_read() {
        for choice in sections::all().iter().flat_map(|section| &section.choices) {
            let variants = choice.variants();
            assert!(!variants.is_empty(), "{}", choice.name);
            for variant in variants {
                assert!(!variant.docs.is_empty(), "{}.{}", choice.name, variant.name);
                if variant.content == Content::Nothing && !choice.tagged {
                    assert!((choice.reads)(&variant.name), "{}.{}", choice.name, variant.name);
                }
            }
        }
    }

    #[test]
    fn values_are_toml_on_one_line() {
        for (json, expected) in [
            (serde_json::json!(1e-8), "1e-8"),
            (serde_json::json!(0.8_f32), "0.8"),
            (serde_json::json!(0.1), "0.1"),
            (serde_json::json!(1337), "1337"),
            (serde_json::json!([""]), "[\"\"]"),
            (serde_json::json!({"a": 1, "b": null}), "{ a = 1 }"),
        ] {
            assert_eq!(toml(&json), expected);
        }
    }
}
