//! What a language model looks like from outside: strings in, strings and log-probabilities out.
