//! An interval as a whisker with a dot, for a cell of a table.

/// Size of the drawing; the style scales it.
const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 18.0;
/// Room for a dot at both ends.
const MARGIN: f64 = 5.0;

/// What all whiskers of a column are drawn over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    /// Where a line is drawn, as at no difference.
    reference: Option<f64>,
}

impl Axis {
    /// Holds all intervals and the reference, with a little room.
    pub(super) fn around(
        intervals: impl Iterator<Item = (f64, f64)>,
        reference: Option<f64>,
    ) -> Self {
        let ends = intervals.flat_map(|(low, high)| [low, high]).chain(reference);
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| {
            (low.min(end), high.max(end))
        });
        if low > high {
            return Self { low: 0.0, high: 1.0, reference };
        }
        let room = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-9);
        Self { low: low - room, high: high + room, reference }
    }

    fn x(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        MARGIN + share * (WIDTH - 2.0 * MARGIN)
    }

    /// The drawing. It is hidden from those who do not see it, because the numbers stand beside.
    pub(super) fn draw(&self, value: f64, (low, high): (f64, f64)) -> String {
        let (from, to, dot, middle) = (self.x(low), self.x(high), self.x(value), HEIGHT / 2.0);
        let (top, bottom) = (middle - 4.0, middle + 4.0);
        let line = self.reference.map_or_else(String::new, |at| {
            let x = self.x(at);
            format!("<path class=\"reference\" d=\"M{x:.1} 0V{HEIGHT}\"/>")
        });
        format!(
            "<svg class=\"whisker\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-hidden=\"true\">{line}\
             <path d=\"M{from:.1} {top}V{bottom}M{from:.1} {middle}H{to:.1}M{to:.1} {top}V{bottom}\"/>\
             <circle cx=\"{dot:.1}\" cy=\"{middle}\" r=\"3.5\"/></svg>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiskers_lie_inside_the_drawing_and_keep_their_order() {
        let axis = Axis::around([(0.2, 0.4), (0.3, 0.9)].into_iter(), Some(0.5));
        let x: Vec<f64> = [0.2, 0.3, 0.4, 0.9].map(|value| axis.x(value)).to_vec();
        assert!(x.is_sorted() && x[0] > MARGIN && x[3] < WIDTH - MARGIN, "{x:?}");
        assert!(axis.draw(0.3, (0.2, 0.4)).contains("class=\"reference\""));
    }

    #[test]
    fn nothing_and_a_single_point_have_an_axis() {
        assert_eq!(Axis::around(std::iter::empty(), None).x(0.5), WIDTH / 2.0);
        assert!((Axis::around([(0.0, 0.0)].into_iter(), None).x(0.0) - WIDTH / 2.0).abs() < 1e-9);
    }
}
