//! Examples before a question.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wuji_data::Record;

use super::error::HarnessError;
use super::prepare::Maker;
use super::request::Gold;
use super::task::{FewShotChoice, RequestSpec};

/// The examples that may stand before questions.
pub(super) struct FewShots {
    /// The slice and the text of each training record.
    examples: Vec<(Option<String>, String)>,
    count: usize,
    seed: u64,
    /// Whether the task's description stands before the question.
    is_described: bool,
}

impl FewShots {
    /// Before training records, which are questions of floors: nothing.
    pub(super) fn none() -> Self {
        Self { examples: Vec::new(), count: 0, seed: 0, is_described: false }
    }

    /// The examples of training records.
    ///
    /// # Errors
    /// Fewer of them than examples before a question, or a kind of request that has no examples.
    pub(super) fn new(
        maker: &Maker<'_>,
        train: &[Record],
        count: usize,
        seed: u64,
    ) -> Result<Self, HarnessError> {
        let mut shots = Self { count, seed, is_described: true, ..Self::none() };
        if count == 0 {
            return Ok(shots);
        }
        if train.len() < count {
            let reason = format!("{count} examples of {} training records", train.len());
            return Err(wrong(maker, reason));
        }
        for (index, record) in train.iter().enumerate() {
            let slice = maker.file.slice.as_ref();
            let slice = slice.map(|slice| maker.templates.text(("slice", slice), record, index));
            shots.examples.push((slice.transpose()?, example(maker, record, index)?));
        }
        Ok(shots)
    }

    /// Description and examples before the question about a record.
    pub(super) fn before(
        &self,
        maker: &Maker<'_>,
        record: &Record,
        index: usize,
        slice: Option<&str>,
    ) -> Result<String, HarnessError> {
        if !self.is_described {
            return Ok(String::new());
        }
        let few_shot = &maker.file.few_shot;
        let key = ("few_shot.description", few_shot.description.as_str());
        let mut before = maker.templates.text(key, record, index)?;
        for example in self.chosen(few_shot.choice, index, slice) {
            before += example;
            before += &few_shot.separator;
        }
        Ok(before)
    }

    fn chosen(&self, choice: FewShotChoice, index: usize, slice: Option<&str>) -> Vec<&str> {
        match choice {
            FewShotChoice::First => {
                // Those of the same slice; of all where it has too few.
                let alike = |(of, _): &&(Option<String>, String)| of.as_deref() == slice;
                let enough = self.examples.iter().filter(alike).count() >= self.count;
                let examples = self.examples.iter().filter(|example| !enough || alike(example));
                examples.take(self.count).map(|(_, text)| text.as_str()).collect()
            }
            FewShotChoice::Drawn => {
                let seed = self.seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let drawn = drawn(self.examples.len(), self.count, seed);
                drawn.into_iter().map(|example| self.examples[example].1.as_str()).collect()
            }
        }
    }
}

/// `count` different numbers below `of`, in the order in which they are drawn.
pub(super) fn drawn(of: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut all: Vec<usize> = (0..of).collect();
    let count = count.min(of);
    for place in 0..count {
        let rest = (of - place) as u64;
        let step = ((u128::from(random.next_u64()) * u128::from(rest)) >> 64) as usize;
        all.swap(place, place + step);
    }
    all.truncate(count);
    all
}

/// A training record with its answer.
fn example(maker: &Maker<'_>, record: &Record, index: usize) -> Result<String, HarnessError> {
    let text = |key, template: &str| maker.templates.text((key, template), record, index);
    let first = |gold: Gold, options: &[String]| match gold {
        Gold::Options(right) => options[right[0]].clone(),
        _ => String::new(),
    };
    match &maker.file.request {
        RequestSpec::Choice { prompt, choices, answer, delimiter } => {
            let prompt = text("request.prompt", prompt)?;
            let options = maker.templates.texts(("request.choices", choices), record, index)?;
            let answer = first(maker.right(answer, &options, record, index)?, &options);
            Ok(format!("{prompt}{delimiter}{answer}"))
        }
        RequestSpec::Classification { prompt, label, words, delimiter, .. } => {
            let prompt = text("request.prompt", prompt)?;
            let words = maker.words(words)?;
            let right = maker.right(label, maker.labels(), record, index)?;
            Ok(format!("{prompt}{delimiter}{}", first(right, words)))
        }
        RequestSpec::Generation { prompt, references, example, delimiter, .. } => {
            let prompt = text("request.prompt", prompt)?;
            let answer = match example {
                Some(example) => text("request.example", example)?,
                None => maker.references(references, record, index)?.swap_remove(0),
            };
            Ok(format!("{prompt}{delimiter}{answer}"))
        }
        _ => Err(wrong(maker, "this kind of request has no examples".to_owned())),
    }
}

fn wrong(maker: &Maker<'_>, reason: String) -> HarnessError {
    let (task, key) = (maker.file.id.clone(), "few_shot.count".to_owned());
    HarnessError::Task { task, key, reason }
}
