//! Model families on one set of layers, with Hugging Face configs and weights.
