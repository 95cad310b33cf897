//! Embeddings, blocks and final norm: the backbone of every transformer family, decoder or encoder.

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::layers::{
    AttentionContext, Block, Embedding, Norm, RotaryAngles, dropout, relative_buckets,
    rotary_frequencies, sinusoids,
};
use crate::{Architecture, Backbone, BackboneInput, KvCache, Positions};

/// Token embedding, blocks, final norm.
#[derive(Module, Debug)]
pub struct Transformer {
    /// One vector per token id; absent where another stack's is used.
    pub token_embedding: Option<Embedding>,
    /// One vector per position, where positions are learned.
    pub position_embedding: Option<Embedding>,
    /// One vector per position within a block of generated text (GLM).
    pub block_position_embedding: Option<Embedding>,
    /// One vector per kind of token (BERT's segments).
    pub token_type_embedding: Option<Embedding>,
    /// Norm of the sum of the embeddings.
    pub embedding_norm: Option<Norm>,
    /// One number per bucket of distances and head, `[buckets, heads]` (T5).
    pub relative_bias: Option<Embedding>,
    /// The blocks, first to last.
    pub blocks: Vec<Block>,
    /// Norm after the last block.
    pub final_norm: Option<Norm>,
    #[module(skip)]
    architecture: Architecture,
    #[module(skip)]
    frequencies: Option<(Vec<f64>, f64)>,
}

impl Transformer {
    /// A stack with zero weights.
    pub fn new(architecture: &Architecture, device: &Device) -> Self {
        let a = architecture;
        let table = |rows: usize| Embedding::zeros(rows, a.hidden_size, device);
        let norm = || Norm::new(a.norm, a.hidden_size, a.norm_epsilon, device);
        let positions = || table(a.max_position_embeddings);
        let is_twice = a.positions == Positions::LearnedTwice;
        let is_learned = is_twice
            || matches!(a.positions, Positions::Learned | Positions::LearnedAfterPadding { .. });
        let frequencies = match &a.positions {
            Positions::Rotary(rope) => Some(rotary_frequencies(rope, a.head_dim)),
            _ => None,
        };
        let relative_bias = match a.positions {
            Positions::RelativeBias { buckets, .. } => {
                Some(Embedding::zeros(buckets, a.num_attention_heads, device))
            }
            _ => None,
        };
        Self {
            token_embedding: Some(table(a.vocab_size)),
            position_embedding: is_learned.then(positions),
            block_position_embedding: is_twice.then(positions),
            token_type_embedding: (a.token_types > 0).then(|| table(a.token_types)),
            embedding_norm: a.embedding_norm.then(norm),
            relative_bias,
            blocks: (0..a.num_hidden_layers).map(|layer| Block::new(a, layer, device)).collect(),
            final_norm: a.has_final_norm().then(norm),
            architecture: a.clone(),
            frequencies,
        }
    }

    /// The same without a token embedding, for a stack that is given another's.
    #[must_use]
    pub fn without_token_embedding(self) -> Self {
        Self { token_embedding: None, ..self }
    }

    /// What this stack was built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The stack's own token embedding.
    ///
    /// # Panics
    /// If it was built without one.
    pub fn token_table(&self) -> &Embedding {
        self.token_embedding.as_ref().expect("this stack has a token embedding of its own")
    }

    /// The input of the first block, `[batch, seq, hidden_size]`, and what the blocks share.
    pub fn embed(&self, input: BackboneInput, cached: usize) -> (Tensor<3>, AttentionContext) {
        self.embed_with(self.token_table(), input, cached)
    }

    /// As [`Transformer::embed`], with the vectors of `table`.
    pub fn embed_with(
        &self,
        table: &Embedding,
        input: BackboneInput,
        cached: usize,
    ) -> (Tensor<3>, AttentionContext) {
        let a = &self.architecture;
        let mut hidden = table.forward(input.input_ids.clone());
        if a.embedding_scale != 1.0 {
            hidden = hidden * a.embedding_scale;
        }
        if let Some(positions) = self.position_vectors(&input, cached) {
            hidden = hidden + positions;
        }
        if let Some(types) = &self.token_type_embedding {
            let ids = input.token_type_ids.clone();
            hidden = hidden + types.forward(ids.unwrap_or_else(|| input.input_ids.zeros_like()));
        }
        if let Some(norm) = &self.embedding_norm {
            hidden = norm.forward(hidden);
        }
        let context = AttentionContext {
            angles: self.angles(&input, cached),
            bias: self.score_bias(input.input_ids.dims()[1], cached),
            allowed: input.allowed(),
            is_mask_complete: input.pair_mask.is_some(),
            ..AttentionContext::default()
        };
        (dropout(hidden, a.dropout.embedding), context)
    }

    /// What is added to the token embeddings for their positions.
    fn position_vectors(&self, input: &BackboneInput, cached: usize) -> Option<Tensor<3>> {
        let ids =
            || input.position_ids.clone().unwrap_or_else(|| self.default_positions(input, cached));
        if self.architecture.positions == Positions::Sinusoidal {
            return Some(self.sinusoids(input, cached));
        }
        let positions = self.position_embedding.as_ref()?.forward(ids());
        Some(match &self.block_position_embedding {
            None => positions,
            Some(table) => {
                let ids = input.block_position_ids.clone();
                positions + table.forward(ids.unwrap_or_else(|| input.input_ids.zeros_like()))
            }
        })
    }

    fn sinusoids(&self, input: &BackboneInput, cached: usize) -> Tensor<3> {
        let ([_, seq], width) = (input.input_ids.dims(), self.architecture.hidden_size);
        let rows = match input.position_ids {
            Some(_) => self.architecture.max_position_embeddings,
            None => cached + seq,
        };
        // Constants: off the autodiff tape, whatever the device.
        let device = input.input_ids.device().without_autodiff();
        let table = TensorData::new(sinusoids(rows, width), [rows, width]);
        let table = Tensor::<2>::from_data(table, &device);
        match &input.position_ids {
            Some(ids) => wuji_kernels::embedding(table, ids.clone()),
            None => table.narrow(0, cached, seq).unsqueeze(),
        }
    }

    /// Positions where none are given, `[1 or batch, seq]`.
    fn default_positions(&self, input: &BackboneInput, cached: usize) -> Tensor<2, Int> {
        let [_, seq] = input.input_ids.dims();
        match self.architecture.positions {
            Positions::LearnedAfterPadding { padding_id } => {
                let padding_id = padding_id as i64;
                let real = input.input_ids.clone().not_equal_scalar(padding_id).int();
                (real.clone().cumsum(1) + cached as i64) * real + padding_id
            }
            _ => Tensor::<1, Int>::arange(
                cached as i64..(cached + seq) as i64,
                &input.input_ids.device(),
            )
            .unsqueeze(),
        }
    }

    fn angles(&self, input: &BackboneInput, cached: usize) -> Option<RotaryAngles> {
        let (frequencies, factor) = self.frequencies.as_ref()?;
        let [_, seq] = input.input_ids.dims();
        Some(match &input.position_ids {
            Some(ids) => RotaryAngles::of_positions(frequencies, *factor, ids.clone()),
            None => {
                let device = input.input_ids.device();
                RotaryAngles::consecutive(frequencies, *factor, cached, seq, &device)
            }
        })
    }

    /// T5's bias for `seq` queries behind `cached` tokens, `[1, heads, seq, cached + seq]`.
    fn score_bias(&self, seq: usize, cached: usize) -> Option<Tensor<4>> {
        let table = self.relative_bias.as_ref()?;
        let Positions::RelativeBias { buckets, max_distance } = self.architecture.positions else {
            return None;
        };
        let keys = cached + seq;
        let is_bidirectional = !self.architecture.causal;
        let places = relative_buckets(seq, keys, is_bidirectional, buckets, max_distance);
        let places = TensorData::new(places, [seq, keys]);
        let places = Tensor::<2, Int>::from_data(places, &table.weight.device());
        // [seq, keys, heads] -> [1, heads, seq, keys]
        Some(table.forward(places).permute([2, 0, 1]).unsqueeze())
    }

    /// Runs the blocks on `hidden`, an embedded input, and normalises what comes out.
    pub fn run(
        &self,
        mut hidden: Tensor<3>,
        context: &AttentionContext,
        mut cache: Option<&mut KvCache>,
    ) -> Tensor<3> {
        let [_, seq, _] = hidden.dims();
        for (layer, block) in self.blocks.iter().enumerate() {
            let place = cache.as_deref_mut().map(|cache| (cache, layer));
            hidden = block.forward(hidden, context, place);
        }
        if let Some(cache) = cache {
            cache.advance(seq);
        }
        self.normalise(hidden)
    }

    /// The norm after the last block, where there is one.
    pub fn normalise(&self, hidden: Tensor<3>) -> Tensor<3> {
        match &self.final_norm {
            Some(norm) => norm.forward(hidden),
            None => hidden,
        }
    }

    /// Like [`Backbone::forward`], returning also the embedding output and each block's output but
    /// the last, whose place the normed output takes (the field's `hidden_states`).
    pub fn forward_with_hidden_states(&self, input: BackboneInput) -> Vec<Tensor<3>> {
        let (hidden, context) = self.embed(input, 0);
        self.states(hidden, &context)
    }

    /// The hidden states of an embedded input, as [`Transformer::forward_with_hidden_states`].
    pub fn states(&self, hidden: Tensor<3>, context: &AttentionContext) -> Vec<Tensor<3>> {
        let mut states = vec![hidden];
        for block in &self.blocks {
            let hidden = states.last().expect("the embeddings are a state").clone();
            states.push(block.forward(hidden, context, None));
        }
        let last = states.pop().expect("the embeddings are a state");
        states.push(self.normalise(last));
        states
    }
}

impl Backbone for Transformer {
    fn hidden_size(&self) -> usize {
        self.architecture.hidden_size
    }

    fn forward(&self, input: BackboneInput, cache: Option<&mut KvCache>) -> Tensor<3> {
        let cached = cache.as_deref().map_or(0, KvCache::len);
        let (hidden, context) = self.embed(input, cached);
        self.run(hidden, &context, cache)
    }
}

impl BackboneInput {
    /// What may be attended to, causality aside where there is no `pair_mask`, as one mask, `[batch, 1, 1 or query,
    /// key]`.
    fn allowed(&self) -> Option<Tensor<4, Bool>> {
        let padding = self.attention_mask.clone().map(padding_mask);
        let documents = self.segment_ids.clone().map(|segments| {
            let [batch, seq] = segments.dims();
            let query = segments.clone().reshape([batch, 1, seq, 1]).expand([batch, 1, seq, seq]);
            let key = segments.reshape([batch, 1, 1, seq]).expand([batch, 1, seq, seq]);
            query.equal(key) // [batch, 1, query, key]
        });
        let pairs = self.pair_mask.clone().map(|mask| mask.unsqueeze_dim::<4>(1));
        [padding, documents, pairs].into_iter().flatten().reduce(both)
    }
}

/// Which keys are real, `[batch, key]`, as a mask of scores.
pub(crate) fn padding_mask(mask: Tensor<2, Bool>) -> Tensor<4, Bool> {
    mask.unsqueeze_dim::<3>(1).unsqueeze_dim::<4>(1) // [batch, 1, 1, key]
}

fn both(one: Tensor<4, Bool>, other: Tensor<4, Bool>) -> Tensor<4, Bool> {
    let (a, b) = (one.dims(), other.dims());
    let shape: [usize; 4] = std::array::from_fn(|i| a[i].max(b[i]));
    one.expand(shape).bool_and(other.expand(shape))
}
