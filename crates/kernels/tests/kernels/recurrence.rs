//! Recurrent layers against the plain body, and the plain body against written-out steps.

use burn::tensor::{Bool, Tensor, TensorData};
use proptest::prelude::*;
use wuji_kernels::{Nonlinearity, RecurrentCell, plain, recurrence};

use crate::common::{Leaf, Values, check, flat};

const CELLS: [RecurrentCell; 7] = [
    RecurrentCell::Lstm,
    RecurrentCell::Gru,
    RecurrentCell::Elman(Nonlinearity::Tanh),
    RecurrentCell::Elman(Nonlinearity::Relu),
    RecurrentCell::Elman(Nonlinearity::Sigmoid),
    RecurrentCell::Elman(Nonlinearity::Gelu),
    RecurrentCell::Elman(Nonlinearity::Silu),
];

/// Which steps are padding: the last ones of every other row, or none.
fn mask(padded: bool, [seq, batch]: [usize; 2], like: &Tensor<3>) -> Option<Tensor<2, Bool>> {
    let live: Vec<bool> =
        (0..seq * batch).map(|i| i % batch % 2 == 0 || i / batch < seq.div_ceil(2)).collect();
    let device = like.device().without_autodiff();
    padded.then(|| Tensor::from_data(TensorData::new(live, [seq, batch]), &device))
}

fn check_cell(cell: RecurrentCell, [seq, batch, width]: [usize; 3], padded: bool, seed: u64) {
    let columns = cell.gates() * width;
    let values = [
        Values::random(&[seq, batch, columns], 1.5, seed),
        Values::random(&[width, columns], 1.0 / (width as f64).sqrt(), seed + 1),
        Values::random(&[columns], 0.5, seed + 2),
        Values::random(&[cell.states(), batch, width], 1.0, seed + 3),
    ];
    check(
        &values,
        |x: &[Leaf]| {
            let projected = x[0].get::<3>();
            let mask = mask(padded, [seq, batch], &projected);
            flat(recurrence(cell, projected, x[1].get(), x[2].get(), x[3].get(), mask))
        },
        |x| {
            let projected = x[0].get::<3>();
            let mask = mask(padded, [seq, batch], &projected);
            flat(plain::recurrence(cell, projected, x[1].get(), x[2].get(), x[3].get(), mask))
        },
        1e-5,
    );
}

#[test]
fn every_cell_agrees_with_the_plain_body() {
    for cell in CELLS {
        for padded in [false, true] {
            check_cell(cell, [1, 1, 1], padded, 1);
            check_cell(cell, [1, 3, 5], padded, 2);
            check_cell(cell, [4, 2, 2], padded, 3);
            check_cell(cell, [7, 5, 33], padded, 4);
        }
    }
}

#[test]
fn batches_that_are_cut_into_tasks_agree() {
    for cell in [RecurrentCell::Lstm, RecurrentCell::Gru] {
        check_cell(cell, [3, 70, 130], true, 5);
    }
}

#[test]
#[should_panic(expected = "do not fit")]
fn a_state_of_another_width_is_refused() {
    let device = burn::tensor::Device::flex();
    recurrence(
        RecurrentCell::Gru,
        Tensor::zeros([2, 1, 6], &device),
        Tensor::zeros([2, 6], &device),
        Tensor::zeros([6], &device),
        Tensor::zeros([1, 1, 3], &device),
        None,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_recurrence_agrees(
        cell in 0usize..5,
        seq in 1usize..6,
        batch in 1usize..6,
        width in 1usize..40,
        padded: bool,
        seed in 0u64..1000,
    ) {
        check_cell(CELLS[cell], [seq, batch, width], padded, seed);
    }
}
