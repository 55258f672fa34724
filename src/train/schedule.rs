//! The learning rate over a training: warm-up, flat, cosine.

/// Shape of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Highest learning rate.
    pub peak: f64,
    /// Updates over which it grows to the peak in equal steps.
    pub warmup: u64,
    /// Share of the budget that is spent before it falls.
    pub flat: f64,
    /// Its end, as a share of the peak.
    pub end: f64,
}

impl Schedule {
    /// The learning rate at `update` (from 0), when the share `spent` (0 … 1) of the budget of
    /// updates or of time is used up. After the flat part it falls along half a cosine to `end ·
    /// peak`.
    pub fn learning_rate(&self, update: u64, spent: f64) -> f64 {
        let warm = ((update + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        let fall = ((spent - self.flat) / (1.0 - self.flat)).clamp(0.0, 1.0);
        let fall = if self.flat >= 1.0 { 0.0 } else { fall };
        let shape = self.end + (1.0 - self.end) * 0.5 * (1.0 + (std::f64::consts::PI * fall).cos());
        self.peak * warm * shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_up_flat_and_cosine_meet() {
        let schedule = Schedule {
            peak: 1e-3,
            warmup: 100,
            flat: 0.3,
            end: 0.01,
        };
        for (update, spent, expected) in [
            (0, 0.0, 1e-5),
            (49, 0.0, 5e-4),
            (99, 0.01, 1e-3),
            (5_000, 0.3, 1e-3),
            (5_000, 0.65, 1e-3 * (0.01 + 0.99 * 0.5)), // half way down
            (5_000, 0.3 + 0.7 / 3.0, 1e-3 * (0.01 + 0.99 * 0.75)), // cos 60° = ½
            (5_000, 1.0, 1e-5),
            (5_000, 1.2, 1e-5),
        ] {
            let got = schedule.learning_rate(update, spent);
            assert!(
                (got - expected).abs() <= 1e-15,
                "{update} {spent}: {got} {expected}"
            );
        }
    }

    #[test]
    fn a_schedule_without_a_fall_stays_at_its_peak() {
        let schedule = Schedule {
            peak: 0.5,
            warmup: 0,
            flat: 1.0,
            end: 0.0,
        };
        assert!(
            [0.0, 0.5, 1.0]
                .iter()
                .all(|&spent| schedule.learning_rate(0, spent) == 0.5)
        );
    }
}
