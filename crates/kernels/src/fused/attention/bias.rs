//! What is added to scores: a tensor that broadcasts over batches, and its gradient.

use burn_flex::FlexTensor;

use super::Sizes;
use crate::fused::memory::floats;

/// A bias `[1 or batch, heads, query, key]` with its elements in order.
#[derive(Clone, Copy)]
pub struct Bias<'a> {
    data: &'a [f32],
    layout: BiasLayout,
}

/// Where the rows of a bias lie.
#[derive(Clone, Copy)]
struct BiasLayout {
    heads: usize,
    query: usize,
    key: usize,
    is_shared: bool,
}

impl BiasLayout {
    fn of(tensor: &FlexTensor, sizes: &Sizes) -> Self {
        let Sizes { heads, query, key, .. } = *sizes;
        Self { heads, query, key, is_shared: tensor.layout().shape()[0] == 1 }
    }

    fn row(&self, [batch, head, row]: [usize; 3], first: usize) -> usize {
        let batch = if self.is_shared { 0 } else { batch };
        ((batch * self.heads + head) * self.query + row) * self.key + first
    }
}

impl<'a> Bias<'a> {
    /// A contiguous tensor of the shape above.
    pub fn new(tensor: &'a FlexTensor, sizes: &Sizes) -> Self {
        Self { data: floats(tensor), layout: BiasLayout::of(tensor, sizes) }
    }

    /// The bias of a query of a head on the keys from `first` on.
    pub fn row(&self, place: [usize; 3], first: usize) -> &'a [f32] {
        let at = self.layout.row(place, first);
        &self.data[at..at + self.layout.key - first]
    }
}

/// The gradient of a bias. Tasks of different heads write rows of their own.
pub struct BiasGradient<'a> {
    data: *mut f32,
    layout: BiasLayout,
    borrowed: std::marker::PhantomData<&'a mut [f32]>,
}

#[expect(unsafe_code, reason = "see `add`")]
// SAFETY: `add` is only called for heads that belong to the caller.
unsafe impl Sync for BiasGradient<'_> {}

impl<'a> BiasGradient<'a> {
    /// The gradient of `bias`, to be added to.
    ///
    /// # Panics
    /// When there is not one element for each of the bias.
    pub fn new(bias: &FlexTensor, sizes: &Sizes, data: &'a mut [f32]) -> Self {
        assert_eq!(data.len(), bias.layout().num_elements(), "the gradient of a bias");
        let layout = BiasLayout::of(bias, sizes);
        Self { data: data.as_mut_ptr(), layout, borrowed: std::marker::PhantomData }
    }

    /// Adds `values` to the row of a query of a head, from the key `first` on.
    ///
    /// # Safety
    /// Nobody else may use this head meanwhile.
    #[expect(unsafe_code, reason = "rows of different heads do not overlap")]
    pub unsafe fn add(&self, place: [usize; 3], first: usize, values: &[f32]) {
        assert!(first + values.len() <= self.layout.key, "the gradient of a bias: a row");
        // SAFETY: the row lies in the gradient, and belongs to the caller.
        let row = unsafe {
            let from = self.data.add(self.layout.row(place, first));
            std::slice::from_raw_parts_mut(from, values.len())
        };
        for (to, value) in row.iter_mut().zip(values) {
            *to += value;
        }
    }
}
