//! What a pass gives, as it goes into the file.

use burn::tensor::Tensor;
use wuji_model::weights::FileTensor;

/// The outputs so far, in the order of the file.
#[derive(Debug)]
pub(super) struct Outputs {
    tensors: Vec<FileTensor>,
    /// Which tokens are no padding.
    real: Option<Vec<bool>>,
}

impl Outputs {
    /// None yet, of tokens of which `real` says which are no padding.
    pub(super) fn new(real: Option<Vec<bool>>) -> Self {
        Self { tensors: Vec::new(), real }
    }

    /// Adds a tensor as it is.
    pub(super) fn add<const D: usize>(&mut self, name: impl Into<String>, tensor: Tensor<D>) {
        let shape = tensor.dims().to_vec();
        self.tensors.push(FileTensor { name: name.into(), shape, values: values(tensor) });
    }

    /// Adds a tensor with something for each token, `[batch, seq, …]` or `[batch · seq, …]`, with
    /// zeros where there is padding.
    pub(super) fn add_of_tokens<const D: usize>(
        &mut self,
        name: impl Into<String>,
        tensor: Tensor<D>,
    ) {
        self.add(name, tensor);
        let (Some(real), Some(tensor)) = (&self.real, self.tensors.last_mut()) else { return };
        let width = (tensor.values.len() / real.len()).max(1);
        let rows = tensor.values.chunks_exact_mut(width).zip(real);
        rows.filter(|(_, is_real)| !**is_real).for_each(|(row, _)| row.fill(0.0));
    }

    /// Adds values that are already on the host.
    pub(super) fn add_values(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        self.tensors.push(FileTensor { name: name.to_string(), shape: shape.to_vec(), values });
    }

    /// Adds one number.
    pub(super) fn add_number(&mut self, name: &str, value: f64) {
        self.add_values(name, &[], vec![value as f32]);
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<FileTensor> {
        self.tensors
    }
}

/// All values, row by row.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
