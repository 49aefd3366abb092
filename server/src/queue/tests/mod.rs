//! Every store passes the same suite; what only one of them has is tested beside it.

mod postgres;
mod sqlite;
mod suite;

use std::path::Path;

use async_trait::async_trait;

use super::{Options, QueueError, SharedQueue, SqliteQueue};
use crate::waiting::once_free;

/// A store that is empty at first.
#[async_trait]
pub(crate) trait Bench: Send + Sync {
    /// Opens the store as a server that starts would.
    async fn open_with(&self, options: Options) -> SharedQueue;

    async fn open(&self) -> SharedQueue {
        self.open_with(Options::default()).await
    }
}

/// Opens a file that a store of ours may have had a moment ago.
pub(crate) fn open_again(path: &Path, options: Options) -> Result<SqliteQueue, QueueError> {
    once_free(|| SqliteQueue::open(path, options), |error| matches!(error, QueueError::InUse { .. }))
}

/// A file that takes no delivery, as if its disk were full, until this is dropped.
pub(crate) struct Full(rusqlite::Connection);

impl Full {
    pub(crate) fn of(path: &Path) -> Self {
        let file = rusqlite::Connection::open(path).unwrap();
        file.execute_batch(
            // 5 is `State::Delivered`.
            "CREATE TRIGGER fills BEFORE UPDATE ON entry WHEN NEW.state = 5
             BEGIN SELECT RAISE(FAIL, 'the disk is full'); END",
        )
        .unwrap();
        Self(file)
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        self.0.execute_batch("DROP TRIGGER fills").ok();
    }
}

/// Runs the suite on the stores that an expression makes, one each.
macro_rules! on_each {
    ($bench:expr; $($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let bench = $bench.await;
                super::suite::$name(&bench).await;
            }
        )*
    };
    ($bench:expr) => {
        on_each! { $bench;
            a_submission_is_stored_once_whatever_is_sent_again
            what_is_due_goes_first_in_first_out_and_visitors_before_operators
            order_holds_across_surveys_and_a_skipped_survey_is_passed_by
            a_lane_knows_when_it_has_something_to_do
            an_entry_found_sending_after_a_restart_is_interrupted
            only_an_entry_that_is_being_sent_can_be_settled_and_only_once
            a_delivered_submission_is_forgotten_but_for_its_key
            a_delivered_body_is_kept_for_as_long_as_is_asked
            a_lane_hears_of_an_entry_whose_visitor_hung_up
            only_the_lane_that_got_an_entry_is_woken
            counts_and_failures_say_what_is_where
            many_writers_at_once_lose_nothing
            an_unknown_entry_is_looked_up_and_not_sent
            what_was_delivered_last_can_be_asked_for
            what_is_remembered_of_a_lane_outlives_a_restart
            every_attempt_is_kept_until_the_entry_is_delivered
            a_page_shows_what_passes_the_filter
            a_retried_entry_goes_back_to_its_place_and_counts_anew
            a_discarded_entry_is_gone_and_its_key_is_not_taken_again
            an_erased_entry_keeps_nothing_of_the_person
            no_change_touches_an_entry_that_is_being_sent
            a_full_queue_takes_nothing_new_and_still_knows_what_it_has
            another_store_takes_everything_in_once
            what_waits_follows_its_survey_into_another_lane
            the_store_proves_that_it_takes_writes
            counts_add_up_and_are_forgotten_in_time
        }
    };
}
use on_each;
