//! Every operation against its definition in plain burn, at every instruction set.

mod activation;
mod additive;
mod attention;
mod common;
mod dropout;
mod linear;
mod loss;
mod network;
mod normalization;
mod optimizer;
mod quantized;
mod recurrence;
mod rotary;
