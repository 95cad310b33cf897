//! A classical text classifier as a config of two sections: TF-IDF features and a linear model.

use serde::{Deserialize, Serialize};
use toml::Table;
use wuji_classical::{
    ClassicalError, Classifier, LinearSvm, LogisticOptions, LogisticRegression, NaiveBayes,
    SparseMatrix, SvmOptions, Terms, TfIdf, TfIdfConfig,
};

use crate::WujiError;

/// What the keys of a classical search set. The defaults are those of scikit-learn's `TfidfVectorizer`
/// and `LogisticRegression`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextClassifierConfig {
    /// How texts become vectors.
    pub features: FeatureConfig,
    /// How vectors become classes.
    pub classifier: ClassifierConfig,
}

/// `[features]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureConfig {
    /// Words of the longest run of words; 0 for no words.
    pub longest_words: usize,
    /// Characters that a word has at least.
    pub shortest_word: usize,
    /// Characters of the shortest run of characters.
    pub shortest_characters: usize,
    /// Characters of the longest run of characters; 0 for none.
    pub longest_characters: usize,
    /// Texts that must have a term for it to count.
    pub min_texts: usize,
    /// `1 + ln(count)` in the place of the count.
    pub sublinear: bool,
}

impl Default for FeatureConfig {
    fn default() -> Self {
        Self {
            longest_words: 1,
            shortest_word: 2,
            shortest_characters: 2,
            longest_characters: 0,
            min_texts: 1,
            sublinear: false,
        }
    }
}

/// `[classifier]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassifierConfig {
    /// Which model.
    pub kind: ClassifierKind,
    /// Inverse of the penalty, of logistic regression and support vectors.
    pub c: f64,
    /// What is added to each count, of naive Bayes.
    pub smoothing: f64,
}

impl Default for ClassifierConfig {
    fn default() -> Self {
        Self { kind: ClassifierKind::default(), c: 1.0, smoothing: 1.0 }
    }
}

/// A linear model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassifierKind {
    /// Multinomial logistic regression.
    #[default]
    Logistic,
    /// Linear support vector machine, one against the rest.
    SupportVectors,
    /// Multinomial naive Bayes over the weighted counts.
    NaiveBayes,
}

impl TextClassifierConfig {
    /// The config of these `key=value` settings, each over those before it.
    ///
    /// # Errors
    /// A setting that is no TOML, an unknown key, or a value that cannot work.
    pub fn of_settings(settings: &[String]) -> Result<Self, WujiError> {
        let mut merged = Table::new();
        for setting in settings {
            let bad = |problem: String| WujiError::config(format!("--set {setting}"), problem);
            let one: Table = setting.parse().map_err(|error: toml::de::Error| {
                bad(format!("expected section.key=value in TOML, got {}", error.message()))
            })?;
            for (section, keys) in one {
                let toml::Value::Table(keys) = keys else {
                    return Err(bad(format!("expected section.key=value, got the key {section}")));
                };
                let place = merged.entry(section).or_insert_with(|| Table::new().into());
                place.as_table_mut().expect("only tables are put there").extend(keys);
            }
        }
        let config: Self =
            serde_path_to_error::deserialize(toml::Value::Table(merged)).map_err(|error| {
                WujiError::config(error.path().to_string(), error.inner().message())
            })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), WujiError> {
        let FeatureConfig { longest_words, shortest_characters, longest_characters, .. } =
            self.features;
        let wrong = |key: &str, problem: String| Err(WujiError::config(key, problem));
        if longest_words == 0 && longest_characters == 0 {
            let problem = "expected words, or features.longest_characters above 0, got neither";
            return wrong("features.longest_words", problem.to_string());
        }
        if longest_characters > 0 && longest_characters < shortest_characters {
            let expected = format!("0, or {shortest_characters} or more");
            let problem = format!("expected {expected}, got {longest_characters}");
            return wrong("features.longest_characters", problem);
        }
        for (key, value) in [
            ("classifier.c", self.classifier.c),
            ("classifier.smoothing", self.classifier.smoothing),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return wrong(key, format!("expected a number above 0, got {value}"));
            }
        }
        Ok(())
    }

    fn tfidf(&self) -> TfIdfConfig {
        let features = &self.features;
        let mut terms = Vec::new();
        if features.longest_words > 0 {
            let (longest, min_length) = (features.longest_words, features.shortest_word);
            terms.push(Terms::Words { shortest: 1, longest, min_length });
        }
        if features.longest_characters > 0 {
            terms.push(Terms::Characters {
                shortest: features.shortest_characters,
                longest: features.longest_characters,
            });
        }
        TfIdfConfig { terms, min_texts: features.min_texts, sublinear: features.sublinear }
    }

    /// Learns from texts with one label in `0..classes` each, and answers others.
    ///
    /// # Errors
    /// Labels that do not fit.
    pub fn predict(
        &self,
        train: (&[&str], &[usize]),
        classes: usize,
        texts: &[&str],
    ) -> Result<Vec<usize>, ClassicalError> {
        let tfidf = TfIdf::fit(&self.tfidf(), train.0);
        let model = self.classifier.fit(&tfidf.transform(train.0), train.1, classes)?;
        Ok(model.predict(&tfidf.transform(texts)))
    }
}

impl ClassifierConfig {
    fn fit(
        &self,
        rows: &SparseMatrix,
        labels: &[usize],
        classes: usize,
    ) -> Result<Box<dyn Classifier>, ClassicalError> {
        Ok(match self.kind {
            ClassifierKind::Logistic => {
                let options = LogisticOptions { c: self.c, tolerance: 1e-5, ..Default::default() };
                Box::new(LogisticRegression::fit(rows, labels, classes, &options)?)
            }
            ClassifierKind::SupportVectors => {
                let options = SvmOptions { c: self.c, ..SvmOptions::default() };
                Box::new(LinearSvm::fit(rows, labels, classes, &options)?)
            }
            ClassifierKind::NaiveBayes => {
                Box::new(NaiveBayes::fit(rows, labels, classes, self.smoothing)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[&str]) -> Result<TextClassifierConfig, String> {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        TextClassifierConfig::of_settings(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn later_settings_win() {
        let config =
            of(&["classifier.c=3", "features.sublinear=true", "classifier.c=0.5"]).unwrap();
        assert_eq!(config.classifier.c, 0.5);
        assert!(config.features.sublinear);
        assert_eq!(of(&[]).unwrap(), TextClassifierConfig::default());
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let cases = [
            ("classifier.c", "--set classifier.c: expected section.key=value in TOML"),
            ("c=3", "--set c=3: expected section.key=value, got the key c"),
            ("classifier.d=3", "classifier.d: unknown field `d`"),
            ("classifier.c=-1.0", "classifier.c: expected a number above 0, got -1"),
            ("features.longest_words=0", "features.longest_words: expected words, or"),
            (
                "features.longest_characters=1",
                "features.longest_characters: expected 0, or 2 or more",
            ),
        ];
        for (setting, expected) in cases {
            let found = of(&[setting]).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn every_kind_of_model_learns_two_words() {
        let texts = ["good film", "good day", "bad film", "bad day"];
        for kind in ["logistic", "support-vectors", "naive-bayes"] {
            let config = of(&[&format!("classifier.kind=\"{kind}\"")]).unwrap();
            let found = config.predict((&texts, &[1, 1, 0, 0]), 2, &["so good", "so bad"]).unwrap();
            assert_eq!(found, [1, 0], "{kind}");
        }
    }
}
