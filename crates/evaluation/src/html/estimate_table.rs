//! A table of figures with their intervals: metrics of a task, tasks of a suite, slices of a set.

use serde::{Deserialize, Serialize};

use super::number::{NumberFormat, thousands};
use super::text::{escape, scrolling_table};
use super::whisker::Axis;
use crate::error::{Result, all_finite, not_empty};
use crate::uncertainty::Estimate;

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EstimateRow {
    /// What it is a figure of.
    pub name: String,
    /// The figure.
    pub estimate: Estimate,
}

/// Figures of one scale with their intervals, which are drawn over a common axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EstimateTable {
    /// What the table shows.
    pub caption: String,
    /// What its lines are, as "task" or "slice".
    pub heading: String,
    /// How figures are written.
    pub format: NumberFormat,
    /// A figure to compare with, as that of all slices together: a name and a value. It is drawn as
    /// a line, and the table has a column of differences to it.
    pub reference: Option<(String, f64)>,
    /// The lines.
    pub rows: Vec<EstimateRow>,
}

impl EstimateTable {
    /// A table without lines.
    pub fn new(
        caption: impl Into<String>,
        heading: impl Into<String>,
        format: NumberFormat,
    ) -> Self {
        let (caption, heading) = (caption.into(), heading.into());
        Self { caption, heading, format, reference: None, rows: Vec::new() }
    }

    /// The figure of a set, and of each of its slices, which are compared with it.
    pub fn of_slices(
        caption: impl Into<String>,
        all: Estimate,
        slices: Vec<EstimateRow>,
        format: NumberFormat,
    ) -> Self {
        let reference = Some(("all".to_owned(), all.value));
        let mut rows = vec![EstimateRow { name: "all".to_owned(), estimate: all }];
        rows.extend(slices);
        Self { caption: caption.into(), heading: "slice".to_owned(), format, reference, rows }
    }

    /// Adds a line.
    pub fn push(&mut self, name: impl Into<String>, estimate: Estimate) {
        self.rows.push(EstimateRow { name: name.into(), estimate });
    }

    /// The table as HTML. Errs where it has no line or a figure is not finite.
    pub fn html(&self) -> Result<String> {
        not_empty("lines of a table", self.rows.len())?;
        for EstimateRow { estimate, .. } in &self.rows {
            let (low, high) = estimate.interval;
            all_finite("figure of a table", &[low, estimate.value, high])?;
        }
        let reference = self.reference.as_ref().map(|(_, value)| *value);
        let axis = Axis::around(self.rows.iter().map(|row| row.estimate.interval), reference);
        let body: String = self.rows.iter().map(|row| self.line(row, axis)).collect();
        Ok(scrolling_table(&self.caption, "estimates", &self.head(), &body))
    }

    fn head(&self) -> String {
        let confidence = 100.0 * self.rows[0].estimate.confidence;
        let difference = self.reference.as_ref().map_or_else(String::new, |(name, _)| {
            let unit = self.format.difference_unit();
            format!("<th class=\"n\" scope=\"col\">beside {}{unit}</th>", escape(name))
        });
        format!(
            "<th scope=\"col\">{}</th><th class=\"n\" scope=\"col\">value</th>\
             <th scope=\"col\" colspan=\"2\">{confidence:.0}\u{202f}% interval</th>{difference}\
             <th class=\"n\" scope=\"col\">n</th>",
            escape(&self.heading)
        )
    }

    fn line(&self, row: &EstimateRow, axis: Axis) -> String {
        let EstimateRow { name, estimate } = row;
        let difference = self.reference.as_ref().map_or_else(String::new, |(_, value)| {
            format!("<td class=\"n\">{}</td>", self.format.difference(estimate.value - value))
        });
        format!(
            "<tr><th scope=\"row\">{}</th><td class=\"n\"><b>{}</b></td><td class=\"interval\">{}</td>\
             <td class=\"drawn\">{}</td>{difference}<td class=\"n\">{}</td></tr>\n",
            escape(name),
            self.format.number(estimate.value),
            self.format.interval(estimate.interval),
            axis.draw(estimate.value, estimate.interval),
            thousands(estimate.n as u64),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uncertainty::wilson;

    #[test]
    fn slices_stand_beside_what_they_differ_from() {
        let slice = |name: &str, right| EstimateRow {
            name: name.to_owned(),
            estimate: wilson(right, 100, 0.95).unwrap(),
        };
        let all = wilson(150, 200, 0.95).unwrap();
        let slices = vec![slice("<short>", 80), slice("long", 70)];
        let format = NumberFormat::Percent { decimals: 1 };
        let html = EstimateTable::of_slices("By length", all, slices, format).html().unwrap();
        assert_eq!(html.matches("<th scope=\"row\">").count(), 3);
        assert_eq!(html.matches("class=\"reference\"").count(), 3);
        assert!(html.contains("&lt;short&gt;") && !html.contains("<short>"));
        for part in ["+5.0", "−5.0", "beside all, points", "95\u{202f}% interval", ">200<"] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn a_table_that_cannot_be_drawn_is_an_error() {
        let mut table = EstimateTable::new("", "task", NumberFormat::Plain { decimals: 2 });
        assert!(table.html().is_err());
        table.push("", Estimate { value: f64::NAN, ..wilson(1, 2, 0.95).unwrap() });
        assert!(table.html().is_err());
    }
}
