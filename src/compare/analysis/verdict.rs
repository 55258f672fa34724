//! How far a run has converged, in words. It may be told to be unconverged, never to be converged:
//! what it has not visited is not known.

use super::Analysis;
use super::convergence::Settling;
use super::quantities::Quantity;
use super::settling::Drift;

/// Frames below which nothing is said of a trajectory.
const FEW: usize = 20;
/// R̂ above which replicas are said to differ (Gelman et al., Bayesian Data Analysis, 3rd ed.,
/// section 11.5).
const ALIKE: f64 = 1.1;
/// Share of the start beyond which a run drifts throughout.
const THROUGHOUT: f64 = 0.5;
/// Effective samples below which a mean is hardly known.
const FEW_SAMPLES: f64 = 20.0;
/// Quantities that are named.
const NAMED: usize = 3;

/// A quantity and what is known of it.
type Known<'a> = (&'a Quantity, &'a Settling);

pub(super) fn sentence(analysis: &Analysis) -> String {
    let convergence = &analysis.convergence;
    if convergence.shortest < FEW {
        return format!(
            "{} too few to say whether the run has settled.",
            match convergence.shortest {
                1 => "One frame (the shortest trajectory has no more) is".to_owned(),
                frames => format!("{frames} frames are"),
            }
        );
    }
    let each: Vec<Known> = analysis
        .quantities
        .iter()
        .zip(&convergence.quantities)
        .collect();
    let mut words: Vec<String> = Vec::new();
    words.extend(drifts(&each, analysis));
    // a drift at the start makes halves differ too: that is said once
    if words.is_empty() {
        words.extend(halves(&each));
    }
    words.extend(replicas(&each));
    if words.is_empty() {
        words.push(nothing_found(&each, convergence.replicas));
    }
    words.extend(samples(analysis));
    words.join(" ")
}

fn drifts(each: &[Known], analysis: &Analysis) -> Option<String> {
    let mut found: Vec<(&Quantity, usize, Drift)> = each
        .iter()
        .filter_map(|(quantity, known)| known.drift.map(|(at, drift)| (*quantity, at, drift)))
        .collect();
    found.sort_by(|a, b| b.2.share.total_cmp(&a.2.share));
    let &(_, replica, longest) = found.first()?;
    let named: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|(quantity, _, drift)| {
            let unit = unit(quantity);
            let [before, after] = [drift.before, drift.after].map(short);
            format!(
                "{} ({before}{unit}, then {after}{unit})",
                quantity.meaning.label
            )
        })
        .collect();
    let named = named.join("; ");
    let of = if analysis.tracks.len() > 1 {
        let trajectory = analysis.tracks[replica].trajectory;
        format!(" of trajectory {}", trajectory + 1)
    } else {
        String::new()
    };
    let percent = (100.0 * longest.share).ceil();
    Some(if longest.share > THROUGHOUT {
        format!(
            "It drifts through the greater part of its length{of} and has not settled: {named}. \
             Run it longer."
        )
    } else {
        format!(
            "The first {percent:.0} %{of} still drift: {named}. Leave them out with --skip \
             {percent:.0}%."
        )
    })
}

fn halves(each: &[Known]) -> Option<String> {
    let mut named = Vec::new();
    for (quantity, known) in each {
        if let Some(halves) = known.halves.filter(|halves| halves.differ()) {
            let unit = unit(quantity);
            let [first, second] = [halves.first, halves.second].map(short);
            named.push(format!(
                "{} ({first}{unit}, then {second}{unit})",
                quantity.meaning.label
            ));
        }
    }
    named.truncate(NAMED);
    (!named.is_empty()).then(|| {
        format!(
            "First and second half differ by more than three standard errors: {}. It has not \
             settled: run it longer.",
            named.join("; ")
        )
    })
}

fn replicas(each: &[Known]) -> Option<String> {
    let mut found: Vec<(f64, &Quantity)> = each
        .iter()
        .filter_map(|(quantity, known)| Some((known.scale_reduction?, *quantity)))
        .filter(|(value, _)| *value > ALIKE)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let named = found.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|(value, quantity)| format!("{} (R̂ {value:.2})", quantity.meaning.label))
        .collect();
    (!named.is_empty()).then(|| {
        format!(
            "Replicas differ from each other by more than each varies in time: {}. Each is too \
             short to stand for all.",
            named.join("; ")
        )
    })
}

fn nothing_found(each: &[Known], replicas: usize) -> String {
    let known = each.iter().any(|(_, known)| {
        let halves = known.halves.is_some_and(|halves| halves.known());
        halves || known.scale_reduction.is_some()
    });
    if !known {
        return "It holds too few independent frames to tell whether it has settled: run it longer."
            .to_owned();
    }
    let agree = if replicas > 1 {
        "halves and replicas agree"
    } else {
        "its halves agree"
    };
    format!(
        "No drift was found and {agree} within their errors; what it has not visited is not \
             known."
    )
}

fn samples(analysis: &Analysis) -> Option<String> {
    let sampling = &analysis.sampling;
    let (median, slowest) = (sampling.median?, sampling.slowest()?);
    let few = if slowest.samples < FEW_SAMPLES {
        ": its mean is hardly known"
    } else {
        ""
    };
    Some(format!(
        "Its {} frames are worth about {} independent ones (median over torsions, RMSD and radius \
         of gyration); {}, the slowest, has {}{few}.",
        sampling.frames,
        short(median),
        slowest.label,
        short(slowest.samples)
    ))
}

fn unit(quantity: &Quantity) -> String {
    match quantity.meaning.unit {
        "" => String::new(),
        unit => format!(" {unit}"),
    }
}

/// Three significant digits.
fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.digits$}").replace('-', "−")
}
