//! Corpora to training examples: sources, shards, packing, mixing, splits, fingerprints and procedural corpora.
