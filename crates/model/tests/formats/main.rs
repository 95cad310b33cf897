//! Weights in other formats than safetensors: PyTorch checkpoints and GGUF files, read, refused and written.

mod gguf;
mod gguf_golden;
mod pytorch;
mod support;
mod torch_file;
