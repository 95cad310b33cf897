//! What a decoder read of its source, as SVG.

use std::fmt::Write;

use wuji_inference::AttentionMap;

use crate::pretrain::PretrainSummary;

/// Side of a cell, in pixels.
const CELL: usize = 20;
/// Width of a character of a label.
const CHARACTER: usize = 8;
/// Tokens of a side at most: more cannot be read.
const MAX_TOKENS: usize = 60;

/// The maps of all examples that are short enough.
pub(super) fn all(summary: &PretrainSummary) -> Vec<String> {
    let examples = summary.translations.iter().flat_map(|set| &set.examples);
    let maps = examples.map(|example| &example.attention);
    let is_readable = |map: &&AttentionMap| map.source.len().max(map.target.len()) <= MAX_TOKENS;
    maps.filter(is_readable).map(draw).collect()
}

/// Cells of a row per token of the target and a column per token of the source.
fn draw(map: &AttentionMap) -> String {
    let longest = |tokens: &[String]| tokens.iter().map(|token| token.chars().count()).max();
    let margin = |tokens: &[String]| CHARACTER * longest(tokens).unwrap_or(0) + CELL / 2;
    let (left, top) = (margin(&map.target), margin(&map.source));
    let (width, height) = (left + CELL * map.source.len(), top + CELL * map.target.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"13\" role=\"img\">"
    );
    let mut add = |part: std::fmt::Arguments| svg.write_fmt(part).expect("a string takes all");
    for (row, (token, weights)) in map.target.iter().zip(&map.weights).enumerate() {
        let y = top + CELL * row;
        let (x, baseline) = (left - CELL / 4, y + 14);
        add(format_args!(
            "<text x=\"{x}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>",
            label(token)
        ));
        for (column, weight) in weights.iter().enumerate() {
            let x = left + CELL * column;
            add(format_args!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"#1f4e9c\" \
                 fill-opacity=\"{:.3}\" stroke=\"#e5e5e0\"><title>{} ← {}: {weight:.3}</title></rect>",
                weight.clamp(0.0, 1.0),
                label(token),
                label(&map.source[column]),
            ));
        }
    }
    for (column, token) in map.source.iter().enumerate() {
        let (x, y) = (left + CELL * column + 14, top - CELL / 4);
        add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" transform=\"rotate(-90 {x} {y})\">{}</text>",
            label(token)
        ));
    }
    svg + "</svg>"
}

/// A token as text of a document: a space is to be seen.
fn label(token: &str) -> String {
    let visible = token.replace(['Ġ', ' ', '▁'], "␣");
    visible.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_a_cell_for_each_pair_of_tokens_and_escapes_its_labels() {
        let map = AttentionMap {
            source: vec!["a".into(), "</s>".into()],
            target: vec!["\"b\"".into(), "c".into(), "Ġd".into()],
            weights: vec![vec![1.0, 0.0], vec![0.25, 0.75], vec![0.5, 0.5]],
        };
        let svg = draw(&map);
        assert_eq!(svg.matches("<rect ").count(), 6);
        assert!(svg.contains("fill-opacity=\"0.750\""));
        assert!(svg.contains("&lt;/s&gt;") && svg.contains("&quot;b&quot;") && svg.contains("␣d"));
        assert!(!svg.contains("</s>"));
    }
}
