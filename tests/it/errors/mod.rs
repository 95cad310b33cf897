//! Bad input through the real command: exit code 1 or 2, one clear message that says where, nothing lost.

mod damaged_model;
mod damaged_run;
mod options;
mod storage;
mod text;
