//! How good recognition is, in the figures people compare: pairs (are these two the same person?)
//! and identification (who of these is it, if anybody?).
//!
//! Lines are chosen on other data than they are judged on where that is asked for (10 folds), and
//! counted exactly, ties included, where it is not. Scores are cosines: higher is more alike.

/// One pair compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Cosine.
    pub score: f32,
    /// Whether both show the same person.
    pub same: bool,
    /// Which of the folds it belongs to, from 0.
    pub fold: usize,
}

/// Figures over pairs; `None` where a figure needs pairs of a kind that there are none of.
#[derive(Debug, Clone, PartialEq)]
pub struct PairFigures {
    /// Mean over the folds, each judged by the best line of the others.
    pub accuracy: Option<f64>,
    /// Standard deviation of the folds' accuracies.
    pub accuracy_spread: Option<f64>,
    /// Where false accepts and false rejects are equally frequent.
    pub eer: Option<f64>,
    /// True accepts at 1 false accept in 100.
    pub tar_at_1e2: Option<f64>,
    /// True accepts at 1 false accept in 1,000.
    pub tar_at_1e3: Option<f64>,
    /// Least and middle score of the same person.
    pub genuine_min: Option<f32>,
    /// See `genuine_min`.
    pub genuine_median: Option<f32>,
    /// Highest score of two people.
    pub impostor_max: Option<f32>,
}

/// All figures over `pairs`.
#[must_use]
pub fn pairs(pairs: &[Pair]) -> PairFigures {
    let of = |same: bool| {
        let mut scores: Vec<f32> =
            pairs.iter().filter(|pair| pair.same == same).map(|pair| pair.score).collect();
        scores.sort_by(f32::total_cmp);
        scores
    };
    let (genuine, impostor) = (of(true), of(false));
    let folds = fold_accuracies(pairs);
    PairFigures {
        accuracy: mean(&folds),
        accuracy_spread: spread(&folds),
        eer: eer(&genuine, &impostor),
        tar_at_1e2: tar_at(&genuine, &impostor, 1e-2),
        tar_at_1e3: tar_at(&genuine, &impostor, 1e-3),
        genuine_min: genuine.first().copied(),
        genuine_median: genuine.get(genuine.len() / 2).copied(),
        impostor_max: impostor.last().copied(),
    }
}

/// The accuracy of each fold under the line that is best on all others.
fn fold_accuracies(pairs: &[Pair]) -> Vec<f64> {
    let folds = pairs.iter().map(|pair| pair.fold + 1).max().unwrap_or(0);
    let accuracy = |fold: usize| {
        let (test, train): (Vec<Pair>, Vec<Pair>) =
            pairs.iter().partition(|pair| pair.fold == fold);
        let line = best_line(train)?;
        let right = test.iter().filter(|pair| (pair.score >= line) == pair.same).count();
        (!test.is_empty()).then(|| right as f64 / test.len() as f64)
    };
    (0..folds).filter_map(accuracy).collect()
}

/// The line that calls most pairs right: halfway between two neighbouring scores.
fn best_line(mut pairs: Vec<Pair>) -> Option<f32> {
    pairs.sort_by(|a, b| a.score.total_cmp(&b.score));
    let mut right = pairs.iter().filter(|pair| pair.same).count() as i64;
    let mut best = (right, pairs.first()?.score);
    for (index, pair) in pairs.iter().enumerate() {
        right += if pair.same { -1 } else { 1 };
        let next = pairs.get(index + 1).map_or(pair.score + 1e-4, |next| next.score);
        if next > pair.score && right > best.0 {
            best = (right, pair.score + (next - pair.score) / 2.0);
        }
    }
    Some(best.1)
}

/// Both lists ascending. The rates cross between two scores: their mean at the nearest point.
fn eer(genuine: &[f32], impostor: &[f32]) -> Option<f64> {
    if genuine.is_empty() || impostor.is_empty() {
        return None;
    }
    let rates = |line: f32| {
        let rejected = genuine.partition_point(|&score| score < line);
        let accepted = impostor.len() - impostor.partition_point(|&score| score < line);
        (rejected as f64 / genuine.len() as f64, accepted as f64 / impostor.len() as f64)
    };
    let lines = genuine.iter().chain(impostor).copied().chain([f32::INFINITY]);
    let nearest = lines.map(rates).min_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()));
    nearest.map(|(rejected, accepted)| (rejected + accepted) / 2.0)
}

/// Part of `genuine` that passes a line which at most `far` of `impostor` reach; both ascending.
fn tar_at(genuine: &[f32], impostor: &[f32], far: f64) -> Option<f64> {
    if genuine.is_empty() || impostor.is_empty() {
        return None;
    }
    let above = line_passed_by(impostor, far);
    let passed = genuine.len() - genuine.partition_point(|&score| score <= above);
    Some(passed as f64 / genuine.len() as f64)
}

/// The highest score that must *not* pass, so that at most `part` of the ascending `scores` do.
fn line_passed_by(scores: &[f32], part: f64) -> f32 {
    let allowed = (part * scores.len() as f64 + 1e-9).floor() as usize;
    let last = scores.len().checked_sub(allowed + 1);
    last.map_or(f32::NEG_INFINITY, |last| scores[last])
}

/// A probe of an enrolled person, compared with everybody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Cosine to the right person.
    pub right: f32,
    /// Highest cosine to anybody else; what a stranger with this face would reach.
    pub wrong: f32,
}

/// Figures over probes in an open set.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentifyFigures {
    /// Part of the probes whose nearest person is the right one.
    pub rank1: Option<f64>,
    /// Part of the enrolled not found when 5, 1 and 0.1 % of strangers are found.
    pub fnir_at: [(f64, Option<f64>); 3],
}

/// All figures over `probes` of enrolled people and the best scores of `strangers`. Each probe also
/// serves as a stranger, with its own person taken out.
#[must_use]
pub fn identify(probes: &[Probe], strangers: &[f32]) -> IdentifyFigures {
    let mut tops: Vec<f32> =
        probes.iter().map(|probe| probe.wrong).chain(strangers.iter().copied()).collect();
    tops.retain(|top| top.is_finite());
    tops.sort_by(f32::total_cmp);
    let part = |count: usize| (!probes.is_empty()).then(|| count as f64 / probes.len() as f64);
    let first = |probe: &&Probe| probe.right > probe.wrong;
    let fnir = |fpir: f64| {
        let above = line_passed_by(&tops, fpir);
        let found = probes.iter().filter(first).filter(|probe| probe.right > above).count();
        (fpir, part(probes.len() - found).filter(|_| !tops.is_empty()))
    };
    IdentifyFigures {
        rank1: part(probes.iter().filter(first).count()),
        fnir_at: [0.05, 0.01, 0.001].map(fnir),
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn spread(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / values.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores and whether they are of one person, dealt to `folds` folds in turn.
    fn deal(scores: &[(f32, bool)], folds: usize) -> Vec<Pair> {
        let pair =
            |(n, &(score, same)): (usize, &(f32, bool))| Pair { score, same, fold: n % folds };
        scores.iter().enumerate().map(pair).collect()
    }

    #[test]
    fn two_clean_heaps_give_perfect_figures() {
        let scores = [(0.9, true), (0.1, false), (0.8, true), (0.2, false)];
        let figures = pairs(&deal(&scores, 2));
        assert_eq!((figures.accuracy, figures.accuracy_spread), (Some(1.0), Some(0.0)));
        assert_eq!((figures.eer, figures.tar_at_1e3), (Some(0.0), Some(1.0)));
        assert_eq!((figures.genuine_min, figures.impostor_max), (Some(0.8), Some(0.2)));
    }

    #[test]
    fn one_mistake_in_four_shows_in_every_figure() {
        let scores = [(0.9, true), (0.1, false), (0.8, true), (0.2, false)];
        let mixed = [(0.7, true), (0.3, false), (0.3, true), (0.75, false)];
        let figures = pairs(&deal(&[scores, mixed].concat(), 1));
        assert_eq!(figures.accuracy, None, "one fold has no others to learn from");
        assert_eq!(figures.eer, Some(0.25));
        assert_eq!(figures.tar_at_1e2, Some(0.5), "only .8 and .9 lie above every impostor");
    }

    #[test]
    fn a_fold_is_judged_by_the_line_of_the_others() {
        // Fold 0 alone would draw the line at .5; fold 1 draws it at .85 and loses the pair at .6.
        let fold = |fold, score, same| Pair { score, same, fold };
        let data =
            [fold(0, 0.6, true), fold(0, 0.4, false), fold(1, 0.9, true), fold(1, 0.8, false)];
        assert_eq!(fold_accuracies(&data), [0.5, 0.5]);
    }

    #[test]
    fn true_accepts_are_counted_at_the_exact_rate() {
        let impostor: Vec<f32> = (0..1000).map(|n| n as f32 / 1000.0).collect();
        let genuine = [0.5, 0.9895, 0.9985, 1.0];
        assert_eq!(tar_at(&genuine, &impostor, 1e-2), Some(0.75), "10 of 1,000 pass .989");
        assert_eq!(tar_at(&genuine, &impostor, 1e-3), Some(0.5), "1 of 1,000 passes .998");
        assert_eq!(tar_at(&genuine, &impostor, 1.0), Some(1.0));
    }

    #[test]
    fn ties_between_the_two_kinds_never_flatter() {
        let figures = pairs(&deal(&[(0.5, true), (0.5, false)], 1));
        assert_eq!((figures.tar_at_1e2, figures.eer), (Some(0.0), Some(0.5)));
    }

    #[test]
    fn nothing_gives_nothing_and_never_a_nan() {
        let figures = pairs(&[]);
        assert_eq!((figures.accuracy, figures.eer, figures.genuine_min), (None, None, None));
        assert_eq!(pairs(&deal(&[(0.5, true)], 2)).tar_at_1e2, None);
        assert_eq!(identify(&[], &[]).rank1, None);
    }

    #[test]
    fn identification_counts_wrong_people_and_missed_ones() {
        let probe = |right, wrong| Probe { right, wrong };
        let probes = [probe(0.9, 0.3), probe(0.8, 0.2), probe(0.4, 0.6), probe(0.5, 0.1)];
        let figures = identify(&probes, &[]);
        assert_eq!(figures.rank1, Some(0.75));
        // No stranger may pass, the best reaches .6: of the right ones .9 and .8 remain.
        assert_eq!(figures.fnir_at[2], (0.001, Some(0.5)));
    }

    #[test]
    fn strangers_move_the_line() {
        let probes = [Probe { right: 0.9, wrong: 0.1 }; 4];
        assert_eq!(identify(&probes, &[0.5]).fnir_at[0].1, Some(0.0));
        assert_eq!(identify(&probes, &[0.95]).fnir_at[0].1, Some(1.0));
    }
}
