//! A fresh model guesses, and learns any small batch by heart.

use burn::tensor::Device;

use super::cases::cases;
use crate::devices::on_each_device;

on_each_device!(the_loss_at_the_start_is_that_of_a_guess, one_batch_can_be_overfitted);

fn the_loss_at_the_start_is_that_of_a_guess(device: &Device) {
    // Hidden states of 32 numbers of size one meet weights of size 0.02: logits are 0.02 · √32 = 0.11 wide, the mean
    // loss of some labels strays by less, and a wrong loss by more.
    let tolerance = 0.1;
    for case in cases() {
        let (name, loss, guess) = (case.name(), case.fresh_loss(device), case.guess());
        assert!((loss - guess).abs() < tolerance, "{name}: {loss} nats, expected about {guess}");
    }
}

fn one_batch_can_be_overfitted(device: &Device) {
    let steps = 80;
    for case in cases() {
        let loss = case.learnt_loss(steps, device);
        assert!(loss < 0.1, "{}: still {loss} nats after {steps} steps", case.name());
    }
}
