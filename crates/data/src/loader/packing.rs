//! Whether a row may look across the documents that it holds.
//!
//! Documents lie one after the other in a shard, each ended by the separator, and a row is cut
//! from that sequence wherever it falls. Nothing is padded and no token is thrown away.

use serde::{Deserialize, Serialize};

use super::batch::RowMut;
use super::sampling::{Row, Run};
use crate::shard::TokenShards;

/// What a position may attend to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    /// Everything before it in the row, as GPT-2 and GPT-3 were trained.
    #[default]
    DocumentsCross,
    /// Only its own document: the batch carries segment ids, positions begin again with each
    /// document, and no separator is asked to predict the beginning of an unrelated document. The
    /// loss is then that of the documents one by one.
    DocumentMask,
}

/// Writes the text of a row into a batch that holds padding.
pub(super) fn fill_row(shards: &TokenShards, row: &Row, mut out: RowMut<'_>) {
    fill_run(shards, row.first, 0, &mut out, 0);
    if let Some(second) = row.second {
        // The same document may stand at the end and at the beginning of the ring; numbers past
        // the last document keep the two apart.
        fill_run(shards, second, row.first.labels, &mut out, shards.document_count());
    }
}

fn fill_run(shards: &TokenShards, run: Run, at: usize, out: &mut RowMut<'_>, segment_base: u64) {
    let mut tokens = vec![0; run.labels + 1];
    shards.read(run.start, &mut tokens);
    // The last token of the text is seen too, although nothing is left to predict from it.
    let inputs = tokens.len().min(out.input_ids.len() - at);
    out.input_ids[at..at + inputs].copy_from_slice(&tokens[..inputs]);
    for (label, &token) in out.labels[at..].iter_mut().zip(&tokens[1..]) {
        *label = i64::from(token);
    }
    if let Some((segments, positions)) = &mut out.documents {
        let range = at..at + inputs;
        let (segments, positions) = (&mut segments[range.clone()], &mut positions[range.clone()]);
        mark_documents(shards, run.start, segment_base, segments, positions);
        ignore_first_tokens(shards, run, segments, segment_base, &mut out.labels[at..]);
    }
}

/// Numbers the positions that hold the tokens from `start` on: by document, and inside it.
fn mark_documents(
    shards: &TokenShards,
    start: u64,
    segment_base: u64,
    segments: &mut [u32],
    positions: &mut [u32],
) {
    let mut done = 0;
    while done < segments.len() {
        let document = shards.document_of(start + done as u64);
        let left_of_document = shards.document_start(document + 1) - (start + done as u64);
        let end = segments.len().min(done.saturating_add(left_of_document as usize));
        segments[done..end].fill(segment_number(segment_base + document));
        for (position, slot) in (0..).zip(&mut positions[done..end]) {
            *slot = position;
        }
        done = end;
    }
}

/// Ignores every label that belongs to another document than its input.
fn ignore_first_tokens(
    shards: &TokenShards,
    run: Run,
    segments: &[u32],
    segment_base: u64,
    labels: &mut [i64],
) {
    let after = segment_base + shards.document_of(run.start + run.labels as u64);
    let following = segments[1..].iter().copied().chain([segment_number(after)]);
    for ((label, &segment), next) in labels[..run.labels].iter_mut().zip(segments).zip(following) {
        if segment != next {
            *label = super::IGNORE_INDEX;
        }
    }
}

/// Only equality inside a row matters, so numbers may wrap; they never meet the padding's.
fn segment_number(document: u64) -> u32 {
    (document % u64::from(u32::MAX)) as u32
}
