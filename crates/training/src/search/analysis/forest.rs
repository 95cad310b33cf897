//! A random forest of regression trees over the unit cube (Breiman 2001), small and exact about which box
//! each leaf is.

use wuji_data::Dice;

/// Trees of a forest.
const TREES: u64 = 64;

/// A leaf: the box that it is, and the mean value there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    /// From and to, in each coordinate.
    pub sides: Vec<(f64, f64)>,
    /// The mean of the values in it.
    pub value: f64,
}

/// The leaves of one tree; together they fill the unit cube.
pub(super) type Tree = Vec<Leaf>;

/// Trees that each see a resample of the points.
pub(super) fn grow(points: &[Vec<f64>], values: &[f64], seed: u64) -> Vec<Tree> {
    let tree = |number| {
        let mut dice = Dice::new(seed, number);
        let sample = (0..points.len()).map(|_| dice.below(points.len())).collect();
        let mut leaves = Vec::new();
        let whole = vec![(0.0, 1.0); points[0].len()];
        split(Node { points, values, members: sample, sides: whole }, &mut dice, &mut leaves);
        leaves
    };
    (0..TREES).map(tree).collect()
}

struct Node<'a> {
    points: &'a [Vec<f64>],
    values: &'a [f64],
    members: Vec<usize>,
    sides: Vec<(f64, f64)>,
}

impl Node<'_> {
    fn mean(&self) -> f64 {
        self.members.iter().map(|&i| self.values[i]).sum::<f64>() / self.members.len() as f64
    }

    /// The cut that leaves the least variance on its two sides.
    fn best_cut(&self, dice: &mut Dice) -> Option<(usize, f64)> {
        let mut best: Option<(f64, usize, f64)> = None;
        for coordinate in 0..self.sides.len() {
            let mut order = self.members.clone();
            order.sort_by(|&a, &b| {
                self.points[a][coordinate].total_cmp(&self.points[b][coordinate])
            });
            let total: f64 = order.iter().map(|&i| self.values[i]).sum();
            let (mut left, count) = (0.0, order.len());
            for at in 1..count {
                left += self.values[order[at - 1]];
                let (low, high) =
                    (self.points[order[at - 1]][coordinate], self.points[order[at]][coordinate]);
                if low == high {
                    continue;
                }
                // The squares of all values are the same for every cut; what differs is this.
                let right = total - left;
                let gain = left * left / at as f64 + right * right / (count - at) as f64;
                if best.is_none_or(|(most, ..)| gain > most) {
                    // Anywhere between the two: a fixed middle would give all trees the same edges.
                    let cut = low + (high - low) * dice.fraction().max(1e-9);
                    best = Some((gain, coordinate, cut));
                }
            }
        }
        best.map(|(_, coordinate, cut)| (coordinate, cut))
    }
}

fn split(node: Node, dice: &mut Dice, leaves: &mut Tree) {
    let is_pure = node.members.iter().all(|&i| node.values[i] == node.values[node.members[0]]);
    let cut = if is_pure { None } else { node.best_cut(dice) };
    let Some((coordinate, cut)) = cut else {
        leaves.push(Leaf { value: node.mean(), sides: node.sides });
        return;
    };
    let is_left = |&i: &usize| node.points[i][coordinate] < cut;
    let (left, right): (Vec<usize>, Vec<usize>) = node.members.iter().partition(|i| is_left(i));
    for (members, is_left) in [(left, true), (right, false)] {
        let mut sides = node.sides.clone();
        let side = &mut sides[coordinate];
        *side = if is_left { (side.0, cut) } else { (cut, side.1) };
        split(Node { members, sides, ..node }, dice, leaves);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_fill_the_cube_and_hold_their_points() {
        let mut dice = Dice::new(1, 1);
        let points: Vec<Vec<f64>> =
            (0..40).map(|_| vec![dice.fraction(), dice.fraction()]).collect();
        let values: Vec<f64> = points.iter().map(|p| p[0] * 3.0 + p[1]).collect();
        for tree in grow(&points, &values, 3) {
            let volume = |leaf: &Leaf| leaf.sides.iter().map(|(a, b)| b - a).product::<f64>();
            assert!((tree.iter().map(volume).sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(tree.len() > 10);
            for leaf in &tree {
                assert!((0.0..4.0).contains(&leaf.value));
            }
        }
    }
}
