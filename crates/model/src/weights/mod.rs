//! Weights on disk: safetensors, PyTorch and GGUF files, and the names families give to tensors.

mod gguf;
mod llama2c;
mod model_files;
mod naming;
mod number_type;
mod pytorch;
mod read;
mod rotary_rows;
mod safetensors_file;
mod tensor_files;
mod write;

pub use gguf::{GgufDtype, write_gguf};
pub use llama2c::read_llama2c;
pub use model_files::{config_of, open_model};
pub use naming::{Layout, Part, TensorNames};
pub use read::load_weights;
pub use tensor_files::{TensorFiles, WeightFormat};
pub use write::{
    FileTensor, StoredDtype, named_gradients, named_tensors, save_model, save_tensor_file,
    save_tensors,
};
pub(crate) use write::{MAX_SHARD_BYTES, write_file_atomically};
