//! The tables of `paper dynamics`.

use std::fmt::Write as _;

use super::{number, spread};
use crate::dynamics::{Atoms, Dynamics, Line, Method, PlainLine, Velocity};
use crate::models::Model;

/// Mean squared errors that were published of adenylate kinase, Å², with look-ahead velocities.
fn published(model: Model, atoms: Atoms) -> Option<f64> {
    match (model, atoms) {
        (Model::GHyena, Atoms::Backbone) => Some(1.80),
        (Model::GHyena, Atoms::All) => Some(2.49),
        (Model::FastEgnn, Atoms::Backbone) => Some(1.82),
        (Model::Egnn, Atoms::Backbone) => Some(2.25),
        _ => None,
    }
}

/// The errors of a method at one problem.
struct Cell {
    title: &'static str,
    model: Option<Model>,
    tests: Vec<f64>,
}

impl Cell {
    fn mean(&self) -> f64 {
        self.tests.iter().sum::<f64>() / self.tests.len() as f64
    }
}

/// Everything at one problem, the methods without a network first.
fn cells(task: &Dynamics, lines: &[Line], plain: &[PlainLine]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for method in Method::ALL {
        let own = plain
            .iter()
            .filter(|line| line.task == *task && line.method == method);
        cells.push(Cell {
            title: method.title(),
            model: None,
            tests: own.map(|line| line.test).collect(),
        });
    }
    for model in Model::ARCHITECTURES {
        let own: Vec<&Line> = lines
            .iter()
            .filter(|line| line.course.task == *task && line.course.model == model)
            .collect();
        // of the longest trainings alone
        let updates = own.iter().map(|line| line.course.updates).max();
        let longest = own
            .iter()
            .filter(|line| Some(line.course.updates) == updates);
        cells.push(Cell {
            title: model.title(),
            model: Some(model),
            tests: longest.map(|line| line.test[0]).collect(),
        });
    }
    cells
}

/// Whether the network is the lowest, or who beats it by how much.
fn verdict(cells: &[Cell]) -> String {
    let measured: Vec<&Cell> = cells.iter().filter(|cell| !cell.tests.is_empty()).collect();
    let own = measured
        .iter()
        .find(|cell| cell.model == Some(Model::GHyena));
    let Some(own) = own else {
        return "–".to_owned();
    };
    let lowest = measured.iter().min_by(|a, b| a.mean().total_cmp(&b.mean()));
    match lowest.filter(|lowest| lowest.mean() < own.mean()) {
        Some(lowest) => {
            let by = 100.0 * (own.mean() / lowest.mean() - 1.0);
            format!("{}; G-Hyena {by:.1} % above", lowest.title)
        }
        None => "G-Hyena".to_owned(),
    }
}

/// Every problem that something was measured of, in the order of the files.
fn tasks<'a>(lines: &'a [Line], plain: &'a [PlainLine]) -> Vec<&'a Dynamics> {
    let all = plain.iter().map(|line| &line.task);
    let mut tasks: Vec<&Dynamics> = Vec::new();
    for task in all.chain(lines.iter().map(|line| &line.course.task)) {
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    }
    tasks
}

fn row(text: &mut String, task: &Dynamics, cells: &[Cell]) {
    let errors = cells.iter().map(|cell| {
        let known = cell
            .model
            .filter(|_| task.published && task.velocity == Velocity::LookAhead);
        let known = known.and_then(|model| published(model, task.atoms));
        let known = known.map_or(String::new(), |known| format!(" [{}]", number(known)));
        match cell.tests.as_slice() {
            [] => format!("–{known}"),
            // without a network there is no seed
            [one] if cell.model.is_none() => number(*one),
            many => format!("{}{known}", spread(many)),
        }
    });
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} |",
        task.system,
        task.atoms.title(),
        task.lag,
        match task.velocity {
            Velocity::LookAhead => "look-ahead",
            Velocity::Causal => "causal",
        },
        errors.collect::<Vec<_>>().join(" | "),
        verdict(cells),
    );
}

/// Models with their sizes, and how long they were trained.
fn sizes(text: &mut String, lines: &[Line]) {
    let mut seen: Vec<String> = Vec::new();
    for line in lines {
        let course = &line.course;
        let row = format!(
            "| {} | {} | {} | {} | {} | {} |",
            course.task.system,
            course.model.title(),
            line.parameters,
            course.updates,
            course.batch,
            line.commit
        );
        if !seen.contains(&row) {
            let _ = writeln!(text, "{row}");
            seen.push(row);
        }
    }
}

/// The section of the page.
pub fn section(lines: &[Line], plain: &[PlainLine]) -> String {
    let mut text = String::from("\n## Dynamics\n");
    if lines.is_empty() && plain.is_empty() {
        text += "Not measured.\n";
        return text;
    }
    text += "\
Where the atoms are some frames later, the mean squared error over atoms and coordinates, Å², without superposing the answer. *Look-ahead*
velocities are x(t + 1) − x(t), as in the published protocol, which knows the next frame so; *causal* ones are x(t) − x(t − 1). Of the
pairs of frames, in the order of time, six tenths are trained on, two choose the weights and two are tested on, a lag left out between them.
Frames are superposed on the first by the backbone; those who are not equivariant, and the regressions, gain by that. *Copy* says that nothing
moves; *fitted linear* x + t v; *aligned mean* the mean of training; *ridge* is a regression on x and v of each atom by itself; *random features* one on
1,000 random rectified features of x and v of all atoms. Mean ± standard deviation (number of seeds). Of several trainings of one network the longest count.

The published protocol is that of the equilibrium trajectory of adenylate kinase (`1ake_007-nowater-core-dt240ps.dcd`, 4,187 frames 240 ps apart, known by
its SHA-256; pairs 2,481 / 827 / 863, 15 frames apart): published numbers stand in brackets beside its rows, where there are any. The linear baseline
was published with 2.26 to 2.27 of the backbone.

";
    let models = Model::ARCHITECTURES.map(Model::title).join(" | ");
    let methods = Method::ALL.map(Method::title).join(" | ");
    let _ = writeln!(
        text,
        "| trajectory | atoms | lag, frames | velocity | {methods} | {models} | lowest |\n|{}",
        "---|".repeat(5 + Method::ALL.len() + Model::ARCHITECTURES.len()),
    );
    for task in tasks(lines, plain) {
        row(&mut text, task, &cells(task, lines, plain));
    }
    if !tasks(lines, plain).iter().any(|task| task.published) {
        text += "\nThe trajectory of the published numbers was not at hand: none of them is reproduced or missed here.\n";
    }
    text += "\n| trajectory | model | parameters | updates | pairs an update | commit |\n\
             |---|---|---|---|---|---|\n";
    sizes(&mut text, lines);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_who_is_lowest_and_by_how_much() {
        let cell = |title, model, tests: &[f64]| Cell {
            title,
            model,
            tests: tests.to_vec(),
        };
        let own = || cell("G-Hyena", Some(Model::GHyena), &[1.0, 1.2]);
        let better = cell("ridge", None, &[1.0]);
        assert_eq!(verdict(&[better, own()]), "ridge; G-Hyena 10.0 % above");
        let worse = cell("copy", None, &[2.0]);
        assert_eq!(verdict(&[worse, own()]), "G-Hyena");
        assert_eq!(verdict(&[cell("copy", None, &[])]), "–");
    }
}
