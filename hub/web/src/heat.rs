//! A register as a heat map: pages of students and lessons, each mark as a letter, a colour and a
//! word; who is at risk; and what days and months come to.

use super::chart::ChartPart;
use super::mark_words::{self, MarkWords};
use jiff::civil::Date;
use rules::attendance::Status;
use rules::reports::analytics::RISK;
use rules::reports::matrix::{self, Cell, RegisterMatrix};
use rules::reports::{ReportRate, Sums};
use std::collections::BTreeMap;
use words::language::Language;

/// Days of a trend at most; of more, weeks are shown.
const DAYS: usize = 60;

/// A mark for the eye and for the ear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeatMark {
    /// Its colour.
    pub class: &'static str,
    /// Its letter.
    pub letter: String,
    /// Its word, and whether a person set it.
    pub word: String,
}

/// Every mark there can be, in one language: made once, used for thousands of cells.
pub struct Legend {
    marks: Vec<[HeatMark; 2]>,
    none: HeatMark,
}

impl Legend {
    /// The legend in this language.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let mark = |status: Status| {
            let MarkWords { letter, in_report, .. } = mark_words::of(status);
            let class = status.as_str();
            let letter = language.say(letter);
            let word = language.say(in_report);
            let hand = language.one("report-by-hand", "mark", &word);
            [word, hand].map(|word| HeatMark { class, letter: letter.clone(), word })
        };
        let letter = String::new();
        let word = language.say("report-no-mark");
        Self { marks: Status::ALL.map(mark).into(), none: HeatMark { class: "none", letter, word } }
    }

    /// The mark of a cell.
    #[must_use]
    pub fn of(&self, cell: Cell) -> &HeatMark {
        let mark = |status: Status| &self.marks[status as usize][usize::from(cell.manual)];
        cell.status.map_or(&self.none, mark)
    }

    /// Each mark once.
    pub fn each(&self) -> impl Iterator<Item = &HeatMark> {
        self.marks.iter().map(|[mark, _]| mark)
    }
}

/// One page of many: which things, and which page of how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeatPage {
    /// The first thing.
    pub from: usize,
    /// The one after the last.
    pub to: usize,
    /// The page, from 1.
    pub page: usize,
    /// Pages there are; one at least.
    pub pages: usize,
}

impl HeatPage {
    /// Page `asked`, or else the first, of `all` things, `size` on a page.
    #[must_use]
    pub fn first(all: usize, size: usize, asked: Option<usize>) -> Self {
        let pages = all.div_ceil(size).max(1);
        let page = asked.unwrap_or(1).clamp(1, pages);
        let from = (page - 1) * size;
        Self { from, to: (from + size).min(all), page, pages }
    }

    /// Page `asked`, or else the last, which is full: what is left over is on the first.
    #[must_use]
    pub fn last(all: usize, size: usize, asked: Option<usize>) -> Self {
        let pages = all.div_ceil(size).max(1);
        let page = asked.unwrap_or(pages).clamp(1, pages);
        let to = all - (pages - page) * size;
        Self { from: to.saturating_sub(size), to, page, pages }
    }
}

/// Somebody who misses too much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeatRisk {
    /// Full name.
    pub name: String,
    /// Number in the school's register.
    pub number: String,
    /// Lessons they missed.
    pub absent: i64,
    /// Lessons that count.
    pub of: i64,
    /// How many per cent they attended.
    pub rate: ReportRate,
}

/// Students who attended less than [`RISK`] per cent of what counts, the lowest first.
#[must_use]
pub fn at_risk(matrix: &RegisterMatrix) -> Vec<HeatRisk> {
    let risk = |n: usize| {
        let sums = matrix::tally(matrix.row(n).iter().copied()).sums();
        let person = &matrix.people[n];
        (sums.total() > 0 && sums.attended().is_below(RISK)).then(|| HeatRisk {
            name: person.full_name(),
            number: person.number.clone(),
            absent: sums.absent,
            of: sums.total(),
            rate: sums.attended(),
        })
    };
    let mut all: Vec<_> = (0..matrix.people.len()).filter_map(risk).collect();
    all.sort_by_key(|risk| (risk.rate, std::cmp::Reverse(risk.absent)));
    all
}

/// The sums of all lessons that `key` puts together, in its order; without those of which nothing
/// counts.
fn sums_by<K: Ord>(matrix: &RegisterMatrix, key: impl Fn(Date) -> K) -> BTreeMap<K, Sums> {
    let mut all: BTreeMap<K, Sums> = BTreeMap::new();
    for (n, lesson) in matrix.lessons.iter().enumerate() {
        let sums = matrix::tally(matrix.column(n)).sums();
        if sums.total() > 0 {
            *all.entry(key(lesson.day)).or_default() += sums;
        }
    }
    all
}

/// What the days come to, or else the weeks.
#[must_use]
pub fn trend(matrix: &RegisterMatrix, language: Language) -> Vec<ChartPart> {
    let days = sums_by(matrix, |day| day);
    let days = if days.len() > DAYS { sums_by(matrix, monday) } else { days };
    let part = |(day, sums)| {
        let short = words::short_day(language, day);
        let full = words::full_day(language, day);
        ChartPart { short, full, sums }
    };
    days.into_iter().map(part).collect()
}

fn monday(day: Date) -> Date {
    let since = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(jiff::Span::new().days(since)).unwrap_or(day)
}

/// What the months come to.
#[must_use]
pub fn months(matrix: &RegisterMatrix, language: Language) -> Vec<ChartPart> {
    let part = |(month, sums): (Date, Sums)| {
        let short = words::short_month(language, month);
        let full = words::month(language, month);
        ChartPart { short, full, sums }
    };
    sums_by(matrix, Date::first_of_month).into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use rules::attendance::Source;
    use rules::reports::matrix::{MatrixLesson, MatrixPerson};
    use uuid::Uuid;
    use wire::{StudentId, Wall};

    fn matrix(days: &[Date], marks: &[&[Status]]) -> RegisterMatrix {
        let person = |n: usize| {
            let id = StudentId(Uuid::from_u128(n as u128));
            let (number, last_name) = (format!("S{n}"), format!("P{n}"));
            MatrixPerson { id, number, first_name: String::new(), last_name }
        };
        let lesson = |(n, day): (usize, &Date)| {
            let (id, name) = (Uuid::from_u128(n as u128), String::new());
            MatrixLesson { id, name, day: *day, starts: Wall(0), ends: Wall(1) }
        };
        let lessons = days.iter().enumerate().map(lesson).collect();
        let mut all = RegisterMatrix::new((0..marks.len()).map(person).collect(), lessons).unwrap();
        for (n, row) in marks.iter().enumerate() {
            for (lesson, status) in row.iter().enumerate() {
                *all.cell(n, lesson).unwrap() = Cell::of(*status, Source::Door);
            }
        }
        all
    }

    use Status::{Absent as A, Excused as E, Late as L, Present as P};

    #[test]
    fn a_page_is_within_what_there_is() {
        let [first, last] = [HeatPage::first, HeatPage::last].map(|of| {
            move |asked| {
                let page = of(95, 40, asked);
                (page.from, page.to, page.page, page.pages)
            }
        });
        assert_eq!([None, Some(3)].map(first), [(0, 40, 1, 3), (80, 95, 3, 3)]);
        assert_eq!([None, Some(2)].map(last), [(55, 95, 3, 3), (15, 55, 2, 3)]);
        assert_eq!([Some(0), Some(99)].map(last), [(0, 15, 1, 3), (55, 95, 3, 3)]);
        let none = HeatPage { from: 0, to: 0, page: 1, pages: 1 };
        assert_eq!((HeatPage::first(0, 40, None), HeatPage::last(0, 40, None)), (none, none));
    }

    #[test]
    fn those_at_risk_come_lowest_first_and_nobody_without_a_mark_that_counts() {
        let days = [date(2026, 3, 2); 4];
        let all = matrix(&days, &[&[P, P, P, A], &[P, L, A, A], &[A, A, A, E], &[E, E, E, E]]);
        let risk = at_risk(&all);
        let risk: Vec<_> = risk.iter().map(|r| (r.number.as_str(), r.absent, r.of)).collect();
        assert_eq!(risk, [("S2", 3, 3), ("S1", 2, 4)]);
    }

    #[test]
    fn lessons_of_a_day_and_days_of_a_month_count_together() {
        let days = [date(2026, 2, 27), date(2026, 3, 2), date(2026, 3, 2), date(2026, 3, 3)];
        let all = matrix(&days, &[&[P, P, A, E]]);
        let shown = |parts: Vec<ChartPart>| -> Vec<_> {
            parts.into_iter().map(|part| (part.short, part.sums.total())).collect()
        };
        assert_eq!(
            shown(trend(&all, Language::English)),
            [("27 Feb".to_owned(), 1), ("2 Mar".into(), 2)]
        );
        assert_eq!(
            shown(months(&all, Language::English)),
            [("Feb".to_owned(), 1), ("Mar".into(), 2)]
        );
    }

    #[test]
    fn a_long_trend_is_told_in_weeks() {
        let day = |n: i64| date(2026, 1, 5).checked_add(jiff::Span::new().days(n)).unwrap();
        let days: Vec<_> = (0..70).map(day).collect();
        let all = matrix(&days, &[&[P; 70]]);
        let trend = trend(&all, Language::English);
        assert_eq!((trend.len(), trend[0].sums.total()), (10, 7));
    }

    #[test]
    fn every_mark_has_a_letter_and_a_word_and_a_person_is_said() {
        let legend = Legend::new(Language::English);
        assert_eq!(legend.of(Cell::default()).class, "none");
        for status in Status::ALL {
            let mark = legend.of(Cell::of(status, Source::Door));
            assert!(!mark.letter.is_empty() && !mark.word.is_empty(), "{mark:?}");
            let hand = legend.of(Cell::of(status, Source::Manual));
            assert!(hand.word.contains("set by a person") && hand.letter == mark.letter);
        }
    }
}
