//! What llama.cpp calls the tensors of a Llama-family model, and what Hugging Face calls them.

/// Tensors outside the layers.
const OUTSIDE: [(&str, &str); 3] = [
    ("token_embd.weight", "model.embed_tokens.weight"),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
];

/// Modules of a layer.
const INSIDE: [(&str, &str); 11] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`; `None` for what is not in a Llama-family model.
pub(super) fn hugging_face_name(gguf: &str) -> Option<String> {
    if let Some((_, name)) = OUTSIDE.iter().find(|(known, _)| *known == gguf) {
        return Some((*name).to_string());
    }
    let (layer, rest) = gguf.strip_prefix("blk.")?.split_once('.')?;
    let (module, kind) = rest.rsplit_once('.')?;
    let (_, name) = INSIDE.iter().find(|(known, _)| *known == module)?;
    is_number(layer).then(|| format!("model.layers.{layer}.{name}.{kind}"))
}

/// The way back from [`hugging_face_name`].
pub(super) fn gguf_name(hugging_face: &str) -> Option<String> {
    if let Some((name, _)) = OUTSIDE.iter().find(|(_, known)| *known == hugging_face) {
        return Some((*name).to_string());
    }
    let (layer, rest) = hugging_face.strip_prefix("model.layers.")?.split_once('.')?;
    let (module, kind) = rest.rsplit_once('.')?;
    let (name, _) = INSIDE.iter().find(|(_, known)| *known == module)?;
    is_number(layer).then(|| format!("blk.{layer}.{name}.{kind}"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a tensor's rows are queries, and whether they are keys.
pub(super) fn is_query_or_key(gguf: &str) -> (bool, bool) {
    let module = gguf.rsplit_once('.').map_or("", |(before, _)| before);
    (module.ends_with(".attn_q"), module.ends_with(".attn_k"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        let check = |gguf: &str, expected: &str| {
            assert_eq!(hugging_face_name(gguf).as_deref(), Some(expected));
            assert_eq!(gguf_name(expected).as_deref(), Some(gguf));
        };
        check("token_embd.weight", "model.embed_tokens.weight");
        check("blk.12.attn_q.bias", "model.layers.12.self_attn.q_proj.bias");
        check("blk.0.ffn_norm.weight", "model.layers.0.post_attention_layernorm.weight");
        check("blk.0.attn_k_norm.weight", "model.layers.0.self_attn.k_norm.weight");
        for unknown in ["blk.0.ffn_gate_exps.weight", "rope_freqs.weight", "blk.x.attn_q.weight"] {
            assert_eq!(hugging_face_name(unknown), None, "{unknown}");
        }
        assert_eq!(gguf_name("transformer.wte.weight"), None);
        assert_eq!(is_query_or_key("blk.0.attn_q.weight"), (true, false));
        assert_eq!(is_query_or_key("blk.0.attn_k_norm.weight"), (false, false));
    }
}
