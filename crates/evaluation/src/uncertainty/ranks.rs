//! Ranks with ties, which several tests and measures are built on.

/// The rank of every value from 1, smallest first; equal values share the mean of their ranks.
pub(crate) fn mean_ranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    for (start, group) in tied_groups(values) {
        let rank = start as f64 + (group.len() + 1) as f64 / 2.0;
        group.iter().for_each(|at| ranks[*at] = rank);
    }
    ranks
}

/// How many values share each of the different values.
pub(crate) fn tie_sizes(values: &[f64]) -> Vec<f64> {
    tied_groups(values).iter().map(|(_, group)| group.len() as f64).collect()
}

/// The positions of equal values together, smallest first, each with how many values are smaller.
fn tied_groups(values: &[f64]) -> Vec<(usize, Vec<usize>)> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut start = 0;
    order
        .chunk_by(|a, b| values[*a] == values[*b])
        .map(|group| {
            let from = start;
            start += group.len();
            (from, group.to_vec())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(mean_ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(tie_sizes(&[3.0, 1.0, 3.0, 2.0, 3.0]), [1.0, 1.0, 3.0]);
        assert_eq!(mean_ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }
}
