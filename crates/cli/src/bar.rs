//! A progress bar on standard error: step, loss, tokens per second, time left.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wuji::pretrain::Progress;
use wuji::training::{
    EvalEvent, RunEnd, SentenceScore, StepEvent, StopReason, TrainObserver, TrainingError,
};

/// Prints stages and notes, and shows a bar while training.
pub struct Console {
    quiet: bool,
}

impl Console {
    /// A console that says nothing when `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}

impl Progress for Console {
    fn stage(&mut self, what: &str) {
        self.line(&format!("· {what}"));
    }

    fn note(&mut self, what: &str) {
        self.line(&format!("  {what}"));
    }

    fn training(
        &mut self,
        parameters: usize,
        resumed_at: u64,
        max_steps: u64,
    ) -> Box<dyn TrainObserver> {
        self.line(&format!("· training {parameters} parameters for {max_steps} steps"));
        if resumed_at > 0 {
            self.line(&format!("  resumed at step {resumed_at}"));
        }
        Box::new(Bar::new(self.quiet, resumed_at, max_steps))
    }
}

/// The bar itself.
struct Bar {
    bar: ProgressBar,
    smoothed: Option<f64>,
    quiet: bool,
}

impl Bar {
    fn new(quiet: bool, resumed_at: u64, max_steps: u64) -> Self {
        let target =
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(max_steps), target);
        let style = "  {bar:24} {pos}/{len}  {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
        bar.set_position(resumed_at);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, smoothed: None, quiet }
    }

    /// A line above the bar; where there is no terminal, a line.
    fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        if self.bar.is_hidden() {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }
}

impl TrainObserver for Bar {
    fn on_step(&mut self, event: &StepEvent) -> Result<(), TrainingError> {
        let before = self.smoothed.unwrap_or(event.loss);
        let smoothed = 0.95 * before + 0.05 * event.loss;
        self.smoothed = Some(smoothed);
        self.bar.set_position(event.step);
        self.bar
            .set_message(format!("loss {smoothed:.4}  {:.0} tokens/s", event.tokens_per_second));
        Ok(())
    }

    fn on_eval(&mut self, event: &EvalEvent) -> Result<(), TrainingError> {
        let scope = if event.complete { " (whole split)" } else { "" };
        let training =
            self.smoothed.map(|loss| format!(", training {loss:.4}")).unwrap_or_default();
        self.line(&format!(
            "  step {}: validation {:.4} nats per token{scope}{training}{}",
            event.step,
            event.validation_loss,
            event.sentences.map(pairs).unwrap_or_default()
        ));
        Ok(())
    }

    fn on_end(&mut self, event: &RunEnd) -> Result<(), TrainingError> {
        self.bar.finish_and_clear();
        match event.reason {
            StopReason::Finished => {}
            StopReason::EarlyStopping => {
                self.line(&format!("  no more improvement: stopped at step {}", event.step));
            }
            StopReason::Interrupted => {
                self.line(&format!("  interrupted at step {}", event.step));
            }
        }
        Ok(())
    }
}

/// How questions about sentence pairs were answered, behind a loss.
fn pairs(score: SentenceScore) -> String {
    format!("; sentence pairs {:.4} nats, {:.1} % right", score.loss, 100.0 * score.accuracy)
}
