//! Afterword's server: takes visitors' submissions, keeps them, and hands them to the platform.
//!
//! Data flows one way: [`intake`] -> [`queue`] -> [`forwarder`] -> [`platform`]. Intake and
//! forwarder never meet but in the queue. [`cli`] wires them together; [`operator`] holds what
//! operators do with the queue, and [`dashboard`] lets them look, and [`preview`] at what visitors see; [`sandbox`] stands in for the
//! platform; [`demo`] is a shop to try it all out.

pub mod accepted;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
pub mod demo;
pub mod forwarder;
pub mod history;
pub mod http;
pub mod intake;
pub mod live;
pub mod log;
pub mod operator;
pub mod page;
pub mod platform;
pub mod preview;
pub mod queue;
pub mod sampling;
pub mod sandbox;
mod seldom;
pub mod server;
pub mod snippet;
pub mod stranger;
#[cfg(test)]
mod waiting;
pub mod words;
