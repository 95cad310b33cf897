//! The row order of queries and keys in formats that rotate neighbouring rows (llama2.c, GGUF), and in those that
//! rotate a head's first half against its second (Hugging Face, and here).

/// Rows of each head from `(0, 1), (2, 3), …` to `0, 2, 4, … , 1, 3, 5, …`. `values` is `[rows, columns]`.
pub(super) fn halves_from_pairs(values: &[f32], heads: usize, columns: usize) -> Vec<f32> {
    reorder(values, heads, columns, |place, head_dim| {
        let half = head_dim / 2;
        2 * (place % half) + place / half
    })
}

/// The way back from [`halves_from_pairs`].
pub(super) fn pairs_from_halves(values: &[f32], heads: usize, columns: usize) -> Vec<f32> {
    reorder(values, heads, columns, |place, head_dim| place % 2 * (head_dim / 2) + place / 2)
}

/// Puts at each place of a head the row that `taken_from(place, head_dim)` names.
fn reorder(
    values: &[f32],
    heads: usize,
    columns: usize,
    taken_from: impl Fn(usize, usize) -> usize,
) -> Vec<f32> {
    let head_dim = values.len() / columns / heads;
    let mut reordered = Vec::with_capacity(values.len());
    for head in 0..heads {
        for place in 0..head_dim {
            let row = head * head_dim + taken_from(place, head_dim);
            reordered.extend_from_slice(&values[row * columns..][..columns]);
        }
    }
    reordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_halves_are_each_others_way_back() {
        // Two heads of four rows with two columns; the row's number is in the tens.
        let halves: Vec<f32> = (0..16).map(|at| (at / 2 * 10 + at % 2) as f32).collect();
        let pairs = pairs_from_halves(&halves, 2, 2);
        let rows: Vec<f32> = pairs.iter().step_by(2).map(|value| value / 10.0).collect();
        assert_eq!(rows, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        assert_eq!(halves_from_pairs(&pairs, 2, 2), halves);
    }
}
