//! Between Flex tensors and slices.

use std::mem::MaybeUninit;

use burn::tensor::{Bytes, DType, Element, Shape};
use burn_flex::{FlexTensor, Layout};

/// Elements per parallel task in element-wise work: 64 KiB, some ten microseconds. Fixed, so that
/// nothing depends on the number of threads.
pub const CHUNK: usize = 16 * 1024;

/// The tensor with its elements in order and adjacent; copies only where they are not.
pub fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

/// The elements of a contiguous `f32` tensor.
///
/// # Panics
/// When it is neither: callers have been through [`contiguous`] and [`super::applies`].
pub fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().expect("a contiguous f32 tensor")
}

/// The elements of an integer tensor of any width, in order.
///
/// # Panics
/// When the tensor holds something else.
pub fn integers(tensor: FlexTensor) -> Vec<i64> {
    let tensor = contiguous(tensor);
    fn widen<T: Element + bytemuck::Pod + Into<i64>>(tensor: &FlexTensor) -> Vec<i64> {
        let values = tensor.as_slice::<T>().expect("a contiguous tensor of this type");
        values.iter().map(|&value| value.into()).collect()
    }
    match tensor.dtype() {
        DType::I64 => widen::<i64>(&tensor),
        DType::I32 => widen::<i32>(&tensor),
        DType::I16 => widen::<i16>(&tensor),
        DType::I8 => widen::<i8>(&tensor),
        DType::U32 => widen::<u32>(&tensor),
        DType::U16 => widen::<u16>(&tensor),
        DType::U8 => widen::<u8>(&tensor),
        other => panic!("ids of type {other:?}"),
    }
}

/// The tensor as one that nobody else holds and that fills its whole buffer, to be overwritten.
pub fn owned(tensor: FlexTensor) -> FlexTensor {
    let count = tensor.layout().num_elements();
    let whole = tensor.is_contiguous()
        && tensor.layout().start_offset() == 0
        && tensor.bytes().len() == count * size_of::<f32>();
    if whole && tensor.is_unique() {
        return tensor;
    }
    let shape = tensor.layout().shape().clone();
    from_vec(floats(&contiguous(tensor)).to_vec(), shape)
}

/// A tensor over `data`, without copying it.
pub fn from_vec(data: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    let shape = shape.into();
    debug_assert_eq!(data.len(), shape.num_elements());
    FlexTensor::new(Bytes::from_elems(data), Layout::contiguous(shape), DType::F32)
}

/// A buffer that is written before it is read, so that nobody pays for zeroing it.
pub struct Output(Vec<MaybeUninit<f32>>);

impl Output {
    /// Room for `len` floats.
    #[expect(unsafe_code, reason = "leaves the buffer uninitialised")]
    pub fn new(len: usize) -> Self {
        let mut data = Vec::with_capacity(len);
        // SAFETY: `MaybeUninit` elements need no initialisation, and the capacity is there.
        unsafe { data.set_len(len) };
        Self(data)
    }

    /// The elements, to be written.
    pub fn slots(&mut self) -> &mut [MaybeUninit<f32>] {
        &mut self.0
    }

    /// The buffer as a tensor.
    ///
    /// # Safety
    /// Every element must have been written.
    #[expect(unsafe_code, reason = "takes the elements as initialised")]
    pub unsafe fn into_tensor(self, shape: impl Into<Shape>) -> FlexTensor {
        let mut data = std::mem::ManuallyDrop::new(self.0);
        let (pointer, len, capacity) = (data.as_mut_ptr(), data.len(), data.capacity());
        // SAFETY: same allocation and layout; the caller has written every element.
        let data = unsafe { Vec::from_raw_parts(pointer.cast::<f32>(), len, capacity) };
        from_vec(data, shape)
    }
}
