//! Properties of the whole workshop: of every model family and every objective on every device, of training, of the
//! real command, and of what each says about bad input.
//!
//! One binary, so that burn is linked once. The tests of the command start `wuji` as a user does; `cargo xtask test`
//! builds it and says where it is.
#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

mod classification;
mod command;
mod devices;
mod documents;
mod files;
mod shared_data;
mod tensors;
mod tiny_models;
mod tmpfs;
mod trainings;

mod errors;
mod experiments;
mod golden;
mod main_job;
mod model_properties;
mod objective_properties;
mod training_properties;
mod transformers;
