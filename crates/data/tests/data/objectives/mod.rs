//! Objectives from the outside: against the reference, their rates, their losses, their page.

mod batches;
mod figures;
mod golden;
mod rates;
mod sentence_corpus;
mod special_tokens;
