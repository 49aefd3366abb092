//! The accessibility tree of every kind and look of a question, pinned: a change of it is looked at before it is taken.

use std::cell::RefCell;

use anyhow::{Result, ensure};
use tests::walk::{SURVEYS, Walk};
use tests::{Browser, Edit as _, Engine, QUICK, Stage, with_full, with_looks};

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_of_every_kind_and_state_is_the_one_that_was_looked_at() -> Result<()> {
    tests::prepared()?;
    // A visitor's own order is another each time.
    let ordered = |config| with_looks(with_full(config)).edit("shuffle = true\n", "");
    let stage = Stage::with(QUICK, ordered).await?;
    let browser = Browser::open(Engine::Chromium, 390, 844).await?;
    let mut changed = Vec::new();
    for survey in SURVEYS {
        let trees = RefCell::new(String::new());
        let walk = Walk {
            stage: &stage,
            browser: &browser,
            survey,
            language: "nl",
            theme: "light",
            mode: if survey == "delivery" { "modal" } else { "inline" },
            width: 390,
        };
        walk.on(async |visitor, state| {
            if state == "sending" {
                // What can be used no more loses the focus at a frame, and what is said hangs on that.
                visitor.until("!(root.activeElement && root.activeElement.closest('[inert]'))").await?;
            }
            let tree = browser.tree().await?.unwrap_or_default();
            trees.borrow_mut().push_str(&["# ", state, "\n", &tree, "\n"].concat());
            Ok(())
        })
        .await?;
        let trees = trees.into_inner();
        ensure!(trees.lines().count() > 30, "{trees}");
        // All of them are compared before one fails.
        let seen = std::panic::catch_unwind(|| insta::assert_snapshot!(format!("tree-{survey}"), trees));
        changed.extend(seen.err().map(|_| survey));
    }
    ensure!(changed.is_empty(), "other trees: {changed:?}; look at them, then run with INSTA_UPDATE=always");
    browser.close().await
}
