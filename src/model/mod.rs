//! The network: configuration, weights, forward and backward.
