//! Questions that take several runs to answer, each with its protocol in code: what is trained, on
//! what, and how it is compared.

pub mod objectives;
