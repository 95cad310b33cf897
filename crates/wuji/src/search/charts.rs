//! History, importance and parallel coordinates, as SVG.

use std::fmt::Write;

use wuji_training::search::{HistoryPoint, Importance, ParallelCoordinates};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
/// Room left of and below a plot, for its labels.
const LEFT: f64 = 74.0;
const BOTTOM: f64 = 36.0;
const EDGE: f64 = 12.0;
const TRIAL: &str = "#7896c8";
const BEST: &str = "#c84632";
const GRID: &str = "#e6e6e6";
/// Height of a bar and of the space that it has.
const BAR: f64 = 16.0;
const ROW: f64 = 24.0;
/// Width of a character of a label.
const CHARACTER: f64 = 7.0;
/// Lines across a plot.
const STEPS: u32 = 5;

/// Begins a drawing.
fn begin(width: f64, height: f64) -> String {
    format!(
        "<svg width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#222\" role=\"img\">"
    )
}

fn add(svg: &mut String, part: std::fmt::Arguments) {
    svg.write_fmt(part).expect("a string takes all");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The share of the way from `low` to `high`; the middle where there is none.
fn share(value: f64, low: f64, high: f64) -> f64 {
    if high > low { (value - low) / (high - low) } else { 0.5 }
}

/// Values by trial, and the best so far.
pub(super) fn history(points: &[HistoryPoint]) -> String {
    // Values far off would press all others into a line: they stand at the edge.
    let mut values: Vec<f64> = points.iter().map(|point| point.value).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return String::new() };
    let spread = 2.0 * (at(0.75) - at(0.25));
    let (low, high) = match spread > 0.0 {
        true => (first.max(at(0.25) - spread), last.min(at(0.75) + spread)),
        false => (*first, *last),
    };
    let best = points.iter().filter_map(|point| point.best);
    let (low, high) = best.fold((low, high), |(low, high), best| (low.min(best), high.max(best)));
    let latest = points.last().map_or(0, |point| point.number);
    let x = |number: u64| {
        LEFT + (WIDTH - LEFT - EDGE) * share(number as f64, 0.0, latest.max(1) as f64)
    };
    let y = |value: f64| {
        let inside = share(value.clamp(low, high), low, high);
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - EDGE) * inside
    };
    let mut svg = begin(WIDTH, HEIGHT);
    for step in 0..STEPS {
        let value = low + (high - low) * f64::from(step) / f64::from(STEPS - 1);
        let (y, right) = (y(value), WIDTH - EDGE);
        add(
            &mut svg,
            format_args!(
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"{GRID}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.4}</text>",
                LEFT - 8.0,
                y + 4.0
            ),
        );
    }
    for point in points {
        let fill = if point.pruned { "none" } else { TRIAL };
        let state = if point.pruned { ", stopped early" } else { "" };
        add(
            &mut svg,
            format_args!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{fill}\" stroke=\"{TRIAL}\"><title>trial {}: \
             {}{state}</title></circle>",
                x(point.number),
                y(point.value),
                point.number,
                point.value
            ),
        );
    }
    // The best holds until the trial that is better.
    let mut steps = String::new();
    let mut before: Option<f64> = None;
    for (point, best) in points.iter().filter_map(|point| Some((point, point.best?))) {
        let x = x(point.number);
        if let Some(before) = before {
            add(&mut steps, format_args!("{x:.1},{:.1} ", y(before)));
        }
        add(&mut steps, format_args!("{x:.1},{:.1} ", y(best)));
        before = Some(best);
    }
    add(
        &mut svg,
        format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{BEST}\" stroke-width=\"2\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">trial, 0 to {latest}</text></svg>",
            steps.trim_end(),
            (LEFT + WIDTH) / 2.0,
            HEIGHT - EDGE
        ),
    );
    svg
}

/// A bar per parameter.
pub(super) fn importances(all: &[Importance]) -> String {
    let longest = all.iter().map(|one| one.parameter.chars().count()).max().unwrap_or(0);
    let left = CHARACTER * longest as f64 + EDGE;
    let mut svg = begin(WIDTH, ROW * all.len() as f64 + EDGE);
    for (row, importance) in all.iter().enumerate() {
        let y = ROW * row as f64 + EDGE / 2.0;
        let width = (WIDTH - left - 60.0) * importance.share.clamp(0.0, 1.0);
        let baseline = y + 13.0;
        add(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{baseline:.1}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{TRIAL}\"/>\
             <text x=\"{:.1}\" y=\"{baseline:.1}\">{:.3}</text>",
                left - 8.0,
                escaped(&importance.parameter),
                left + width + 6.0,
                importance.share
            ),
        );
    }
    svg + "</svg>"
}

/// A vertical axis per parameter and a line per trial, the better the darker.
pub(super) fn parallel_coordinates(plot: &ParallelCoordinates) -> String {
    const SPACING: f64 = 170.0;
    const TOP: f64 = 44.0;
    const TALL: f64 = 280.0;
    let height = TOP + TALL + EDGE;
    let width = (SPACING * (plot.axes.len() as f64 + 0.5)).max(WIDTH / 2.0);
    let x = |axis: usize| SPACING * (axis as f64 + 0.5);
    let y = |place: f64| TOP + TALL * (1.0 - place);
    let mut svg = begin(width, height);
    for line in &plot.lines {
        let places = line.places.iter().enumerate();
        let active: Vec<String> = places
            .filter_map(|(axis, place)| Some(format!("{:.1},{:.1}", x(axis), y((*place)?))))
            .collect();
        let color = if line.goodness == 1.0 { BEST } else { "#1f4e9c" };
        // Squared, so that the worse half is hardly more than a shade.
        let opacity = 0.06 + 0.84 * line.goodness * line.goodness;
        add(
            &mut svg,
            format_args!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" \
             stroke-opacity=\"{opacity:.2}\"><title>trial {}: {}</title></polyline>",
                active.join(" "),
                line.number,
                line.value
            ),
        );
    }
    for (index, axis) in plot.axes.iter().enumerate() {
        let x = x(index);
        // Names of neighbours stand at two heights, for they are long.
        let baseline = if index % 2 == 0 { 14.0 } else { 30.0 };
        add(
            &mut svg,
            format_args!(
                "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#555\"/>\
             <text x=\"{x:.1}\" y=\"{baseline}\" text-anchor=\"middle\">{}</text>",
                y(0.0),
                y(1.0),
                escaped(&axis.parameter)
            ),
        );
        for (place, label) in &axis.ticks {
            add(
                &mut svg,
                format_args!(
                    "<text x=\"{:.1}\" y=\"{:.1}\" paint-order=\"stroke\" stroke=\"#fff\" stroke-width=\"3\">{}</text>",
                    x + 5.0,
                    y(*place) + 4.0,
                    escaped(label)
                ),
            );
        }
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use wuji_training::search::{Axis, Line};

    use super::*;

    #[test]
    fn a_history_has_a_dot_per_trial_and_hollow_ones_for_the_pruned() {
        let point = |number, value, pruned| HistoryPoint { number, value, pruned, best: Some(1.0) };
        let svg = history(&[point(0, 1.0, false), point(1, 1e9, true), point(4, 2.0, false)]);
        assert_eq!(svg.matches("<circle ").count(), 3);
        assert_eq!(svg.matches("fill=\"none\" stroke=\"#7896c8\"").count(), 1);
        assert!(svg.contains("trial 1: 1000000000, stopped early") && !svg.contains("NaN"));
        assert_eq!(history(&[]), "");
        assert!(!history(&[point(0, 1.0, false)]).contains("NaN"));
    }

    #[test]
    fn labels_are_escaped() {
        let importance = Importance { parameter: "a<b".into(), share: 0.25 };
        let svg = importances(&[importance]);
        assert!(svg.contains("a&lt;b") && svg.contains("0.250"));
    }

    #[test]
    fn a_line_leaves_out_the_axes_that_it_has_no_place_on() {
        let axis = |name: &str| Axis { parameter: name.into(), ticks: vec![(0.0, "low".into())] };
        let plot = ParallelCoordinates {
            axes: vec![axis("a"), axis("b"), axis("c")],
            lines: vec![Line {
                number: 7,
                value: 0.5,
                goodness: 1.0,
                places: vec![Some(0.0), None, Some(1.0)],
            }],
        };
        let svg = parallel_coordinates(&plot);
        assert!(svg.contains("points=\"85.0,324.0 425.0,44.0\""), "{svg}");
        assert_eq!(svg.matches("low").count(), 3);
    }
}
