//! The search as a whole: against random draws on known functions, in conditional spaces, with pruning, in
//! parallel, and killed at any moment.

mod conditional;
mod functions;
mod importance;
mod pruning;
mod regret;
mod resuming;
mod workers;
