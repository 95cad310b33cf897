//! Greedy decoding, beam search and windowed perplexity of small random models against `transformers`.
//!
//! Mistral's case has a window of six tokens and prompts and answers that are longer: what a cache
//! keeps and the window hides is covered there.

use wuji_inference::sampling::Sampler;
use wuji_inference::windows::strided;
use wuji_inference::{BatchLimits, beam_search, score_all, sequences_of};
use wuji_model::CausalLm;
use wuji_protocol::GenerateOptions;

use crate::support::{Expected, flex, greedy, shared};

/// Cases whose greedy outputs are recorded.
const GREEDY: [&str; 16] = [
    "glm",
    "glm4",
    "gpt-neox",
    "gpt2",
    "gpt2-options",
    "llama-gqa",
    "llama-linear-rope",
    "llama-tied-legacy",
    "llama-yarn-rope",
    "llama3-rope",
    "mistral",
    "mixtral",
    "qwen2",
    "qwen2-moe",
    "qwen3",
    "qwen3-moe",
];

#[test]
fn golden_greedy_decoding_gives_the_tokens_of_transformers() {
    for name in GREEDY {
        let Some(case) = shared(&format!("golden/models/{name}")) else { return };
        let model = CausalLm::from_dir(&case, &flex()).unwrap();
        let expected = Expected::read(&case);
        let prompts = expected.rows("in.pad.input_ids");
        let masks = expected.rows("in.pad.attention_mask");
        let eos = model.config().eos_token_ids();
        for (kind, eos_token_ids) in [("gen.greedy", &[] as &[u32]), ("gen.greedy_eos", &eos)] {
            let outputs = expected.rows(kind);
            for ((prompt, mask), output) in prompts.iter().zip(&masks).zip(outputs) {
                let new_tokens = output.len() - prompt.len();
                let prompt: Vec<u32> = real(prompt, mask).collect();
                let mut found = greedy(&model, &prompt, new_tokens, eos_token_ids).unwrap();
                if found.len() < new_tokens {
                    // Transformers keeps the end-of-text token and fills with the padding id 0.
                    found.push(eos_token_ids[0]);
                    found.resize(new_tokens, 0);
                }
                assert_eq!(found, output[output.len() - new_tokens..], "{name}, {kind}");
            }
        }
    }
}

/// What the cases record of one beam search.
pub struct BeamCase {
    pub tokens: &'static str,
    pub scores: &'static str,
    /// Hypotheses per prompt.
    pub hypotheses: usize,
    pub ends: bool,
}

pub const BEAM_CASES: [BeamCase; 3] = [
    BeamCase { tokens: "gen.beam", scores: "gen.beam_scores", hypotheses: 1, ends: false },
    BeamCase { tokens: "gen.beam_eos", scores: "gen.beam_eos_scores", hypotheses: 1, ends: true },
    BeamCase {
        tokens: "gen.beam_eos_all",
        scores: "gen.beam_eos_all_scores",
        hypotheses: 4,
        ends: true,
    },
];

#[test]
fn golden_beam_search_gives_the_tokens_and_scores_of_transformers() {
    for name in GREEDY {
        let Some(case) = shared(&format!("golden/models/{name}")) else { return };
        let model = CausalLm::from_dir(&case, &flex()).unwrap();
        let expected = Expected::read(&case);
        let settings = BeamSettings::read(&case);
        for beam in &BEAM_CASES {
            check_beams(name, &model, &expected, &settings, beam);
        }
    }
}

/// `options.generation` of `case.json`.
#[derive(serde::Deserialize)]
pub struct BeamSettings {
    pub eos_token_id: u32,
    num_beams: usize,
    max_new_tokens_beam: usize,
    eos_token_id_for_beam_eos: u32,
    early_stopping: bool,
    length_penalty: f32,
}

impl BeamSettings {
    pub fn read(case: &std::path::Path) -> Self {
        let text = std::fs::read(case.join("case.json")).unwrap();
        let mut case: serde_json::Value = serde_json::from_slice(&text).unwrap();
        serde_json::from_value(case["options"]["generation"].take()).unwrap()
    }

    pub fn sampler(&self, ends: bool) -> Sampler {
        let options = GenerateOptions {
            num_beams: self.num_beams,
            max_new_tokens: self.max_new_tokens_beam,
            early_stopping: self.early_stopping,
            length_penalty: self.length_penalty,
            ..GenerateOptions::greedy()
        };
        let eos = if ends { vec![self.eos_token_id_for_beam_eos] } else { Vec::new() };
        Sampler::new(options, Vec::new(), eos)
    }
}

fn check_beams(
    name: &str,
    model: &CausalLm,
    expected: &Expected,
    settings: &BeamSettings,
    beam: &BeamCase,
) {
    let prompts = expected.rows("in.pad.input_ids");
    let masks = expected.rows("in.pad.attention_mask");
    let outputs = expected.rows(beam.tokens);
    let scores = expected.floats(beam.scores);
    let expected = outputs.iter().zip(scores).collect::<Vec<_>>();
    let rows = prompts.iter().zip(&masks).zip(expected.chunks(beam.hypotheses));
    for ((prompt, mask), expected) in rows {
        let ids: Vec<u32> = real(prompt, mask).collect();
        let found = beam_search(model, &ids, &settings.sampler(beam.ends)).unwrap();
        for (found, (output, score)) in found.iter().zip(expected) {
            let mut tokens = found.ids.clone();
            tokens.extend(found.eos);
            tokens.resize(output.len() - prompt.len(), 0);
            assert_eq!(tokens, output[prompt.len()..], "{name}, {}", beam.tokens);
            let off = (found.score - f64::from(*score)).abs();
            assert!(off <= 1e-4, "{name}, {}: the score is off by {off}", beam.tokens);
        }
    }
}

/// The tokens of a padded row.
pub fn real(ids: &[u32], mask: &[u32]) -> impl Iterator<Item = u32> {
    ids.iter().zip(mask).filter(|(_, mask)| **mask == 1).map(|(id, _)| *id)
}

#[test]
fn golden_windowed_perplexity_is_that_of_the_guide_of_transformers() {
    let Some(case) = shared("golden/metrics/perplexity") else { return };
    let model = CausalLm::from_dir(&case, &flex()).unwrap();
    let expected = Expected::read(&case);
    let ids = expected.rows("in.input_ids").concat();
    // Window and stride of the case; then separate chunks. Perplexities from its `values`.
    for (name, stride, scored, perplexity) in [
        ("nll_stride", 6, 69, 93.355_087_280_273_44_f64),
        ("nll_chunks", 16, 65, 80.529_548_645_019_53),
    ] {
        let windows = strided(ids.len(), 16, stride);
        let limits = BatchLimits { max_sequences: 4, max_tokens: 64 };
        let scores = score_all(&model, &sequences_of(&ids, &windows), limits).unwrap();
        let mut found = vec![0.0; ids.len()];
        for (window, scores) in windows.iter().zip(scores) {
            for (at, score) in (window.scored_from..).zip(scores) {
                found[at] = -score.log_prob;
            }
        }
        for (at, (found, expected)) in found.iter().zip(expected.floats(name)).enumerate() {
            assert!(
                (found - f64::from(expected)).abs() <= 1e-4,
                "{name}[{at}]: {found}, {expected}"
            );
        }
        let total: f64 = found.iter().sum();
        let relative = (total / f64::from(scored)).exp() / perplexity - 1.0;
        assert!(relative.abs() <= 1e-4, "{name}: perplexity is off by {relative}");
    }
}
