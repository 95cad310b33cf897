//! Perplexity over a sliding window against transformers' losses (`metrics/perplexity`): the case
//! gives every token's negative log-probability, and the figures are made of those.

use safetensors::SafeTensors;
use serde_json::Value;
use wuji_evaluation::perplexity::{Perplexity, PerplexityReport, Recipe, TextUnit};
use wuji_evaluation::uncertainty::BootstrapOptions;

use crate::golden::{Comparison, case};

/// Every token as a document of its own; one that is not scored has no nats and no unit.
fn report(stride: usize, nats: &[f32]) -> PerplexityReport {
    let recipe = Recipe {
        corpus: "0".repeat(64),
        detokenizer: "none".to_owned(),
        context: 16,
        stride,
        unit: TextUnit::Token,
    };
    let mut perplexity = Perplexity::new(recipe).unwrap();
    for &nats in nats {
        perplexity.add(f64::from(nats), usize::from(nats > 0.0)).unwrap();
    }
    perplexity.report(&BootstrapOptions::default()).unwrap()
}

#[test]
fn golden_perplexity_of_overlapping_and_separate_windows() {
    let Some(folder) = case("perplexity") else { return };
    let bytes = std::fs::read(folder.join("expected.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let text = std::fs::read_to_string(folder.join("case.json")).unwrap();
    let expected = &serde_json::from_str::<Value>(&text).unwrap()["values"];
    let nats = |name: &str| -> Vec<f32> {
        let parts = tensors.tensor(name).unwrap().data().chunks_exact(4).map(<[u8; 4]>::try_from);
        parts.map(|part| f32::from_le_bytes(part.unwrap())).collect()
    };

    let sliding = report(6, &nats("nll_stride"));
    let separate = report(16, &nats("nll_chunks"));
    // The case sums losses in f32 and asks for a relative 1e-5 of a loss.
    let mut comparison = Comparison::new("perplexity", 1e-4);
    comparison.number("scored", sliding.units as f64, &expected["scored_stride"]);
    comparison.number("scored", separate.units as f64, &expected["scored_chunks"]);
    comparison.number("sliding", sliding.perplexity.value, &expected["ppl_stride"]);
    comparison.number("separate", separate.perplexity.value, &expected["ppl_chunks"]);
    let bits = &expected["bits_per_token_stride"];
    comparison.number("bits", sliding.bits_per_unit.value, bits);
    assert!(sliding.to_string().ends_with("|detok:none|context:16|stride:6|unit:token"));
}
