//! Reports: what the marks of lessons come to. Numbers and texts in, numbers and texts out.

pub mod analytics;
pub mod matrix;
pub mod rate;

pub use rate::{MarkTally, ReportRate, Sums};

use crate::error::Error;
use jiff::civil::Date;

/// Whether a span ends on the day it begins, or later; `field` is its last day.
///
/// # Errors
/// `Field`.
pub fn forwards(field: &'static str, from: Date, to: Date) -> Result<(), Error> {
    if from <= to {
        return Ok(());
    }
    Err(Error::field(field, format!("{to} is before {from}: the span ends before it begins")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_span_may_be_one_day_but_never_ends_before_it_begins() {
        let (monday, tuesday) = (date(2026, 3, 2), date(2026, 3, 3));
        assert!(forwards("to", monday, monday).is_ok() && forwards("to", monday, tuesday).is_ok());
        let wrong = forwards("to", tuesday, monday).unwrap_err().to_string();
        assert_eq!(wrong, "to: 2026-03-02 is before 2026-03-03: the span ends before it begins");
    }
}
