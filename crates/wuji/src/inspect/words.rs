//! Parts of an architecture in words.

use wuji_model::{
    Activation, ClassifiedUnit, EncoderHeads, Experts, MlpKind, NormKind, NormPlacement, Positions,
    RopeScaling,
};

pub(super) fn positions(positions: &Positions) -> String {
    match positions {
        Positions::None => "none".to_string(),
        Positions::Learned => "learned".to_string(),
        Positions::LearnedAfterPadding { .. } => "learned, counted behind the padding".to_string(),
        Positions::LearnedTwice => "learned, in the text and in the blank".to_string(),
        Positions::Sinusoidal => "sinusoidal".to_string(),
        Positions::RelativeBias { buckets, max_distance } => {
            format!("bias by distance, {buckets} buckets up to {max_distance}")
        }
        Positions::Rotary(rope) => {
            let scaling = match &rope.scaling {
                RopeScaling::None => String::new(),
                RopeScaling::Linear { factor } => format!(", linear scaling ×{factor}"),
                RopeScaling::Llama3 { factor, .. } => format!(", Llama 3 scaling ×{factor}"),
                RopeScaling::Yarn { factor, .. } => format!(", YaRN ×{factor}"),
            };
            let part = match rope.partial_rotary_factor {
                1.0 => String::new(),
                part => format!(", {part} of a head"),
            };
            format!("rotary, θ = {}{part}{scaling}", rope.rope_theta)
        }
    }
}

pub(super) fn norm(norm: NormKind, placement: NormPlacement) -> String {
    let norm = match norm {
        NormKind::LayerNorm { bias: true } => "LayerNorm",
        NormKind::LayerNorm { bias: false } => "LayerNorm without bias",
        NormKind::RmsNorm => "RMSNorm",
    };
    let placement = match placement {
        NormPlacement::Before => "",
        NormPlacement::BeforeInParallel => ", attention and MLP in parallel",
        NormPlacement::Around => ", before and after each half",
        NormPlacement::After => ", after each half",
    };
    format!("{norm}{placement}")
}

pub(super) fn experts(experts: &Experts) -> String {
    let shared = match experts.shared_intermediate_size {
        Some(inner) => format!(", and one of {inner} for every token"),
        None => String::new(),
    };
    let Experts { count, per_token, intermediate_size, .. } = experts;
    format!("{per_token} of {count}, each {intermediate_size} wide{shared}")
}

pub(super) fn mlp(kind: MlpKind, activation: Activation) -> String {
    let activation = match activation {
        Activation::Gelu => "GELU",
        Activation::GeluNew => "GELU (tanh)",
        Activation::Silu => "SiLU",
        Activation::Relu => "ReLU",
        Activation::Tanh => "tanh",
        Activation::Sigmoid => "sigmoid",
    };
    match kind {
        MlpKind::Plain => activation.to_string(),
        MlpKind::Gated => format!("gated, {activation}"),
    }
}

/// The heads of an encoder, one by one.
pub(super) fn heads(heads: &EncoderHeads) -> Vec<String> {
    let present = [
        (heads.pooler, "pooler"),
        (heads.masked_lm, "masked tokens"),
        (heads.next_sentence, "next sentence"),
    ];
    let mut words: Vec<String> = present
        .into_iter()
        .filter(|(is_there, _)| *is_there)
        .map(|(_, name)| name.to_string())
        .collect();
    words.extend(heads.classifier.map(|classifier| match classifier.unit {
        ClassifiedUnit::Text => format!("{} labels of a text", classifier.labels),
        ClassifiedUnit::Token => format!("{} labels of each token", classifier.labels),
        ClassifiedUnit::AnswerEnds => "beginning and end of an answer".to_string(),
    }));
    words
}
