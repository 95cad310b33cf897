//! A training step: data, forward, backward, optimiser.
//!
//! The step is the trainer's own, made of the same parts in the same order; only the clock is read
//! between them, which on devices that compute in the background costs a wait per phase.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;
use wuji_data::shard::ShardSpec;
use wuji_data::{BatchLoader, LoaderOptions, Sampling, ShardWriter, TokenShard, TokenShards};
use wuji_model::{CausalLm, EncoderModel, Seq2SeqLm};
use wuji_training::{
    BatchSource, CausalLmObjective, GradientStore, LoaderBatches, MaskedLmObjective, Objective,
    Optimizer, Precision, Schedule, Seq2SeqObjective, TrainingBatch, TrainingConfig,
    measure_matmul_peak, peak_rss_mib,
};

use super::family::{masked_batch, pair_batch};
use super::{BenchFamily, BenchShape, Stopwatch, median, random_ids};
use crate::WujiError;

/// Steps before the clock counts: caches, allocator and frequency settle.
const WARMUP_STEPS: u64 = 3;
const FINGERPRINT: &str = "random";

/// What to time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainBench {
    /// Kind of model.
    pub family: BenchFamily,
    /// Model and batch.
    pub shape: BenchShape,
    /// Number format of the arithmetic.
    pub precision: Precision,
    /// Timed steps.
    pub steps: u64,
    /// Seed of weights and tokens.
    pub seed: u64,
}

/// Times and rates of a training step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// Kind of model.
    pub family: BenchFamily,
    /// What was timed.
    pub shape: BenchShape,
    /// Number format.
    pub precision: Precision,
    /// Timed steps.
    pub steps: u64,
    /// Parameters.
    pub params: usize,
    /// Median step.
    pub ms_per_step: f64,
    /// Fastest step.
    pub min_ms_per_step: f64,
    /// Tokens per second of the median step, padding and targets included.
    pub tokens_per_second: f64,
    /// Floating-point rate of the median step, in units of 10⁹; see [`BenchFamily::training_flops`].
    pub gflops: f64,
    /// The machine's f32 matrix-product rate, measured right after.
    pub peak_gflops: f64,
    /// The ratio of the two.
    pub peak_fraction: f64,
    /// Most memory used, MiB, where the system says.
    pub peak_rss_mib: Option<u64>,
    /// Median of each phase, which need not sum to the median step.
    pub phases_ms: PhaseTimes,
    /// Loss of the last step: proof that something was computed.
    pub loss: f64,
}

/// Milliseconds of the phases of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PhaseTimes {
    /// Waiting for the batch, which for a decoder is cut from the shard ahead, on another thread.
    pub data: f64,
    /// From token ids to the loss.
    pub forward: f64,
    /// From the loss to the gradients.
    pub backward: f64,
    /// Gradient norm, clipping and update.
    pub optimizer: f64,
}

/// Times training steps; `scratch` is a directory that holds the tokens meanwhile, and `on_step` is
/// told of each step.
///
/// # Errors
/// A precision that this version does not have, or no room for the tokens.
pub fn bench_train(
    bench: &TrainBench,
    device: &Device,
    scratch: &Path,
    on_step: &mut dyn FnMut(),
) -> Result<TrainReport, WujiError> {
    if !bench.precision.is_supported_on(device) {
        return Err(WujiError::Unsupported {
            what: "bf16 on this device".to_string(),
            instead: "use --precision f32 or --device flex".to_string(),
        });
    }
    let (config, tape) = (bench.family.model(&bench.shape)?, device.clone().autodiff());
    let (shape, seed) = (&bench.shape, bench.seed);
    let timed = match bench.family {
        BenchFamily::Gpt2 => {
            let dir = tempfile::tempdir_in(scratch)
                .map_err(|source| WujiError::io("creating a directory in", scratch, source))?;
            let batches = LoaderBatches::new(loader(bench, dir.path())?);
            let mut stream = batches.stream(0..WARMUP_STEPS + bench.steps.max(1), 1)?;
            let mut batch = |_| Ok(stream.next().expect("a batch for each step")?);
            let model = CausalLm::init(&config, seed, &tape)?;
            time(bench, model, &CausalLmObjective::default(), &mut batch, &tape, on_step)?
        }
        BenchFamily::Bert => {
            let mut batch = |step| Ok(masked_batch(shape, seed.wrapping_add(step)));
            let model = EncoderModel::init(&config, seed, &tape)?;
            time(bench, model, &MaskedLmObjective, &mut batch, &tape, on_step)?
        }
        BenchFamily::T5 => {
            let mut batch = |step| Ok(pair_batch(shape, seed.wrapping_add(step)));
            let model = Seq2SeqLm::init(&config, seed, &tape)?;
            time(bench, model, &Seq2SeqObjective::default(), &mut batch, &tape, on_step)?
        }
    };
    // Before the matrices of the measurement below take theirs.
    let memory = peak_rss_mib();
    let peak = measure_matmul_peak(&device.clone().without_autodiff()) / 1e9;
    Ok(report(bench, &timed, memory, peak))
}

/// What the steps of a model took.
struct Timed {
    params: usize,
    laps: Vec<PhaseTimes>,
    loss: f64,
}

fn time<M, O>(
    bench: &TrainBench,
    model: M,
    objective: &O,
    batch: &mut dyn FnMut(u64) -> Result<O::Batch, WujiError>,
    device: &Device,
    on_step: &mut dyn FnMut(),
) -> Result<Timed, WujiError>
where
    M: Module,
    O: Objective<M>,
    O::Batch: TrainingBatch,
{
    let mut steps = Steps::new(model, bench.precision, device);
    let params = steps.model.as_ref().map_or(0, Module::num_params);
    let mut laps = Vec::new();
    for step in 0..WARMUP_STEPS + bench.steps.max(1) {
        laps.push(steps.step(objective, batch, step)?);
        on_step();
    }
    let laps = laps.split_off(WARMUP_STEPS as usize);
    Ok(Timed { params, laps, loss: steps.loss })
}

fn report(
    bench: &TrainBench,
    timed: &Timed,
    peak_rss_mib: Option<u64>,
    peak_gflops: f64,
) -> TrainReport {
    let Timed { params, laps, loss } = timed;
    let of = |phase: fn(&PhaseTimes) -> f64| median(laps.iter().map(phase).collect());
    let ms_per_step = of(PhaseTimes::total);
    let gflops = bench.family.training_flops(&bench.shape, *params) / ms_per_step / 1e6;
    TrainReport {
        family: bench.family,
        shape: bench.shape,
        precision: bench.precision,
        steps: bench.steps,
        params: *params,
        ms_per_step,
        min_ms_per_step: laps.iter().map(PhaseTimes::total).fold(f64::INFINITY, f64::min),
        tokens_per_second: bench.family.tokens(&bench.shape) as f64 / ms_per_step * 1e3,
        gflops,
        peak_gflops,
        peak_fraction: gflops / peak_gflops,
        peak_rss_mib,
        phases_ms: PhaseTimes {
            data: of(|lap| lap.data),
            forward: of(|lap| lap.forward),
            backward: of(|lap| lap.backward),
            optimizer: of(|lap| lap.optimizer),
        },
        loss: *loss,
    }
}

impl PhaseTimes {
    fn total(&self) -> f64 {
        self.data + self.forward + self.backward + self.optimizer
    }
}

/// A loader over random tokens, enough that no window is read twice.
fn loader(bench: &TrainBench, dir: &Path) -> Result<BatchLoader, WujiError> {
    let shape = &bench.shape;
    let path = dir.join("random.tokens");
    let spec =
        ShardSpec { vocab_size: shape.vocabulary, tokenizer_fingerprint: FINGERPRINT.to_string() };
    let mut writer = ShardWriter::create(&path, spec)?;
    writer.begin_document()?;
    let steps = (WARMUP_STEPS + bench.steps.max(1)) as usize;
    // A few batches serve many steps: the arithmetic does not depend on the tokens.
    let count = shape.tokens() * steps.min(16) + 1;
    let ids: Vec<u32> = random_ids(bench.seed, shape.vocabulary).take(count).collect();
    writer.push(&ids, ids.len() as u64)?;
    writer.finish()?;
    let shards = TokenShards::single(FINGERPRINT, TokenShard::open(&path, FINGERPRINT)?);
    let options = LoaderOptions {
        context: shape.context,
        micro_batch_size: shape.batch,
        sampling: Sampling::ShuffledWindows,
        seed: bench.seed,
        ..LoaderOptions::default()
    };
    Ok(BatchLoader::new(shards, options)?)
}

struct Steps<M> {
    /// Only ever absent while the optimiser owns it.
    model: Option<M>,
    optimizer: Optimizer,
    config: TrainingConfig,
    device: Device,
    loss: f64,
}

impl<M: Module> Steps<M> {
    fn new(model: M, precision: Precision, device: &Device) -> Self {
        let config = TrainingConfig {
            precision,
            schedule: Schedule::Constant,
            warmup_steps: 0,
            max_grad_norm: 1.0,
            ..TrainingConfig::default()
        };
        let (model, optimizer) = (Some(model.train()), Optimizer::new(&config));
        Self { model, optimizer, config, device: device.clone(), loss: f64::NAN }
    }

    fn step<O: Objective<M>>(
        &mut self,
        objective: &O,
        batch: &mut dyn FnMut(u64) -> Result<O::Batch, WujiError>,
        step: u64,
    ) -> Result<PhaseTimes, WujiError> {
        let model = self.model.take().expect("the model is there between steps");
        let mut watch = Stopwatch::start();
        let batch = batch(step)?;
        let data = watch.lap();
        let output = self.config.precision.scope(|| objective.loss(&model, &batch, &self.device));
        self.wait()?;
        let forward = watch.lap();
        let gradients = (output.loss_sum.clone() * (1.0 / output.weight)).backward();
        self.wait()?;
        let backward = watch.lap();
        let mut store = GradientStore::default();
        store.add(&model, gradients);
        let norm = store.squared_norm(&model).sqrt();
        let scale = (self.config.max_grad_norm / (norm + 1e-6)).min(1.0);
        let model = self.optimizer.step(model, store, step, scale);
        self.wait()?;
        let optimizer = watch.lap();
        self.loss = f64::from(output.loss_sum.into_scalar::<f32>()) / output.weight;
        self.model = Some(model);
        Ok(PhaseTimes { data, forward, backward, optimizer })
    }

    fn wait(&self) -> Result<(), WujiError> {
        self.device.sync().map_err(|error| WujiError::Execution(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_device::DeviceSpec;

    fn bench(family: BenchFamily, precision: Precision) -> Result<TrainReport, WujiError> {
        let device = DeviceSpec::default().open().unwrap();
        let shape = "2x8,1x2x16,11".parse().unwrap();
        let bench = TrainBench { family, shape, precision, steps: 4, seed: 1 };
        let scratch = tempfile::tempdir().unwrap();
        bench_train(&bench, &device, scratch.path(), &mut || {})
    }

    #[test]
    fn rates_follow_from_the_median_step() {
        let report = bench(BenchFamily::Gpt2, Precision::F32).unwrap();
        // Embeddings and head, positions, one block of 12 · 16², three norms.
        assert_eq!(report.params, 2 * 11 * 16 + 8 * 16 + 12 * 256 + 3 * 16);
        assert!(report.min_ms_per_step <= report.ms_per_step);
        let tokens_per_second = 16.0 / (report.ms_per_step / 1e3);
        assert!((report.tokens_per_second / tokens_per_second - 1.0).abs() < 1e-9);
        assert!((report.gflops / report.peak_gflops - report.peak_fraction).abs() < 1e-9);
        // Random tokens can be predicted no better than by chance, but four steps do little harm.
        assert!((report.loss - 11f64.ln()).abs() < 0.5, "{}", report.loss);
    }

    #[test]
    fn every_family_is_timed_and_starts_near_chance() {
        for family in [BenchFamily::Bert, BenchFamily::T5] {
            let report = bench(family, Precision::F32).unwrap();
            assert!(report.gflops > 0.0 && report.ms_per_step > 0.0, "{family:?}");
            // T5 does not scale its scores, and is further from chance.
            assert!((report.loss - 11f64.ln()).abs() < 1.5, "{family:?}: {}", report.loss);
        }
    }

    #[test]
    fn bf16_computes_nearly_the_same() {
        let [f32, bf16] = [Precision::F32, Precision::Bf16]
            .map(|precision| bench(BenchFamily::Gpt2, precision).unwrap().loss);
        assert!(f32 != bf16 && (f32 - bf16).abs() < 0.02, "{f32} and {bf16}");
    }
}
