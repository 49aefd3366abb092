//! Ports that nobody else is handed.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result};

/// Below those that a system gives to whoever asks for any.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port that is free, and that no other test of this process gets: who closes it may open it again, and who opens it
/// later finds it. The system would give one that is closed to the next who asks.
pub fn port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another run on this machine begins elsewhere.
    let start = std::process::id().wrapping_mul(4_001) % u32::from(COUNT);
    for _ in 0..COUNT {
        let next = (start + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % u32::from(COUNT);
        let port = FIRST + u16::try_from(next)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    None.context("no port is free")
}
