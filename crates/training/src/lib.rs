//! One training loop for every objective: optimisers, schedules, checkpoints and observers.
