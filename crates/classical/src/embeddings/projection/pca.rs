//! Principal component analysis (Pearson 1901).

use crate::svd::{Dense, eigenvectors};

/// Points along their first two principal components, each turned so that its longest element is
/// positive.
pub(super) fn planar(points: &[Vec<f32>]) -> Vec<[f64; 2]> {
    let dim = points.first().map_or(0, Vec::len);
    let mut mean = vec![0.0; dim];
    for point in points {
        mean.iter_mut().zip(point).for_each(|(mean, value)| *mean += f64::from(*value));
    }
    mean.iter_mut().for_each(|mean| *mean /= points.len() as f64);
    let centred = Dense::from_rows(points.len(), dim, |index, row| {
        for ((centred, value), mean) in row.iter_mut().zip(&points[index]).zip(&mean) {
            *centred = f64::from(*value) - mean;
        }
    });
    let (values, vectors) = eigenvectors(centred.gram());
    let signs: Vec<f64> = (0..values.len().min(2))
        .map(|k| {
            let longest =
                vectors.column(k).iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            longest.unwrap_or(1.0).signum()
        })
        .collect();
    let planar = centred.times(&vectors, &signs);
    // Points on a line, or in one place, have fewer directions than two.
    let at = |index: usize, k: usize| {
        if k < planar.width { planar.values[index * planar.width + k] } else { 0.0 }
    };
    (0..points.len()).map(|index| [at(index, 0), at(index, 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_a_plane_keep_their_distances() {
        // A rectangle of 6 by 2 within three dimensions.
        let points: Vec<Vec<f32>> = [(3, 1), (3, -1), (-3, 1), (-3, -1)]
            .map(|(a, b)| vec![b as f32, 7.0, a as f32])
            .to_vec();
        let expected = [[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]];
        for (found, expected) in planar(&points).iter().zip(expected) {
            assert!((0..2).all(|k| (found[k] - expected[k]).abs() < 1e-9), "{found:?}");
        }
    }

    #[test]
    fn points_without_two_directions_are_no_error() {
        assert_eq!(planar(&[vec![1.0, 2.0], vec![1.0, 2.0]]), [[0.0, 0.0]; 2]);
        assert!(planar(&[]).is_empty());
    }
}
