//! How fast torsions forget: autocorrelation and decorrelation times.

use rustfft::{FftPlanner, num_complex::Complex};

/// Normalised circular autocorrelation of one torsion, C(0) = 1, at lags 0 … `longest` frames.
///
/// z = e^{iθ} − mean over all segments; C(l) = ⟨z(t)·z*(t + l)⟩ / ⟨|z|²⟩, each average over the
/// pairs that exist. `segments` are independent pieces (replicas) of the same torsion, rad: no pair
/// crosses from one to the next. All 1 for a torsion that does not move; lags that no segment
/// reaches are left out.
pub fn autocorrelation(segments: &[&[f64]], longest: usize) -> Vec<f64> {
    let unit = |angle: &f64| [angle.cos(), angle.sin()];
    let points: Vec<Vec<[f64; 2]>> = segments
        .iter()
        .map(|segment| segment.iter().map(unit).collect())
        .collect();
    let views: Vec<&[[f64; 2]]> = points.iter().map(Vec::as_slice).collect();
    autocorrelation_of(&views, longest)
}

/// The same for points in a plane; for numbers, whose second coordinate is 0, it is their usual
/// autocorrelation.
pub fn autocorrelation_of(segments: &[&[[f64; 2]]], longest: usize) -> Vec<f64> {
    let total: usize = segments.iter().map(|segment| segment.len()).sum();
    let lengths = segments.iter().map(|segment| segment.len());
    let reach = lengths.max().unwrap_or(0).min(longest + 1);
    let complex = |point: &[f64; 2]| Complex::new(point[0], point[1]);
    let centre: Complex<f64> = segments.iter().copied().flatten().map(complex).sum();
    let centre = centre / total.max(1) as f64;
    let (mut sums, mut pairs) = (vec![0.0; reach], vec![0usize; reach]);
    let mut planner = FftPlanner::new();
    for segment in segments {
        // Padded to twice its length, so that the circular correlation of the transform does not
        // wrap around.
        let size = (2 * segment.len()).next_power_of_two();
        let mut z: Vec<Complex<f64>> = segment.iter().map(|x| complex(x) - centre).collect();
        z.resize(size, Complex::new(0.0, 0.0));
        planner.plan_fft_forward(size).process(&mut z);
        z.iter_mut()
            .for_each(|z| *z = Complex::new(z.norm_sqr(), 0.0));
        planner.plan_fft_inverse(size).process(&mut z);
        for lag in 0..reach.min(segment.len()) {
            sums[lag] += z[lag].re / size as f64;
            pairs[lag] += segment.len() - lag;
        }
    }
    let variance = sums.first().map_or(0.0, |sum| sum / total as f64);
    if variance <= 1e-14 {
        return vec![1.0; reach];
    }
    let mean = |(sum, &pairs): (&f64, &usize)| sum / pairs as f64 / variance;
    sums.iter().zip(&pairs).map(mean).collect()
}

/// Integral of an autocorrelation from lag 0 to where it first falls to zero or below, by
/// trapezoids, in the unit of `step` (the time between frames): the decorrelation time. Past that
/// point an estimate is noise. `None` where it never falls so far within the lags given: the series
/// is too short to tell.
pub fn decorrelation_time(autocorrelation: &[f64], step: f64) -> Option<f64> {
    let lags: Vec<f64> = (0..autocorrelation.len())
        .map(|lag| lag as f64 * step)
        .collect();
    let (integral, complete) = integral_to_zero(&lags, autocorrelation);
    complete.then_some(integral)
}

/// The same for values at any lags (ascending, from 0): the integral, and whether the values fell
/// to zero within them.
pub fn integral_to_zero(lags: &[f64], values: &[f64]) -> (f64, bool) {
    let mut integral = 0.0;
    for (lag, value) in lags.windows(2).zip(values.windows(2)) {
        let width = lag[1] - lag[0];
        if value[1] <= 0.0 {
            // the last piece is a triangle, down to where the line between both values crosses zero
            let share = value[0] / (value[0] - value[1]);
            return (integral + 0.5 * share * width * value[0], true);
        }
        integral += 0.5 * width * (value[0] + value[1]);
    }
    (integral, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn the_transform_agrees_with_the_definition_over_segments() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |count: usize| -> Vec<f64> {
            (0..count)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect()
        };
        let segments = [draw(37), draw(5), draw(64)];
        let views: Vec<&[f64]> = segments.iter().map(Vec::as_slice).collect();
        let got = autocorrelation(&views, 50);
        let all: Vec<f64> = segments.concat();
        let (x, y) = (
            all.iter().map(|a| a.cos()).sum::<f64>() / 106.0,
            all.iter().map(|a| a.sin()).sum::<f64>() / 106.0,
        );
        let at = |lag: usize| {
            let product =
                |a: f64, b: f64| (a.cos() - x) * (b.cos() - x) + (a.sin() - y) * (b.sin() - y);
            let pairs = views.iter().flat_map(|s| {
                s.iter()
                    .zip(s.iter().skip(lag))
                    .map(|(&a, &b)| product(a, b))
            });
            let (count, sum) =
                pairs.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
            sum / count
        };
        assert_eq!(got.len(), 51);
        for (lag, value) in got.iter().enumerate() {
            assert!((value - at(lag) / at(0)).abs() <= 1e-12, "{lag}: {value}");
        }
    }

    #[test]
    fn a_two_state_flip_decorrelates_as_its_rate_says() {
        // θ jumps between 0 and π with probability p a step: z = ±1, C(l) = (1 − 2p)^l, integral by
        // trapezoids 1/(2p) − 1/2.
        use rand::RngExt;
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let p = 0.05;
        let mut state = 0.0;
        let series: Vec<f64> = (0..400_000)
            .map(|_| {
                if rng.random_range(0.0..1.0) < p {
                    state = std::f64::consts::PI - state;
                }
                state
            })
            .collect();
        let time = decorrelation_time(&autocorrelation(&[&series], 2000), 2.0).unwrap();
        assert!((time - 2.0 * (0.5 / p - 0.5)).abs() <= 1.0, "{time}");
    }

    #[test]
    fn what_does_not_decorrelate_has_no_time() {
        assert_eq!(
            decorrelation_time(&autocorrelation(&[&[0.3; 50]], 20), 1.0),
            None
        );
        // straight line from 1 through 0 at lag 2: the area of a triangle
        let time = decorrelation_time(&[1.0, 0.5, 0.0, -0.5], 1.0).unwrap();
        assert!((time - 1.0).abs() <= 1e-15, "{time}");
        let time = decorrelation_time(&[1.0, 0.25, -0.25], 1.0).unwrap();
        assert!((time - (0.625 + 0.0625)).abs() <= 1e-15, "{time}");
    }
}
