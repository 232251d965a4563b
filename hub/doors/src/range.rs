//! Which part of a file a request wants: `Range` and `If-Range` of RFC 9110, one range only.

use std::ops::Range;

/// What to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RangePart {
    /// All of it.
    Whole,
    /// These bytes.
    Some(Range<usize>),
    /// There are no such bytes.
    Nothing,
}

/// The part of a file of `length` bytes and version `etag` that the two headers ask for. A range
/// of another version, several ranges, or nonsense get the whole.
#[must_use]
pub fn part(range: Option<&str>, if_range: Option<&str>, etag: &str, length: usize) -> RangePart {
    let Some(range) = range.and_then(|text| text.strip_prefix("bytes=")) else {
        return RangePart::Whole;
    };
    if if_range.is_some_and(|version| version != etag) {
        return RangePart::Whole;
    }
    let Some((first, last)) = range.split_once('-') else { return RangePart::Whole };
    let bytes = match (number(first), number(last)) {
        (Some(first), None) if last.is_empty() => first..length,
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (None, Some(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return RangePart::Whole,
    };
    if bytes.start < bytes.end { RangePart::Some(bytes) } else { RangePart::Nothing }
}

fn number(text: &str) -> Option<usize> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of_ten(range: &str) -> RangePart {
        part(Some(range), None, "\"v\"", 10)
    }

    #[test]
    fn a_download_goes_on_where_it_stopped() {
        assert_eq!(of_ten("bytes=4-"), RangePart::Some(4..10));
        assert_eq!(of_ten("bytes=4-6"), RangePart::Some(4..7));
        assert_eq!(of_ten("bytes=4-600"), RangePart::Some(4..10));
        assert_eq!(of_ten("bytes=-3"), RangePart::Some(7..10));
        assert_eq!(of_ten("bytes=-30"), RangePart::Some(0..10));
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert_eq!(of_ten("bytes=10-"), RangePart::Nothing);
        assert_eq!(of_ten("bytes=-0"), RangePart::Nothing);
        assert_eq!(part(Some("bytes=0-"), None, "", 0), RangePart::Nothing);
    }

    #[test]
    fn another_version_and_nonsense_get_the_whole() {
        assert_eq!(part(Some("bytes=4-"), Some("\"old\""), "\"v\"", 10), RangePart::Whole);
        assert_eq!(part(Some("bytes=4-"), Some("\"v\""), "\"v\"", 10), RangePart::Some(4..10));
        for text in ["bytes=1-2,4-5", "bytes=6-4", "lines=1-2", "bytes=-", "bytes=+1-2", "bytes=a-"]
        {
            assert_eq!(of_ten(text), RangePart::Whole, "{text}");
        }
        assert_eq!(part(None, None, "\"v\"", 10), RangePart::Whole);
    }

    proptest! {
        #[test]
        fn a_part_always_lies_inside(text in "bytes=[0-9]{0,20}-[0-9]{0,20}", length in 0usize..50) {
            if let RangePart::Some(range) = part(Some(&text), None, "", length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
