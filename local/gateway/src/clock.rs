//! Points in time, as API Gateway writes them. Everything is UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// A second, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    /// Days since 1970-01-01.
    pub day_number: u64,
}

impl Civil {
    /// From milliseconds since 1970.
    pub fn at(epoch_milliseconds: u64) -> Self {
        let seconds = epoch_milliseconds / 1000;
        let day_number = seconds / SECONDS_PER_DAY;
        let of_day = seconds % SECONDS_PER_DAY;
        let (year, month, day) = date(day_number);
        Self { year, month, day, hour: of_day / 3600, minute: of_day / 60 % 60, second: of_day % 60, day_number }
    }

    /// 0 is Sunday.
    pub fn weekday(self) -> u64 {
        // 1970-01-01 was a Thursday.
        (self.day_number + 4) % 7
    }

    fn month_name(self) -> &'static str {
        MONTHS.get(self.month as usize - 1).copied().unwrap_or_default()
    }

    /// `02/Jan/2026:03:04:05 +0000`, the form of `$context.requestTime`.
    pub fn common_log_format(self) -> String {
        let Self { year, day, hour, minute, second, .. } = self;
        format!("{day:02}/{}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000", self.month_name())
    }

    /// `Fri Jan 02 03:04:05 UTC 2026`, the form of TestInvokeMethod's log.
    pub fn execution_log_format(self) -> String {
        let Self { year, day, hour, minute, second, .. } = self;
        let weekday = WEEKDAYS.get(self.weekday() as usize).copied().unwrap_or_default();
        format!("{weekday} {} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year:04}", self.month_name())
    }
}

/// The Gregorian date of a day since 1970-01-01. Years begin in March here, so that a leap day is the last day of one.
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
fn date(day_number: u64) -> (u64, u64, u64) {
    let shifted = day_number + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_gregorian_calendar() {
        for (milliseconds, expected) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (951_782_400_000, "29/Feb/2000:00:00:00 +0000"),
            (951_868_799_999, "29/Feb/2000:23:59:59 +0000"),
            (1_767_323_045_000, "02/Jan/2026:03:04:05 +0000"),
            (4_107_542_400_000, "01/Mar/2100:00:00:00 +0000"),
        ] {
            assert_eq!(Civil::at(milliseconds).common_log_format(), expected);
        }
    }

    #[test]
    fn the_execution_log_has_a_form_of_its_own() {
        assert_eq!(Civil::at(1_767_323_045_000).execution_log_format(), "Fri Jan 02 03:04:05 UTC 2026");
    }
}
