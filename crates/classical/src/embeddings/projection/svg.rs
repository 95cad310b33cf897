//! The figure: a file of its own, or part of a page.

use std::fmt::Write;

use super::Projection;

/// Pixels of the figure.
const SIZE: [f64; 2] = [960.0, 720.0];
/// Room for the words at the edges.
const MARGIN: f64 = 60.0;
/// Colours that people with any colour vision can tell apart (Okabe and Ito 2008).
const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];

impl Projection {
    /// A self-contained SVG figure: a point and its word per place, coloured by group.
    pub fn svg(&self, title: &str) -> String {
        let [width, height] = SIZE;
        let horizontal = Axis::of(self.words.iter().map(|word| word.x), MARGIN, width - MARGIN);
        // The page counts from above.
        let vertical = Axis::of(self.words.iter().map(|word| word.y), height - MARGIN, MARGIN);
        let title = escaped(title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" font-size=\"12\" role=\"img\"><title>{title}</title>\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\
             <text x=\"{}\" y=\"24\" text-anchor=\"middle\" font-size=\"16\">{title}</text>",
            width / 2.0
        );
        for word in &self.words {
            let (x, y) = (horizontal.place(word.x), vertical.place(word.y));
            let colour = COLOURS[word.group % COLOURS.len()];
            let text = escaped(&word.word);
            write!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{text}</text>",
                x + 5.0,
                y + 4.0
            )
            .expect("a string takes all");
        }
        svg + "</svg>"
    }
}

/// From numbers to pixels.
struct Axis {
    least: f64,
    scale: f64,
    from: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (least, most) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (v.min(low), v.max(high)));
        let scale = if most > least { (to - from) / (most - least) } else { 0.0 };
        Self { least, scale, from }
    }

    fn place(&self, value: f64) -> f64 {
        let offset = self.scale * (value - self.least);
        self.from + if offset.is_finite() { offset } else { 0.0 }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embeddings::ProjectedWord;

    #[test]
    fn every_word_is_within_the_figure_and_escaped() {
        let word = |word: &str, x, y, group| ProjectedWord { word: word.to_owned(), x, y, group };
        let words = vec![word("</s>", -5.0, 1.0, 0), word("cat", 5.0, 3.0, 1)];
        let svg = Projection { words }.svg("a & b");
        assert!(
            svg.contains("cx=\"60.0\" cy=\"660.0\"") && svg.contains("cx=\"900.0\" cy=\"60.0\"")
        );
        assert!(svg.contains("&lt;/s&gt;") && svg.contains("a &amp; b") && !svg.contains("</s>"));
        assert!(svg.contains(COLOURS[1]));
        let one = Projection { words: vec![word("one", 2.0, 2.0, 9)] }.svg("");
        assert!(one.contains("cx=\"60.0\" cy=\"660.0\"") && !one.contains("NaN"));
        assert!(!Projection { words: Vec::new() }.svg("").contains("NaN"));
    }
}
