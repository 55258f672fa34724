//! The leaderboard of `validate`: a row a molecule, and below them the middle and the worst.

use super::case::CaseReport;
use super::table::number;
use crate::compare::floor::Measure;
use crate::compare::statistics::median;
use crate::compare::verdict::Verdict;

/// What a column shows of its measure.
#[derive(Clone, Copy)]
enum Cell {
    /// The value with the floor; below, the value over it.
    OverFloor,
    /// The value with the floor, of a correlation, which is the better the larger.
    Correlation,
    /// The value with the floor; below, how much more it is.
    AboveFloor,
    /// The run's with MD's; below, how far apart they are.
    Apart,
    /// The same as a share of MD's.
    Share,
}

/// Measures of the leaderboard with their heads.
const COLUMNS: [(&str, &str, Cell); 8] = [
    ("torsion_jsd", "torsion JSD (floor)", Cell::OverFloor),
    ("rmsf_r", "RMSF r (floor)", Cell::Correlation),
    ("pairwise_rmsd", "pairwise RMSD, Å (MD)", Cell::Apart),
    ("radius_of_gyration", "Rg, Å (MD)", Cell::Apart),
    ("contacts", "contacts (MD)", Cell::Share),
    ("secondary_structure", "helix or strand (MD)", Cell::Apart),
    ("pace", "pace, ps (MD)", Cell::Share),
    ("decorrelation", "decorrelation (floor)", Cell::AboveFloor),
];

impl Cell {
    /// What stands in the row of a molecule.
    fn of(self, measure: &Measure) -> String {
        let (value, beside) = match self {
            Cell::OverFloor | Cell::Correlation | Cell::AboveFloor => {
                (measure.value, measure.floor)
            }
            Cell::Apart | Cell::Share => (measure.run, measure.reference),
        };
        format!("{} ({})", number(value), number(beside))
    }

    /// What the middle and the worst are taken of; none where a part of it is not known, or zero
    /// that would be divided by.
    fn judged(self, measure: &Measure) -> Option<f64> {
        let (value, floor) = (measure.value, measure.floor);
        let of_both = measure.run.zip(measure.reference);
        let judged = match self {
            Cell::OverFloor => value? / floor?,
            Cell::Correlation => value?,
            Cell::AboveFloor => value? - floor?,
            Cell::Apart => of_both.map(|(run, md)| run - md)?,
            Cell::Share => of_both.map(|(run, md)| run / md - 1.0)?,
        };
        Some(judged).filter(|judged| judged.is_finite())
    }

    /// How bad it is.
    fn badness(self, judged: f64) -> f64 {
        match self {
            Cell::OverFloor | Cell::AboveFloor => judged,
            Cell::Correlation => -judged,
            Cell::Apart | Cell::Share => judged.abs(),
        }
    }

    fn words(self, judged: f64) -> String {
        match self {
            Cell::OverFloor => format!("{judged:.2} × floor"),
            Cell::Correlation => format!("{judged:.2}"),
            Cell::AboveFloor => format!("floor {judged:+.2}"),
            Cell::Apart => format!("{judged:+.2}"),
            Cell::Share => format!("{:+.0} %", 100.0 * judged),
        }
    }
}

/// The leaderboard: heads, a row a molecule, and where there are three or more the median and the
/// worst of each column.
pub fn leaderboard(cases: &[CaseReport]) -> Vec<Vec<String>> {
    let mut heads = vec!["case", "valid frames", "drawn again"];
    heads.extend(COLUMNS.iter().map(|(_, head, _)| *head));
    heads.extend(["outside", "ns/day"]);
    let mut rows = vec![heads.into_iter().map(str::to_owned).collect()];
    rows.extend(cases.iter().map(row));
    if cases.len() >= 3 {
        rows.push(summary("median", cases, median));
        rows.push(summary("worst", cases, |sorted| sorted[sorted.len() - 1]));
    }
    rows
}

fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn row(case: &CaseReport) -> Vec<String> {
    let valid = case.valid();
    let mut row = vec![
        case.name.clone(),
        valid.map_or_else(|| number(None), percent),
        percent(case.redrawn()),
    ];
    row.extend(COLUMNS.iter().map(|(name, _, cell)| {
        let measure = case.measure(name);
        measure.map_or_else(|| number(None), |measure| cell.of(measure))
    }));
    row.push(format!(
        "{} of {}",
        case.with(Verdict::Outside).len(),
        case.judged()
    ));
    row.push(number(Some(case.outcome.ns_per_day)));
    row
}

/// A row of what `pick` takes of the values of a column, ascending in how bad they are.
fn summary(name: &str, cases: &[CaseReport], pick: impl Fn(&[f64]) -> f64) -> Vec<String> {
    let of = |values: Vec<f64>, badness: &dyn Fn(f64) -> f64, words: &dyn Fn(f64) -> String| {
        let mut values = values;
        values.sort_by(|a, b| badness(*a).total_cmp(&badness(*b)));
        if values.is_empty() {
            number(None)
        } else {
            words(pick(&values))
        }
    };
    let mut row = vec![
        name.to_owned(),
        of(
            cases.iter().filter_map(CaseReport::valid).collect(),
            &|valid| -valid,
            &percent,
        ),
        of(
            cases.iter().map(CaseReport::redrawn).collect(),
            &|share| share,
            &percent,
        ),
    ];
    row.extend(COLUMNS.iter().map(|(name, _, cell)| {
        let measures = cases.iter().filter_map(|case| case.measure(name));
        of(
            measures
                .filter_map(|measure| cell.judged(measure))
                .collect(),
            &|judged| cell.badness(judged),
            &|judged| cell.words(judged),
        )
    }));
    let outside = cases
        .iter()
        .map(|case| case.with(Verdict::Outside).len() as f64);
    row.push(of(outside.collect(), &|count| count, &|count| {
        format!("{count}")
    }));
    row.push(of(
        cases.iter().map(|case| case.outcome.ns_per_day).collect(),
        &|speed| -speed,
        &|speed| number(Some(speed)),
    ));
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::rollout::Outcome;

    fn case(name: &str, jsd: f64, contacts: f64, valid: f64) -> CaseReport {
        let jsd = Measure {
            name: "torsion_jsd".into(),
            value: Some(jsd),
            floor: Some(0.05),
            verdict: Some(if jsd > 0.1 {
                Verdict::Outside
            } else {
                Verdict::Within
            }),
            ..Measure::default()
        };
        let contacts = Measure {
            name: "contacts".into(),
            run: Some(contacts),
            reference: Some(100.0),
            ..Measure::default()
        };
        CaseReport {
            name: name.into(),
            note: String::new(),
            outcome: Outcome {
                chains: 1,
                jumps: 4,
                lag_time: 160.0,
                reference_time: None,
                valid_by_fifth: [valid; 5],
                lost: 0,
                redrawn: 0,
                ns_per_day: 10.0,
                measures: vec![jsd, contacts],
                torsions: Vec::new(),
                notes: Vec::new(),
            },
        }
    }

    #[test]
    fn median_and_worst_are_of_what_is_judged() {
        let cases = [
            case("a", 0.2, 101.0, 1.0),
            case("b", 0.1, 90.0, 0.99),
            case("c", 0.05, 98.0, 1.0),
        ];
        let board = leaderboard(&cases);
        let cell = |row: usize, head: &str| {
            let column = board[0].iter().position(|one| one == head).unwrap();
            board[row][column].as_str()
        };
        assert_eq!(board.len(), 6);
        assert_eq!(cell(1, "torsion JSD (floor)"), "0.200 (0.0500)");
        assert_eq!(cell(4, "torsion JSD (floor)"), "2.00 × floor");
        assert_eq!(cell(5, "torsion JSD (floor)"), "4.00 × floor");
        assert_eq!(cell(2, "contacts (MD)"), "90.0 (100)");
        assert_eq!(cell(4, "contacts (MD)"), "-2 %");
        // by how far, not by which side
        assert_eq!(cell(5, "contacts (MD)"), "-10 %");
        assert_eq!(
            [cell(4, "valid frames"), cell(5, "valid frames")],
            ["100.00 %", "99.00 %"]
        );
        assert_eq!([cell(1, "outside"), cell(5, "outside")], ["1 of 1", "1"]);
        assert_eq!(cell(5, "RMSF r (floor)"), number(None));
        // two are no list
        assert_eq!(leaderboard(&cases[..2]).len(), 3);
    }
}
