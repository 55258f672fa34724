//! The tables of `paper recall`.

use std::fmt::Write as _;

use super::{grouped, number, spread};
use crate::models::Model;
use crate::recall::{Line, vocabulary};

/// Mean squared errors that were published for 32, 64, 128 and 256 tokens (arXiv 2407.01049, table
/// 1), 4 words: lowest and highest where a range is given for all lengths.
fn published(model: Model, fixed: bool, tokens: usize) -> Option<[f64; 2]> {
    let lengths = [32, 64, 128, 256];
    let at = lengths.iter().position(|&length| length == tokens)?;
    let of_each = |values: [f64; 4]| Some([values[at]; 2]);
    match (model, fixed) {
        (Model::GHyena, false) => of_each([0.271, 0.0069, 0.0019, 0.0022]),
        (Model::GHyena, true) => of_each([0.052, 0.038, 0.020, 0.030]),
        (Model::Attention, false) => Some([1.38, 1.74]),
        (Model::Attention, true) => Some([0.012, 0.018]),
        (Model::Transformer | Model::Hyena, false) => Some([2.0, 2.4]),
        (Model::Transformer | Model::Hyena, true) => Some([2.4, 2.5]),
        _ => None,
    }
}

/// What a row says of its claim: of a range, ours within it or a tenth beside it.
fn verdict(model: Model, ours: f64, published: Option<[f64; 2]>) -> &'static str {
    let Some([low, high]) = published else {
        return "no published number";
    };
    if model == Model::Attention {
        return "not comparable: ours weighs by inner products, theirs by cross products";
    }
    if ours < low / 1.1 {
        "better"
    } else if ours <= 1.1 * high {
        "reproduced"
    } else {
        "worse"
    }
}

/// Lines that differ in their seed alone.
fn groups(lines: &[Line]) -> Vec<Vec<&Line>> {
    let mut groups = grouped(lines, |a, b| {
        let mut course = a.course.clone();
        course.seed = b.course.seed;
        course == b.course
    });
    groups.sort_by_key(|group| {
        let course = &group[0].course;
        let task = &course.task;
        (task.fixed, task.words, task.tokens, course.updates)
    });
    groups
}

fn row(text: &mut String, group: &[&Line]) {
    let line = group[0];
    let course = &line.course;
    let tests: Vec<f64> = group.iter().map(|line| line.test[0]).collect();
    let mean = tests.iter().sum::<f64>() / tests.len() as f64;
    let known = published(course.model, course.task.fixed, course.task.tokens)
        .filter(|_| course.task.words == 4);
    let published = known.map_or("–".to_owned(), |[low, high]| {
        if low == high {
            number(low)
        } else {
            format!("{} to {}", number(low), number(high))
        }
    });
    let seconds: f64 = group.iter().map(|line| line.record.seconds).sum();
    let commits: Vec<&str> = group.iter().map(|line| line.commit.as_str()).collect();
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} | {} | {published} | {} | {:.0} | {} |",
        vocabulary(course.task.fixed),
        course.task.words,
        course.task.tokens,
        course.model.title(),
        line.parameters,
        course.updates,
        spread(&tests),
        verdict(course.model, mean, known),
        seconds / group.len() as f64,
        commits[0],
    );
}

/// The learning curve of the first seed in a few numbers.
fn curve(text: &mut String, group: &[&Line]) {
    let line = group[0];
    let curve = &line.record.curve;
    let shares = [0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0];
    let updates = line.course.updates as f64;
    let at = |share: f64| {
        let found = curve.iter().find(|row| row.0 as f64 >= share * updates);
        found.map_or("–".to_owned(), |row| number(row.2))
    };
    let cells: Vec<String> = shares.into_iter().map(at).collect();
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} |",
        vocabulary(line.course.task.fixed),
        line.course.task.tokens,
        line.course.model.title(),
        line.course.seed,
        line.course.updates,
        cells.join(" | ")
    );
}

/// Rows of the claim that nothing was measured of, and those of fewer than three seeds.
fn open(lines: &[Line]) -> String {
    const SEEDS: usize = 3;
    let random = [32, 64, 128, 256, 1024, 4096].map(|tokens| (false, tokens));
    let fixed = [32, 64, 128, 256].map(|tokens| (true, tokens));
    let mut missing = Vec::new();
    for (fixed, tokens) in random.into_iter().chain(fixed) {
        // ablations are asked for at one length
        let ablations = (!fixed && tokens == 32).then_some(Model::ABLATIONS);
        let models = Model::SEQUENCES.into_iter();
        let models = models.chain(ablations.into_iter().flatten());
        let all = models.clone().count();
        let titles: Vec<&str> = models
            .filter(|model| {
                !lines.iter().any(|line| {
                    let task = &line.course.task;
                    line.course.model == *model && task.fixed == fixed && task.tokens == tokens
                })
            })
            .map(Model::title)
            .collect();
        if titles.is_empty() {
            continue;
        }
        let vocabulary = vocabulary(fixed);
        let titles = if titles.len() == all {
            "all".to_owned()
        } else {
            titles.join("; ")
        };
        missing.push(format!("- {vocabulary}, N = {tokens}: {titles}\n"));
    }
    let few = groups(lines)
        .iter()
        .filter(|group| group.len() < SEEDS)
        .count();
    let mut text = String::new();
    if !missing.is_empty() {
        let _ = writeln!(
            text,
            "\nNot measured yet, beside sweeps over words and sizes:\n"
        );
        text += &missing.concat();
    }
    if few > 0 {
        let _ = writeln!(text, "\nRows of fewer than {SEEDS} seeds: {few}.");
    }
    text
}

/// The section of the page.
pub fn section(lines: &[Line]) -> String {
    let mut text = String::from("\n## Recall\n");
    if lines.is_empty() {
        text += "Not measured.\n";
        return text;
    }
    text += "\
A sequence of N vectors is made of words, key and value, of a vocabulary of four; its last key occurred before, and its
value is asked for (`src/task/recall.rs`). Who answers zero has a mean squared error of 2.333. *Random*: every sequence
has words of its own; *fixed*: all have the same words, turned at random. Samples are drawn anew for every update; test
errors are of 200 sequences, of the averaged weights with the lowest error on 200 others, as mean ± standard deviation
(number of seeds). Seconds are of one training, by the clock, on a machine that did other things too. A row is *reproduced*
where ours is within a tenth of the published number or range, else *better* or *worse*; networks here are smaller than the
published ones (hidden 16 scalars and 128 vectors), and most are trained for few updates: only rows of as many are to be held
against each other. The second table shows what more would bring.
The Equiformer-like network attends to 16 vectors to either side of each; two of its layers reach across 32.
Ablations of G-Hyena: the long convolution with its scalar or its vector term alone, without the short convolution that is the
local projection of a sequence, and with all gates held open alike (what they are made of stays zero). Global context tokens
the network has none, so that there are none to leave out.

| vocabulary | words | N | model | parameters | updates | test error | published | verdict | seconds | commit |
|---|---|---|---|---|---|---|---|---|---|---|
";
    let groups = groups(lines);
    groups.iter().for_each(|group| row(&mut text, group));
    text += "\n\
Learning curves: the validation error of one seed when so much of the updates was made.

| vocabulary | N | model | seed | updates | 2 % | 5 % | 10 % | 20 % | 40 % | 70 % | all |
|---|---|---|---|---|---|---|---|---|---|---|---|
";
    groups.iter().for_each(|group| curve(&mut text, group));
    text += &open(lines);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_on_which_side_of_the_published_range_a_number_is() {
        let known = published(Model::GHyena, false, 32);
        assert_eq!(known, Some([0.271, 0.271]));
        let said = |ours| verdict(Model::GHyena, ours, known);
        assert_eq!(
            [0.2, 0.28, 0.3].map(said),
            ["better", "reproduced", "worse"]
        );
        assert_eq!(verdict(Model::Egnn, 1.5, None), "no published number");
        let attention = published(Model::Attention, false, 64);
        assert!(verdict(Model::Attention, 1.5, attention).starts_with("not comparable"));
    }
}
