//! Greedy decoding of a recurrent encoder–decoder: the likeliest token at each step.

use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::{EncodedSource, RecurrentSeq2Seq};

/// One translation and what each of its tokens read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Translation {
    /// Token ids, without those that begin and end texts.
    pub ids: Vec<u32>,
    /// For each token of `ids`, how much of each source position predicted it.
    pub attention: Vec<Vec<f32>>,
}

impl RecurrentSeq2Seq {
    /// Translates `source_ids` `[batch, source]`: from `bos`, until every row has said `eos` or has
    /// `max_new_tokens` tokens. Use it on a device without autodiff, where there is no dropout.
    pub fn greedy(
        &self,
        source_ids: Tensor<2, Int>,
        source_mask: Option<Tensor<2, Bool>>,
        bos: u32,
        eos: u32,
        max_new_tokens: usize,
    ) -> Vec<Translation> {
        let [batch, _] = source_ids.dims();
        let device = source_ids.device();
        let EncodedSource { source, mut state } = self.encode(source_ids, source_mask);
        let mut translations = vec![Translation::default(); batch];
        let mut last = vec![bos; batch];
        let mut finished = vec![false; batch];
        for _ in 0..max_new_tokens {
            let ids = TensorData::new(last.iter().map(|id| i64::from(*id)).collect(), [batch]);
            let step = self.step(Tensor::from_data(ids, &device), state, &source);
            state = step.state;
            let best = step.logits.argmax(1).into_data();
            let attention = step.attention.into_data();
            let attention: Vec<f32> = attention.iter::<f32>().collect();
            let rows = attention.chunks_exact(attention.len() / batch);
            for (row, (id, read)) in best.iter::<i64>().zip(rows).enumerate() {
                last[row] = id as u32;
                finished[row] |= last[row] == eos;
                if !finished[row] {
                    translations[row].ids.push(last[row]);
                    translations[row].attention.push(read.to_vec());
                }
            }
            if finished.iter().all(|finished| *finished) {
                break;
            }
        }
        translations
    }
}
