//! Where the rows of heads lie in memory.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use burn_flex::FlexTensor;

use crate::simd::WIDTH;
use crate::simd::product::{Left, Right};
use crate::simd::transpose::transpose;

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

    /// Rows from `first` on as the left operand of a product.
    pub fn left(&self, [batch, first, head]: [usize; 3]) -> Left<'a> {
        let data = &self.data[self.layout.at(batch, first, head)..];
        Left { data, row: self.layout.row, column: 1 }
    }

    /// Rows from `first` on as the right operand of a product: where they lie, if they are whole
    /// vectors, otherwise copied into `room` with zeros behind the elements.
    pub fn right<'r>(
        &self,
        [batch, first, head]: [usize; 3],
        [count, width]: [usize; 2],
        room: &'r mut [f32],
    ) -> Right<'r>
    where
        'a: 'r,
    {
        if width.is_multiple_of(WIDTH) {
            let data = &self.data[self.layout.at(batch, first, head)..];
            return Right { data, row: self.layout.row };
        }
        let row = width.next_multiple_of(WIDTH);
        for (i, to) in room.chunks_exact_mut(row).take(count).enumerate() {
            to[..width].copy_from_slice(self.row(batch, first + i, head, width));
            to[width..].fill(0.0);
        }
        Right { data: room, row }
    }

    /// Floats of room that [`right`](Self::right) needs.
    pub fn room([count, width]: [usize; 2]) -> usize {
        if width.is_multiple_of(WIDTH) { 0 } else { count * width.next_multiple_of(WIDTH) }
    }

    /// Copies `count` rows times `factor` as columns: element `i` of row `j` goes to
    /// `into[i * stride + j]`, and columns up to `padded` become zero.
    pub fn pack_transposed(
        &self,
        [batch, first, head]: [usize; 3],
        [count, padded]: [usize; 2],
        factor: f32,
        into: &mut [f32],
        stride: usize,
    ) {
        let width = into.len() / stride;
        let from = &self.data[self.layout.at(batch, first, head)..];
        transpose([count, width], from, self.layout.row, factor, into, stride);
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

    /// Writes one row.
    ///
    /// # Safety
    /// No other thread may write the same row.
    #[expect(unsafe_code, reason = "several threads write rows of one buffer")]
    pub unsafe fn write(&self, [batch, row, head]: [usize; 3], from: &[f32]) {
        let at = self.layout.at(batch, row, head);
        assert!(at + from.len() <= self.len, "attention: row outside its buffer");
        // SAFETY: inside the buffer, and nobody else's row.
        unsafe { self.data.add(at).cast::<f32>().copy_from(from.as_ptr(), from.len()) };
    }
}
