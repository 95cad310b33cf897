//! Public data sets: what they are, where they come from, and how to get them.
