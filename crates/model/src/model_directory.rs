//! A model's life on disk, the same for every kind.

/// Making, reading and writing a model that has a function `zeros(config, device)`, a field `config`
/// and a stack `$stack` whose architecture says how weights are drawn.
macro_rules! model_directory {
    ($model:ident, $stack:ident) => {
        impl $model {
            /// A new model with weights drawn from `seed`; the same on every device.
            ///
            /// # Errors
            /// A config whose sizes do not fit each other.
            pub fn init(
                config: &crate::ModelConfig,
                seed: u64,
                device: &burn::tensor::Device,
            ) -> Result<Self, crate::ModelError> {
                let model = Self::zeros(config, device)?;
                let architecture = model.$stack.architecture().clone();
                Ok(crate::init::initialise(model, &architecture, seed))
            }

            /// Reads a Hugging Face model directory, `config.json` and safetensors or PyTorch files,
            /// single or sharded, of any float type (widened to f32); or a GGUF file, dequantised.
            ///
            /// # Errors
            /// Missing or malformed files, another family, or weights that do not fit, all listed.
            pub fn from_dir(
                dir: &std::path::Path,
                device: &burn::tensor::Device,
            ) -> Result<Self, crate::ModelError> {
                let (config, files) = crate::weights::open_model(dir)?;
                Self::from_files(&config, &files, device)
            }

            /// Builds a model from a config and already opened weight files.
            ///
            /// # Errors
            /// Another family, or weights that do not fit, all listed.
            pub fn from_files(
                config: &crate::ModelConfig,
                files: &crate::weights::TensorFiles,
                device: &burn::tensor::Device,
            ) -> Result<Self, crate::ModelError> {
                let model = Self::zeros(config, device)?;
                crate::weights::load_weights(model, config.tensor_names(), files)
            }

            /// Writes `config.json` and weights into `dir`, which is created. `transformers` loads
            /// the result with the same outputs.
            ///
            /// # Errors
            /// A file that cannot be written, or matrices held in eight bits.
            pub fn save(
                &self,
                dir: &std::path::Path,
                dtype: crate::weights::StoredDtype,
            ) -> Result<(), crate::ModelError> {
                crate::int8::expect_floats(self)?;
                crate::weights::save_model(dir, &self.config, &self.file_tensors(), dtype)
            }

            /// Every tensor as it stands in a file.
            pub fn file_tensors(&self) -> Vec<crate::weights::FileTensor> {
                crate::weights::named_tensors(self, self.config.tensor_names())
            }

            /// The config this model was built from.
            pub fn config(&self) -> &crate::ModelConfig {
                &self.config
            }
        }
    };
}
pub(crate) use model_directory;
