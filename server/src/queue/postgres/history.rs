//! What was counted, in the PostgreSQL store.

use deadpool_postgres::Pool;
use jiff::Timestamp;
use tokio_postgres::types::Type;

use super::connection::{REPORT_LIMIT, get, once};
use super::statements::{clean, millis, timestamp};
use crate::queue::{Kind, QueueError, Series, Wanted};

/// In the order of the key, so that servers that add to the same counts at a time do not wait for each other in a circle.
const RECORD: &str = "
INSERT INTO afterword.counted (series, at, subject, language, item, value, count)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
    AS new (series, at, subject, language, item, value, count)
ORDER BY series, at, subject, language, item, value
ON CONFLICT (series, at, subject, language, item, value) DO UPDATE SET count = counted.count + excluded.count
RETURNING true";

const COUNTED: &str = "
SELECT at - at % $1 AS span, subject, language, item, value, sum(count)::bigint FROM afterword.counted
WHERE series = $2 AND at >= $3 AND ($4::text IS NULL OR subject = $4) AND ($5::text IS NULL OR item = $5)
GROUP BY span, subject, language, item, value ORDER BY span";

const FORGET: &str = "DELETE FROM afterword.counted WHERE series = $1 AND at < $2 RETURNING true";

pub(super) async fn record(pool: &Pool, counts: &[(Kind, u64)]) -> Result<(), QueueError> {
    let text = |read: fn(&Kind) -> &str| -> Vec<String> {
        counts.iter().map(|(kind, _)| clean(read(kind))).collect()
    };
    let series: Vec<i16> = counts.iter().map(|(kind, _)| kind.series.code()).collect();
    let at: Vec<i64> = counts.iter().map(|(kind, _)| millis(kind.at)).collect();
    let (subject, language) = (text(|kind| &kind.subject), text(|kind| &kind.language));
    let (item, value) = (text(|kind| &kind.item), text(|kind| &kind.value));
    let count: Vec<i64> = counts.iter().map(|(_, count)| i64::try_from(*count).unwrap_or(i64::MAX)).collect();
    let values: &[_] = &[
        (&series as _, Type::INT2_ARRAY),
        (&at as _, Type::INT8_ARRAY),
        (&subject as _, Type::TEXT_ARRAY),
        (&language as _, Type::TEXT_ARRAY),
        (&item as _, Type::TEXT_ARRAY),
        (&value as _, Type::TEXT_ARRAY),
        (&count as _, Type::INT8_ARRAY),
    ];
    once(pool, REPORT_LIMIT, RECORD, values).await.map(|_| ())
}

pub(super) async fn counted(pool: &Pool, wanted: &Wanted) -> Result<Vec<(Kind, u64)>, QueueError> {
    let Wanted { series, since, subject, item, .. } = wanted;
    let (span, code, since) = (wanted.millis(), series.code(), millis(*since));
    let values: &[_] = &[
        (&span as _, Type::INT8),
        (&code as _, Type::INT2),
        (&since as _, Type::INT8),
        (subject as _, Type::TEXT),
        (item as _, Type::TEXT),
    ];
    let rows = once(pool, REPORT_LIMIT, COUNTED, values).await?;
    let read = |row| {
        let kind = Kind {
            series: *series,
            at: timestamp(get(row, 0)?),
            subject: get(row, 1)?,
            language: get(row, 2)?,
            item: get(row, 3)?,
            value: get(row, 4)?,
        };
        Ok((kind, get::<i64>(row, 5)?.unsigned_abs()))
    };
    rows.iter().map(read).collect()
}

pub(super) async fn forget(pool: &Pool, series: Series, before: Timestamp) -> Result<(), QueueError> {
    let (code, before) = (series.code(), millis(before));
    let values: &[_] = &[(&code as _, Type::INT2), (&before as _, Type::INT8)];
    once(pool, REPORT_LIMIT, FORGET, values).await.map(|_| ())
}
