//! Documents that answer a query.

mod bm25;

pub use bm25::{Bm25, Bm25Options, Hit, InverseFrequency};
