//! What a side cost, and how much of it is new: the effective speed by which one decides.
//!
//! Frames that repeat each other are no sampling. Counted are effective samples (see
//! [`super::sampling`]), the median over the RMSD, the radius of gyration and all torsions, for an
//! hour of one processor. Cost is read in the summary that `run` and `reference` write.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::beside::beside;
use super::sampling::Sampling;

/// What the summary beside a trajectory says of its making.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Made {
    /// The summary.
    pub file: PathBuf,
    /// Version of the program.
    pub version: Option<String>,
    /// What made the steps.
    pub engine: Option<String>,
    /// Settings: model, seed, temperature and the rest.
    pub settings: Value,
    /// Wall time times threads, seconds.
    pub processor_seconds: Option<f64>,
}

impl Made {
    /// Reads the summary of a trajectory `PREFIX.xtc` or `PREFIX_r0.xtc`: `PREFIX.summary.json`.
    /// None where there is none, or where it is no summary.
    pub fn beside(trajectory: &Path) -> Option<Self> {
        let file = beside(trajectory, "summary.json")?;
        let summary: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
        let word = |key: &str| Some(summary[key].as_str()?.to_owned());
        let cost = summary["wall_seconds"]
            .as_f64()
            .zip(summary["threads"].as_f64());
        Some(Made {
            version: word("version"),
            engine: word("engine"),
            settings: summary["settings"].clone(),
            processor_seconds: cost.map(|(wall, threads)| wall * threads),
            file,
        })
    }

    /// A setting as words; none where there is no such setting.
    pub fn setting(&self, key: &str) -> Option<String> {
        match &self.settings[key] {
            Value::Null => None,
            Value::String(words) => Some(words.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// Cost and yield of a side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effort {
    /// Simulated time, ps.
    pub simulated: f64,
    /// Processor time, seconds.
    pub processor_seconds: f64,
    /// Simulated ns a processor-hour.
    pub speed: f64,
    /// Effective samples (median over quantities) a processor-hour.
    pub effective_speed: f64,
    /// Effective samples of the quantity that is sampled worst, a processor-hour.
    pub slowest_speed: f64,
}

impl Effort {
    /// From the summaries beside a side's trajectories: those of one run are counted once. None
    /// where one is missing, or where times are not known.
    pub fn of(made: &[Option<Made>], simulated: Option<f64>, sampling: &Sampling) -> Option<Self> {
        let mut runs: Vec<&Made> = made.iter().map(Option::as_ref).collect::<Option<_>>()?;
        runs.sort_by(|a, b| a.file.cmp(&b.file));
        runs.dedup_by(|a, b| a.file == b.file);
        let costs: Option<Vec<f64>> = runs.iter().map(|run| run.processor_seconds).collect();
        let processor_seconds: f64 = costs?.iter().sum();
        let simulated = simulated?;
        let hours = processor_seconds / 3600.0;
        (hours > 0.0).then_some(())?;
        Some(Effort {
            simulated,
            processor_seconds,
            speed: simulated * 1e-3 / hours,
            effective_speed: sampling.median? / hours,
            slowest_speed: sampling.slowest()?.samples / hours,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sampling::Samples;
    use super::*;

    #[test]
    fn summaries_are_found_beside_replicas_and_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let summary = r#"{"version": "0.1.0", "wall_seconds": 1800.0, "threads": 2,
                          "settings": {"seed": 7, "model": "m"}}"#;
        std::fs::write(path("demo.summary.json"), summary).unwrap();
        let found = Made::beside(&path("demo_r12.xtc")).unwrap();
        assert_eq!(found, Made::beside(&path("demo.xtc")).unwrap());
        assert_eq!(found.processor_seconds, Some(3600.0));
        assert_eq!(found.setting("seed").as_deref(), Some("7"));
        assert_eq!(found.setting("absent"), None);
        assert!(Made::beside(&path("demo_rx.xtc")).is_none());
        let sampling = Sampling {
            frames: 100,
            quantities: vec![Samples {
                label: "slow".into(),
                samples: 4.0,
            }],
            median: Some(50.0),
        };
        let made = [Some(found.clone()), Some(found)];
        let effort = Effort::of(&made, Some(2000.0), &sampling).unwrap();
        // two replicas of one run: an hour of processors
        assert_eq!(
            (effort.speed, effort.effective_speed, effort.slowest_speed),
            (2.0, 50.0, 4.0)
        );
        assert_eq!(Effort::of(&[None], Some(1.0), &sampling), None);
        assert_eq!(Effort::of(&made, None, &sampling), None);
    }
}
