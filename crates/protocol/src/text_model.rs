//! The seam: everything that evaluation, domains and the server ask of a model.

use std::ops::ControlFlow;

use crate::{
    GenerateRequest, GenerateResponse, Loglikelihood, LoglikelihoodRequest, TextModelError,
};

/// Receives generated text piece by piece, each of them complete UTF-8; `Break` ends the generation.
pub type Sink<'a> = dyn FnMut(&str) -> ControlFlow<()> + 'a;

/// A model of text.
///
/// Invariant: an answer depends on its own request only, not on the others of a batch nor on earlier calls.
pub trait TextModel: Send + Sync {
    /// How likely each continuation is after its context, in the order of the requests.
    ///
    /// # Errors
    /// [`TextModelError::InvalidRequest`] names a request that has no answer, such as an empty continuation or one
    /// that the model cannot hold; contexts that are too long lose their beginning instead.
    fn loglikelihood(
        &self,
        requests: &[LoglikelihoodRequest],
    ) -> Result<Vec<Loglikelihood>, TextModelError>;

    /// How likely each whole text is. Texts longer than the model's context are scored in windows, every token once.
    ///
    /// # Errors
    /// [`TextModelError::InvalidRequest`] for a text in which there is nothing to score.
    fn loglikelihood_rolling(&self, texts: &[&str]) -> Result<Vec<Loglikelihood>, TextModelError>;

    /// Continues a prompt. `sink` gets the text as it comes; the pieces joined are [`GenerateResponse::text`].
    ///
    /// # Errors
    /// [`TextModelError::InvalidOptions`] and [`TextModelError::InvalidRequest`], before anything is generated, for a
    /// request that cannot be served.
    fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, TextModelError>;

    /// One vector for each text.
    ///
    /// # Errors
    /// [`TextModelError::Unsupported`] unless the model overrides this.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, TextModelError> {
        let _ = texts;
        Err(TextModelError::Unsupported { what: "embeddings" })
    }

    /// [`generate`](Self::generate) without streaming.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    fn complete(&self, request: &GenerateRequest) -> Result<GenerateResponse, TextModelError> {
        self.generate(request, &mut |_| ControlFlow::Continue(()))
    }
}
