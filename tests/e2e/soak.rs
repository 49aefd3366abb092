//! A short soak; `cargo xtask soak` runs a long one.

use anyhow::{Result, ensure};
use tests::Store;
use tests::soak::Soak;

/// Kills in the short version.
const CYCLES: usize = 25;

async fn soak(store: Store) -> Result<()> {
    tests::prepared()?;
    let mut soak = Soak::new(store, uuid::Uuid::new_v4().as_u64_pair().0).await?;
    for _ in 0..CYCLES {
        soak.cycle().await?;
    }
    let tally = soak.finish().await?;
    ensure!(tally.kills == CYCLES && tally.accepted > CYCLES, "{tally:?}");
    ensure!(tally.struck > 0 && tally.look_ups > 0, "nothing went wrong: {tally:?}");
    ensure!(tally.doubled == 0, "{tally:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_accepted_is_lost_or_doubled_however_often_the_server_is_killed_on_sqlite() -> Result<()> {
    soak(Store::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_accepted_is_lost_or_doubled_however_often_the_server_is_killed_on_postgresql() -> Result<()>
{
    soak(Store::postgres().await?).await
}
