//! What happens, one line each: when, in which part, what.

use std::{
    fmt::{self, Write as _},
    io::{IsTerminal, stdout},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::requests::{BalancerRequests, Hearing, TRACED_BY};

/// The parts' own targets. Libraries are heard when they warn.
const PARTS: [&str; 7] = ["access", "containers", "data_plane", "gateway", "integrations", "lambda", "waf"];
/// Columns for a part's name, so that texts stand below each other.
const PART_WIDTH: usize = 12;

/// From now on everything that is traced is printed on stdout; in colour, if that is a terminal. Requests that load
/// balancers answer are put down, too.
pub fn install(requests: &Arc<BalancerRequests>) {
    let parts = PARTS.iter().map(|part| (*part, LevelFilter::INFO));
    let printed = Targets::new().with_default(LevelFilter::WARN).with_targets(parts);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(stdout).with_ansi(stdout().is_terminal()).event_format(Lines);
    let heard = Targets::new().with_target(TRACED_BY, LevelFilter::DEBUG);
    let hearing = Hearing(requests.clone());
    tracing_subscriber::registry().with(lines.with_filter(printed)).with(hearing.with_filter(heard)).init();
}

/// `09:48:12.345 gateway      POST /prod/publish 200`
struct Lines;

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N> for Lines {
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut text = Text::default();
        event.record(&mut text);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let part = event.metadata().target();
        let (colour, level) = match *event.metadata().level() {
            Level::ERROR => ("\x1b[31m", "error: "),
            Level::WARN => ("\x1b[33m", "warning: "),
            _ => ("", ""),
        };
        let (time, part) = (clock(now.as_millis()), format!("{part:PART_WIDTH$}"));
        if writer.has_ansi_escapes() {
            let part_colour = colour_of(&part);
            writeln!(
                writer,
                "\x1b[2m{time}\x1b[0m \x1b[{part_colour}m{part}\x1b[0m {colour}{level}{}\x1b[0m",
                text.line()
            )
        } else {
            writeln!(writer, "{time} {part} {level}{}", text.line())
        }
    }
}

/// The same part always has the same of six colours.
fn colour_of(part: &str) -> u32 {
    31 + 1 + part.trim_end().bytes().map(u32::from).sum::<u32>() % 5
}

/// UTC, of milliseconds since 1970.
fn clock(milliseconds: u128) -> String {
    let seconds = milliseconds / 1000;
    let [hours, minutes, seconds] = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60];
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", milliseconds % 1000)
}

/// An event's message, and its fields behind it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    /// A line stays a line, whatever somebody put into it.
    fn line(&self) -> String {
        let text = format!("{}{}", self.message, self.fields);
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_utc() {
        assert_eq!(clock(0), "00:00:00.000");
        assert_eq!(clock(1_795_254_492_345), "09:48:12.345");
    }

    #[test]
    fn what_stands_in_a_message_cannot_make_lines_or_colours_of_its_own() {
        let text = Text { message: "GET /\n12:00:00.000 waf \x1b[31mred".into(), fields: String::new() };
        assert_eq!(text.line(), "GET / 12:00:00.000 waf  [31mred");
    }
}
