//! The run over time, replica by replica, and its log.

use super::Gallery;
use crate::compare::measures::{OverTime, Trace};
use crate::compare::report::plots::{Axis, Chart, Mark, Tone};
use crate::compare::report::{Report, RunLog, runlog};

/// Values of a log that are still shown one by one.
const SEPARATE: usize = 60;

/// A curve over time: title, words, axis, the measure whose mean in the reference is shown, values
/// of a trace and of all.
type Curve = (
    &'static str,
    &'static str,
    Axis,
    &'static str,
    fn(&Trace) -> &[f64],
);

pub(super) fn draw(gallery: &mut Gallery, report: &Report) {
    let times = &report.findings.over_time;
    let (span, unit) = match times.span {
        Some(span) if span >= 1e3 => (span * 1e-3, "time, ns"),
        Some(span) => (span, "time, ps"),
        None => (1.0, "share of the run"),
    };
    let curves: [Curve; 3] = [
        (
            "Valid frames over time",
            "Share of frames in fifty windows that are molecules: bonds, angles, contacts, \
             chirality, peptide bonds.",
            Axis::fixed("valid", (0.0, 1.02)),
            "valid_fraction",
            |trace| &trace.valid,
        ),
        (
            "RMSD over time",
            "Mean RMSD to the start structure in fifty windows.",
            Axis::fitted("RMSD, Å"),
            "rmsd",
            |trace| &trace.rmsd,
        ),
        (
            "Radius of gyration over time",
            "Its mean in fifty windows.",
            Axis::fitted("Rg, Å"),
            "radius_of_gyration",
            |trace| &trace.gyration,
        ),
    ];
    for (title, words, axis, measure, values) in curves {
        let marks = marks(report, times, span, measure, values);
        let words = if times.replicas.len() > 1 {
            format!(
                "{words} Thin lines: {} replicas; thick: all of them.",
                times.replicas.len()
            )
        } else {
            words.to_owned()
        };
        let axes = [Axis::fixed(unit, (0.0, span)), axis];
        gallery.add(title, &words, Chart::new(axes, marks));
    }
}

fn marks(
    report: &Report,
    times: &OverTime,
    span: f64,
    measure: &str,
    values: fn(&Trace) -> &[f64],
) -> Vec<Mark> {
    let points = |trace: &Trace| -> Vec<(f64, f64)> {
        let at = times.middle.iter().map(|share| share * span);
        at.zip(values(trace).iter().copied()).collect()
    };
    // what the reference has in the mean, for the eye
    let known = report
        .findings
        .measures
        .iter()
        .find(|known| known.name == measure);
    let level = known.and_then(|known| known.reference);
    let level = level.map_or(Vec::new(), |value| vec![(0.0, value), (span, value)]);
    let mut marks = vec![Mark::Line(Tone::Reference, level)];
    if times.replicas.len() > 1 {
        marks.extend(
            times
                .replicas
                .iter()
                .map(|trace| Mark::Thread(Tone::Run, points(trace))),
        );
    }
    marks.push(Mark::Line(Tone::Run, points(&times.all)));
    marks
}

pub(super) fn draw_log(gallery: &mut Gallery, report: &Report) {
    if let Some(known) = &report.log {
        log(gallery, known);
    }
}

/// The columns of a run's log.
pub(in crate::compare::report) fn log(gallery: &mut Gallery, log: &RunLog) {
    for column in runlog::COLUMNS {
        let mut points = log.column(column.head);
        if column.logarithmic {
            points
                .iter_mut()
                .for_each(|(_, value)| *value = value.log10());
        }
        let x_label = log.x_label(&mut points);
        // Some numbers are logged seldom: dots show those that no line reaches.
        let opacity = if points.len() <= SEPARATE { 1.0 } else { 0.0 };
        let dots = Mark::Dots(Tone::Run, opacity, points.clone());
        let axes = [Axis::fitted(x_label), Axis::fitted(column.axis)];
        let chart = Chart::new(axes, vec![Mark::Line(Tone::Run, points), dots]);
        gallery.add(column.title, column.words, chart);
    }
}
