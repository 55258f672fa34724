//! The tables of `paper jump`.

use std::fmt::Write as _;

use super::{grouped, moments, number, spread};
use crate::jump::{Found, Judged, Line};
use crate::models::Model;

/// The seeds of one model, with what each came to behind so many steps of the corrector.
type Row<'a> = Vec<(&'a Line, &'a Judged)>;

/// Every table: lines of one molecule, time and rollouts, by the place of the corrector's steps.
fn tables(lines: &[Line]) -> Vec<Vec<Row<'_>>> {
    let same = |a: &Line, b: &Line| {
        a.course.molecule == b.course.molecule
            && a.course.minutes == b.course.minutes
            && a.course.batch == b.course.batch
            && a.course.learning_rate == b.course.learning_rate
            && a.rollouts == b.rollouts
    };
    let mut tables = Vec::new();
    for group in grouped(lines, same) {
        for place in 0..group[0].judged.len() {
            let rows = Model::ARCHITECTURES.map(|model| -> Row {
                let own = group.iter().filter(|line| line.course.model == model);
                own.map(|line| (*line, &line.judged[place])).collect()
            });
            tables.push(rows.into_iter().filter(|row| !row.is_empty()).collect());
        }
    }
    tables
}

/// `mean ± s.d. (n); mean of the floors` of a measure.
fn beside_floor(row: &Row, name: &str) -> String {
    let found: Vec<&Found> = row
        .iter()
        .filter_map(|(_, judged)| judged.measure(name))
        .collect();
    let values: Vec<f64> = found.iter().map(|found| found.value).collect();
    if values.is_empty() {
        return "–".to_owned();
    }
    let floors: Vec<f64> = found.iter().filter_map(|found| found.floor).collect();
    let floor = match floors.as_slice() {
        [] => "unknown".to_owned(),
        floors => number(mean(floors)),
    };
    format!("{}; {floor}", spread(&values))
}

fn mean(values: &[f64]) -> f64 {
    moments(values).0
}

/// [`spread`], and a dash where there is nothing.
fn spread_or_dash(values: &[f64]) -> String {
    match values {
        [] => "–".to_owned(),
        values => spread(values),
    }
}

/// Valid frames, per cent.
fn valid(row: &Row) -> Vec<f64> {
    let known = row.iter().filter_map(|(_, judged)| judged.valid);
    known.map(|valid| 100.0 * valid).collect()
}

fn write_row(text: &mut String, row: &Row) {
    let (line, _) = row[0];
    let losses: Vec<f64> = row.iter().filter_map(|(line, _)| line.validation).collect();
    let valid = valid(row);
    let verdicts = [0, 1, 2].map(|place| {
        let all: Vec<f64> = row
            .iter()
            .map(|(_, judged)| judged.verdicts[place] as f64)
            .collect();
        format!("{:.0}", mean(&all))
    });
    let _ = writeln!(
        text,
        "| {} | {} | {} | {:.1} | {} | {} | {} | {} | {} | {} | {} | {} |",
        line.course.model.title(),
        line.parameters,
        line.budget.updates,
        line.budget.milliseconds,
        spread_or_dash(&losses),
        spread_or_dash(&valid),
        beside_floor(row, "torsion_jsd"),
        beside_floor(row, "ramachandran_jsd"),
        beside_floor(row, "tica_jsd"),
        beside_floor(row, "decorrelation"),
        verdicts.join(", "),
        line.commit,
    );
}

/// Who has the fewest of something, and how G-Hyena does beside it.
fn lowest(rows: &[Row], what: &str, value: impl Fn(&Row) -> Option<f64>) -> Option<String> {
    let all: Vec<(Model, f64)> = rows
        .iter()
        .filter_map(|row| Some((row[0].0.course.model, value(row)?)))
        .collect();
    let own = all.iter().find(|(model, _)| *model == Model::GHyena)?.1;
    let (best, least) = all.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    if all.len() < 2 {
        return None;
    }
    Some(if own <= *least {
        format!("{what}: G-Hyena, {}", number(own))
    } else {
        format!(
            "{what}: {}, {}, G-Hyena {}",
            best.title(),
            number(*least),
            number(own)
        )
    })
}

/// What a table shows, in words.
fn summary(rows: &[Row]) -> String {
    let of = |name: &'static str| {
        move |row: &Row| {
            let found: Vec<f64> = row
                .iter()
                .filter_map(|(_, judged)| Some(judged.measure(name)?.value))
                .collect();
            (!found.is_empty()).then(|| mean(&found))
        }
    };
    let invalid = |row: &Row| {
        let valid = valid(row);
        (!valid.is_empty()).then(|| 100.0 - mean(&valid))
    };
    let all = [
        lowest(rows, "frames that are not valid, %", invalid),
        lowest(rows, "torsion JSD", of("torsion_jsd")),
        lowest(rows, "decorrelation", of("decorrelation")),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    if all.is_empty() {
        return String::new();
    }
    format!("\nLowest of each: {}.\n", all.join("; "))
}

const HEAD: &str = "
## Jumps
What no paper shows: the same architectures as models of jumps (`src/task/jump/`: x(t + lag) sampled given x(t), by denoising), each
trained for the same *processor time* on one molecule, with the same number of weights within a tenth (32 scalars, 8 vectors and two layers
of G-Hyena, all neighbours within reach), and judged by `compare` against reference MD of another seed. How many updates the time is enough
for is measured before, one thread alone. Rollouts start in frames of the trajectory that was trained on, evenly spaced; of all frames it is
said how many are valid, of the second halves the measures of `compare`, each as mean ± standard deviation (number of seeds); behind the
semicolon is the floor, what MD as long as the rollouts gives. What two models differ by in one seed is a hint and no more. A model that stood
still would have good distributions: *decorrelation*, the distance |ln| of the torsions' decorrelation times, would show it. *Verdicts* are
how many of `compare`'s measures are within what MD gives, near it and outside, in the mean.
With a *corrector* so many steps of minimisation and of 4 fs in the force field follow each jump, which hides much of what a network does wrong.
The MD, a frame a picosecond: `mdsurrogate reference data/structures/akle.pdb --temp 300K --dt 4fs --hold-hydrogens --heat 50ps --time 5ns
--traj-every 1ps --seed 1 -o akle_train`, and with `--time 15ns --seed 2` `akle_test`; then `paper jump --topology FILE --trajectory
akle_train.xtc --against akle_test.xtc`.
";

/// The section of the page.
pub fn section(lines: &[Line]) -> String {
    let mut text = HEAD.to_owned();
    if lines.is_empty() {
        text += "Not measured.\n";
        return text;
    }
    for rows in tables(lines) {
        let (line, judged) = rows[0][0];
        let (course, rollouts) = (&line.course, &line.rollouts);
        let corrector = match judged.relax {
            0 => "no corrector".to_owned(),
            steps => format!("{steps} steps of corrector"),
        };
        let _ = writeln!(
            text,
            "\n**{}**, jumps of {} ps, {} min of training, {} rollouts of {} jumps, {corrector}:\n\n\
             | model | parameters | updates | ms an update | validation loss | valid, % | torsion JSD | \
             Ramachandran JSD | TICA JSD | decorrelation | verdicts | commit |\n|{}",
            course.molecule.name,
            course.molecule.lag,
            course.minutes,
            rollouts.chains,
            rollouts.jumps,
            "---|".repeat(12),
        );
        rows.iter().for_each(|row| write_row(&mut text, row));
        text += &summary(&rows);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jump::{Budget, Course, Molecule, Rollouts};
    use mdsurrogate::network::{Architecture, GHyena};

    fn line(model: Model, seed: u64, jsd: f64, valid: f64) -> Line {
        let judged = Judged {
            relax: 0,
            valid: Some(valid),
            lost: 0,
            rate: 1.0,
            verdicts: [3, 2, 1],
            measures: vec![Found {
                name: "torsion_jsd".to_owned(),
                value: jsd,
                floor: Some(0.01),
            }],
        };
        Line {
            commit: "abc".to_owned(),
            course: Course {
                molecule: Molecule {
                    name: "akle".to_owned(),
                    data: String::new(),
                    against: String::new(),
                    lag: 20.0,
                    temperature: 300.0,
                },
                model,
                architecture: Architecture::GHyena(GHyena::default()),
                minutes: 6.0,
                batch: 16,
                learning_rate: 2e-3,
                seed,
            },
            parameters: 1000,
            budget: Budget {
                milliseconds: 7.0,
                updates: 50,
            },
            validation: Some(0.5),
            rollouts: Rollouts {
                relax: vec![0],
                chains: 2,
                jumps: 4,
            },
            judged: vec![judged],
        }
    }

    #[test]
    fn a_table_has_a_row_a_model_and_says_who_is_lowest() {
        let text = section(&[
            line(Model::Egnn, 1, 0.02, 0.5),
            line(Model::GHyena, 1, 0.03, 0.75),
            line(Model::GHyena, 2, 0.05, 0.85),
        ]);
        let own = "| G-Hyena | 1000 | 50 | 7.0 | 0.500 ± 0.0000 (2) | 80.0 ± 7.07 (2) | \
                   0.0400 ± 0.0141 (2); 0.0100 | – | – | – | 3, 2, 1 | abc |\n";
        assert!(text.contains(own), "{text}");
        assert!(text.contains("jumps of 20 ps, 6 min of training, 2 rollouts of 4 jumps"));
        let said = "Lowest of each: frames that are not valid, %: G-Hyena, 20.0; torsion JSD: \
                    EGNN, 0.0200, G-Hyena 0.0400.\n";
        assert!(text.contains(said), "{text}");
    }

    /// Other times are other tables.
    #[test]
    fn only_equal_times_are_held_against_each_other() {
        let mut longer = line(Model::Egnn, 1, 0.02, 0.5);
        longer.course.minutes = 7.0;
        let text = section(&[line(Model::GHyena, 1, 0.03, 0.75), longer]);
        assert_eq!(text.matches("**akle**").count(), 2);
        assert!(!text.contains("Lowest of each"));
    }
}
