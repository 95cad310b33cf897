//! Training curves, schedules and losses against PyTorch's (`shared/golden/training`).
#![expect(clippy::print_stderr, reason = "a skipped comparison must be seen")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use burn::tensor::{Int, Tensor, TensorData};
use wuji_data::TokenBatch;
use wuji_device::DeviceSpec;
use wuji_model::CausalLm;
use wuji_model::weights::TensorFiles;
use wuji_training::{
    BatchSource, CausalLmObjective, OptimizerKind, Schedule, StepEvent, TrainObserver, Trainer,
    TrainingConfig, TrainingError, WarmupRule,
};

const LOSS_RELATIVE: f64 = 2e-5;
const STEPS: u64 = 20;
/// Width of the golden model; the key third of its attention bias has a true gradient of zero.
const HIDDEN: usize = 32;

fn golden(case: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from);
    let dir = root.join("golden/training").join(case);
    if !dir.is_dir() {
        eprintln!("SKIPPED: golden training/{case}: not found");
        return None;
    }
    Some(dir)
}

/// The case's batches, cut into micro-batches, with some labels ignored where the case says so.
struct GoldenBatches {
    ids: Vec<i64>,
    ignored: Option<Vec<i64>>,
    rows: usize,
    width: usize,
    micro_steps: usize,
}

impl GoldenBatches {
    fn open(case: &Path, micro_steps: usize) -> Self {
        let init = TensorFiles::open(&case.join("../gpt-init/expected.safetensors")).unwrap();
        let expected = TensorFiles::open(&case.join("expected.safetensors")).unwrap();
        let shape = init.shape("batches").unwrap();
        Self {
            rows: shape[1],
            width: shape[2],
            ids: init.read_i64("batches").unwrap(),
            ignored: expected.read_i64("in.ignored").ok(),
            micro_steps,
        }
    }
}

impl BatchSource<TokenBatch> for GoldenBatches {
    fn batch(&self, step: u64, micro: u32) -> Result<TokenBatch, TrainingError> {
        let (batch, context) = (self.rows / self.micro_steps, self.width - 1);
        let (mut input_ids, mut labels) = (Vec::new(), Vec::new());
        for row in 0..batch {
            let row = step as usize * self.rows + micro as usize * batch + row;
            let ids = &self.ids[row * self.width..][..self.width];
            input_ids.extend(ids[..context].iter().map(|id| *id as u32));
            for (column, id) in ids[1..].iter().enumerate() {
                let ignored = self.ignored.as_ref().map(|all| all[row * context + column]);
                labels.push(if ignored == Some(1) { -100 } else { *id });
            }
        }
        Ok(TokenBatch { batch, context, input_ids, labels, segment_ids: None, position_ids: None })
    }
}

#[derive(Clone, Default)]
struct Losses(Arc<Mutex<Vec<StepEvent>>>);

impl TrainObserver for Losses {
    fn on_step(&mut self, event: &StepEvent) -> Result<(), TrainingError> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

fn config() -> TrainingConfig {
    TrainingConfig {
        max_steps: STEPS,
        learning_rate: 3e-3,
        min_learning_rate: 0.0,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        weight_decay: 0.0,
        max_grad_norm: 0.0,
        ..TrainingConfig::default()
    }
}

fn check_curve(case: &str, config: TrainingConfig, final_tolerance: f32) {
    let Some(dir) = golden(case) else { return };
    let device = DeviceSpec::default().open().unwrap();
    let expected = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
    let batches = GoldenBatches::open(&dir, config.gradient_accumulation_steps as usize);
    let objective =
        CausalLmObjective { label_smoothing: config.label_smoothing, ..Default::default() };
    let model = CausalLm::from_dir(&dir.join("../gpt-init"), &device).unwrap();
    let losses = Losses::default();
    let mut trainer = Trainer::new(config, model, &device).unwrap().with_observer(losses.clone());
    trainer.run(&objective, &batches, None).unwrap();
    let events = losses.0.lock().unwrap();
    for (event, expected) in events.iter().zip(expected.read_f32("losses").unwrap()) {
        let expected = f64::from(expected);
        let error = (event.loss - expected).abs() / expected;
        assert!(error <= LOSS_RELATIVE, "{case} step {}: {} ≠ {expected}", event.step, event.loss);
    }
    if let Ok(norms) = expected.read_f32("grad_norms") {
        for (event, expected) in events.iter().zip(norms) {
            let error = (event.grad_norm - f64::from(expected)).abs() / f64::from(expected);
            assert!(
                error <= 1e-4,
                "{case} step {}: norm {} ≠ {expected}",
                event.step,
                event.grad_norm
            );
        }
    }
    if let Ok(rates) = expected.read_f32("lrs") {
        for (event, expected) in events.iter().zip(rates) {
            assert!((event.learning_rate - f64::from(expected)).abs() < 1e-9, "{case} rate");
        }
    }
    let mut compared = 0;
    for tensor in trainer.trained_model().file_tensors() {
        let Ok(values) = expected.read_f32(&format!("final.{}", tensor.name)) else { continue };
        for (index, (found, expected)) in tensor.values.iter().zip(values).enumerate() {
            let key_bias =
                tensor.name.ends_with("c_attn.bias") && (HIDDEN..2 * HIDDEN).contains(&index);
            let error = (found - expected).abs();
            assert!(
                key_bias || error <= final_tolerance,
                "{case} {}[{index}]: {found} ≠ {expected}",
                tensor.name
            );
        }
        compared += 1;
    }
    let expected_count = expected.names().filter(|name| name.starts_with("final.")).count();
    assert_eq!(compared, expected_count, "{case}: final weights compared");
}

#[test]
fn golden_sgd() {
    let sgd = OptimizerKind::Sgd;
    check_curve("sgd", TrainingConfig { optimizer: sgd, learning_rate: 0.5, ..config() }, 1e-5);
}

#[test]
fn golden_sgd_momentum() {
    let config = TrainingConfig {
        optimizer: OptimizerKind::Momentum,
        learning_rate: 0.1,
        momentum: 0.9,
        ..config()
    };
    check_curve("sgd-momentum", config, 1e-5);
}

#[test]
fn golden_label_smoothing() {
    let config = TrainingConfig {
        optimizer: OptimizerKind::Sgd,
        learning_rate: 0.3,
        label_smoothing: 0.1,
        ..config()
    };
    check_curve("label-smoothing", config, 1e-5);
}

#[test]
fn golden_adagrad() {
    let config = TrainingConfig {
        optimizer: OptimizerKind::Adagrad,
        learning_rate: 0.02,
        epsilon: 1e-10,
        ..config()
    };
    check_curve("adagrad", config, 5e-4);
}

#[test]
fn golden_adam() {
    let config = TrainingConfig { optimizer: OptimizerKind::Adam, beta2: 0.999, ..config() };
    check_curve("adam", config, 5e-4);
}

#[test]
fn golden_adamw_on_all_parameters() {
    let config = TrainingConfig { weight_decay: 0.1, decay_vectors: true, ..config() };
    check_curve("adamw", config, 5e-4);
}

#[test]
fn golden_adamw_on_matrices() {
    check_curve("adamw-nodecay1d", TrainingConfig { weight_decay: 0.1, ..config() }, 5e-4);
}

#[test]
fn golden_adamw_with_clipping() {
    let config = TrainingConfig { weight_decay: 0.1, max_grad_norm: 1.0, ..config() };
    check_curve("adamw-clip", config, 5e-4);
}

#[test]
fn golden_adamw_with_cosine() {
    let config = TrainingConfig {
        weight_decay: 0.1,
        max_grad_norm: 1.0,
        learning_rate: 5e-3,
        schedule: Schedule::Cosine,
        warmup_steps: 4,
        warmup_rule: WarmupRule::FromZero,
        ..config()
    };
    check_curve("adamw-cosine", config, 5e-4);
}

#[test]
fn golden_accumulation_with_ignored_labels() {
    let config = TrainingConfig { gradient_accumulation_steps: 4, ..config() };
    check_curve("accum4-masked", config, 5e-4);
}

#[test]
fn golden_schedules() {
    let Some(dir) = golden("schedules") else { return };
    let expected = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
    let base = TrainingConfig {
        max_steps: 60,
        warmup_steps: 10,
        warmup_rule: WarmupRule::FromZero,
        learning_rate: 1e-3,
        min_learning_rate: 0.0,
        ..TrainingConfig::default()
    };
    let floor = 1e-4;
    for (case, schedule, min_learning_rate) in [
        ("constant_with_warmup", Schedule::Constant, 0.0),
        ("linear", Schedule::Linear, 0.0),
        ("cosine", Schedule::Cosine, 0.0),
        ("cosine_min_lr_rate_0_1", Schedule::Cosine, floor),
        ("inverse_sqrt", Schedule::InverseSqrt, 0.0),
        ("wsd_linear", Schedule::Wsd, floor),
    ] {
        let config =
            TrainingConfig { schedule, min_learning_rate, decay_steps: 15, ..base.clone() };
        let rates = expected.read_f32(&format!("lr.{case}")).unwrap();
        for (step, expected) in rates.into_iter().take(60).enumerate() {
            let found = Schedule::learning_rate(&config, 1e-3, step as u64);
            let error = (found - f64::from(expected)).abs();
            assert!(
                error <= 1e-6 * f64::from(expected) + 1e-12,
                "{case} {step}: {found} ≠ {expected}"
            );
        }
    }
}

#[test]
fn golden_cross_entropy() {
    let Some(dir) = golden("losses") else { return };
    let device = DeviceSpec::default().open().unwrap().autodiff();
    let expected = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
    let logits = TensorData::new(expected.read_f32("in.logits").unwrap(), [21, 11]);
    let labels = expected.read_i64("in.labels").unwrap();
    let kept = labels.iter().filter(|label| **label != -100).count() as f64;
    let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [21]), &device);
    for (case, smoothing, divisor) in [
        ("ce_sum", 0.0, 1.0),
        ("ce_mean", 0.0, kept),
        ("ce_smooth_0.05", 0.05, kept),
        ("ce_smooth_0.1", 0.1, kept),
        ("ce_smooth_0.3", 0.3, kept),
    ] {
        let logits = Tensor::<2>::from_data(logits.clone(), &device).require_grad();
        let loss = wuji_kernels::cross_entropy_sum(
            logits.clone(),
            labels.clone(),
            wuji_kernels::CrossEntropy::smoothed(smoothing),
        ) / divisor;
        let found: f32 = loss.clone().into_scalar();
        let value = expected.read_f32(case).unwrap()[0];
        assert!((found - value).abs() <= 1e-5 * value, "{case}: {found} ≠ {value}");
        if case == "ce_smooth_0.1" {
            let gradient = logits.grad(&loss.backward()).unwrap().into_data();
            let golden = expected.read_f32("grad_ce_smooth_0.1").unwrap();
            for (found, expected) in gradient.iter::<f32>().zip(golden) {
                assert!((found - expected).abs() <= 1e-6, "{found} ≠ {expected}");
            }
        }
    }
}
