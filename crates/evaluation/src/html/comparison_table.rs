//! Two runs side by side, with what can be said about their differences.

use serde::{Deserialize, Serialize};

use super::number::{NumberFormat, p_value, thousands};
use super::text::{escape, scrolling_table};
use super::whisker::Axis;
use crate::comparison::{Comparison, EffectSizes};
use crate::error::{Result, all_finite, not_empty};

/// A table of comparisons of the same two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonTable {
    /// What the table shows.
    pub caption: String,
    /// What the first run is called.
    pub first: String,
    /// What the second run is called.
    pub second: String,
    /// How figures are written.
    pub format: NumberFormat,
    /// P-values below it are called a difference, as 0.05.
    pub level: f64,
    /// One line each, with p-values already [adjusted](crate::comparison::adjust); where they are
    /// not, the plain ones are shown.
    pub comparisons: Vec<Comparison>,
}

impl ComparisonTable {
    /// The table as HTML. Errs where it has no line or a figure is not finite.
    pub fn html(&self) -> Result<String> {
        not_empty("lines of a table", self.comparisons.len())?;
        for Comparison { first, second, difference, .. } in &self.comparisons {
            let (low, high) = difference.interval;
            all_finite("figure of a table", &[*first, *second, low, high])?;
        }
        let intervals = self.comparisons.iter().map(|line| line.difference.interval);
        let axis = Axis::around(intervals, Some(0.0));
        let body: String = self.comparisons.iter().map(|line| self.line(line, axis)).collect();
        Ok(scrolling_table(&self.caption, "comparisons", &self.head(), &body))
    }

    fn head(&self) -> String {
        let column =
            |class: &str, text: &str| format!("<th{class} scope=\"col\">{}</th>", escape(text));
        let adjusted = self.comparisons.iter().any(|line| line.adjusted_p.is_some());
        let confidence = 100.0 * self.comparisons[0].difference.confidence;
        let unit = self.format.difference_unit();
        let difference = format!("difference{unit}, with its {confidence:.0}\u{202f}% interval");
        let number = " class=\"n\"";
        [
            column("", "task"),
            column(number, &self.first),
            column(number, &self.second),
            column(" colspan=\"2\"", &difference),
            column(number, if adjusted { "p, adjusted" } else { "p" }),
            column("", "which is better"),
            column("", "size of the effect"),
        ]
        .concat()
    }

    fn line(&self, line: &Comparison, axis: Axis) -> String {
        let difference = &line.difference;
        let (low, high) = difference.interval;
        format!(
            "<tr><th scope=\"row\">{}<br><span class=\"quiet\">n = {}</span></th><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td><b>{}</b> <span class=\"quiet\">{} to {}</span></td>\
             <td class=\"drawn\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>\n",
            escape(&line.name),
            thousands(difference.n as u64),
            self.format.number(line.first),
            self.format.number(line.second),
            self.format.difference(difference.value),
            self.format.difference(low),
            self.format.difference(high),
            axis.draw(difference.value, difference.interval),
            p_value(line.adjusted_p.unwrap_or(line.p_value())),
            self.verdict(line),
            line.effect.as_ref().map_or_else(String::new, effect),
        )
    }

    /// The better run's name, where the difference is one.
    fn verdict(&self, line: &Comparison) -> String {
        let p = line.adjusted_p.unwrap_or(line.p_value());
        if p >= self.level {
            return "<span class=\"quiet\">unclear</span>".to_owned();
        }
        let better = if line.difference.value > 0.0 { &self.first } else { &self.second };
        format!("<b>{}</b>", escape(better))
    }
}

/// The sizes that scores of this kind are usually described with.
fn effect(sizes: &EffectSizes) -> String {
    let (wins, losses, _) = sizes.wins_losses_ties;
    let size = match (sizes.odds_ratio, sizes.cohen_d) {
        (Some(odds), _) => {
            let (low, high) = odds.interval;
            format!("odds {:.2} ({low:.2} to {high:.2})", odds.value)
        }
        (None, Some(d)) => format!("d = {d:.2}, δ = {:.2}", sizes.cliff_delta).replace('-', "−"),
        (None, None) => format!("δ = {:.2}", sizes.cliff_delta).replace('-', "−"),
    };
    format!("{size}<br><span class=\"quiet\">{wins} better, {losses} worse</span>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{Correction, adjust};
    use crate::uncertainty::BootstrapOptions;

    #[test]
    fn a_line_says_which_run_is_better_only_where_the_adjusted_p_value_does() {
        let compare = |name: &str, first: &[f64], second: &[f64]| {
            Comparison::of_scores(name, first, second, &BootstrapOptions::default()).unwrap()
        };
        let mut comparisons = vec![
            compare("clear", &[1.0; 20], &[0.0; 20]),
            compare("none", &[0.5, 0.25, 0.75], &[0.25, 0.5, 0.75]),
        ];
        adjust(&mut comparisons, Correction::Holm).unwrap();
        let table = ComparisonTable {
            caption: "A and B".to_owned(),
            first: "A & co".to_owned(),
            second: "B".to_owned(),
            format: NumberFormat::Percent { decimals: 1 },
            level: 0.05,
            comparisons,
        };
        let html = table.html().unwrap();
        assert_eq!(html.matches("<b>A &amp; co</b>").count(), 1);
        assert_eq!(html.matches(">unclear<").count(), 1);
        assert!(html.contains("20 better, 0 worse") && html.contains("&lt; 0.001"));
        assert!(ComparisonTable { comparisons: vec![], ..table }.html().is_err());
    }
}
