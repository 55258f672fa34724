//! Trajectory files: reading and writing.
