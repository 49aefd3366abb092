//! Calls against the sandbox.
