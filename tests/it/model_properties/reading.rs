//! Forward passes: what a token's logits depend on, and what they do not.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji::model::{BackboneInput, CausalLm};

use crate::devices::on_each_device;
use crate::tensors::{assert_close, ids, max_difference, row_from, values};
use crate::tiny_models::{FAMILIES, VOCAB_SIZE, lively, some_ids};

/// Rounding of another order of summation, on logits of size one.
const TOLERANCE: f32 = 1e-4;

/// What would not be seen as a difference is no test.
const VISIBLE: f32 = 1e-2;

on_each_device!(
    changing_a_token_leaves_earlier_logits_unchanged,
    cached_logits_are_those_of_a_full_pass,
    left_padding_changes_nothing,
    a_left_padded_batch_decodes_as_its_rows_alone,
    the_order_of_a_batch_changes_nothing,
    packed_documents_are_the_documents_alone,
);

/// Logits of one sequence, row by row.
fn alone(model: &CausalLm, sequence: &[u32], device: &Device) -> Vec<f32> {
    values(model.forward(ids(&[sequence.to_vec()], device)))
}

fn changing_a_token_leaves_earlier_logits_unchanged(device: &Device) {
    for family in FAMILIES {
        let model = lively(family, device);
        let sequence = some_ids(12, 0);
        let before = alone(&model, &sequence, device);
        for changed in [1, 6, 11] {
            let mut other = sequence.clone();
            other[changed] = (other[changed] + 1) % VOCAB_SIZE as u32;
            let after = alone(&model, &other, device);
            let (earlier, later) = (..changed * VOCAB_SIZE, changed * VOCAB_SIZE..);
            let what = format!("{family}, token {changed}");
            assert_close(&what, &after[earlier], &before[earlier], 1e-6);
            // Every later token sees the change, the last one through attention alone.
            for row in after[later.clone()].chunks(VOCAB_SIZE).zip(before[later].chunks(VOCAB_SIZE))
            {
                assert!(max_difference(row.0, row.1) > VISIBLE, "{what} has no effect");
            }
        }
    }
}

fn cached_logits_are_those_of_a_full_pass(device: &Device) {
    for family in FAMILIES {
        let model = lively(family, device);
        let sequence = ids(&[some_ids(14, 0), some_ids(14, 1)], device);
        let mut cache = model.new_cache(14);
        let mut pieces = Vec::new();
        for (start, length) in [(0, 5), (5, 1), (6, 1), (7, 4), (11, 3)] {
            let piece = sequence.clone().narrow(1, start, length);
            pieces.push(model.forward_cached(piece, &mut cache));
        }
        let cached = values(Tensor::cat(pieces, 1));
        assert_close(family, &cached, &values(model.forward(sequence)), TOLERANCE);
    }
}

/// Sequences of different lengths as one batch, padded on the left.
struct Padded {
    sequences: Vec<Vec<u32>>,
    width: usize,
    device: Device,
}

impl Padded {
    fn new(device: &Device) -> Self {
        let sequences = vec![some_ids(9, 0), some_ids(4, 1), some_ids(1, 2)];
        Self { sequences, width: 9, device: device.clone() }
    }

    fn padding(&self, row: usize) -> usize {
        self.width - self.sequences[row].len()
    }

    /// A row for each sequence: `pad` as often as it takes, then what `real` makes of it.
    fn rows(&self, pad: u32, real: impl Fn(&[u32]) -> Vec<u32>) -> Tensor<2, Int> {
        let row = |(index, sequence): (usize, &Vec<u32>)| {
            [vec![pad; self.padding(index)], real(sequence)].concat()
        };
        let rows: Vec<_> = self.sequences.iter().enumerate().map(row).collect();
        ids(&rows, &self.device)
    }

    /// Which of `width + further` keys are real.
    fn mask(&self, further: usize) -> Tensor<2, Bool> {
        let width = self.width + further;
        let real = |row| (0..width).map(move |at| at >= self.padding(row));
        let flags: Vec<bool> = (0..self.sequences.len()).flat_map(real).collect();
        Tensor::from_data(TensorData::new(flags, [self.sequences.len(), width]), &self.device)
    }

    fn input(&self) -> BackboneInput {
        BackboneInput {
            position_ids: Some(self.rows(0, |sequence| (0..sequence.len() as u32).collect())),
            attention_mask: Some(self.mask(0)),
            // Padding with an ordinary token: nothing but the mask may tell it apart.
            ..BackboneInput::new(self.rows(3, <[u32]>::to_vec))
        }
    }
}

fn left_padding_changes_nothing(device: &Device) {
    for family in FAMILIES {
        let model = lively(family, device);
        let padded = Padded::new(device);
        let logits = model.forward_input(padded.input());
        for (row, sequence) in padded.sequences.iter().enumerate() {
            let found = row_from(&logits, row, padded.padding(row));
            assert_close(family, &found, &alone(&model, sequence, device), TOLERANCE);
        }
    }
}

fn a_left_padded_batch_decodes_as_its_rows_alone(device: &Device) {
    for family in FAMILIES {
        let model = lively(family, device);
        let padded = Padded::new(device);
        let mut cache = model.new_cache(padded.width + 1);
        model.forward_input_cached(padded.input(), &mut cache);
        let positions: Vec<_> =
            padded.sequences.iter().map(|sequence| vec![sequence.len() as u32]).collect();
        let next = BackboneInput {
            position_ids: Some(ids(&positions, device)),
            attention_mask: Some(padded.mask(1)),
            ..BackboneInput::new(ids(&vec![vec![17]; padded.sequences.len()], device))
        };
        let logits = model.forward_input_cached(next, &mut cache);
        for (row, sequence) in padded.sequences.iter().enumerate() {
            let continued = alone(&model, &[sequence.as_slice(), &[17]].concat(), device);
            let expected = &continued[sequence.len() * VOCAB_SIZE..];
            assert_close(family, &row_from(&logits, row, 0), expected, TOLERANCE);
        }
    }
}

fn the_order_of_a_batch_changes_nothing(device: &Device) {
    for family in FAMILIES {
        let model = lively(family, device);
        let rows: Vec<_> = (0..4).map(|salt| some_ids(8, salt)).collect();
        let order = [2, 0, 3, 1];
        let ordered = model.forward(ids(&rows, device));
        let shuffled = model.forward(ids(&order.map(|row: usize| rows[row].clone()), device));
        for (place, row) in order.into_iter().enumerate() {
            let found = row_from(&shuffled, place, 0);
            assert_close(family, &found, &row_from(&ordered, row, 0), TOLERANCE);
        }
    }
}

fn packed_documents_are_the_documents_alone(device: &Device) {
    for family in FAMILIES {
        let model = lively(family, device);
        // Two rows, so that documents of one row cannot be taken for those of another.
        let rows = [[5, 4, 3], [1, 7, 4]].map(|lengths| lengths.map(|length| some_ids(length, 0)));
        let pack = |what: &dyn Fn(u32, u32, u32) -> u32| {
            let packed = rows.each_ref().map(|documents| {
                let documents = (0..).zip(documents);
                let tokens = documents.flat_map(|(number, document)| {
                    let document = (0..).zip(document);
                    document.map(move |(position, id)| what(number, position, *id))
                });
                tokens.collect::<Vec<u32>>()
            });
            ids(&packed, device)
        };
        let logits = model.forward_input(BackboneInput {
            position_ids: Some(pack(&|_, position, _| position)),
            segment_ids: Some(pack(&|number, _, _| number)),
            ..BackboneInput::new(pack(&|_, _, id| id))
        });
        for (row, documents) in rows.iter().enumerate() {
            let expected: Vec<f32> =
                documents.iter().flat_map(|document| alone(&model, document, device)).collect();
            assert_close(family, &row_from(&logits, row, 0), &expected, TOLERANCE);
        }
    }
}
