//! The whole workshop behind one dependency and one prelude.
