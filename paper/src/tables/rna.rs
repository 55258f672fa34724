//! The tables of `paper rna`.

use std::fmt::Write as _;

use super::{grouped, number, spread};
use crate::models::Model;
use crate::rna::{Line, PlainLine, Rna, View};

/// Mean over the columns of the root mean squared error (MCRMSE).
fn judged(test: &[f64]) -> f64 {
    test.iter().map(|square| square.sqrt()).sum::<f64>() / test.len() as f64
}

/// A row: its words, and the errors of all folds and seeds.
struct Row<'a> {
    sees: &'static str,
    title: &'static str,
    /// Parameters and updates; none without a network.
    size: Option<(usize, u64)>,
    tests: Vec<&'a [f64]>,
    folds: Vec<usize>,
    commit: &'a str,
}

impl Row<'_> {
    fn mean(&self) -> f64 {
        self.tests.iter().map(|test| judged(test)).sum::<f64>() / self.tests.len() as f64
    }

    fn write(&self, text: &mut String, columns: usize) {
        let all: Vec<f64> = self.tests.iter().map(|test| judged(test)).collect();
        let each = (0..columns).map(|column| {
            let sum = self
                .tests
                .iter()
                .map(|test| test[column].sqrt())
                .sum::<f64>();
            number(sum / self.tests.len() as f64)
        });
        let (parameters, updates) = self.size.map_or(("–".into(), "–".into()), |(p, u)| {
            (p.to_string(), u.to_string())
        });
        let _ = writeln!(
            text,
            "| {} | {} | {parameters} | {updates} | {} | {} | {} | {} |",
            self.sees,
            self.title,
            self.folds.len(),
            spread(&all),
            each.collect::<Vec<_>>().join(" | "),
            self.commit,
        );
    }
}

/// Whether two trainings differ in fold and seed alone; folds are not of one size.
fn is_same(a: &Line, b: &Line) -> bool {
    let [longer, shorter] = [
        a.course.updates.max(b.course.updates),
        a.course.updates.min(b.course.updates),
    ];
    let mut course = a.course.clone();
    course.task.fold = b.course.task.fold;
    course.seed = b.course.seed;
    course.updates = b.course.updates;
    course == b.course && longer as f64 <= 1.25 * shorter as f64
}

fn rows<'a>(lines: &'a [Line], plain: &'a [PlainLine]) -> Vec<(Rna, Row<'a>)> {
    let networks = grouped(lines, is_same);
    let methods = grouped(plain, |a, b| {
        a.method == b.method && a.task.data == b.task.data
    });
    let networks = networks.iter().map(|group| of_networks(group));
    let methods = methods.iter().map(|group| of_method(group));
    let mut rows: Vec<(Rna, Row<'a>)> = networks.chain(methods).collect();
    rows.sort_by(|a, b| a.1.mean().total_cmp(&b.1.mean()));
    rows
}

fn of_networks<'a>(group: &[&'a Line]) -> (Rna, Row<'a>) {
    let line = group[0];
    let updates: u64 = group.iter().map(|line| line.course.updates).sum();
    let row = Row {
        sees: match line.course.task.view {
            View::Backbone => "backbone",
            View::Sequence => "letters",
        },
        title: line.course.model.title(),
        size: Some((line.parameters, updates / group.len() as u64)),
        tests: group.iter().map(|line| line.test.as_slice()).collect(),
        folds: distinct(group.iter().map(|line| line.course.task.fold)),
        commit: &line.commit,
    };
    (line.course.task.clone(), row)
}

fn of_method<'a>(group: &[&'a PlainLine]) -> (Rna, Row<'a>) {
    let line = group[0];
    let row = Row {
        sees: "letters",
        title: line.method.title(),
        size: None,
        tests: group.iter().map(|line| line.test.as_slice()).collect(),
        folds: distinct(group.iter().map(|line| line.task.fold)),
        commit: &line.commit,
    };
    (line.task.clone(), row)
}

fn distinct(folds: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut folds: Vec<usize> = folds.collect();
    folds.sort_unstable();
    folds.dedup();
    folds
}

/// Which row is lowest, and where G-Hyena is.
fn verdict(rows: &[&Row<'_>]) -> String {
    let own = rows.iter().find(|row| row.title == Model::GHyena.title());
    let (Some(own), Some(first)) = (own, rows.first()) else {
        return String::new();
    };
    if std::ptr::eq(*own, *first) {
        return "G-Hyena is lowest.".to_owned();
    }
    let above = rows.iter().take_while(|row| !std::ptr::eq(**row, *own));
    let beaten = above.map(|row| {
        let by = own.mean() - row.mean();
        format!("{} ({}) by {}", row.title, row.sees, number(by))
    });
    let beaten: Vec<String> = beaten.collect();
    format!("G-Hyena is beaten by {}.", beaten.join(", "))
}

/// The section of the page.
pub fn section(lines: &[Line], plain: &[PlainLine]) -> String {
    let mut text = String::from("\n## RNA\n");
    if lines.is_empty() && plain.is_empty() {
        text += "Not measured.\n";
        return text;
    }
    text += "\
Numbers of every nucleotide of RNA constructs: what was measured for the competition OpenVaccine (2,097 constructs of 107
nucleotides, of which 68 are scored; the 1,587 whose SN_filter is 1; five folds by clusters of sequences). Of five folds three
are trained on, one chooses the weights and one is tested on. The error is the competition's, MCRMSE: the mean over the columns of
the root mean squared error over all scored nucleotides of the fold, as mean ± standard deviation (number of trainings) over
folds and seeds.

**The structures are idealised, so that these are not the published numbers**: no structure in space comes with the data. Each is laid
out from its dot-bracket, stems as A-form helices and loops as circles (`paper/src/rna/place.rs`), P, C4' and N of every nucleotide; what
lies in each other's way stays. All that it holds is in sequence and dot-bracket already. Those who see *letters* have base and
kind of loop (bpRNA's) of every nucleotide and no coordinates; the others have these letters too. RNA is turned at random, in training and in
the test. Published, on Ribonanza-2k with structures that could not be had (RMSE): G-Hyena .529, equivariant attention .537,
Hyena .605, Transformer .633, FastEGNN .873, EGNN .928; not comparable.
";
    let all = rows(lines, plain);
    let mut data: Vec<(&str, &[String])> = Vec::new();
    for (task, _) in &all {
        if !data.iter().any(|(hash, _)| *hash == task.data) {
            data.push((&task.data, &task.columns));
        }
    }
    for (hash, columns) in data {
        let own: Vec<&Row<'_>> = all
            .iter()
            .filter(|(task, _)| task.data == hash)
            .map(|(_, row)| row)
            .collect();
        let _ = writeln!(
            text,
            "\nData {hash}:\n\n\
             | sees | model | parameters | updates | folds | MCRMSE | {} | commit |\n\
             |---|---|---|---|---|---|{}---|",
            columns.join(" | "),
            "---|".repeat(columns.len()),
        );
        own.iter()
            .for_each(|row| row.write(&mut text, columns.len()));
        let _ = writeln!(text, "\n{}", verdict(&own));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_competition_s_error_is_the_mean_of_roots() {
        assert!((judged(&[0.04, 0.09, 0.16]) - 0.3).abs() <= 1e-12);
    }

    #[test]
    fn a_verdict_names_all_that_are_better() {
        let row = |title, test: &'static [f64]| Row {
            sees: "letters",
            title,
            size: None,
            tests: vec![test],
            folds: vec![0],
            commit: "c",
        };
        let own = row(Model::GHyena.title(), &[0.25]);
        let [better, worse] = [row("ridge", &[0.09]), row("mean", &[0.36])];
        assert_eq!(verdict(&[&own, &worse]), "G-Hyena is lowest.");
        let said = verdict(&[&better, &own, &worse]);
        assert_eq!(said, "G-Hyena is beaten by ridge (letters) by 0.200.");
    }
}
