//! A loader's batch through every objective: pure, with a loss only where there should be one.

use proptest::prelude::*;
use wuji_data::TokenBatch;
use wuji_data::objectives::{
    BlankInfillingOptions, CausalLmOptions, FillInTheMiddleOptions, IidDenoisingOptions,
    MaskedBatch, MaskingOptions, ObjectiveBatch, ObjectiveOptions, PrefixLmOptions, Seq2SeqBatch,
    SpanCorruptionOptions, SpecialIds, step_seed, transform_batch,
};

/// Ids 0 to 9 are special, the last 50 are sentinels.
fn special() -> SpecialIds {
    SpecialIds {
        pad: Some(0),
        cls: Some(1),
        sep: Some(2),
        mask: Some(3),
        eos: Some(4),
        start_of_piece: Some(5),
        end_of_piece: Some(6),
        fim_prefix: Some(7),
        fim_middle: Some(8),
        fim_suffix: Some(9),
        ..SpecialIds::new(1000)
    }
    .with_descending_sentinels(50)
}

/// Rows of consecutive ids; the last row has only `partial` labels.
fn batch(rows: usize, context: usize, partial: usize) -> TokenBatch {
    let size = rows * context;
    let mut batch = TokenBatch {
        batch: rows,
        context,
        input_ids: (10..10 + size as u32).collect(),
        labels: (11..11 + size as i64).collect(),
        segment_ids: None,
        position_ids: None,
    };
    let last = size - context;
    batch.labels[last + partial..].fill(-100);
    if partial + 1 < context {
        batch.input_ids[last + partial + 1..].fill(0);
    }
    batch
}

fn all() -> Vec<ObjectiveOptions> {
    vec![
        ObjectiveOptions::CausalLm(CausalLmOptions::default()),
        ObjectiveOptions::FillInTheMiddle(FillInTheMiddleOptions::default()),
        ObjectiveOptions::MaskedLm(MaskingOptions::default()),
        ObjectiveOptions::PrefixLm(PrefixLmOptions::default()),
        ObjectiveOptions::BlankInfilling(BlankInfillingOptions::default()),
        ObjectiveOptions::SpanCorruption(SpanCorruptionOptions::default()),
        ObjectiveOptions::IidDenoising(IidDenoisingOptions::default()),
    ]
}

fn transformed(options: &ObjectiveOptions, batch: &TokenBatch, seed: u64) -> ObjectiveBatch {
    transform_batch(options, &special(), batch, seed).expect("valid")
}

fn masked(options: ObjectiveOptions, batch: &TokenBatch, seed: u64) -> MaskedBatch {
    match transformed(&options, batch, seed) {
        ObjectiveBatch::Masked(batch) => batch,
        other => panic!("expected a masked batch, got {other:?}"),
    }
}

fn seq2seq(options: ObjectiveOptions, batch: &TokenBatch, seed: u64) -> Seq2SeqBatch {
    match transformed(&options, batch, seed) {
        ObjectiveBatch::Seq2Seq(batch) => batch,
        other => panic!("expected a batch of pairs, got {other:?}"),
    }
}

#[test]
fn the_same_arguments_give_the_same_batch_and_another_seed_another() {
    let text = batch(4, 64, 64);
    for options in all() {
        let seed = step_seed(7, 100, 1);
        assert_eq!(transformed(&options, &text, seed), transformed(&options, &text, seed));
        let other = transformed(&options, &text, step_seed(7, 101, 1));
        let moves = !matches!(options, ObjectiveOptions::CausalLm(_));
        assert_eq!(transformed(&options, &text, seed) != other, moves, "{}", options.kind());
    }
}

#[test]
fn a_row_is_transformed_by_its_seed_and_not_by_its_neighbours() {
    let one = batch(1, 64, 64);
    let two = batch(2, 64, 64);
    for options in all() {
        let ids = |batch: ObjectiveBatch| match batch {
            ObjectiveBatch::Causal(batch) => batch.input_ids,
            ObjectiveBatch::Masked(batch) => batch.input_ids,
            ObjectiveBatch::Seq2Seq(batch) => batch.input_ids,
        };
        let (one, two) = (ids(transformed(&options, &one, 3)), ids(transformed(&options, &two, 3)));
        let text: Vec<u32> = one.into_iter().filter(|&id| id != 0).collect();
        assert_eq!(two[..text.len()], text, "{}", options.kind());
    }
}

#[test]
fn causal_lm_is_the_loaders_batch() {
    let text = batch(2, 16, 9);
    let options = ObjectiveOptions::default();
    assert_eq!(transformed(&options, &text, 1), ObjectiveBatch::Causal(text));
}

#[test]
fn masked_lm_labels_are_the_text_and_only_selected_positions_change() {
    let text = batch(3, 64, 20);
    let masked = masked(ObjectiveOptions::MaskedLm(MaskingOptions::default()), &text, 5);
    assert_eq!((masked.batch, masked.seq), (3, 64));
    assert!(masked.label_count() > 0);
    for (at, &label) in masked.labels.iter().enumerate() {
        match label {
            -100 => assert_eq!(masked.input_ids[at], text.input_ids[at]),
            label => assert_eq!(label, i64::from(text.input_ids[at])),
        }
    }
    // The last row holds 20 labels' worth of text and the token after it; the rest is padding.
    let last = &masked.attention_mask[128..];
    assert_eq!(last.iter().sum::<u32>(), 21);
    assert!(masked.labels[128 + 21..].iter().all(|&label| label == -100));
    assert!(masked.attends(0, 0, 63) && !masked.attends(2, 0, 21));
}

#[test]
fn masked_lm_frames_a_window_when_asked_and_never_masks_the_frame() {
    let options = MaskingOptions { add_special_tokens: true, ..MaskingOptions::default() };
    for seed in 0..50 {
        let masked = masked(ObjectiveOptions::MaskedLm(options.clone()), &batch(1, 32, 32), seed);
        assert_eq!((masked.input_ids[0], masked.input_ids[31]), (1, 2));
        assert_eq!((masked.labels[0], masked.labels[31]), (-100, -100));
    }
}

#[test]
fn masked_documents_stay_apart_and_other_objectives_refuse_them() {
    let mut text = batch(1, 8, 8);
    text.segment_ids = Some(vec![0, 0, 0, 1, 1, 1, u32::MAX, u32::MAX]);
    text.position_ids = Some(vec![0, 1, 2, 0, 1, 2, 0, 0]);
    for options in all() {
        let result = transform_batch(&options, &special(), &text, 1);
        match options {
            ObjectiveOptions::CausalLm(_) => assert!(result.is_ok()),
            ObjectiveOptions::MaskedLm(_) => {
                let ObjectiveBatch::Masked(batch) = result.expect("valid") else { panic!("kind") };
                assert_eq!(batch.attention_mask, [1, 1, 1, 1, 1, 1, 0, 0]);
                assert!(batch.attends(0, 3, 5) && !batch.attends(0, 3, 2));
                assert!(!batch.attends(0, 3, 6));
                assert_eq!(batch.position_ids.as_ref(), text.position_ids.as_ref());
            }
            _ => {
                let message = result.expect_err("refused").to_string();
                assert!(message.starts_with("packing: expected \"documents-cross\""), "{message}");
            }
        }
    }
}

#[test]
fn prefix_labels_are_the_rows_own_after_the_prefix_and_ignored_before() {
    let mut text = batch(3, 32, 10);
    // Where a row runs over the end of the text, the next label is not the next token.
    text.labels[31] = 777;
    for seed in 0..50 {
        let masked = masked(ObjectiveOptions::PrefixLm(PrefixLmOptions {}), &text, seed);
        let prefixes = masked.prefix_len.as_ref().expect("prefixes");
        for (at, &label) in masked.labels.iter().enumerate() {
            let (row, position) = (at / 32, at % 32);
            let prefix = prefixes[row] as usize;
            let expected = if position + 1 < prefix { -100 } else { text.labels[at] };
            assert_eq!(label, expected, "row {row}, position {position}, prefix {prefix}");
        }
        assert!(prefixes[0] >= 1 && prefixes[0] <= 32 && prefixes[2] <= 10);
    }
}

#[test]
fn blank_infilling_has_a_loss_exactly_in_part_b() {
    let masked = masked(
        ObjectiveOptions::BlankInfilling(BlankInfillingOptions::default()),
        &batch(3, 64, 20),
        2,
    );
    let prefixes = masked.prefix_len.as_ref().expect("part A");
    for (at, &label) in masked.labels.iter().enumerate() {
        let (row, position) = (at / masked.seq, at % masked.seq);
        let part_b = position >= prefixes[row] as usize && masked.attention_mask[at] == 1;
        assert_eq!(label != -100, part_b, "row {row}, position {position}");
    }
}

#[test]
fn blank_infilling_pads_to_the_length_asked_for_and_refuses_less() {
    let padded = |length| {
        let options = BlankInfillingOptions {
            padded_length: Some(length),
            ..BlankInfillingOptions::default()
        };
        transform_batch(
            &ObjectiveOptions::BlankInfilling(options),
            &special(),
            &batch(2, 64, 64),
            2,
        )
    };
    let ObjectiveBatch::Masked(batch) = padded(128).expect("fits") else { panic!("kind") };
    assert_eq!((batch.seq, batch.input_ids.len()), (128, 256));
    assert!(padded(64).is_err());
}

#[test]
fn span_corruption_fills_inputs_and_targets_exactly() {
    let options = SpanCorruptionOptions::default();
    let objective = ObjectiveOptions::SpanCorruption(options);
    let lengths = options.window_for(128);
    assert_eq!(objective.window_for(128), lengths.tokens_length);
    let pairs = seq2seq(objective, &batch(3, lengths.tokens_length, lengths.tokens_length), 4);
    assert_eq!((pairs.source_len, pairs.target_len), (128, lengths.targets_length));
    assert!(pairs.attention_mask.iter().all(|&real| real == 1));
    assert_eq!(pairs.label_count(), 3 * lengths.targets_length);
}

#[test]
fn rows_without_text_have_no_loss_in_any_objective() {
    let mut text = batch(2, 32, 32);
    text.labels.fill(-100);
    text.input_ids.fill(0);
    for options in all() {
        assert_eq!(transformed(&options, &text, 9).label_count(), 0, "{}", options.kind());
    }
}

proptest! {
    #[test]
    fn corrupted_pairs_put_together_are_the_text(seed: u64, iid: bool) {
        let text = batch(2, 100, 60);
        let pairs = seq2seq(
            if iid {
                ObjectiveOptions::IidDenoising(IidDenoisingOptions::default())
            } else {
                ObjectiveOptions::SpanCorruption(SpanCorruptionOptions::default())
            },
            &text,
            seed,
        );
        for (row, length) in [100, 61].into_iter().enumerate() {
            let source = &pairs.input_ids[row * pairs.source_len..][..pairs.source_len];
            let labels = &pairs.labels[row * pairs.target_len..][..pairs.target_len];
            let together = put_together(source, labels);
            prop_assert_eq!(&together[..], &text.input_ids[row * 100..][..length]);
            // The decoder sees the labels one position late.
            let seen = &pairs.decoder_input_ids[row * pairs.target_len..][..pairs.target_len];
            prop_assert_eq!(seen[0], 0);
            for (&seen, &label) in seen[1..].iter().zip(labels) {
                prop_assert_eq!(i64::from(seen), label.max(0));
            }
        }
    }

    #[test]
    fn rearranged_rows_predict_their_own_next_token(seed: u64) {
        let text = batch(2, 40, 25);
        let options = ObjectiveOptions::FillInTheMiddle(FillInTheMiddleOptions::default());
        let ObjectiveBatch::Causal(rows) = transformed(&options, &text, seed) else { panic!("kind") };
        prop_assert_eq!(rows.label_count(), text.label_count());
        for row in 0..2 {
            for position in 0..39 {
                let at = row * 40 + position;
                if rows.labels[at] != -100 {
                    prop_assert_eq!(rows.labels[at], i64::from(rows.input_ids[at + 1]));
                }
            }
        }
    }
}

/// The text: each sentinel of the source replaced by what the labels have behind it.
fn put_together(source: &[u32], labels: &[i64]) -> Vec<u32> {
    let sentinel = |id: u32| id >= 950;
    let labels: Vec<u32> = labels.iter().filter_map(|&label| u32::try_from(label).ok()).collect();
    let mut text = Vec::new();
    for &id in source {
        if sentinel(id) {
            let at = labels.iter().position(|&label| label == id).expect("answered");
            text.extend(labels[at + 1..].iter().take_while(|&&id| !sentinel(id) && id != 4));
        } else if id > 9 {
            text.push(id);
        }
    }
    text
}

#[test]
fn options_have_defaults_and_unknown_keys_are_errors() {
    for options in all() {
        let text = format!("kind = '{}'", options.kind());
        assert_eq!(toml::from_str::<ObjectiveOptions>(&text).expect("defaults"), options);
        let error = toml::from_str::<ObjectiveOptions>(&format!("{text}\nmaks = 1"));
        let message = error.expect_err("unknown key").to_string();
        assert!(message.contains("maks"), "{message}");
        let written = toml::to_string(&options).expect("writes");
        assert_eq!(toml::from_str::<ObjectiveOptions>(&written).expect("reads"), options);
    }
}

#[test]
fn a_vocabulary_without_the_special_tokens_is_refused_by_name() {
    let bare = SpecialIds::new(1000);
    let missing: Vec<String> = all()
        .iter()
        .filter_map(|options| transform_batch(options, &bare, &batch(1, 8, 8), 1).err())
        .map(|error| error.to_string().split(':').next().unwrap_or_default().to_owned())
        .collect();
    let expected = [
        "special.fim_prefix",
        "special.mask",
        "special.mask",
        "special.sentinels",
        "special.sentinels",
    ];
    assert_eq!(missing, expected);
}

#[test]
fn wrong_values_are_refused_by_name() {
    let check = |text: &str, key: &str| {
        let options: ObjectiveOptions = toml::from_str(text).expect("parses");
        let message = options.validate(&special()).expect_err(key).to_string();
        assert!(message.starts_with(&format!("{key}: expected")), "{message}");
    };
    check("kind = 'span-corruption'\nnoise_density = 1.0", "noise_density");
    check("kind = 'span-corruption'\nmean_noise_span_length = 0", "mean_noise_span_length");
    check("kind = 'iid-denoising'\nnoise_density = -0.5", "noise_density");
    check("kind = 'blank-infilling'\nmask_ratio = 2", "mask_ratio");
    check("kind = 'blank-infilling'\nmean_span_length = nan", "mean_span_length");
    check("kind = 'blank-infilling'\nsentence_probability = 0.5", "special.sentence_mask");
    check("kind = 'fill-in-the-middle'\nfim_rate = 1.5", "fim_rate");
    check("kind = 'masked-lm'\nmlm_probability = 0", "mlm_probability");
}
