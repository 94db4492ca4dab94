//! Empty: this package holds tests that use several crates.
