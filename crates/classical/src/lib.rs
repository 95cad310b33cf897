//! Language models from before neural networks: n-grams with modified Kneser-Ney smoothing.
