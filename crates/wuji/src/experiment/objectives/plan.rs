//! Which runs the comparison is made of.

use serde::{Deserialize, Serialize};
use wuji_data::objectives::{
    BlankInfillingOptions, CausalLmOptions, MaskingOptions, ObjectiveOptions, SpanCorruptionOptions,
};

/// What is compared: a way of learning from plain text, and the kind of network that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The next token, by GPT-2.
    CausalLm,
    /// Masked tokens, by BERT.
    MaskedLm,
    /// Spans by an encoder–decoder, T5.
    SpanCorruption,
    /// Blanks, by GLM.
    BlankInfilling,
}

impl Objective {
    /// All, in the order of the table.
    pub const ALL: [Self; 4] =
        [Self::CausalLm, Self::MaskedLm, Self::SpanCorruption, Self::BlankInfilling];

    /// As a config file spells it.
    pub fn name(self) -> &'static str {
        self.options().kind()
    }

    /// The objective with its paper's own settings.
    pub fn options(self) -> ObjectiveOptions {
        match self {
            Self::CausalLm => ObjectiveOptions::CausalLm(CausalLmOptions::default()),
            Self::MaskedLm => ObjectiveOptions::MaskedLm(MaskingOptions::default()),
            Self::SpanCorruption => {
                ObjectiveOptions::SpanCorruption(SpanCorruptionOptions::default())
            }
            Self::BlankInfilling => {
                ObjectiveOptions::BlankInfilling(BlankInfillingOptions::default())
            }
        }
    }
}

/// How much a network has learnt before it is fine-tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pretraining {
    /// From the same windows of text as every other objective.
    SameTokens,
    /// For as much arithmetic as next-token prediction took on those windows.
    SameCompute,
    /// Nothing: fine-tuning begins from random weights.
    None,
}

impl Pretraining {
    /// All, in the order of the table.
    pub const ALL: [Self; 3] = [Self::SameTokens, Self::SameCompute, Self::None];

    /// As files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SameTokens => "same-tokens",
            Self::SameCompute => "same-compute",
            Self::None => "none",
        }
    }
}

/// A row of the table: an objective's network after some pre-training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Condition {
    /// How much was learnt before.
    pub pretraining: Pretraining,
    /// What was learnt, and by which network.
    pub objective: Objective,
}

impl Condition {
    /// All rows. Next-token prediction sets the measure of compute, so that it has one row for both.
    pub fn all() -> Vec<Self> {
        let pairs = Pretraining::ALL.into_iter().flat_map(|pretraining| {
            Objective::ALL.map(|objective| Self { pretraining, objective })
        });
        let repeats =
            Self { pretraining: Pretraining::SameCompute, objective: Objective::CausalLm };
        pairs.filter(|condition| *condition != repeats).collect()
    }

    /// The file of this row's run with `seed`, below the directory of the experiment.
    pub fn file(self, seed: u64) -> String {
        format!("rows/{}-{}-seed-{seed}.json", self.objective.name(), self.pretraining.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_tokens_have_one_pre_trained_row_and_the_others_two() {
        let rows = Condition::all();
        assert_eq!(rows.len(), 11);
        let of = |objective| rows.iter().filter(|row| row.objective == objective).count();
        assert_eq!(Objective::ALL.map(of), [2, 3, 3, 3]);
        assert_eq!(rows[0].file(2), "rows/causal-lm-same-tokens-seed-2.json");
    }
}
