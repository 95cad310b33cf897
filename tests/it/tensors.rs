//! Numbers into tensors and out of them again.

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Rows of equal length as `[rows, length]`.
pub fn ids(rows: &[Vec<u32>], device: &Device) -> Tensor<2, Int> {
    let shape = [rows.len(), rows[0].len()];
    let values: Vec<i64> = rows.iter().flatten().map(|id| i64::from(*id)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// All values, row by row.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The values of one row of a batch of logits, `[batch, seq, vocab]`, from token `start` on.
pub fn row_from(logits: &Tensor<3>, row: usize, start: usize) -> Vec<f32> {
    let [_, seq, _] = logits.dims();
    values(logits.clone().narrow(0, row, 1).narrow(1, start, seq - start))
}

/// The largest difference between two lists.
pub fn max_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "number of values");
    let differences = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    // `f32::max` would pass over a NaN.
    differences.fold(0.0, |worst, new| if new > worst || new.is_nan() { new } else { worst })
}

/// Fails where two lists differ by more than `tolerance`, or anything is not a number.
pub fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    let worst = max_difference(found, expected);
    assert!(worst <= tolerance, "{what}: differs by {worst}, more than {tolerance}");
}

/// Values as they are in memory, for comparisons to the last bit.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
