//! Transposition of a block of floats.

use super::{Kernel, Simd, dispatch};

/// Rows and columns of the squares that [`Simd::transpose`] turns.
pub const SQUARE: usize = 8;

/// `to[j * to_row + i] = from[i * from_row + j] * factor` for `i` below `size[0]` and `j` below
/// `size[1]`.
///
/// # Panics
/// When an operand is too short.
pub fn transpose(
    size: [usize; 2],
    from: &[f32],
    from_row: usize,
    factor: f32,
    to: &mut [f32],
    to_row: usize,
) {
    let [rows, columns] = size;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * from_row + columns <= from.len(), "transpose: from");
    assert!((columns - 1) * to_row + rows <= to.len(), "transpose: to");
    dispatch(Transpose { size, from, from_row, factor, to, to_row });
}

/// A transposition whose bounds have been checked.
struct Transpose<'a> {
    size: [usize; 2],
    from: &'a [f32],
    from_row: usize,
    factor: f32,
    to: &'a mut [f32],
    to_row: usize,
}

impl Kernel for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(unsafe_code, reason = "squares of a block that `transpose` has checked")]
    fn run<S: Simd>(self) {
        let Self { size: [rows, columns], from, from_row, factor, to, to_row } = self;
        let whole = |n: usize| n / SQUARE * SQUARE;
        for i in (0..whole(rows)).step_by(SQUARE) {
            for j in (0..whole(columns)).step_by(SQUARE) {
                // SAFETY: the square lies inside the checked block on both sides.
                unsafe {
                    let from = from.as_ptr().add(i * from_row + j);
                    let to = to.as_mut_ptr().add(j * to_row + i);
                    S::transpose(from, from_row, factor, to, to_row);
                }
            }
        }
        for i in 0..rows {
            let done = if i < whole(rows) { whole(columns) } else { 0 };
            for j in done..columns {
                to[j * to_row + i] = from[i * from_row + j] * factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_finds_its_place() {
        for [rows, columns] in [[1, 1], [8, 8], [7, 9], [16, 24], [21, 11], [0, 3]] {
            let (from_row, to_row) = (columns + 3, rows + 5);
            let from: Vec<f32> = (0..rows * from_row).map(|i| i as f32).collect();
            let mut to = vec![-1.0; columns * to_row];
            transpose([rows, columns], &from, from_row, 2.0, &mut to, to_row);
            for (at, &found) in to.iter().enumerate() {
                let (j, i) = (at / to_row, at % to_row);
                let expected = if i < rows { 2.0 * (i * from_row + j) as f32 } else { -1.0 };
                assert_eq!(found, expected, "{rows} by {columns}: row {j}, column {i}");
            }
        }
    }
}
