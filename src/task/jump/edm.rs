//! EDM preconditioning and noise levels (Karras et al. 2022, "Elucidating the Design Space of
//! Diffusion-Based Generative Models").

/// Factors that surround the network at noise level σ for data of standard deviation σ_d (EDM,
/// table 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preconditioning {
    /// Share of the noisy displacement that passes by the network: σ_d²/(σ² + σ_d²).
    pub skip: f64,
    /// Unit of the network's answer, Å: σ σ_d/√(σ² + σ_d²).
    pub out: f64,
    /// Factor on the noisy displacement that the network sees, 1/Å: 1/√(σ² + σ_d²).
    pub input: f64,
}

impl Preconditioning {
    /// At noise level `sigma`, Å, for data of standard deviation `sigma_data`, Å.
    pub fn new(sigma: f64, sigma_data: f64) -> Self {
        let total = sigma * sigma + sigma_data * sigma_data;
        Preconditioning {
            skip: sigma_data * sigma_data / total,
            out: sigma * sigma_data / total.sqrt(),
            input: total.sqrt().recip(),
        }
    }

    /// Weight of the squared error, 1/Å²: 1/out².
    pub fn weight(&self) -> f64 {
        (self.out * self.out).recip()
    }
}

/// `steps` noise levels from `high` to `low`, then 0 (EDM, equation 5, ρ = 7), Å.
pub fn noise_levels(steps: usize, high: f64, low: f64) -> Vec<f64> {
    const RHO: f64 = 7.0;
    let (from, to) = (high.powf(1.0 / RHO), low.powf(1.0 / RHO));
    let level =
        |step: usize| (from + step as f64 / (steps.max(2) - 1) as f64 * (to - from)).powf(RHO);
    (0..steps).map(level).chain([0.0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_is_asked_for_unit_variance() {
        // d = x + σ n with var x = σ_d²: the input has variance 1, and so has the target (x −
        // skip·d)/out.
        for sigma in [0.005, 0.3, 1.0, 8.0] {
            let p = Preconditioning::new(sigma, 0.85);
            let sd = 0.85f64;
            let input = p.input * p.input * (sd * sd + sigma * sigma);
            let target = ((1.0 - p.skip).powi(2) * sd * sd + (p.skip * sigma).powi(2)) * p.weight();
            assert!(
                (input - 1.0).abs() <= 1e-12 && (target - 1.0).abs() <= 1e-9,
                "{sigma}: {input} {target}"
            );
        }
    }

    #[test]
    fn noise_levels_fall_from_high_to_low_to_zero() {
        let levels = noise_levels(10, 6.0, 0.01);
        assert!(
            (levels[0] - 6.0).abs() <= 1e-12
                && (levels[9] - 0.01).abs() <= 1e-12
                && levels[10] == 0.0
        );
        assert!(levels.windows(2).all(|pair| pair[1] < pair[0]));
    }
}
