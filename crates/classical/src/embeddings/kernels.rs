//! Sums over vectors in a fixed order: the same bits whatever vector instructions run them.

/// Numbers that are added up side by side. A multiple of every vector register's length.
pub(super) const LANES: usize = 16;

/// The product of two vectors of one length.
///
/// The loop over lanes and the plain sum at the end are what the compiler turns into whole vector
/// registers; with a sum by halves it falls back to registers of two numbers.
#[inline(always)]
pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest = left_rest.iter().zip(right_rest);
    rest.fold(sums.iter().sum(), |sum, (left, right)| sum + left * right)
}

/// Adds `factor · right` to `left`.
#[inline(always)]
pub(super) fn add_scaled(left: &mut [f32], factor: f32, right: &[f32]) {
    for (left, right) in left.iter_mut().zip(right) {
        *left += factor * right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        let left: Vec<f32> = (0..51).map(|i| i as f32 - 20.0).collect();
        let mut right: Vec<f32> = (0..51).map(|i| (i % 7) as f32).collect();
        let plain: f32 = left.iter().zip(&right).map(|(a, b)| a * b).sum();
        assert_eq!(dot(&left, &right), plain);
        let expected: Vec<f32> = left.iter().zip(&right).map(|(a, b)| b + 2.0 * a).collect();
        add_scaled(&mut right, 2.0, &left);
        assert_eq!(right, expected);
    }
}
