//! Weights on disk: safetensors files, single or sharded, and the names families give to tensors.

mod llama2c;
mod naming;
mod read;
mod write;

pub use llama2c::read_llama2c;
pub use naming::{Layout, Part, TensorNames};
pub use read::{TensorFiles, load_weights};
pub(crate) use write::write_file_atomically;
pub use write::{
    FileTensor, StoredDtype, named_gradients, named_tensors, save_model, save_tensor_file,
    save_tensors,
};
