//! Positions that are neither learned vectors nor rotations: fixed sines and cosines, and T5's buckets
//! of distances.

/// A table of `length` positions, `[length, hidden_size]` row-major: sines of all frequencies, then
/// cosines (Vaswani et al. 2017, section 3.5, with the two kinds side by side as Marian has them).
pub fn sinusoids(length: usize, hidden_size: usize) -> Vec<f32> {
    let half = hidden_size.div_ceil(2);
    let angle = |position: usize, pair: usize| {
        position as f64 / 10_000_f64.powf(2.0 * pair as f64 / hidden_size as f64)
    };
    let value = move |position: usize, column: usize| {
        if column < half {
            angle(position, column).sin() as f32
        } else {
            angle(position, column - half).cos() as f32
        }
    };
    (0..length).flat_map(|row| (0..hidden_size).map(move |column| value(row, column))).collect()
}

/// The bucket of each distance from query to key, `[query, key]` row-major (Raffel et al. 2020,
/// section 2.1): one for each near distance, then logarithmically wider ones up to `max_distance`.
/// In both directions (`bidirectional`), half of the buckets are for keys that come after the query.
///
/// The queries are the last `query` of `key` positions.
pub fn relative_buckets(
    query: usize,
    key: usize,
    bidirectional: bool,
    buckets: usize,
    max_distance: usize,
) -> Vec<i64> {
    let first = key - query;
    let bucket = move |row: usize, column: usize| {
        let distance = column as i64 - (first + row) as i64;
        relative_bucket(distance, bidirectional, buckets as i64, max_distance as i64)
    };
    (0..query).flat_map(|row| (0..key).map(move |column| bucket(row, column))).collect()
}

fn relative_bucket(distance: i64, bidirectional: bool, buckets: i64, max_distance: i64) -> i64 {
    let (offset, buckets, distance) = if bidirectional {
        let half = buckets / 2;
        (if distance > 0 { half } else { 0 }, half, distance.abs())
    } else {
        (0, buckets, (-distance).max(0))
    };
    let exact = buckets / 2;
    if distance < exact {
        return offset + distance;
    }
    // In f32, as the reference computes it: a distance on the border of two buckets must fall
    // into the same one.
    let whole = (max_distance as f64 / exact as f64).ln() as f32;
    let fraction = (distance as f32 / exact as f32).ln() / whole;
    let large = exact + (fraction * (buckets - exact) as f32) as i64;
    offset + large.min(buckets - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_distances_have_buckets_of_their_own_and_far_ones_share() {
        let row = relative_buckets(1, 40, false, 8, 20);
        // The last 40 keys seen from the last: distances 39 down to 0.
        assert_eq!(&row[36..], &[3, 2, 1, 0]);
        assert_eq!(row[0], 7);
        assert!(row.windows(2).all(|pair| pair[0] >= pair[1]));
    }

    #[test]
    fn both_directions_use_one_half_each() {
        let rows = relative_buckets(3, 3, true, 8, 20);
        assert_eq!(rows, [0, 5, 6, 1, 0, 5, 2, 1, 0]);
    }

    #[test]
    fn the_first_position_is_zeros_and_ones() {
        assert_eq!(&sinusoids(2, 4)[..4], &[0.0, 0.0, 1.0, 1.0]);
    }
}
