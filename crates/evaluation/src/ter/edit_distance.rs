//! Word edit distance to a reference within a beam around the diagonal, as Tercom and sacreBLEU
//! bound it, with the alignment that one of the best edits gives.

/// Cells to each side of the diagonal.
const BEAM_WIDTH: usize = 25;

/// More than any distance of texts; small enough to be added to.
const UNREACHED: u32 = u32::MAX / 2;

/// How the best edits arrive at a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The words are equal.
    Match,
    /// One word for another.
    Substitute,
    /// A word of the hypothesis goes.
    Delete,
    /// A word of the reference comes.
    Insert,
    /// The cell is outside the beam.
    Outside,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    cost: u32,
    step: Step,
}

/// A cell that no path reaches.
const OUTSIDE: Cell = Cell { cost: UNREACHED, step: Step::Outside };

/// Where words of the reference are in the hypothesis, and which words are wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alignment {
    /// Per word of the reference: how many words of the hypothesis end at or before its place.
    pub(super) ends: Vec<usize>,
    /// Per word of the reference, whether it is not matched.
    pub(super) reference_errors: Vec<bool>,
    /// Per word of the hypothesis, whether it does not match.
    pub(super) hypothesis_errors: Vec<bool>,
}

/// The edit distances of all prefixes of one hypothesis, which variants of it can start from.
pub(super) struct EditDistance<'a> {
    reference: &'a [u32],
    hypothesis: Vec<u32>,
    /// One row per prefix of the hypothesis, `reference.len() + 1` cells each.
    cells: Vec<Cell>,
    /// Two rows that variants are computed in.
    scratch: [Vec<Cell>; 2],
}

impl<'a> EditDistance<'a> {
    /// The distances of `hypothesis` to `reference`.
    pub(super) fn new(hypothesis: &[u32], reference: &'a [u32]) -> Self {
        let columns = reference.len() as u32 + 1;
        let first = (0..columns).map(|cost| Cell { cost, step: Step::Insert });
        let mut new = Self {
            reference,
            hypothesis: hypothesis.to_vec(),
            cells: first.collect(),
            scratch: Default::default(),
        };
        for row in 1..=hypothesis.len() {
            let mut next = vec![OUTSIDE; new.columns()];
            let above = &new.cells[(row - 1) * new.columns()..];
            new.fill(hypothesis, row, above, &mut next);
            new.cells.extend(next);
        }
        new
    }

    /// The distance of the hypothesis.
    pub(super) fn distance(&self) -> usize {
        self.cells.last().map_or(0, |cell| cell.cost as usize)
    }

    /// The distance of another order of the same words, of which the first `same` words are the
    /// same.
    pub(super) fn distance_of(&mut self, variant: &[u32], same: usize) -> usize {
        let columns = self.columns();
        let [mut above, mut next] = std::mem::take(&mut self.scratch);
        above.clear();
        above.extend_from_slice(&self.cells[same * columns..][..columns]);
        for row in same + 1..=variant.len() {
            next.clear();
            next.resize(columns, OUTSIDE);
            self.fill(variant, row, &above, &mut next);
            std::mem::swap(&mut above, &mut next);
        }
        let distance = above.last().map_or(0, |cell| cell.cost as usize);
        self.scratch = [above, next];
        distance
    }

    /// How one of the best edits aligns the hypothesis with the reference.
    pub(super) fn alignment(&self) -> Alignment {
        let (mut row, mut column) = (self.hypothesis.len(), self.reference.len());
        let mut alignment = Alignment {
            ends: vec![0; column],
            reference_errors: vec![true; column],
            hypothesis_errors: vec![true; row],
        };
        while row > 0 || column > 0 {
            let step = self.cells[row * self.columns() + column].step;
            // Every row's beam overlaps the next one's, and the last row is filled to its end.
            assert!(step != Step::Outside, "the best path never leaves the beam");
            if step != Step::Delete {
                alignment.ends[column - 1] = row;
                alignment.reference_errors[column - 1] = step != Step::Match;
                column -= 1;
            }
            if step != Step::Insert {
                alignment.hypothesis_errors[row - 1] = step != Step::Match;
                row -= 1;
            }
        }
        alignment
    }

    fn columns(&self) -> usize {
        self.reference.len() + 1
    }

    /// Fills the cells of one row, which is at least 1, that are within the beam.
    fn fill(&self, hypothesis: &[u32], row: usize, above: &[Cell], cells: &mut [Cell]) {
        let columns = self.columns();
        let ratio = self.reference.len() as f64 / hypothesis.len() as f64;
        let beam = beam_width(ratio);
        let diagonal = (row as f64 * ratio).floor() as usize;
        let first = diagonal.saturating_sub(beam);
        let last = if row == hypothesis.len() { columns } else { columns.min(diagonal + beam) };
        for column in first..last {
            cells[column] = if column == 0 {
                Cell { cost: above[0].cost + 1, step: Step::Delete }
            } else {
                let equal = hypothesis[row - 1] == self.reference[column - 1];
                best(equal, above[column - 1].cost, above[column].cost, cells[column - 1].cost)
            };
        }
    }
}

/// Wider where one text is so much longer that the beams of two rows would not overlap.
fn beam_width(ratio: f64) -> usize {
    if (BEAM_WIDTH as f64) < ratio / 2.0 {
        (ratio / 2.0 + BEAM_WIDTH as f64).ceil() as usize
    } else {
        BEAM_WIDTH
    }
}

/// The cheapest way into a cell; of equals the first here, on which the alignment depends.
fn best(equal: bool, diagonal: u32, above: u32, left: u32) -> Cell {
    let paired = if equal { Step::Match } else { Step::Substitute };
    let mut best = OUTSIDE;
    for (cost, step) in [
        (diagonal + u32::from(!equal), paired),
        (above + 1, Step::Delete),
        (left + 1, Step::Insert),
    ] {
        if cost < best.cost {
            best = Cell { cost, step };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn levenshtein(left: &[u32], right: &[u32]) -> usize {
        let mut row: Vec<usize> = (0..=right.len()).collect();
        for (i, a) in left.iter().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, b) in right.iter().enumerate() {
                let cost = (diagonal + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
                diagonal = std::mem::replace(&mut row[j + 1], cost);
            }
        }
        row[right.len()]
    }

    proptest! {
        #[test]
        fn texts_within_the_beam_have_their_levenshtein_distance(
            hypothesis in prop::collection::vec(0_u32..4, 0..20),
            reference in prop::collection::vec(0_u32..4, 1..20),
        ) {
            let mut distance = EditDistance::new(&hypothesis, &reference);
            prop_assert_eq!(distance.distance(), levenshtein(&hypothesis, &reference));
            let reversed: Vec<u32> = hypothesis.iter().rev().copied().collect();
            prop_assert_eq!(distance.distance_of(&reversed, 0), levenshtein(&reversed, &reference));
        }

        #[test]
        fn very_unequal_lengths_stay_within_the_beam(long in 200_usize..600) {
            let long = vec![1; long];
            prop_assert_eq!(EditDistance::new(&[2], &long).distance(), long.len());
            EditDistance::new(&[2], &long).alignment();
            EditDistance::new(&long, &[2]).alignment();
        }
    }

    #[test]
    fn the_alignment_names_places_and_errors() {
        // a x c against a b b c: x stands for one b, the other comes.
        let alignment = EditDistance::new(&[0, 9, 2], &[0, 1, 1, 2]).alignment();
        assert_eq!(alignment.reference_errors, [false, true, true, false]);
        assert_eq!(alignment.hypothesis_errors, [false, true, false]);
        assert_eq!(alignment.ends, [1, 1, 2, 3]);
    }
}
