//! From a --device string to a burn device, and what this build and this machine offer.
