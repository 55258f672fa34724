use super::*;
use crate::structure::centroid;
use crate::task::{Objective as _, Settings};

const SIGMA_DATA: f64 = 0.8;

/// The objective of the default settings with this noise on the condition, for data of a standard
/// deviation of σ_data.
fn objective(condition_noise: f64) -> Objective {
    let mut settings: super::super::Settings = toml::from_str("lag = \"1ps\"").unwrap();
    settings.condition_noise = condition_noise;
    // what is measured is wider by the noise on the condition
    let measured = (SIGMA_DATA * SIGMA_DATA - condition_noise * condition_noise / 3.0).sqrt();
    let Task::Jump(jump) = Settings::Jump(settings).objective(None, measured).task() else {
        panic!("not a jump")
    };
    assert!((jump.sigma_data - SIGMA_DATA).abs() <= 1e-12);
    Objective {
        jump,
        levels: Levels {
            log_mean: settings.log_sigma_mean,
            log_std: settings.log_sigma_std,
        },
        reversed: settings.reversed,
        returns: settings.returns,
        condition_noise,
    }
}

/// A frame and one a normal displacement (standard deviation σ_data) away, both without their mean.
struct Pair {
    now: Vec<Vector3<f64>>,
    later: Vec<Vector3<f64>>,
}

impl Pair {
    fn new(rng: &mut ChaCha8Rng) -> Pair {
        let now: Vec<_> = noise::centred(rng, 200).iter().map(|x| 10.0 * x).collect();
        let moves = noise::centred(rng, 200);
        let later = now.iter().zip(moves).map(|(x, n)| x + SIGMA_DATA * n);
        Pair {
            later: later.collect(),
            now,
        }
    }
}

impl Scene for Pair {
    fn system(&self) -> usize {
        5
    }
    fn lag_time(&self) -> f64 {
        1.0
    }
    fn now(&self) -> Vec<Vector3<f64>> {
        self.now.clone()
    }
    fn later(&self) -> Vec<Vector3<f64>> {
        self.later.clone()
    }
    fn force(&self) -> Vec<Vector3<f64>> {
        Vec::new()
    }
    fn is_folded(&self) -> bool {
        false
    }
    fn any_frame(&self, _rng: &mut ChaCha8Rng) -> Vec<Vector3<f64>> {
        self.now.clone()
    }
    fn has_strays(&self) -> bool {
        false
    }
    fn way_back(&self, _rng: &mut ChaCha8Rng) -> Option<[Vec<Vector3<f64>>; 2]> {
        None
    }
}

fn denoising(sample: &Sample) -> &Denoising {
    sample.denoising.as_ref().unwrap()
}

#[test]
fn an_exact_denoiser_has_no_loss_and_the_gradient_is_the_derivative() {
    let mut rng = noise::generator(1, 0, 0, 0);
    let pair = Pair::new(&mut rng);
    let sample = objective(0.1).sample(&pair, &mut rng);
    let (loss, gradient) = sample.loss(&sample.target);
    assert!(loss == 0.0 && gradient.iter().all(|g| g.norm() == 0.0));

    let mut answer = denoising(&sample).noisy.clone();
    let (_, gradient) = sample.loss(&answer);
    let step = 1e-4;
    answer[3].y += step;
    let above = sample.loss(&answer).0;
    answer[3].y -= 2.0 * step;
    let slope = (above - sample.loss(&answer).0) / (2.0 * step);
    assert!(
        (slope - gradient[3].y).abs() <= 1e-7 * gradient[3].y.abs(),
        "{slope} {}",
        gradient[3].y
    );
}

/// D = xc + c_skip (xn − xc), an answer of nothing: with normal displacements its weighted error is
/// 1 on average at any σ.
#[test]
fn the_skip_connection_alone_has_a_loss_of_one() {
    let mut rng = noise::generator(2, 0, 0, 0);
    let objective = objective(0.0);
    let losses: Vec<f64> = (0..400)
        .map(|_| {
            let pair = Pair::new(&mut rng);
            let sample = objective.sample(&pair, &mut rng);
            let given = denoising(&sample);
            let skip = SIGMA_DATA.powi(2) / (SIGMA_DATA.powi(2) + given.sigma.powi(2));
            let pairs = sample.condition.iter().zip(&given.noisy);
            let answer: Vec<_> = pairs.map(|(c, n)| c + skip * (n - c)).collect();
            sample.loss(&answer).0
        })
        .collect();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    // a mean of 400 × 600 squares, standard error √2/√(240,000) = 0.0029; centring and alignment
    // take 6 of 600 degrees
    assert!((mean - 1.0).abs() <= 0.01 + 4.0 * 0.0029, "{mean}");
}

#[test]
fn samples_are_centred_noisy_as_told_and_half_reversed() {
    let mut rng = noise::generator(3, 0, 0, 0);
    let objective = objective(0.1);
    let pair = Pair::new(&mut rng);
    let size = |x: &[Vector3<f64>], y: &[Vector3<f64>]| {
        let squares = x.iter().zip(y).map(|(a, b)| (a - b).norm_squared());
        (squares.sum::<f64>() / (3.0 * 199.0)).sqrt()
    };
    let mut reversed = 0;
    let mut ratios = Vec::new();
    for _ in 0..400 {
        let sample = objective.sample(&pair, &mut rng);
        let given = denoising(&sample);
        assert!(sample.system == 5 && given.condition_noise <= 0.1);
        assert!(centroid(&given.noisy).norm() <= 1e-12);
        assert!(centroid(&sample.condition).norm() <= 1e-12);
        ratios.push(size(&given.noisy, &sample.target) / given.sigma);
        let backwards = size(&sample.condition, &pair.later) < size(&sample.condition, &pair.now);
        reversed += usize::from(backwards);
        let clean = if backwards { &pair.later } else { &pair.now };
        ratios.push(size(&sample.condition, clean) / given.condition_noise);
    }
    // binomial: 200 ± 10; each ratio of standard deviations 1 ± 1/√(2·597)
    assert!((160..=240).contains(&reversed), "{reversed}");
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(
        (mean - 1.0).abs() <= 4.0 * 0.029 / (800f64).sqrt(),
        "{mean}"
    );
    assert!(ratios.iter().all(|r| (r - 1.0).abs() <= 0.15));
}

#[test]
fn every_noise_level_has_its_band() {
    let levels = [0.005, 0.029, 0.03, 0.1, 0.3, 0.99, 1.0, 3.0, 10.0];
    assert_eq!(levels.map(band), [0, 0, 1, 2, 3, 3, 4, 5, 5]);
}

/// Mean and variance of ln σ, and the shares that are clipped, within four standard errors of
/// the normal distribution's.
#[test]
fn noise_levels_are_log_normal() {
    let levels = Levels {
        log_mean: -1.6,
        log_std: 1.5,
    };
    let mut rng = noise::generator(7, 0, 0, 0);
    const COUNT: usize = 200_000;
    let sigma: Vec<f64> = (0..COUNT).map(|_| levels.draw(&mut rng)).collect();
    assert!(sigma.iter().all(|s| (0.005..=10.0).contains(s)));
    // Φ of a few levels: ln σ below mean − s.d., mean, mean + s.d.; and the two clips, z = (ln
    // .005 + 1.6)/1.5, (ln 10 + 1.6)/1.5
    for (z, below) in [
        (-2.465_545, 0.006_840_3),
        (-1.0, 0.158_655),
        (0.0, 0.5),
        (1.0, 0.841_345),
        (2.601_723, 0.995_362_2),
    ] {
        let edge = ((-1.6f64 + 1.5 * z).exp() * (1.0 + 1e-6)).min(10.0 * (1.0 - 1e-9));
        let share = sigma.iter().filter(|&&s| s <= edge).count() as f64 / COUNT as f64;
        let error = (below * (1.0 - below) / COUNT as f64).sqrt();
        assert!(
            (share - below).abs() <= 4.0 * error + 1e-5,
            "z {z}: {share} {below}"
        );
    }
}
