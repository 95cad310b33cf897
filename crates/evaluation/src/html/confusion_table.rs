//! A confusion matrix as a heat map, and the pairs that are confused most.

use serde::{Deserialize, Serialize};

use super::number::thousands;
use super::text::{escape, scrolling_table};
use crate::classification::ConfusionMatrix;
use crate::error::{EvaluationError, Result, same_length};

/// Classes of a heat map at most: a larger one cannot be read.
const MAX_CLASSES: usize = 20;
/// Confused pairs that are listed at most.
const MAX_PAIRS: usize = 15;

/// How often each class was taken for each class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionTable {
    /// What the table shows.
    pub caption: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Counts, a row per true class and a column per predicted one.
    pub rows: Vec<Vec<u64>>,
}

/// Two classes of which one was taken for the other.
struct Pair {
    truth: usize,
    predicted: usize,
    count: u64,
}

impl ConfusionTable {
    /// The table of a matrix, with a name for each of its classes.
    pub fn new(caption: impl Into<String>, classes: Vec<String>, matrix: &ConfusionMatrix) -> Self {
        let rows = matrix.rows().map(<[u64]>::to_vec).collect();
        Self { caption: caption.into(), classes, rows }
    }

    /// The heat map, of many classes only the pairs that are confused most. Errs unless there are a
    /// row and a column for each class.
    pub fn html(&self) -> Result<String> {
        let classes = self.classes.len();
        same_length("rows of a confusion matrix", classes, self.rows.len())?;
        for row in &self.rows {
            same_length("columns of a confusion matrix", classes, row.len())?;
        }
        if classes == 0 {
            return Err(EvaluationError::Empty { what: "classes" });
        }
        let pairs = self.most_confused();
        if classes > MAX_CLASSES {
            return Ok(pairs);
        }
        Ok(self.heat_map() + &pairs)
    }

    fn heat_map(&self) -> String {
        let column = |name: &String| {
            format!("<th class=\"turned\" scope=\"col\"><span>{}</span></th>", escape(name))
        };
        let columns: String = self.classes.iter().map(column).collect();
        let head = format!(
            "<th scope=\"col\">true ↓ predicted →</th>{columns}<th class=\"n\" scope=\"col\">all</th>"
        );
        let rows = self.rows.iter().enumerate();
        let body: String = rows.map(|(truth, row)| self.heat_row(truth, row)).collect();
        scrolling_table(&self.caption, "confusion", &head, &body)
    }

    /// A row whose cells are as dark as their share of the true class.
    fn heat_row(&self, truth: usize, row: &[u64]) -> String {
        let all: u64 = row.iter().sum();
        let cell = |(predicted, count): (usize, &u64)| {
            let class = if predicted == truth { "cell right" } else { "cell wrong" };
            let share = *count as f64 / all.max(1) as f64;
            let text = if *count == 0 { "·".to_owned() } else { thousands(*count) };
            format!("<td class=\"{class}\" style=\"--share:{share:.3}\">{text}</td>")
        };
        let cells: String = row.iter().enumerate().map(cell).collect();
        format!(
            "<tr><th scope=\"row\">{}</th>{cells}<td class=\"n\">{}</td></tr>\n",
            escape(&self.classes[truth]),
            thousands(all)
        )
    }

    fn most_confused(&self) -> String {
        let cells = self.rows.iter().enumerate().flat_map(|(truth, row)| {
            row.iter().enumerate().map(move |(predicted, count)| (truth, predicted, *count))
        });
        let mut pairs: Vec<Pair> = cells
            .filter(|(truth, predicted, count)| truth != predicted && *count > 0)
            .map(|(truth, predicted, count)| Pair { truth, predicted, count })
            .collect();
        if pairs.is_empty() {
            return "<p class=\"sub\">No class was taken for another.</p>\n".to_owned();
        }
        // Equal counts stay in the order of the classes.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs.truncate(MAX_PAIRS);
        let line = |pair: &Pair| {
            let all: u64 = self.rows[pair.truth].iter().sum();
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td>\
                 <td class=\"n\">{:.1}\u{202f}%</td></tr>\n",
                escape(&self.classes[pair.truth]),
                escape(&self.classes[pair.predicted]),
                thousands(pair.count),
                100.0 * pair.count as f64 / all as f64,
            )
        };
        let head = "<th scope=\"col\">true class</th><th scope=\"col\">taken for</th>\
                    <th class=\"n\" scope=\"col\">times</th>\
                    <th class=\"n\" scope=\"col\">of the true class</th>";
        let body: String = pairs.iter().map(line).collect();
        scrolling_table(&format!("{}: confused most", self.caption), "pairs", head, &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(classes: usize) -> ConfusionTable {
        let truth: Vec<usize> = (0..classes * 4).map(|at| at % classes).collect();
        // Every fourth answer of a class is the next class.
        let next = |at: usize| if at < classes { (at + 1) % classes } else { at % classes };
        let predicted: Vec<usize> = (0..classes * 4).map(next).collect();
        let matrix = ConfusionMatrix::new(&truth, &predicted, classes).unwrap();
        let names = (0..classes).map(|class| format!("<{class}>")).collect();
        ConfusionTable::new("Classes", names, &matrix)
    }

    #[test]
    fn few_classes_are_a_heat_map_and_many_only_pairs() {
        let few = table(3).html().unwrap();
        assert_eq!(few.matches("class=\"cell right\" style=\"--share:0.750\"").count(), 3);
        assert_eq!(few.matches("class=\"cell wrong\" style=\"--share:0.250\"").count(), 3);
        assert!(few.contains("25.0\u{202f}%") && !few.contains("<0>"));
        let many = table(30).html().unwrap();
        assert!(!many.contains("class=\"cell"));
        assert_eq!(many.matches("<tr><th scope=\"row\">").count(), MAX_PAIRS);
    }

    #[test]
    fn a_matrix_that_is_not_square_is_an_error_and_a_right_one_says_so() {
        let mut table = table(3);
        table.rows[1].pop();
        assert!(table.html().is_err());
        let rows = vec![vec![2, 0], vec![0, 2]];
        let classes = vec!["a".to_owned(), "b".to_owned()];
        let right = ConfusionTable { caption: String::new(), classes, rows };
        assert!(right.html().unwrap().contains("No class was taken for another."));
    }
}
