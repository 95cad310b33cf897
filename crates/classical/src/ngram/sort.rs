//! Sorts positions of a stream by what stands before them, read backwards.
//!
//! A radix sort from the least to the most significant token: `order` stable counting passes,
//! linear in the length of the text for a vocabulary of any size.

/// Sorts `positions` by the context of `length` tokens before each, nearest token first, and then
/// by the token itself. All ids must be at most `largest_id`, and every position needs `length`
/// tokens before it.
pub(crate) fn sort_by_context(
    stream: &[u32],
    mut positions: Vec<u32>,
    length: usize,
    largest_id: u32,
) -> Vec<u32> {
    let mut buffer = vec![0; positions.len()];
    let mut offsets = vec![0; largest_id as usize + 2];
    // The token itself (distance 0) is the least significant, the nearest context token the most.
    for distance in std::iter::once(0).chain((1..=length).rev()) {
        counting_pass(stream, distance, &positions, &mut buffer, &mut offsets);
        std::mem::swap(&mut positions, &mut buffer);
    }
    positions
}

/// One stable pass by the token `distance` places before each position.
fn counting_pass(
    stream: &[u32],
    distance: usize,
    from: &[u32],
    to: &mut [u32],
    offsets: &mut [u32],
) {
    let key = |position: u32| stream[position as usize - distance] as usize;
    offsets.fill(0);
    for &position in from {
        offsets[key(position) + 1] += 1;
    }
    for id in 1..offsets.len() {
        offsets[id] += offsets[id - 1];
    }
    for &position in from {
        let slot = &mut offsets[key(position)];
        to[*slot as usize] = position;
        *slot += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_radix_sort_is_the_comparison_sort(
            stream in prop::collection::vec(0..5_u32, 4..60),
            length in 0..4_usize,
        ) {
            let positions: Vec<u32> = (length as u32..stream.len() as u32).collect();
            let mut expected = positions.clone();
            expected.sort_by_key(|&position| {
                let position = position as usize;
                let mut key: Vec<u32> = stream[position - length..position].to_vec();
                key.reverse();
                key.push(stream[position]);
                key
            });
            prop_assert_eq!(sort_by_context(&stream, positions, length, 4), expected);
        }
    }
}
