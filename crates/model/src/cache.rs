//! Keys and values of the tokens a decoder has already read.

use burn::tensor::Tensor;

/// One layer's keys and values, `[batch, capacity, num_key_value_heads, head_dim]` each.
#[derive(Debug, Clone)]
struct LayerCache {
    keys: Tensor<4>,
    values: Tensor<4>,
}

/// A key/value cache over all layers.
///
/// Buffers are allocated once, at the first write, for `capacity` tokens; each step writes the new
/// rows in place and reads a view, so decoding a token costs no copy of what came before.
#[derive(Debug, Clone)]
pub struct KvCache {
    layers: Vec<Option<LayerCache>>,
    /// Keys and values of what cross-attention looks at: computed once, never extended.
    memories: Vec<Option<LayerCache>>,
    length: usize,
    capacity: usize,
}

impl KvCache {
    /// An empty cache for `layers` blocks and at most `capacity` tokens.
    pub fn new(layers: usize, capacity: usize) -> Self {
        Self { layers: vec![None; layers], memories: vec![None; layers], length: 0, capacity }
    }

    /// Tokens read so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing has been read.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Tokens there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Sequences in the batch; none before the first is written.
    pub fn rows(&self) -> Option<usize> {
        self.layers.iter().flatten().next().map(|layer| layer.keys.dims()[0])
    }

    /// Forgets everything after the first `length` tokens.
    ///
    /// # Panics
    /// If `length` is more than what is there.
    pub fn truncate(&mut self, length: usize) {
        assert!(length <= self.length, "cannot truncate {} tokens to {length}", self.length);
        self.length = length;
    }

    /// Reorders the batch: row `i` becomes what row `rows[i]` was (beam search).
    pub fn select_rows(&mut self, rows: burn::tensor::Tensor<1, burn::tensor::Int>) {
        for layer in self.layers.iter_mut().chain(&mut self.memories).flatten() {
            layer.keys.inplace(|keys| keys.select(0, rows.clone()));
            layer.values.inplace(|values| values.select(0, rows.clone()));
        }
    }

    /// Writes one layer's new `keys` and `values` `[batch, seq, kv_heads, head_dim]` behind what is
    /// there and returns all of them, `[batch, cached + seq, kv_heads, head_dim]`.
    ///
    /// # Panics
    /// If the capacity is exceeded: callers check it where the input enters.
    pub(crate) fn append(
        &mut self,
        layer: usize,
        keys: Tensor<4>,
        values: Tensor<4>,
    ) -> (Tensor<4>, Tensor<4>) {
        let [batch, seq, heads, head_dim] = keys.dims();
        let (start, end) = (self.length, self.length + seq);
        assert!(end <= self.capacity, "cache of {} tokens cannot hold {end}", self.capacity);
        let stored = self.layers[layer].take().unwrap_or_else(|| {
            let shape = [batch, self.capacity, heads, head_dim];
            LayerCache {
                keys: Tensor::zeros(shape, &keys.device()),
                values: Tensor::zeros(shape, &values.device()),
            }
        });
        let rows = [0..batch, start..end, 0..heads, 0..head_dim];
        let stored = LayerCache {
            keys: stored.keys.slice_assign(rows.clone(), keys),
            values: stored.values.slice_assign(rows, values),
        };
        let read = |all: &Tensor<4>| all.clone().narrow(1, 0, end);
        let result = (read(&stored.keys), read(&stored.values));
        self.layers[layer] = Some(stored);
        result
    }

    /// One layer's keys and values of the memory, `[batch, source, kv_heads, head_dim]` each, by
    /// `project` where they have not been computed yet.
    pub(crate) fn memory(
        &mut self,
        layer: usize,
        project: impl FnOnce() -> (Tensor<4>, Tensor<4>),
    ) -> (Tensor<4>, Tensor<4>) {
        let stored = self.memories[layer].get_or_insert_with(|| {
            let (keys, values) = project();
            LayerCache { keys, values }
        });
        (stored.keys.clone(), stored.values.clone())
    }

    /// Counts `seq` more tokens, after every layer has appended them.
    pub(crate) fn advance(&mut self, seq: usize) {
        self.length += seq;
    }
}
