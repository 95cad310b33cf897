//! Filling in what a text leaves out: masked tokens one by one by an encoder, blanks of any length by
//! the original GLM.

mod blanks;
mod masks;
mod text;

pub use blanks::{Blank, BlankTokens, fill_blanks, filled};
pub use masks::{Candidate, FilledMask, fill_mask};
pub use text::{BlankFiller, FilledBlanks, FilledText, MaskFiller, MaskGuesses, TokenGuess};
