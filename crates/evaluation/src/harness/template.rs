//! Templates and expressions of a task over the columns of a record.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use wuji_data::Record;

use super::error::HarnessError;

/// The key of a task file and its template or expression.
pub(super) type Source<'a> = (&'static str, &'a str);

/// Works out what a task says about a record. A column that is not there is an error, not nothing.
pub(super) struct Templates<'a> {
    task: &'a str,
    environment: Environment<'a>,
}

impl<'a> Templates<'a> {
    pub(super) fn new(task: &'a str) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
        environment.add_filter("lower_first", lower_first);
        environment.add_filter("split_on", split_on);
        environment.add_filter("before", |text: String, mark: &str| cut(&text, mark).0);
        environment.add_filter("after", |text: String, mark: &str| cut(&text, mark).1);
        environment.add_filter("detokenize", |text: &str| super::detokenize::wikitext(text));
        environment.add_filter("span_tags", super::spans::tags);
        Self { task, environment }
    }

    /// The text of a template.
    pub(super) fn text(
        &self,
        (key, template): Source<'_>,
        record: &Record,
        index: usize,
    ) -> Result<String, HarnessError> {
        let rendered = self.environment.render_str(template, context(record, index));
        rendered.map_err(|error| self.failed(key, index, &error))
    }

    /// The value of an expression.
    pub(super) fn value(
        &self,
        (key, expression): Source<'_>,
        record: &Record,
        index: usize,
    ) -> Result<serde_json::Value, HarnessError> {
        let value = self
            .environment
            .compile_expression(expression)
            .and_then(|expression| expression.eval(context(record, index)))
            .map_err(|error| self.failed(key, index, &error))?;
        if value.is_undefined() {
            return Err(self.wrong(key, index, "it has no value".to_owned()));
        }
        serde_json::to_value(value).map_err(|error| self.wrong(key, index, error.to_string()))
    }

    /// The texts of an expression that is a list; numbers and truth values become text too.
    pub(super) fn texts(
        &self,
        source: Source<'_>,
        record: &Record,
        index: usize,
    ) -> Result<Vec<String>, HarnessError> {
        let serde_json::Value::Array(values) = self.value(source, record, index)? else {
            return Err(self.wrong(source.0, index, "expected a list".to_owned()));
        };
        values
            .iter()
            .map(|value| {
                text_of(value).ok_or_else(|| {
                    self.wrong(source.0, index, format!("expected texts, found {value}"))
                })
            })
            .collect()
    }

    /// An error of a record of this task.
    pub(super) fn wrong(&self, key: &str, index: usize, reason: String) -> HarnessError {
        let (task, key) = (self.task.to_owned(), key.to_owned());
        HarnessError::Record { task, record: index + 1, key, reason }
    }

    fn failed(&self, key: &str, index: usize, error: &minijinja::Error) -> HarnessError {
        if error.kind() == ErrorKind::SyntaxError {
            let (task, key) = (self.task.to_owned(), key.to_owned());
            return HarnessError::Task { task, key, reason: error.to_string() };
        }
        self.wrong(key, index, error.to_string())
    }
}

/// The columns of a record by name, all of them as `doc`, and the record's number as `index`.
fn context(record: &Record, index: usize) -> Value {
    let columns = Value::from(Serde(record));
    minijinja::context! { doc => columns.clone(), index, ..columns }
}

/// A value as text; none for lists, objects and nothing.
pub(super) fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// With a small first letter.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The parts between a mark, without spaces around them and without empty ones.
fn split_on(text: &str, mark: &str) -> Value {
    text.split(mark).map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
}

/// What stands before and after the first mark; all before it where there is none.
fn cut(text: &str, mark: &str) -> (String, String) {
    let (before, after) = text.split_once(mark).unwrap_or((text, ""));
    (before.to_owned(), after.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: &str) -> Record {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn templates_and_expressions_see_the_columns() {
        let templates = Templates::new("t");
        let record = record(r#"{"q": "Why?", "c": ["x", 2], "a": "B"}"#);
        assert_eq!(templates.text(("prompt", "Q: {{ q }}\n"), &record, 0).unwrap(), "Q: Why?\n");
        assert_eq!(templates.texts(("choices", "c"), &record, 0).unwrap(), ["x", "2"]);
        let answer = templates.value(("answer", "'ABCD'.find(a)"), &record, 0);
        assert!(answer.is_err(), "minijinja has no methods of Python: {answer:?}");
        let answer = templates.value(("answer", "['A', 'B'][1] == a"), &record, 0).unwrap();
        assert_eq!(answer, true);
        let cut = "q | before('?') | lower_first";
        assert_eq!(templates.value(("x", cut), &record, 0).unwrap(), "why");
    }

    #[test]
    fn a_missing_column_names_record_and_key() {
        let templates = Templates::new("t");
        let error = templates.text(("request.prompt", "{{ no }}"), &record("{}"), 4).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("task t, record 5, request.prompt: undefined"), "{message}");
        let error = templates.value(("request.choices", "no"), &record("{}"), 4).unwrap_err();
        assert!(error.to_string().contains("it has no value"), "{error}");
        let error = templates.text(("request.prompt", "{{ q"), &record("{}"), 0).unwrap_err();
        assert!(error.to_string().starts_with("task t, request.prompt: syntax error"), "{error}");
    }
}
