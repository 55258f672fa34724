//! The tables of `paper speed`.

use std::fmt::Write as _;

use super::figure::{Curve, Panel, svg};
use super::number;
use crate::models::Model;
use crate::speed::{Engine, Line, Step};

/// Lines of one curve, from short to long.
fn curves(lines: &[Line]) -> Vec<Vec<&Line>> {
    let mut curves: Vec<Vec<&Line>> = Vec::new();
    for line in lines {
        let same = |other: &Line| {
            let mut case = other.case.clone();
            case.tokens = line.case.tokens;
            case == line.case && other.device == line.device
        };
        match curves.iter_mut().find(|curve| same(curve[0])) {
            Some(curve) => curve.push(line),
            None => curves.push(vec![line]),
        }
    }
    for curve in &mut curves {
        curve.sort_by_key(|line| line.case.tokens);
    }
    curves
}

/// Slope of ln y over ln x by least squares; none of fewer than two points.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / n;
    let along: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let square: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    (points.len() > 1).then(|| along / square)
}

fn engine(line: &Line) -> &'static str {
    match line.case.engine {
        Engine::Cpu => "CPU",
        Engine::Gpu => "GPU",
    }
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Forward => "forward",
        Step::Training => "training",
    }
}

/// Seconds with the unit that suits them.
fn time(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} ms", number(1000.0 * seconds))
    } else {
        format!("{} s", number(seconds))
    }
}

/// Seconds of a call: of one thread those that the processor worked, which other programs do not
/// lengthen much.
fn cost(line: &Line) -> f64 {
    let processor = line.measured.processor.filter(|seconds| *seconds > 0.0);
    let alone = line.case.engine == Engine::Cpu && line.case.threads == 1;
    processor.filter(|_| alone).unwrap_or(line.measured.seconds)
}

/// All numbers, a line a case.
pub fn csv(lines: &[Line]) -> String {
    let mut text = String::from(
        "engine,device,threads,step,model,parameters,tokens,seconds,processor_seconds,peak_bytes,commit\n",
    );
    for line in lines {
        let case = &line.case;
        let processor = line.measured.processor;
        let processor = processor.map_or(String::new(), |seconds| seconds.to_string());
        let _ = writeln!(
            text,
            "{},\"{}\",{},{},{},{},{},{},{},{},{}",
            engine(line),
            line.device,
            case.threads,
            step(case.step),
            case.model.title(),
            line.parameters,
            case.tokens,
            line.measured.seconds,
            processor,
            line.measured.bytes,
            line.commit
        );
    }
    text
}

/// Time and memory of the forward step over tokens, of the first device.
pub fn figure(lines: &[Line]) -> Option<String> {
    let first = lines.first()?;
    let panel = |title: &str, unit, value: &dyn Fn(&Line) -> f64| Panel {
        title: format!("{title}, forward, {} thread(s)", first.case.threads),
        unit,
        curves: shown(lines, first)
            .iter()
            .map(|curve| Curve {
                name: curve[0].case.model.title().to_owned(),
                points: curve
                    .iter()
                    .map(|line| (line.case.tokens as f64, value(line)))
                    .collect(),
            })
            .collect(),
    };
    let mib = |line: &Line| line.measured.bytes as f64 / f64::from(1 << 20);
    svg(&[
        panel("time", "seconds", &cost),
        panel("memory", "MiB", &mib),
    ])
}

/// The curves of the forward step on the device of this line.
fn shown<'a>(lines: &'a [Line], first: &Line) -> Vec<Vec<&'a Line>> {
    let is_shown = |curve: &Vec<&Line>| {
        let line = curve[0];
        line.device == first.device
            && line.case.threads == first.case.threads
            && line.case.step == Step::Forward
    };
    curves(lines).into_iter().filter(is_shown).collect()
}

fn row(text: &mut String, curve: &[&Line], lengths: &[usize]) {
    let cells = lengths.iter().map(|&tokens| {
        let found = curve.iter().find(|line| line.case.tokens == tokens);
        found.map_or("–".to_owned(), |line| time(cost(line)))
    });
    let long: Vec<(f64, f64)> = curve
        .iter()
        .filter(|line| line.case.tokens >= 1000)
        .map(|line| (line.case.tokens as f64, cost(line)))
        .collect();
    let slope = slope(&long).map_or("–".to_owned(), |slope| format!("{slope:.2}"));
    let last = curve[curve.len() - 1];
    let bytes = last.measured.bytes as f64 / last.case.tokens as f64 / 1024.0;
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {slope} | {} at {} |",
        step(last.case.step),
        last.case.model.title(),
        last.parameters,
        cells.collect::<Vec<_>>().join(" | "),
        number(bytes),
        last.case.tokens
    );
}

/// Times as long as G-Hyena of the same step that a curve takes at so many tokens, where both were
/// measured.
fn ratio(other: &[&Line], curves: &[&Vec<&Line>], tokens: usize) -> Option<f64> {
    let own = curves.iter().find(|curve| {
        let (own, other) = (&curve[0].case, &other[0].case);
        own.model == Model::GHyena && own.step == other.step
    })?;
    let at = |curve: &[&Line]| {
        let found = curve.iter().find(|line| line.case.tokens == tokens);
        found.map(|line| cost(line))
    };
    Some(at(other)? / at(own)?)
}

/// How many times as long as G-Hyena the others take.
fn ratios(text: &mut String, curves: &[&Vec<&Line>], lengths: &[usize]) {
    for other in curves.iter().filter(|c| c[0].case.model != Model::GHyena) {
        let cells = lengths.iter().map(|&tokens| {
            let ratio = ratio(other, curves, tokens);
            ratio.map_or("–".to_owned(), number)
        });
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            step(other[0].case.step),
            other[0].case.model.title(),
            cells.collect::<Vec<_>>().join(" | ")
        );
    }
}

/// The published claim beside what was measured here, of the forward step.
fn claim(curves: &[&Vec<&Line>]) -> Option<String> {
    const TOKENS: usize = 30_000;
    const PUBLISHED: f64 = 20.0;
    let attention = curves.iter().find(|curve| {
        let case = &curve[0].case;
        case.model == Model::Attention && case.step == Step::Forward
    })?;
    let found = ratio(attention, curves, TOKENS)?;
    let verdict = if found >= PUBLISHED {
        "reproduced"
    } else {
        "worse"
    };
    Some(format!(
        "\nAt {TOKENS} tokens equivariant attention takes {} times as long as G-Hyena, published \
         {PUBLISHED:.0} times: {verdict}.\n",
        number(found)
    ))
}

/// The section of the page.
pub fn section(lines: &[Line]) -> String {
    let mut text = String::from("\n## Speed\n");
    if lines.is_empty() {
        text += "Not measured.\n";
        return text;
    }
    text += "\
Published: 20 times as fast as the equivariant transformer at 30,000 tokens, and 2.7 million tokens, on one GPU. Here the
working network for molecules (4 layers, 64 scalars, 16 vectors, messages from 32 neighbours along a folded chain of
tokens) and the other architectures at their defaults, as wide as gives them its number of parameters; one system of N tokens; *training* is
forward and backward. Attention, both equivariant and plain, goes by tiles as in flash attention, in O(N) memory. Seconds of
one thread are those that the processor worked for a call, the mean of as many calls as two seconds hold; of more threads, and
of a GPU, those of the clock, the fastest of these calls. Memory is the peak of a process that did nothing else; the slope is
that of log time over log N from 1,000 tokens on, by least squares. Where the machine did other things too, caches and
memory were shared with them, and single numbers are uncertain by tens of per cent. The numbers are in [paper.speed.csv](paper.speed.csv).

![time and memory over tokens](paper.speed.svg)
";
    let curves = curves(lines);
    let mut settings: Vec<(Engine, usize, &str)> = Vec::new();
    for curve in &curves {
        let line = curve[0];
        let setting = (line.case.engine, line.case.threads, line.device.as_str());
        if !settings.contains(&setting) {
            settings.push(setting);
        }
    }
    for setting in settings {
        let own: Vec<&Vec<&Line>> = curves
            .iter()
            .filter(|curve| {
                let line = curve[0];
                setting == (line.case.engine, line.case.threads, line.device.as_str())
            })
            .collect();
        table(&mut text, setting, &own);
    }
    text
}

fn table(text: &mut String, setting: (Engine, usize, &str), curves: &[&Vec<&Line>]) {
    let (_, threads, device) = setting;
    let mut lengths: Vec<usize> = curves
        .iter()
        .flat_map(|curve| curve.iter().map(|line| line.case.tokens))
        .collect();
    lengths.sort_unstable();
    lengths.dedup();
    let titles: Vec<String> = lengths.iter().map(usize::to_string).collect();
    let rule = "---|".repeat(lengths.len());
    let _ = writeln!(
        text,
        "\n{}, {device}, {threads} thread(s):\n\n\
         | step | model | parameters | {} | slope | KiB a token |\n|---|---|---|{rule}---|---|",
        engine(curves[0][0]),
        titles.join(" | "),
    );
    for curve in curves {
        row(text, curve, &lengths);
    }
    let _ = writeln!(
        text,
        "\nTimes as long as G-Hyena:\n\n| step | model | {} |\n|---|---|{rule}",
        titles.join(" | ")
    );
    ratios(text, curves, &lengths);
    *text += &claim(curves).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speed::{Case, Measured};
    use mdsurrogate::network::Architecture;

    fn line(model: Model, seconds: f64) -> Line {
        Line {
            commit: "c".to_owned(),
            device: "d".to_owned(),
            case: Case {
                tokens: 30_000,
                model,
                architecture: Architecture::default(),
                step: Step::Forward,
                engine: Engine::Cpu,
                threads: 1,
            },
            parameters: 1,
            measured: Measured {
                seconds: 1e9, // of the clock, on a machine that did other things too
                processor: Some(seconds),
                bytes: 1,
            },
        }
    }

    #[test]
    fn the_claim_is_of_processor_seconds_at_thirty_thousand_tokens() {
        let lines = [Model::GHyena, Model::Attention].map(|model| {
            let seconds = if model == Model::GHyena { 2.0 } else { 50.0 };
            line(model, seconds)
        });
        let curves = curves(&lines);
        let said = claim(&curves.iter().collect::<Vec<_>>()).unwrap();
        assert!(
            said.contains("takes 25.0 times") && said.contains("reproduced"),
            "{said}"
        );
        assert_eq!(claim(&[&curves[0]]), None);
    }

    #[test]
    fn the_slope_of_a_power_is_its_exponent() {
        let points: Vec<(f64, f64)> = [1e3, 3e3, 1e5].map(|x: f64| (x, 5.0 * x.powf(1.3))).into();
        let found = slope(&points).unwrap();
        assert!((found - 1.3).abs() <= 1e-12, "{found}");
        assert_eq!(slope(&points[..1]), None);
    }
}
