//! Square codes that a phone reads, as SVG without any style.

use qrcode::{EcLevel, QrCode, types::Color};
use std::fmt::Write as _;

/// Empty modules around the code; readers need four.
const QUIET: usize = 4;

/// `text` as a square code, called `label` for those who cannot see it. Nothing if it is too long.
#[must_use]
pub fn svg(text: &str, label: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let side = code.width() + 2 * QUIET;
    let label = askama::filters::escape(label, askama::filters::Html).ok()?;
    Some(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{label}\" \
         shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
         <path fill=\"#000\" d=\"{}\"/></svg>",
        dark(&code)
    ))
}

/// The dark modules, row by row, each run as one rectangle.
fn dark(code: &QrCode) -> String {
    let width = code.width();
    let colours = code.to_colors();
    let mut path = String::new();
    for (y, row) in colours.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                let x = x + QUIET;
                let y = y + QUIET;
                let long = run.len();
                let _never_fails = write!(path, "M{x} {y}h{long}v1h-{long}z");
            }
            x += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once_where_it_belongs() {
        let text = "otpauth://totp/Rollcall:ada@school.test?secret=ABC";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let drawn: usize = dark(&code)
            .split('h')
            .skip(1)
            .step_by(2)
            .map(|run| run.split('v').next().unwrap().parse::<usize>().unwrap())
            .sum();
        let wanted = code.to_colors().iter().filter(|c| **c == Color::Dark).count();
        assert_eq!(drawn, wanted);
        assert!(dark(&code).starts_with("M4 4h7v1h-7z"), "the first finder's upper edge");
    }

    #[test]
    fn its_name_cannot_break_out_and_a_book_does_not_fit() {
        let svg = super::svg("x", "\"><script>").unwrap();
        assert!(!svg.contains("<script"), "{svg}");
        assert!(super::svg(&"x".repeat(5000), "x").is_none());
    }
}
