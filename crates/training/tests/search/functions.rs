//! Functions with known minima that optimisers are compared on.

use std::f64::consts::{E, PI};

use wuji_training::search::{Assignment, SearchSpace, Value};

/// A function over a box.
pub struct Function {
    pub name: &'static str,
    pub bounds: &'static [(f64, f64)],
    pub minimum: f64,
    pub value: fn(&[f64]) -> f64,
}

/// Branin and Hoo: three equal minima in two dimensions.
pub const BRANIN: Function = Function {
    name: "Branin",
    bounds: &[(-5.0, 10.0), (0.0, 15.0)],
    minimum: 0.397_887_357_729_738_1,
    value: branin,
};

/// Hartmann's function of six dimensions.
pub const HARTMANN: Function = Function {
    name: "Hartmann-6",
    bounds: &[(0.0, 1.0); 6],
    minimum: -3.322_368_011_391_339,
    value: hartmann,
};

/// Ackley's function of five dimensions, over a box whose middle is not the minimum.
pub const ACKLEY: Function =
    Function { name: "Ackley-5", bounds: &[(-10.0, 30.0); 5], minimum: 0.0, value: ackley };

fn branin(x: &[f64]) -> f64 {
    let (a, b) = (x[0], x[1]);
    let valley = b - 5.1 / (4.0 * PI * PI) * a * a + 5.0 / PI * a - 6.0;
    valley * valley + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * a.cos() + 10.0
}

fn hartmann(x: &[f64]) -> f64 {
    const HEIGHTS: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const WIDTHS: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const CENTRES: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let hill = |i: usize| {
        let distance: f64 = (0..6).map(|j| WIDTHS[i][j] * (x[j] - CENTRES[i][j]).powi(2)).sum();
        HEIGHTS[i] * (-distance).exp()
    };
    -(0..4).map(hill).sum::<f64>()
}

fn ackley(x: &[f64]) -> f64 {
    let count = x.len() as f64;
    let squares = x.iter().map(|x| x * x).sum::<f64>() / count;
    let waves = x.iter().map(|x| (2.0 * PI * x).cos()).sum::<f64>() / count;
    -20.0 * (-0.2 * squares.sqrt()).exp() - waves.exp() + 20.0 + E
}

impl Function {
    /// The box as a search space.
    pub fn space(&self) -> SearchSpace {
        let parameter = |(index, (low, high)): (usize, &(f64, f64))| {
            format!("[parameters.x{index}]\nkind = 'float'\nlow = {low:?}\nhigh = {high:?}\n")
        };
        let text: String = self.bounds.iter().enumerate().map(parameter).collect();
        SearchSpace::from_toml(&text).unwrap()
    }

    /// The value at a trial's parameters.
    pub fn at(&self, parameters: &Assignment) -> f64 {
        let coordinates: Vec<f64> =
            (0..self.bounds.len()).map(|index| float(parameters, &format!("x{index}"))).collect();
        (self.value)(&coordinates)
    }
}

/// A parameter that is a float.
pub fn float(parameters: &Assignment, key: &str) -> f64 {
    match parameters.get(key) {
        Some(Value::Float(value)) => *value,
        other => panic!("{key} is {other:?}"),
    }
}

#[test]
fn minima_are_where_the_literature_has_them() {
    let at = [
        (&BRANIN, vec![PI, 2.275]),
        (&BRANIN, vec![-PI, 12.275]),
        (&HARTMANN, vec![0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]),
        (&ACKLEY, vec![0.0; 5]),
    ];
    for (function, x) in at {
        let found = (function.value)(&x);
        assert!((found - function.minimum).abs() < 1e-5, "{}: {found}", function.name);
    }
}
