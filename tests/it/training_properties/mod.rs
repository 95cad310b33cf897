//! What holds of every training run, whatever it learns.

mod accumulation;
mod averaging;
mod checkpoints;
mod clipping;
mod early_stopping;
mod non_finite;
mod resuming;
mod threads;
