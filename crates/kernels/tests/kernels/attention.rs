//! Attention against the plain body: every mask, grouped heads, odd sizes.

use crate::common::{
    Leaf, Values, at_every_level, check, compare, evaluate, evaluate_inner, flat, numbers,
};
use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use proptest::prelude::*;
use wuji_kernels::{AttentionOptions, attention, attention_packed, plain};

/// One attention: `[batch, query, key, heads, kv_heads, head_dim, value_dim]`.
type Sizes = [usize; 7];

/// A mask with about a third of the keys forbidden, and one query that sees nothing.
fn random_mask(shape: [usize; 4], seed: u64, device: &Device) -> Tensor<4, Bool> {
    let values = Values::random(&shape, 1.0, seed).data;
    let keys = shape[3];
    let allowed: Vec<bool> =
        values.iter().enumerate().map(|(i, &v)| v > -0.3 && i / keys != 1).collect();
    Tensor::from_data(TensorData::new(allowed, shape), device)
}

fn inputs(sizes: Sizes, seed: u64) -> [Values; 3] {
    let [batch, query, key, heads, kv_heads, head_dim, value_dim] = sizes;
    [
        Values::random(&[batch, query, heads, head_dim], 1.5, seed),
        Values::random(&[batch, key, kv_heads, head_dim], 1.5, seed + 1),
        Values::random(&[batch, key, kv_heads, value_dim], 1.5, seed + 2),
    ]
}

fn check_case(sizes: Sizes, options: &AttentionOptions, mask: Option<[usize; 4]>, seed: u64) {
    let allowed = |x: &[Leaf]| {
        let device = x[0].get::<4>().device().without_autodiff();
        mask.map(|shape| random_mask(shape, seed, &device))
    };
    check(
        &inputs(sizes, seed),
        |x: &[Leaf]| flat(attention(x[0].get(), x[1].get(), x[2].get(), allowed(x), options)),
        |x| flat(plain::attention(x[0].get(), x[1].get(), x[2].get(), allowed(x), options)),
        5e-6,
    );
}

fn every_option() -> Vec<AttentionOptions> {
    let mut all = Vec::new();
    for causal in [false, true] {
        for sliding_window in [None, Some(1), Some(3), Some(1000)] {
            all.push(AttentionOptions { causal, sliding_window, scale: None });
        }
    }
    all.push(AttentionOptions { scale: Some(0.3), ..AttentionOptions::causal() });
    all
}

#[test]
fn small_sizes_agree_under_every_mask() {
    for options in every_option() {
        for (i, sizes) in [
            [1, 1, 1, 1, 1, 1, 1],
            [1, 3, 3, 2, 1, 2, 2],
            [2, 2, 5, 2, 2, 3, 1],
            [1, 4, 2, 2, 1, 2, 3],
        ]
        .into_iter()
        .enumerate()
        {
            let [batch, query, key, heads, ..] = sizes;
            check_case(sizes, &options, None, i as u64);
            check_case(sizes, &options, Some([batch, heads, query, key]), i as u64);
            check_case(sizes, &options, Some([1, 1, query, key]), i as u64);
            check_case(sizes, &options, Some([batch, 1, 1, key]), i as u64);
        }
    }
}

#[test]
fn sizes_beyond_one_block_agree() {
    let causal = AttentionOptions::causal();
    check_case([2, 64, 64, 4, 4, 32, 32], &causal, None, 1);
    check_case([1, 300, 300, 2, 1, 24, 40], &causal, None, 2);
    check_case([1, 37, 523, 3, 1, 17, 33], &causal, None, 3);
    check_case([1, 70, 600, 2, 2, 64, 64], &AttentionOptions::default(), Some([1, 1, 70, 600]), 4);
    let window = AttentionOptions { sliding_window: Some(40), ..causal };
    check_case([1, 530, 530, 1, 1, 16, 16], &window, None, 5);
    check_case([1, 1, 700, 4, 2, 64, 64], &window, None, 6);
}

#[test]
fn packed_operands_mean_the_same_as_separate_ones() {
    for (seed, [batch, seq, heads, kv_heads, head_dim]) in
        [[2, 5, 4, 2, 3], [1, 33, 3, 3, 16], [3, 64, 2, 1, 32]].into_iter().enumerate()
    {
        let width = (heads + 2 * kv_heads) * head_dim;
        let options = AttentionOptions::causal();
        let part = |x: &Tensor<3>, first: usize, count: usize| {
            let part = x.clone().narrow(2, first * head_dim, count * head_dim);
            part.reshape([batch, seq, count, head_dim])
        };
        check(
            &[Values::random(&[batch, seq, width], 1.5, seed as u64)],
            |x: &[Leaf]| flat(attention_packed(x[0].get(), heads, kv_heads, None, None, &options)),
            |x| {
                let x = x[0].get::<3>();
                let (q, k) = (part(&x, 0, heads), part(&x, heads, kv_heads));
                let v = part(&x, heads + kv_heads, kv_heads);
                flat(plain::attention(q, k, v, None, &options))
            },
            5e-6,
        );
    }
}

#[test]
fn operands_are_read_where_they_lie() {
    // [batch, heads, seq, dim] seen as [batch, seq, heads, dim], and a dimension that is strided.
    let values = [9, 10, 11].map(|seed| Values::random(&[2, 3, 7, 5], 1.5, seed));
    let options = AttentionOptions::causal();
    for turn in [|x: Tensor<4>| x.swap_dims(1, 2), |x: Tensor<4>| x.swap_dims(1, 3)] {
        check(
            &values,
            |x: &[Leaf]| {
                let [q, k, v] = [0, 1, 2].map(|i| turn(x[i].get()));
                flat(attention(q, k, v, None, &options))
            },
            |x| {
                let [q, k, v] = [0, 1, 2].map(|i| turn(x[i].get()));
                flat(plain::attention(q, k, v, None, &options))
            },
            5e-6,
        );
    }
}

#[test]
fn a_query_that_sees_nothing_gets_zeros_and_gives_no_gradient() {
    at_every_level(|level| {
        let device = Device::flex().autodiff();
        let leaf = |seed| {
            let values = Values::random(&[1, 2, 1, 4], 1.0, seed).data;
            let data = TensorData::new(values, [1, 2, 1, 4]).convert::<f32>();
            Tensor::<4>::from_data(data, &device).require_grad()
        };
        let [q, k, v] = [1, 2, 3].map(leaf);
        let allowed = TensorData::new(vec![false, false, true, true], [1, 1, 2, 2]);
        let allowed = Tensor::from_data(allowed, &device.clone().without_autodiff());
        let options = AttentionOptions::default();
        let y = attention(q.clone(), k, v, Some(allowed), &options);
        let grads = y.clone().sum().backward();
        assert_eq!(numbers(y)[..4], [0.0; 4], "{level:?}");
        let d_q = numbers(q.grad(&grads).expect("a gradient"));
        assert_eq!(d_q[..4], [0.0; 4], "{level:?}");
        assert!(d_q[4..].iter().all(|g| g.is_finite()), "{level:?}");
    });
}

#[test]
fn huge_scores_stay_finite() {
    let mut values = inputs([1, 20, 20, 2, 2, 8, 8], 5);
    for values in &mut values[..2] {
        values.data.iter_mut().for_each(|x| *x *= 1e4);
    }
    let options = AttentionOptions::causal();
    let fused = |x: &[Leaf]| flat(attention(x[0].get(), x[1].get(), x[2].get(), None, &options));
    let plain =
        |x: &[Leaf]| flat(plain::attention(x[0].get(), x[1].get(), x[2].get(), None, &options));
    let truth = evaluate(&plain, &values, DType::F64);
    at_every_level(|level| {
        let found = evaluate(&fused, &values, DType::F32);
        compare(&found.output, &truth.output, 1e-5, &format!("{level:?}"));
        assert!(found.gradients.iter().flatten().all(|g| g.is_finite()), "{level:?}");
    });
}

#[test]
fn decoding_one_query_equals_the_last_row_of_all() {
    let options = AttentionOptions::causal();
    let all = inputs([2, 50, 50, 6, 2, 16, 16], 8);
    let f = |x: &[Leaf]| flat(attention(x[0].get(), x[1].get(), x[2].get(), None, &options));
    let last = |x: &[Leaf]| {
        let q = x[0].get::<4>().narrow(1, 49, 1);
        flat(attention(q, x[1].get(), x[2].get(), None, &options))
    };
    at_every_level(|level| {
        let whole = evaluate_inner(&f, &all, DType::F32);
        let decoded = evaluate_inner(&last, &all, DType::F32);
        for batch in 0..2 {
            let row = &whole[(batch * 50 + 49) * 96..][..96];
            for (a, b) in row.iter().zip(&decoded[batch * 96..]) {
                assert!((a - b).abs() < 2e-6, "{level:?}: {a} and {b}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_shape_agrees(
        batch in 1usize..3,
        query in 1usize..40,
        key in 1usize..40,
        kv_heads in 1usize..3,
        group in 1usize..4,
        head_dim in 1usize..40,
        value_dim in 1usize..40,
        causal: bool,
        window in proptest::option::of(1usize..30),
        masked: bool,
        seed in 0u64..1000,
    ) {
        let options = AttentionOptions { causal, sliding_window: window, scale: None };
        let heads = group * kv_heads;
        let mask = masked.then_some([batch, 1, query, key]);
        check_case([batch, query, key, heads, kv_heads, head_dim, value_dim], &options, mask, seed);
    }
}

#[test]
fn a_bias_on_the_scores_has_its_gradient() {
    for (seed, [batch, seq, heads, kv_heads, head_dim, shared]) in
        [[2, 5, 4, 2, 3, 1], [3, 33, 3, 3, 16, 1], [2, 40, 2, 1, 32, 0], [1, 300, 2, 2, 8, 1]]
            .into_iter()
            .enumerate()
    {
        let width = (heads + 2 * kv_heads) * head_dim;
        let biases = if shared == 1 { 1 } else { batch };
        let values = [
            Values::random(&[batch, seq, width], 1.5, seed as u64),
            Values::random(&[biases, heads, seq, seq], 2.0, 50 + seed as u64),
        ];
        for causal in [false, true] {
            let options = AttentionOptions { causal, scale: Some(0.7), ..Default::default() };
            check(
                &values,
                |x: &[Leaf]| {
                    let bias = Some(x[1].get());
                    flat(attention_packed(x[0].get(), heads, kv_heads, bias, None, &options))
                },
                |x| {
                    let x0 = x[0].get::<3>();
                    let part = |first: usize, count: usize| {
                        let part = x0.clone().narrow(2, first * head_dim, count * head_dim);
                        part.reshape([batch, seq, count, head_dim])
                    };
                    let (q, k, v) =
                        (part(0, heads), part(heads, kv_heads), part(heads + kv_heads, kv_heads));
                    let bias = Some(x[1].get());
                    let weights = plain::attention_probabilities(q, k, bias, None, &options);
                    flat(plain::weighted_values(weights, v))
                },
                5e-6,
            );
        }
    }
}
