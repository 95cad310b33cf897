//! A recurrent or feed-forward model's life on disk, the same for all.

/// Making, reading and writing a model that has a function `zeros(config, device)` and a field
/// `config` of type `$config`.
macro_rules! recurrent_directory {
    ($model:ident, $config:ident) => {
        impl $model {
            /// A new model with weights drawn from `seed`; the same on every device.
            ///
            /// # Errors
            /// A config whose values make no sense.
            pub fn init(
                config: &$config,
                seed: u64,
                device: &burn::tensor::Device,
            ) -> Result<Self, crate::ModelError> {
                let range = config.initializer_range;
                Ok(super::init::initialise(Self::zeros(config, device)?, range, seed))
            }

            /// Reads a model directory.
            ///
            /// # Errors
            /// Missing or malformed files, another kind of model, or weights that do not fit.
            pub fn from_dir(
                dir: &std::path::Path,
                device: &burn::tensor::Device,
            ) -> Result<Self, crate::ModelError> {
                let config = $config::from_path(dir)?;
                Self::from_files(&config, &crate::weights::TensorFiles::open_dir(dir)?, device)
            }

            /// Builds a model from a config and already opened weight files.
            ///
            /// # Errors
            /// A config whose values make no sense, or weights that do not fit, all listed.
            pub fn from_files(
                config: &$config,
                files: &crate::weights::TensorFiles,
                device: &burn::tensor::Device,
            ) -> Result<Self, crate::ModelError> {
                crate::weights::load_weights(Self::zeros(config, device)?, config, files)
            }

            /// Writes `config.json` and weights into `dir`, which is created.
            ///
            /// # Errors
            /// A file that cannot be written.
            pub fn save(
                &self,
                dir: &std::path::Path,
                dtype: crate::weights::StoredDtype,
            ) -> Result<(), crate::ModelError> {
                super::config::write(&self.config, dir)?;
                let tensors = self.file_tensors();
                crate::weights::save_tensors(dir, &tensors, dtype, super::config::MAX_SHARD_BYTES)
            }

            /// Every tensor as it stands in a file.
            pub fn file_tensors(&self) -> Vec<crate::weights::FileTensor> {
                crate::weights::named_tensors(self, &self.config)
            }

            /// The config this model was built from.
            pub fn config(&self) -> &$config {
                &self.config
            }
        }
    };
}
pub(super) use recurrent_directory;
