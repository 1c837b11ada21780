//! To be written.

pub mod index;
