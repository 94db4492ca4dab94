//! How many labelled images a share of solved images takes.

use serde::Serialize;

use super::{CurvePoint, LearningCurve};

/// A number of labelled images, as far as the measurement tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LabelCount {
    /// The smallest measured number is enough.
    AtMost(usize),
    /// Interpolated between two measured numbers, or the larger one of them.
    About(usize),
    /// The largest measured number is not enough.
    MoreThan(usize),
}

/// The labelled images after which one try in `one_in` is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelsNeeded {
    /// 2 for one try in two, 10 for one in ten.
    pub one_in: usize,
    /// By the measured shares.
    pub labels: LabelCount,
    /// By the upper and by the lower ends of the shares' 95% intervals. `labels` lies between them.
    pub interval: (LabelCount, LabelCount),
}

impl LearningCurve {
    /// The labelled images after which one try in `one_in` is solved; `None` without points.
    ///
    /// The number is the first at which the share is reached. Between two measured numbers `n`, the
    /// share is taken as linear in `log(1 + n)`. A fall of the share after that does not count,
    /// because an attacker need not use all labelled images.
    pub fn labels_needed(&self, one_in: usize) -> Option<LabelsNeeded> {
        let points = self.sorted();
        let share = 1.0 / one_in.max(1) as f64;
        let reached = |of: fn(&CurvePoint) -> f64| first_reached(&points, share, of);
        Some(LabelsNeeded {
            one_in,
            labels: reached(|point| point.tally().accuracy())?,
            interval: (
                reached(|point| point.tally().interval().1)?,
                reached(|point| point.tally().interval().0)?,
            ),
        })
    }
}

fn first_reached(
    points: &[CurvePoint],
    share: f64,
    of: fn(&CurvePoint) -> f64,
) -> Option<LabelCount> {
    let (first, last) = (points.first()?, points.last()?);
    if of(first) >= share {
        return Some(LabelCount::AtMost(first.labels));
    }
    let crossing = points.windows(2).find(|pair| of(&pair[1]) >= share);
    Some(match crossing {
        Some([before, after]) => {
            let part = (share - of(before)) / (of(after) - of(before));
            let [low, high] = [before, after].map(|point| (point.labels as f64).ln_1p());
            let labels = (low + part * (high - low)).exp_m1().round() as usize;
            // Rounding errors must not leave the measured numbers.
            LabelCount::About(labels.clamp(before.labels + 1, after.labels.max(before.labels + 1)))
        }
        _ => LabelCount::MoreThan(last.labels),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn curve(points: &[(usize, usize, usize)]) -> LearningCurve {
        let points = points
            .iter()
            .map(|&(labels, held_out, exact_matches)| CurvePoint {
                labels,
                held_out,
                exact_matches,
            });
        LearningCurve {
            points: points.collect(),
            ..LearningCurve::default()
        }
    }

    fn random_curve(random: &mut ChaCha8Rng) -> LearningCurve {
        let held_out = random.random_range(1..600);
        let mut labels = 0;
        let points: Vec<_> = (0..random.random_range(1..7))
            .map(|_| {
                labels += random.random_range(1..300);
                (labels, held_out, random.random_range(0..=held_out))
            })
            .collect();
        curve(&points)
    }

    /// Calls `check` with many random curves, each with a number of tries.
    fn for_random_curves(check: impl Fn(&LearningCurve, usize, &mut ChaCha8Rng)) {
        let mut random = ChaCha8Rng::seed_from_u64(21);
        for _ in 0..2000 {
            let curve = random_curve(&mut random);
            let one_in = random.random_range(1..300);
            check(&curve, one_in, &mut random);
        }
    }

    #[test]
    fn labels_needed_without_points_is_none() {
        assert_eq!(curve(&[]).labels_needed(2), None);
    }

    #[test]
    fn labels_needed_between_two_points_is_on_a_log_scale() {
        // Half of the way from 0.25 to 0.75: sqrt(100 * 400) - 1.
        let curve = curve(&[(399, 1000, 750), (99, 1000, 250)]);
        let needed = curve.labels_needed(2).unwrap();
        assert_eq!(needed.labels, LabelCount::About(199));
        let (LabelCount::About(from), LabelCount::About(to)) = needed.interval else {
            panic!("{needed:?}");
        };
        assert!(
            (180..199).contains(&from) && (200..220).contains(&to),
            "{needed:?}"
        );
        assert_eq!(
            curve.labels_needed(10).unwrap().labels,
            LabelCount::AtMost(99)
        );
        assert_eq!(
            curve.labels_needed(1).unwrap().labels,
            LabelCount::MoreThan(399)
        );
    }

    #[test]
    fn labels_needed_at_a_measured_point_is_its_number() {
        let curve = curve(&[(0, 10, 0), (24, 10, 1), (300, 10, 5)]);
        assert_eq!(
            curve.labels_needed(10).unwrap().labels,
            LabelCount::About(24)
        );
        assert_eq!(
            curve.labels_needed(2).unwrap().labels,
            LabelCount::About(300)
        );
    }

    #[test]
    fn labels_needed_of_a_falling_curve_is_the_first_number_that_is_enough() {
        let curve = curve(&[(25, 100, 0), (50, 100, 60), (100, 100, 40), (200, 100, 90)]);
        let labels = curve.labels_needed(2).unwrap().labels;
        assert!(labels > LabelCount::About(25) && labels < LabelCount::About(50));
    }

    #[test]
    fn labels_needed_lies_in_its_interval_and_in_the_measured_range() {
        for_random_curves(|curve, one_in, _| {
            let LabelsNeeded {
                labels, interval, ..
            } = curve.labels_needed(one_in).unwrap();
            assert!(
                interval.0 <= labels && labels <= interval.1,
                "{curve:?} {one_in}"
            );
            let numbers = || curve.points.iter().map(|point| point.labels);
            let (first, last) = (numbers().min().unwrap(), numbers().max().unwrap());
            for count in [labels, interval.0, interval.1] {
                assert!(match count {
                    LabelCount::AtMost(labels) => labels == first,
                    LabelCount::About(labels) => first < labels && labels <= last,
                    LabelCount::MoreThan(labels) => labels == last,
                });
            }
        });
    }

    #[test]
    fn labels_needed_for_fewer_tries_is_never_less() {
        for_random_curves(|curve, one_in, _| {
            let more = curve.labels_needed(one_in).unwrap();
            let fewer = curve.labels_needed(one_in + 1).unwrap();
            assert!(fewer.labels <= more.labels, "{curve:?} {one_in}");
            assert!(fewer.interval.0 <= more.interval.0 && fewer.interval.1 <= more.interval.1);
        });
    }

    #[test]
    fn labels_needed_of_a_better_result_is_never_more() {
        for_random_curves(|curve, one_in, random| {
            let mut better = curve.clone();
            let index = random.random_range(0..better.points.len());
            let point = &mut better.points[index];
            point.exact_matches = random.random_range(point.exact_matches..=point.held_out);
            let [before, after] =
                [curve, &better].map(|curve| curve.labels_needed(one_in).unwrap());
            assert!(
                after.labels <= before.labels,
                "{curve:?} {better:?} {one_in}"
            );
        });
    }

    #[test]
    fn labels_needed_does_not_depend_on_the_order_of_the_points() {
        for_random_curves(|curve, one_in, _| {
            let mut other = curve.clone();
            other.points.reverse();
            assert_eq!(other.labels_needed(one_in), curve.labels_needed(one_in));
        });
    }

    #[test]
    fn labels_needed_has_a_narrower_interval_with_more_held_out_images() {
        for_random_curves(|curve, one_in, _| {
            let mut more = curve.clone();
            for point in &mut more.points {
                point.held_out *= 10;
                point.exact_matches *= 10;
            }
            let [few, many] = [curve, &more].map(|curve| curve.labels_needed(one_in).unwrap());
            assert_eq!(few.labels, many.labels);
            assert!(few.interval.0 <= many.interval.0 && many.interval.1 <= few.interval.1);
        });
    }
}
