//! What a run says before it begins.

use super::Session;
use super::estimate::Estimate;
use super::files::{Files, HEADING};
use super::plan::Plan;
use crate::observe::Journal;
use crate::simulate::checkpoint::files as checkpoint_files;

/// Says that there is nothing left to do.
pub(super) fn say_complete(step: u64, files: &Files, journal: &Journal) {
    let checkpoint = &checkpoint_files(&files.prefix)[0];
    journal.say(&format!(
        "complete already: {} is at step {step}",
        checkpoint.display()
    ));
    journal.say("  more --steps to go on, --fresh --overwrite to start over");
}

impl Session {
    /// Lines about protein, model and plan.
    pub(super) fn lines(
        &self,
        plan: &Plan,
        files: &Files,
        estimate: Option<Estimate>,
    ) -> Vec<String> {
        let mut lines = vec![
            format!("{HEADING}{} {}", env!("CARGO_PKG_VERSION"), self.command),
            format!("  {}", self.protein_line()),
        ];
        let of_file = self.structure.report.lines();
        lines.extend(of_file.iter().map(|line| format!("  {line}")));
        lines.extend(self.words.iter().map(|line| format!("  {line}")));
        let time_step = self.stepper.time_step();
        let many = files.replicas.len() > 1;
        let replicas = if many {
            format!("{} replicas of ", files.replicas.len())
        } else {
            String::new()
        };
        let wall = estimate.map_or(String::new(), |Estimate { step, all }| {
            format!(", about {} ({} a step)", wall(all), wall(step))
        });
        lines.push(format!(
            "  {replicas}{} steps of {}: {}{wall}",
            plan.steps,
            time(time_step),
            time(plan.steps as f64 * time_step)
        ));
        let first = if self.begins_there {
            "the input, equilibrated"
        } else if self.start.is_some() {
            "the input, minimised and heated"
        } else {
            "the input"
        };
        lines.push(format!(
            "  a frame every {} to {}{}; frame 0 is {first}",
            time(plan.trajectory as f64 * time_step),
            files.trajectory(0).display(),
            if many { ", …" } else { "" },
        ));
        lines
    }

    fn protein_line(&self) -> String {
        let report = &self.structure.report;
        let name = |id: &String| match id.as_str() {
            "" => "(blank)".to_owned(),
            id => id.to_owned(),
        };
        let chains: Vec<String> = report.chains.iter().map(|chain| name(&chain.id)).collect();
        let topology = &self.structure.topology;
        format!(
            "{}: {} residues in chain {}, {} atoms ({} heavy)",
            self.input.display(),
            report.residues,
            chains.join(", "),
            topology.len(),
            topology.heavy_atoms().len()
        )
    }
}

/// A physical time in the unit that reads best.
pub(super) fn time(ps: f64) -> String {
    match ps {
        ps if ps < 0.1 => format!("{} fs", short(ps * 1e3)),
        ps if ps < 1e3 => format!("{} ps", short(ps)),
        ps if ps < 1e6 => format!("{} ns", short(ps * 1e-3)),
        ps => format!("{} µs", short(ps * 1e-6)),
    }
}

/// At most three decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A wall time of so many seconds, to two digits or so.
pub(super) fn wall(seconds: f64) -> String {
    match seconds {
        s if s < 0.0995 => format!("{:.0} ms", (s * 1e3).max(1.0)),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s => minutes(s / 60.0),
    }
}

/// A wall time of so many minutes.
pub fn minutes(minutes: f64) -> String {
    match minutes {
        m if m < 90.0 => format!("{:.0} min", m.max(1.0)),
        m if m < 48.0 * 60.0 => format!("{:.1} h", m / 60.0),
        m => format!("{:.1} days", m / 1440.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        for (ps, text) in [
            (0.002, "2 fs"),
            (0.5, "0.5 ps"),
            (20.0, "20 ps"),
            (12_800.0, "12.8 ns"),
            (5e6, "5 µs"),
        ] {
            assert_eq!(time(ps), text);
        }
        for (seconds, text) in [
            (0.0101, "10 ms"),
            (1.25, "1.2 s"),
            (65.0, "65 s"),
            (300.0, "5 min"),
            (7200.0, "2.0 h"),
            (864_000.0, "10.0 days"),
        ] {
            assert_eq!(wall(seconds), text);
        }
    }
}
