//! Where the rows of heads lie in memory.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use burn_flex::FlexTensor;

/// Distances between batches, rows and heads; the elements of a row are adjacent.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    offset: usize,
    batch: usize,
    row: usize,
    head: usize,
}

impl Layout {
    /// A contiguous `[batch, rows, heads, width]`.
    pub fn contiguous([rows, heads, width]: [usize; 3]) -> Self {
        Self { offset: 0, batch: rows * heads * width, row: heads * width, head: width }
    }

    /// The strides of a tensor that has been through [`adjacent`], from its first element.
    pub fn of(tensor: &FlexTensor) -> Self {
        let at = |i: usize| tensor.layout().strides()[i] as usize;
        Self { offset: 0, batch: at(0), row: at(1), head: at(2) }
    }

    /// The same distances from further on.
    pub fn skip(self, elements: usize) -> Self {
        Self { offset: self.offset + elements, ..self }
    }

    fn at(&self, batch: usize, row: usize, head: usize) -> usize {
        self.offset + batch * self.batch + row * self.row + head * self.head
    }
}

/// The tensor with rows whose elements are adjacent; copies only where they are not.
pub fn adjacent(tensor: FlexTensor) -> FlexTensor {
    let (strides, width) = (tensor.layout().strides(), tensor.layout().shape()[3]);
    let rows_fit = strides[3] == 1 || width == 1;
    if rows_fit && strides.iter().all(|&stride| stride >= 0) {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// Rows of heads to read.
#[derive(Clone, Copy)]
pub struct Heads<'a> {
    data: &'a [f32],
    layout: Layout,
}

impl<'a> Heads<'a> {
    /// Rows in `data`.
    pub fn new(data: &'a [f32], layout: Layout) -> Self {
        Self { data, layout }
    }

    /// One row of one head.
    pub fn row(&self, batch: usize, row: usize, head: usize, width: usize) -> &'a [f32] {
        &self.data[self.layout.at(batch, row, head)..][..width]
    }

    /// Copies rows times `factor` into rows of `stride`, zeros behind the elements.
    pub fn pack(
        &self,
        [batch, first, head]: [usize; 3],
        width: usize,
        factor: f32,
        into: &mut [f32],
        stride: usize,
    ) {
        for (i, to) in into.chunks_exact_mut(stride).enumerate() {
            let (to, padding) = to.split_at_mut(width);
            for (to, &from) in to.iter_mut().zip(self.row(batch, first + i, head, width)) {
                *to = from * factor;
            }
            padding.fill(0.0);
        }
    }

    /// Copies `count` rows as columns: element `i` of row `j` goes to `into[i * stride + j]`, and
    /// columns up to `padded` become zero.
    pub fn pack_transposed(
        &self,
        [batch, first, head]: [usize; 3],
        [count, padded]: [usize; 2],
        into: &mut [f32],
        stride: usize,
    ) {
        let width = into.len() / stride;
        for j in 0..count {
            let from = self.row(batch, first + j, head, width);
            for (to, &from) in into[j..].iter_mut().step_by(stride).zip(from) {
                *to = from;
            }
        }
        for row in into.chunks_exact_mut(stride) {
            row[count..padded].fill(0.0);
        }
    }
}

/// Rows of heads to write, from several threads at once.
#[derive(Clone, Copy)]
pub struct HeadsMut<'a> {
    data: *mut MaybeUninit<f32>,
    len: usize,
    layout: Layout,
    borrow: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

#[expect(unsafe_code, reason = "tasks write disjoint rows, which is the contract of write")]
// SAFETY: the only access is `write`, whose callers keep to disjoint rows.
unsafe impl Sync for HeadsMut<'_> {}

impl<'a> HeadsMut<'a> {
    /// Rows in `data`.
    pub fn new(data: &'a mut [MaybeUninit<f32>], layout: Layout) -> Self {
        Self { data: data.as_mut_ptr(), len: data.len(), layout, borrow: PhantomData }
    }

    /// Other rows of the same memory.
    pub fn with(&self, layout: Layout) -> Self {
        Self { layout, ..*self }
    }

    /// Writes one row: `from` times `factor`.
    ///
    /// # Safety
    /// No other thread may write the same row.
    #[expect(unsafe_code, reason = "several threads write rows of one buffer")]
    pub unsafe fn write(&self, [batch, row, head]: [usize; 3], from: &[f32], factor: f32) {
        let at = self.layout.at(batch, row, head);
        assert!(at + from.len() <= self.len, "attention: row outside its buffer");
        for (i, &value) in from.iter().enumerate() {
            // SAFETY: inside the buffer, and nobody else's row.
            unsafe { (*self.data.add(at + i)).write(value * factor) };
        }
    }
}
