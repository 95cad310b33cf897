//! How a run tells what it is doing: libraries do not print.

use wuji_training::TrainObserver;

/// Listens to a run.
pub trait Progress {
    /// A stage begins: "training a tokenizer".
    fn stage(&mut self, what: &str);

    /// Something worth knowing has been found out.
    fn note(&mut self, what: &str);

    /// Training begins or continues: an observer that will see every step.
    fn training(
        &mut self,
        parameters: usize,
        resumed_at: u64,
        max_steps: u64,
    ) -> Box<dyn TrainObserver>;
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl TrainObserver for Silent {}

impl Progress for Silent {
    fn stage(&mut self, _what: &str) {}

    fn note(&mut self, _what: &str) {}

    fn training(&mut self, _: usize, _: u64, _: u64) -> Box<dyn TrainObserver> {
        Box::new(Self)
    }
}
