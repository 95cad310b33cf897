//! Text generation: prefill, decode with a cache, and sampling.
