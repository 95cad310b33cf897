//! How one of our parameters is spread over tensors on disk.

/// Orientation of a matrix on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// As ours: `[input, output]`, `[ids, hidden]` or a vector.
    Same,
    /// `[output, input]`, as `torch.nn.Linear` keeps it.
    Transposed,
}

/// One tensor on disk that holds some of a parameter's last-dimension entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name on disk.
    pub name: String,
    /// Orientation on disk.
    pub layout: Layout,
    /// How many of the parameter's last-dimension entries it holds; all when `None`.
    pub width: Option<usize>,
    /// For each entry its place on disk, where that is another.
    pub order: Option<Vec<usize>>,
}

impl Part {
    /// The whole parameter under one name, in our orientation.
    pub fn same(name: impl Into<String>) -> Vec<Self> {
        vec![Self { name: name.into(), layout: Layout::Same, width: None, order: None }]
    }

    /// The whole parameter under one name, transposed on disk if it is a matrix.
    pub fn linear(name: impl Into<String>) -> Vec<Self> {
        vec![Self { name: name.into(), layout: Layout::Transposed, width: None, order: None }]
    }

    /// The parameter split over several names, transposed on disk if they are matrices.
    pub fn split(names: impl IntoIterator<Item = (String, usize)>) -> Vec<Self> {
        names
            .into_iter()
            .map(|(name, width)| Self {
                name,
                layout: Layout::Transposed,
                width: Some(width),
                order: None,
            })
            .collect()
    }

    /// The same part with its entries in another order on disk.
    #[must_use]
    pub fn in_order(self, order: Option<Vec<usize>>) -> Self {
        Self { order, ..self }
    }
}

/// A family's tensor names.
pub trait TensorNames {
    /// The tensors that hold the parameter at `path` (`decoder.blocks.0.attention.qkv.weight`), in
    /// the order of its last dimension.
    fn parts(&self, path: &str) -> Vec<Part>;

    /// A prefix that some published checkpoints leave out (`transformer.` in the first GPT-2
    /// files).
    fn optional_prefix(&self) -> Option<&'static str> {
        None
    }

    /// Whether a tensor on disk that no parameter asked for may be passed over: buffers, and the
    /// copy of a tied head.
    fn is_redundant(&self, name: &str) -> bool;

    /// Tensors that the family's file format must have, that this model does not, and that are
    /// zero: written as zeros, and refused when read with other values.
    fn absent_as_zeros(&self) -> Vec<(String, Vec<usize>)> {
        Vec::new()
    }
}
