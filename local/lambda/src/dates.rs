//! Dates as Lambda writes them.

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const LOG: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]/[month]/[day]");

/// Such as `2026-11-21T09:31:50.123Z`.
pub(crate) fn now() -> String {
    format(LOG)
}

/// Such as `2026/11/21`, as log streams begin.
pub(crate) fn today() -> String {
    format(DAY)
}

fn format(description: &[BorrowedFormatItem<'_>]) -> String {
    // Writing numbers into a string cannot fail.
    OffsetDateTime::now_utc().format(description).unwrap_or_default()
}
