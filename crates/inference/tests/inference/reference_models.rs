//! Greedy decoding and windowed perplexity of small random models against `transformers`.

use wuji_inference::windows::strided;
use wuji_inference::{BatchLimits, score_all, sequences_of};
use wuji_model::CausalLm;

use crate::support::{Expected, flex, greedy, shared};

/// Cases whose greedy outputs are recorded.
const GREEDY: [&str; 8] = [
    "gpt2",
    "gpt2-options",
    "llama-gqa",
    "llama-linear-rope",
    "llama-tied-legacy",
    "llama-yarn-rope",
    "llama3-rope",
    "qwen3",
];

#[test]
fn greedy_decoding_gives_the_tokens_of_transformers() {
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

/// The tokens of a left-padded row.
fn real(ids: &[u32], mask: &[u32]) -> impl Iterator<Item = u32> {
    ids.iter().zip(mask).filter(|(_, mask)| **mask == 1).map(|(id, _)| *id)
}

#[test]
fn windowed_perplexity_is_that_of_the_guide_of_transformers() {
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
