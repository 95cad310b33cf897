//! The three kinds of batch, as what a test changes in any of them.

use wuji::data::objectives::{MaskedBatch, Seq2SeqBatch};
use wuji::data::{IGNORE_INDEX, TokenBatch};

use crate::tiny_models::VOCAB_SIZE;

/// A batch whose labels stand at the places of some of its ids.
pub trait Parts {
    /// Places of a row.
    fn row_length(&self) -> usize;

    /// What is to be said at each place.
    fn labels(&mut self) -> &mut [i64];

    /// What is read at each place.
    fn inputs(&mut self) -> &mut [u32];

    /// Puts other ids wherever there is no text.
    fn change_padding(&mut self);

    /// Keeps the labels whose number in the batch, counted from 0, satisfies `keep`.
    fn keep_labels(&mut self, keep: &dyn Fn(usize) -> bool) {
        let labelled = self.labels().iter_mut().filter(|label| **label != IGNORE_INDEX);
        for (_, label) in labelled.enumerate().filter(|(number, _)| !keep(*number)) {
            *label = IGNORE_INDEX;
        }
    }

    /// Keeps the first label of each row, and changes every id that is read after its place.
    fn change_what_follows_the_first_label(&mut self) {
        let length = self.row_length();
        for row in 0..self.labels().len() / length {
            let places = row * length..(row + 1) * length;
            let labels = &mut self.labels()[places.clone()];
            let Some(first) = labels.iter().position(|label| *label != IGNORE_INDEX) else {
                continue;
            };
            labels[first + 1..].fill(IGNORE_INDEX);
            self.inputs()[places][first + 1..].iter_mut().for_each(another);
        }
    }

    /// Changes every id that is read.
    fn change_all_that_is_read(&mut self) {
        self.inputs().iter_mut().for_each(another);
    }
}

/// Another id of the vocabulary.
fn another(id: &mut u32) {
    *id = (*id + 7) % VOCAB_SIZE as u32;
}

/// Changes what stands behind the last label of each row, which nothing that counts can see.
fn change_behind_the_labels(labels: &[i64], inputs: &mut [u32], length: usize) {
    for (labels, inputs) in labels.chunks(length).zip(inputs.chunks_mut(length)) {
        let labelled = labels.iter().rposition(|label| *label != IGNORE_INDEX);
        inputs[labelled.map_or(0, |last| last + 1)..].iter_mut().for_each(another);
    }
}

/// Changes what the mask hides.
fn change_hidden(mask: &[u32], inputs: &mut [u32]) {
    let hidden = inputs.iter_mut().zip(mask).filter(|(_, mask)| **mask == 0);
    hidden.for_each(|(id, _)| another(id));
}

impl Parts for TokenBatch {
    fn row_length(&self) -> usize {
        self.context
    }

    fn labels(&mut self) -> &mut [i64] {
        &mut self.labels
    }

    fn inputs(&mut self) -> &mut [u32] {
        &mut self.input_ids
    }

    fn change_padding(&mut self) {
        change_behind_the_labels(&self.labels, &mut self.input_ids, self.context);
    }
}

impl Parts for MaskedBatch {
    fn row_length(&self) -> usize {
        self.seq
    }

    fn labels(&mut self) -> &mut [i64] {
        &mut self.labels
    }

    fn inputs(&mut self) -> &mut [u32] {
        &mut self.input_ids
    }

    fn change_padding(&mut self) {
        change_hidden(&self.attention_mask, &mut self.input_ids);
    }
}

impl Parts for Seq2SeqBatch {
    fn row_length(&self) -> usize {
        self.target_len
    }

    fn labels(&mut self) -> &mut [i64] {
        &mut self.labels
    }

    fn inputs(&mut self) -> &mut [u32] {
        &mut self.decoder_input_ids
    }

    fn change_padding(&mut self) {
        change_hidden(&self.attention_mask, &mut self.input_ids);
        change_behind_the_labels(&self.labels, &mut self.decoder_input_ids, self.target_len);
    }
}
