//! The tokens of a pass and everything that is said of each of them.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji_model::{Architecture, BackboneInput, Positions};

use super::reader::{Expected, Matrix, Reader};
use crate::WujiError;

/// Checked inputs of a stack, `[batch, seq]` but for the mask.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) shape: [usize; 2],
    input_ids: Vec<i64>,
    mask: Option<Mask>,
    position_ids: Option<Vec<i64>>,
    block_position_ids: Option<Vec<i64>>,
    token_type_ids: Option<Vec<i64>>,
}

/// What may be seen; 0 is no, everything else yes.
#[derive(Debug)]
enum Mask {
    /// The real tokens, `[batch, seq]`.
    Keys(Vec<i64>),
    /// Who sees whom, `[batch, query, key]`.
    Pairs(Vec<i64>),
}

impl Tokens {
    /// Reads what there is for a stack of this architecture.
    pub(super) fn read(reader: &Reader, a: &Architecture) -> Result<Self, WujiError> {
        let (shape, input_ids) = Self::read_ids(reader, a.vocab_size)?;
        let expected = Expected { shape: &shape, source: "that of input_ids" };
        let rows = position_rows(a).map_or(i64::MAX, |rows| rows as i64);
        let like = |name, limit: i64| reader.like(name, expected, 0..limit, &[]);
        let tokens = Self {
            shape,
            mask: Mask::read(reader, shape)?,
            position_ids: like("position_ids", rows)?,
            block_position_ids: like("block_position_ids", rows)?,
            token_type_ids: like("token_type_ids", a.token_types as i64)?,
            input_ids,
        };
        if tokens.position_ids.is_none() {
            tokens.check_length(reader, a)?;
        }
        Ok(tokens)
    }

    /// Reads ids and a mask of keys, for a model without positions or kinds of token.
    pub(super) fn read_unplaced(reader: &Reader, vocab_size: usize) -> Result<Self, WujiError> {
        let (shape, input_ids) = Self::read_ids(reader, vocab_size)?;
        let mask = Mask::read(reader, shape)?;
        let tokens = Self {
            shape,
            input_ids,
            mask,
            position_ids: None,
            block_position_ids: None,
            token_type_ids: None,
        };
        if tokens.has_pairs() {
            let problem = format!("has three dimensions; expected {shape:?}");
            return Err(reader.bad("attention_mask", problem));
        }
        Ok(tokens)
    }

    fn read_ids(reader: &Reader, vocab_size: usize) -> Result<Matrix, WujiError> {
        let ids = reader.matrix("input_ids", 0..vocab_size as i64, &[])?;
        ids.ok_or_else(|| reader.missing("input_ids"))
    }

    /// Whether counted positions stay within the table.
    fn check_length(&self, reader: &Reader, a: &Architecture) -> Result<(), WujiError> {
        let [_, seq] = self.shape;
        let (length, limit) = match a.positions {
            Positions::Learned | Positions::LearnedTwice => (seq, a.max_position_embeddings),
            Positions::LearnedAfterPadding { padding_id } => {
                let is_real = |id: &&i64| **id != padding_id as i64;
                let rows = self.input_ids.chunks_exact(seq);
                let longest = rows.map(|row| row.iter().filter(is_real).count()).max();
                let limit = a.max_position_embeddings.saturating_sub(padding_id + 1);
                (longest.unwrap_or(0), limit)
            }
            _ => return Ok(()),
        };
        if length <= limit {
            return Ok(());
        }
        let problem = format!("has {length} columns; the model has {limit} positions");
        Err(reader.bad("input_ids", problem))
    }

    /// The ids alone.
    pub(super) fn ids(&self, device: &Device) -> Tensor<2, Int> {
        integers(&self.input_ids, self.shape, device)
    }

    /// What the stack reads.
    pub(super) fn input(&self, device: &Device) -> BackboneInput {
        let tensor = |values: &Vec<i64>| integers(values, self.shape, device);
        let (attention_mask, pair_mask) = match &self.mask {
            None => (None, None),
            Some(Mask::Keys(values)) => (Some(tensor(values).not_equal_scalar(0)), None),
            Some(Mask::Pairs(values)) => {
                let [batch, seq] = self.shape;
                let pairs = integers(values, [batch, seq, seq], device);
                (None, Some(pairs.not_equal_scalar(0)))
            }
        };
        BackboneInput {
            attention_mask,
            pair_mask,
            position_ids: self.position_ids.as_ref().map(tensor),
            block_position_ids: self.block_position_ids.as_ref().map(tensor),
            token_type_ids: self.token_type_ids.as_ref().map(tensor),
            ..BackboneInput::new(self.ids(device))
        }
    }

    /// Which tokens are no padding, in the order of the ids; `None` where nothing says so.
    pub(super) fn real(&self) -> Option<Vec<bool>> {
        match self.mask.as_ref()? {
            Mask::Keys(values) => Some(values.iter().map(|value| *value != 0).collect()),
            Mask::Pairs(values) => {
                // Padding may see others, but not itself.
                let [batch, seq] = self.shape;
                let sees_itself = |at: usize| values[at * seq + at % seq] != 0;
                Some((0..batch * seq).map(sees_itself).collect())
            }
        }
    }

    /// The same as a tensor `[batch, seq]`; all are real where nothing says otherwise.
    pub(super) fn real_tensor(&self, device: &Device) -> Tensor<2, Bool> {
        let real = self.real().unwrap_or_else(|| vec![true; self.input_ids.len()]);
        let real: Vec<i64> = real.into_iter().map(i64::from).collect();
        integers(&real, self.shape, device).not_equal_scalar(0)
    }

    /// Whether the mask is of pairs.
    pub(super) fn has_pairs(&self) -> bool {
        matches!(self.mask, Some(Mask::Pairs(_)))
    }
}

impl Mask {
    fn read(reader: &Reader, [batch, seq]: [usize; 2]) -> Result<Option<Self>, WujiError> {
        let name = "attention_mask";
        let all = i64::MIN..i64::MAX;
        if reader.shape(name).is_some_and(|found| found.len() == 3) {
            let expected =
                Expected { shape: &[batch, seq, seq], source: "every query and key of input_ids" };
            return Ok(reader.like(name, expected, all, &[])?.map(Self::Pairs));
        }
        let expected = Expected { shape: &[batch, seq], source: "that of input_ids" };
        Ok(reader.like(name, expected, all, &[])?.map(Self::Keys))
    }
}

/// Rows of the tables in which positions are looked up; rotations and biases have no table to run
/// out of.
fn position_rows(a: &Architecture) -> Option<usize> {
    match a.positions {
        Positions::Learned
        | Positions::LearnedTwice
        | Positions::LearnedAfterPadding { .. }
        | Positions::Sinusoidal => Some(a.max_position_embeddings),
        Positions::None | Positions::Rotary(_) | Positions::RelativeBias { .. } => None,
    }
}

/// Integers as a tensor.
pub(super) fn integers<const D: usize>(
    values: &[i64],
    shape: [usize; D],
    device: &Device,
) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}
