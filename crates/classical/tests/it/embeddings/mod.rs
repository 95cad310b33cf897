//! Word vectors against brute force, hand computations, golden numbers and texts whose structure is
//! known.

mod counts;
mod files;
mod initial;
mod planted;
mod projection;
mod similarity;
mod threads;
