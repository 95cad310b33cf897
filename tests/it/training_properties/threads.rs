//! The number of threads decides how long a run takes and nothing else.

use rayon::ThreadPoolBuilder;
use serde_json::json;
use wuji::data::TokenBatch;
use wuji::model::{CausalLm, ModelConfig};
use wuji::training::{BatchSource, OptimizerKind, TrainingConfig};

use crate::devices::flex;
use crate::tensors::bits;
use crate::tiny_models::VOCAB_SIZE;
use crate::trainings::{Counting, Made, Run, figures, plain};

/// Large enough that every kernel cuts its work into pieces.
fn config(family: &str) -> ModelConfig {
    let keys = match family {
        "gpt2" => json!({"n_positions": 128, "n_embd": 128, "n_layer": 2, "n_head": 4}),
        _ => json!({
            "max_position_embeddings": 128, "hidden_size": 128, "intermediate_size": 352,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        }),
    };
    let mut keys = keys;
    keys["model_type"] = family.into();
    keys["vocab_size"] = (16 * VOCAB_SIZE).into();
    ModelConfig::from_json(&keys.to_string()).unwrap()
}

fn train(family: &str, optimizer: OptimizerKind, threads: usize) -> Made {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let training = TrainingConfig { optimizer, max_grad_norm: 1.0, ..plain(3) };
        let model = CausalLm::init(&config(family), 1, &flex().autodiff()).unwrap();
        let batches = Counting { rows: 8, micro_steps: 1, context: 128, ..Counting::PLAIN };
        Run::new(&training, model, &batches as &dyn BatchSource<TokenBatch>).make()
    })
}

#[test]
fn any_number_of_threads_computes_the_same_to_the_last_bit() {
    for (family, optimizer) in [("gpt2", OptimizerKind::Adamw), ("llama", OptimizerKind::Muon)] {
        let expected = train(family, optimizer, 1);
        for threads in [2, 5] {
            let found = train(family, optimizer, threads);
            let what = format!("{family} on {threads} threads");
            assert_eq!(figures(&found.steps), figures(&expected.steps), "{what}");
            for (found, expected) in found.weights().iter().zip(expected.weights()) {
                assert_eq!(bits(&found.values), bits(&expected.values), "{what}: {}", found.name);
            }
        }
    }
}
