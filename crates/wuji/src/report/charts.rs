//! Curves as SVG text.

use plotters::prelude::*;
use serde::Serialize;

use super::Metrics;
use crate::WujiError;
use crate::pretrain::PretrainSummary;

/// A drawn curve.
#[derive(Debug, Clone, Serialize)]
pub struct Chart {
    /// Its heading.
    pub title: &'static str,
    /// The drawing.
    pub svg: String,
}

const SIZE: (u32, u32) = (760, 300);
/// Points per curve at most: more cannot be seen and make the page heavy.
const MAX_POINTS: usize = 400;
const TRAIN: RGBColor = RGBColor(120, 150, 200);
const HELD_OUT: RGBColor = RGBColor(200, 70, 50);
const BASELINE: RGBColor = RGBColor(90, 90, 90);

struct Curve {
    name: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
    marked: bool,
}

/// Loss, learning rate and throughput.
pub(super) fn all(metrics: &Metrics, summary: &PretrainSummary) -> Result<Vec<Chart>, WujiError> {
    let of = |value: fn(&wuji_training::StepEvent) -> f64| {
        let points = metrics.steps.iter().map(|event| (event.step as f64, value(event)));
        thinned(points.filter(|(_, y)| y.is_finite()).collect())
    };
    let line = |name, points| vec![Curve { name, color: TRAIN, points, marked: false }];
    Ok(vec![
        draw("Loss, nats per token", "nats per token", &losses(metrics, summary, of(|e| e.loss)))?,
        draw("Learning rate", "rate", &line("learning rate", of(|e| e.learning_rate)))?,
        draw("Throughput", "tokens per second", &line("tokens/s", of(|e| e.tokens_per_second)))?,
        draw("Gradient norm", "L2 norm", &line("before clipping", of(|e| e.grad_norm)))?,
    ])
}

fn losses(metrics: &Metrics, summary: &PretrainSummary, train: Vec<(f64, f64)>) -> Vec<Curve> {
    let held_out = metrics.evaluations.iter().map(|e| (e.step as f64, e.validation_loss)).collect();
    let mut curves = vec![
        Curve { name: "training batches", color: TRAIN, points: train, marked: false },
        Curve { name: "validation", color: HELD_OUT, points: held_out, marked: true },
    ];
    if let Some(ngram) = &summary.ngram {
        let last = summary.steps as f64;
        let points = vec![(0.0, ngram.validation_loss), (last, ngram.validation_loss)];
        curves.push(Curve { name: "n-gram baseline", color: BASELINE, points, marked: false });
    }
    curves
}

/// Means of neighbouring points, few enough to draw.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let size = points.len().div_ceil(MAX_POINTS).max(1);
    let mean = |chunk: &[(f64, f64)]| {
        let count = chunk.len() as f64;
        let sum = chunk.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (sum.0 / count, sum.1 / count)
    };
    points.chunks(size).map(mean).collect()
}

fn draw(title: &'static str, unit: &str, curves: &[Curve]) -> Result<Chart, WujiError> {
    let mut svg = String::new();
    try_draw(&mut svg, unit, curves)
        .map_err(|error| WujiError::Render { what: title, reason: error.to_string() })?;
    // Inside HTML the namespace is known, and the page should name no address at all.
    let svg = svg.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
    Ok(Chart { title, svg })
}

fn try_draw(
    svg: &mut String,
    unit: &str,
    curves: &[Curve],
) -> Result<(), Box<dyn std::error::Error>> {
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let extent = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low.is_finite() { (low, high) } else { (0.0, 1.0) }
    };
    let (_, right) = extent(points().map(|point| point.0).collect());
    let (low, high) = extent(points().map(|point| point.1).collect());
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-12);
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .x_label_area_size(34)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right.max(1.0), (low - margin)..(high + margin))?;
    chart
        .configure_mesh()
        .x_desc("step")
        .y_desc(unit)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(230, 230, 230))
        .draw()?;
    for curve in curves {
        let style = curve.color.stroke_width(2);
        let color = curve.color;
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied(), style))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        if curve.marked {
            let dots = curve.points.iter().map(|point| Circle::new(*point, 3, color.filled()));
            chart.draw_series(dots)?;
        }
    }
    if curves.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .draw()?;
    }
    area.present()?;
    Ok(())
}
