//! How tests wait for what comes in its own time.

use std::time::Duration;

use tokio::time::Instant;

/// The time between two looks at what a test waits for.
const OFTEN: Duration = Duration::from_millis(2);
/// How long anything is waited for: a disk may take no write for half a minute.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Looks again and again until something is there; `None` if it does not come.
pub(crate) async fn seen<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looked = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(OFTEN).await;
        }
    };
    tokio::time::timeout(DEADLINE, looked).await.ok()
}

/// Opens what one process alone may have, and waits while `is_held` says that another has it. A child of ours has
/// copies of our locks until it has become its program, also of those that we have just dropped.
pub(crate) fn once_free<T, E>(
    mut open: impl FnMut() -> Result<T, E>,
    is_held: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match open() {
            Err(error) if is_held(&error) && Instant::now() < deadline => std::thread::sleep(OFTEN),
            opened => return opened,
        }
    }
}
