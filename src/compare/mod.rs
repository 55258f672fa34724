//! Comparison with reference MD.
