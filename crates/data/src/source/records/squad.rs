//! Questions about paragraphs in the format of SQuAD (Rajpurkar et al. 2016), which CMRC 2018, DRCD and
//! XQuAD share.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Place, Record, invalid};
use crate::error::Result;

#[derive(Deserialize)]
struct Document {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(default)]
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    question: String,
    #[serde(default)]
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

/// One record per question; `answers` are the texts, each once.
pub(super) fn questions(text: &str, path: &Path) -> Result<Vec<Record>> {
    let document: Document = serde_json::from_str(text)
        .map_err(|error| invalid(path, Place::Line(error.line() as u64), error.to_string()))?;
    let mut records = Vec::new();
    for article in document.data {
        for paragraph in article.paragraphs {
            for question in paragraph.qas {
                let record = json!({
                    "id": question.id,
                    "title": article.title,
                    "context": paragraph.context,
                    "question": question.question,
                    "answers": distinct(question.answers),
                });
                if let Value::Object(record) = record {
                    records.push(record);
                }
            }
        }
    }
    Ok(records)
}

fn distinct(answers: Vec<Answer>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for Answer { text } in answers {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}
