//! The networks: one per objective, each of its own family, with as many parameters in matrix
//! products as the others.

use serde_json::json;
use wuji_model::ModelConfig;

use super::{Objective, ObjectivesSetup};
use crate::WujiError;
use crate::inspect::ParameterCounts;

/// The config of an objective's network with `vocab_size` tokens.
///
/// Dropout is off everywhere: no window is read more than once or twice. T5's scaling of what goes
/// into the tied head is off as well, because it presumes embeddings of standard deviation one.
pub(super) fn network(
    objective: Objective,
    setup: &ObjectivesSetup,
    vocab_size: usize,
) -> Result<ModelConfig, WujiError> {
    let (width, layers, heads) = (setup.hidden_size, setup.layers, setup.heads);
    let context = setup.context_length.max(setup.text_length);
    let keys = match objective {
        Objective::CausalLm => json!({
            "model_type": "gpt2",
            "vocab_size": vocab_size,
            "n_positions": context,
            "n_embd": width,
            "n_layer": layers,
            "n_head": heads,
            "embd_pdrop": 0.0,
            "attn_pdrop": 0.0,
            "resid_pdrop": 0.0,
        }),
        Objective::MaskedLm => json!({
            "model_type": "bert",
            "architectures": ["BertForMaskedLM"],
            "vocab_size": vocab_size,
            "max_position_embeddings": context,
            "hidden_size": width,
            "intermediate_size": 4 * width,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        }),
        Objective::SpanCorruption => json!({
            "model_type": "t5",
            "vocab_size": vocab_size,
            "n_positions": context,
            "d_model": width,
            "d_kv": width / heads,
            // A third narrower than the others': cross-attention takes the parameters that this saves.
            "d_ff": 3 * width,
            "num_layers": layers.div_ceil(2),
            "num_decoder_layers": layers.div_ceil(2),
            "num_heads": heads,
            "feed_forward_proj": "gelu",
            "scale_decoder_outputs": false,
            "dropout_rate": 0.0,
        }),
        Objective::BlankInfilling => json!({
            "model_type": "glm_original",
            "vocab_size": vocab_size,
            "max_sequence_length": context,
            "hidden_size": width,
            "num_layers": layers,
            "num_attention_heads": heads,
        }),
    };
    Ok(ModelConfig::from_json(&keys.to_string())?)
}

/// Parameters that multiply an activation, of both stacks where there are two.
pub(super) fn matrix_parameters(config: &ModelConfig) -> Result<usize, WujiError> {
    Ok(ParameterCounts::of(config)?.in_matrix_products)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_have_the_same_number_of_matrix_parameters_within_five_percent() {
        let setup = ObjectivesSetup::default();
        let counts = Objective::ALL.map(|objective| {
            let config = network(objective, &setup, setup.vocab_size).unwrap();
            matrix_parameters(&config).unwrap()
        });
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!((*most as f64) < 1.05 * *least as f64, "{counts:?}");
    }
}
