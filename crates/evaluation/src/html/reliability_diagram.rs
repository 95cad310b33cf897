//! A reliability diagram as SVG: accuracy with its interval over confidence, and below it how many
//! answers there are.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::number::thousands;
use super::text::{escape, scrolling_table};
use crate::classification::ReliabilityBin;
use crate::error::{Result, not_empty};

/// Side of the square that accuracy and confidence span.
const SIDE: f64 = 300.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 10.0;
/// Height of the bars below it, and the room between.
const BARS: f64 = 50.0;
const GAP: f64 = 14.0;
const BOTTOM: f64 = 44.0;

/// Whether a model is as often right as it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityDiagram {
    /// What the diagram shows.
    pub caption: String,
    /// The expected calibration error.
    pub expected_error: f64,
    /// The points, the least confident first.
    pub bins: Vec<ReliabilityBin>,
}

impl ReliabilityDiagram {
    /// The drawing and its numbers as a table. Errs where there is no answer.
    pub fn html(&self) -> Result<String> {
        not_empty("bins of a reliability diagram", self.bins.len())?;
        Ok(format!(
            "<figure>\n{}\n<figcaption>{}. Expected calibration error {:.3}. Dots on the diagonal \
             are as often right as they say; below it, the model is too sure of itself. Whiskers are \
             {:.0}\u{202f}% intervals of the accuracy, bars are numbers of answers.</figcaption>\n\
             </figure>\n<details><summary>Numbers of the diagram</summary>\n{}</details>\n",
            self.svg(),
            escape(&self.caption),
            self.expected_error,
            100.0 * self.bins[0].accuracy.confidence,
            self.numbers(),
        ))
    }

    fn svg(&self) -> String {
        let (width, height) = (LEFT + SIDE + 14.0, TOP + SIDE + GAP + BARS + BOTTOM);
        let mut svg = format!(
            "<svg class=\"reliability\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"{}\">\n",
            escape(&self.in_words())
        );
        axes(&mut svg);
        let most = self.bins.iter().map(|bin| bin.accuracy.n).max().unwrap_or(1) as f64;
        for bin in &self.bins {
            draw_bin(&mut svg, bin, most);
        }
        svg + "</svg>"
    }

    /// What those are told who do not see the drawing.
    fn in_words(&self) -> String {
        let too_sure = self.bins.iter().filter(|bin| bin.confidence > bin.accuracy.interval.1);
        format!(
            "Reliability diagram, {}: expected calibration error {:.3}; in {} of {} bins the \
             confidence is above the interval of the accuracy",
            self.caption,
            self.expected_error,
            too_sure.count(),
            self.bins.len()
        )
    }

    fn numbers(&self) -> String {
        let line = |bin: &ReliabilityBin| {
            let ((from, to), (low, high)) = (bin.range, bin.accuracy.interval);
            format!(
                "<tr><th scope=\"row\">{from:.2} to {to:.2}</th><td class=\"n\">{:.3}</td>\
                 <td class=\"n\">{:.3}</td><td>{low:.3} to {high:.3}</td><td class=\"n\">{}</td></tr>\n",
                bin.confidence,
                bin.accuracy.value,
                thousands(bin.accuracy.n as u64),
            )
        };
        let head = "<th scope=\"col\">bin</th><th class=\"n\" scope=\"col\">mean confidence</th>\
                    <th class=\"n\" scope=\"col\">accuracy</th><th scope=\"col\">interval</th>\
                    <th class=\"n\" scope=\"col\">answers</th>";
        let body: String = self.bins.iter().map(line).collect();
        scrolling_table(&self.caption, "numbers", head, &body)
    }
}

fn x(share: f64) -> f64 {
    LEFT + SIDE * share.clamp(0.0, 1.0)
}

fn y(share: f64) -> f64 {
    TOP + SIDE * (1.0 - share.clamp(0.0, 1.0))
}

fn add(svg: &mut String, part: std::fmt::Arguments<'_>) {
    svg.write_fmt(part).expect("a string takes all");
}

/// Lines and numbers at every fifth, the diagonal, and the names of the axes.
fn axes(svg: &mut String) {
    let (base, right) = (TOP + SIDE + GAP + BARS, LEFT + SIDE);
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let (across, down) = (x(share), y(share));
        let (below, left, middle) = (base + 16.0, LEFT - 8.0, down + 4.0);
        add(
            svg,
            format_args!(
                "<path class=\"grid\" d=\"M{across} {TOP}V{}M{LEFT} {down}H{right}\"/>\
                 <text x=\"{across}\" y=\"{below}\" text-anchor=\"middle\">{share:.1}</text>\
                 <text x=\"{left}\" y=\"{middle}\" text-anchor=\"end\">{share:.1}</text>\n",
                TOP + SIDE
            ),
        );
    }
    let (middle_x, below, middle_y) = (x(0.5), base + 36.0, y(0.5));
    add(
        svg,
        format_args!(
            "<path class=\"diagonal\" d=\"M{LEFT} {}L{right} {TOP}\"/>\
             <text x=\"{middle_x}\" y=\"{below}\" text-anchor=\"middle\">confidence</text>\
             <text x=\"14\" y=\"{middle_y}\" text-anchor=\"middle\" \
             transform=\"rotate(-90 14 {middle_y})\">accuracy</text>\n",
            TOP + SIDE
        ),
    );
}

/// A dot with its whisker, and the bar below; `most` answers make the highest bar.
fn draw_bin(svg: &mut String, bin: &ReliabilityBin, most: f64) {
    let accuracy = &bin.accuracy;
    let (dot, middle) = (x(bin.confidence), y(accuracy.value));
    let (low, high) = (y(accuracy.interval.0), y(accuracy.interval.1));
    let (left, width) = (x(bin.range.0) + 1.0, SIDE * (bin.range.1 - bin.range.0) - 2.0);
    let bar = (BARS * accuracy.n as f64 / most).max(1.0);
    let top = TOP + SIDE + GAP + BARS - bar;
    add(
        svg,
        format_args!(
            "<g><title>confidence {:.3}, accuracy {:.3}, {} answers</title>\
             <path class=\"range\" d=\"M{dot:.1} {low:.1}V{high:.1}M{:.1} {low:.1}h8M{:.1} {high:.1}h8\"/>\
             <circle cx=\"{dot:.1}\" cy=\"{middle:.1}\" r=\"4\"/>\
             <rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{bar:.1}\"/></g>\n",
            bin.confidence,
            accuracy.value,
            accuracy.n,
            dot - 4.0,
            dot - 4.0,
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::calibration;

    #[test]
    fn every_bin_is_a_dot_a_bar_and_a_line_of_numbers() {
        let probabilities: Vec<Vec<f64>> =
            (0..100).map(|at| 0.5 + f64::from(at) / 201.0).map(|p| vec![p, 1.0 - p]).collect();
        let truth: Vec<usize> = (0..100).map(|at| usize::from(at % 3 == 0)).collect();
        let found = calibration(&truth, &probabilities, 10).unwrap();
        let diagram = ReliabilityDiagram {
            caption: "a <model>".to_owned(),
            expected_error: found.expected_error,
            bins: found.reliability(0.95).unwrap(),
        };
        let html = diagram.html().unwrap();
        let bins = diagram.bins.len();
        for part in ["<circle", "<rect", "<tr><th scope=\"row\">"] {
            assert_eq!(html.matches(part).count(), bins, "{part}");
        }
        assert!(html.contains("role=\"img\"") && !html.contains("<model>"));
        assert!(ReliabilityDiagram { bins: vec![], ..diagram }.html().is_err());
    }
}
