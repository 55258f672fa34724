//! An idealised structure in space of a secondary structure.
//!
//! Stems are A-form ([`super::helix`]). A loop is a circle: the C4' of its nucleotides lie on it, those
//! that follow each other as far apart as in a stem, those of a pair as far as there; its stems
//! stand out from it, and its unpaired nucleotides have the shape that they have in a stem, outer
//! side outwards. The loop outside of all pairs is a straight line, stems and outer sides to one
//! side. A loop too short for its pair has longer steps. What comes to lie in each other's way stays:
//! this is a layout, no prediction.

use nalgebra::{Matrix3, Vector3};

use super::fold::{Fold, Loop, Part};
use super::helix::{self, Nucleotide, ends, nucleotide, pair};

/// P, C4' and N of every nucleotide, Å.
pub fn place(fold: &Fold) -> Vec<Nucleotide> {
    let mut placed = vec![[Vector3::zeros(); 3]; fold.partner.len()];
    // where the stem goes that a loop ends, in the order of the loops
    let mut axes: Vec<Vector3<f64>> = vec![Vector3::y()];
    for (number, own) in fold.loops.iter().enumerate() {
        let shape = match own.closing {
            None => Shape::Line,
            Some([i, j]) => Shape::Circle(Circle::beyond(
                own,
                [placed[i][1], placed[j][1]],
                axes[number],
            )),
        };
        let mut at = shape.start();
        for part in &own.parts {
            match *part {
                Part::Free(index) => {
                    at += shape.step();
                    let [point, away, along] = shape.at(at);
                    placed[index] = nucleotide(point, away, along);
                }
                Part::Stem([first, last], pairs) => {
                    at += shape.step();
                    let axis = stem(&shape, at, [first, last], pairs, &mut placed);
                    axes.push(axis);
                    at += shape.pair();
                }
            }
        }
    }
    placed
}

/// Stands a stem on a loop, whose first C4' is `at`; gives its axis.
fn stem(
    shape: &Shape,
    at: f64,
    [first, last]: [usize; 2],
    pairs: usize,
    placed: &mut [Nucleotide],
) -> Vector3<f64> {
    let [a, _, _] = shape.at(at);
    let [b, _, _] = shape.at(at + shape.pair());
    let [_, out, _] = shape.at(at + shape.pair() / 2.0);
    let [from, to] = ends(&pair(0));
    let rotation = base(b - a, out) * base(to - from, -Vector3::z()).transpose();
    let (middle, own) = ((a + b) / 2.0, (from + to) / 2.0);
    for k in 0..pairs {
        let both = pair(k).map(|atoms| atoms.map(|x| middle + rotation * (x - own)));
        placed[first + k] = both[0];
        placed[last - k] = both[1];
    }
    -(rotation * Vector3::z())
}

/// Columns: the first direction, what of the second is at right angles to it, square to both.
fn base(first: Vector3<f64>, second: Vector3<f64>) -> Matrix3<f64> {
    let first = first.normalize();
    let second = (second - second.dot(&first) * first).normalize();
    Matrix3::from_columns(&[first, second, first.cross(&second)])
}

/// What C4' of a loop lie on; places are ways along it, Å or radians.
enum Shape {
    Line,
    Circle(Circle),
}

impl Shape {
    /// The place one step before the first part of a line, or of the pair that closes a circle.
    fn start(&self) -> f64 {
        match self {
            Shape::Line => -helix::step(),
            Shape::Circle(_) => 0.0,
        }
    }

    /// From a nucleotide to the next.
    fn step(&self) -> f64 {
        match self {
            Shape::Line => helix::step(),
            Shape::Circle(circle) => circle.step,
        }
    }

    /// From a nucleotide to its partner.
    fn pair(&self) -> f64 {
        match self {
            Shape::Line => helix::width(),
            Shape::Circle(circle) => circle.pair,
        }
    }

    /// A place, the direction outwards and that of the strand.
    fn at(&self, way: f64) -> [Vector3<f64>; 3] {
        match self {
            Shape::Line => [way * Vector3::x(), Vector3::y(), Vector3::x()],
            Shape::Circle(circle) => {
                let out = way.cos() * circle.first + way.sin() * circle.second;
                let along = way.cos() * circle.second - way.sin() * circle.first;
                [circle.centre + circle.radius * out, out, along]
            }
        }
    }
}

/// The circle of a loop that a pair closes, its angles counted from the pair's first nucleotide.
struct Circle {
    centre: Vector3<f64>,
    radius: f64,
    /// Directions of the angles 0 and 90°.
    first: Vector3<f64>,
    second: Vector3<f64>,
    /// Angles of a step and of a pair.
    step: f64,
    pair: f64,
}

impl Circle {
    /// The circle beyond the last pair, whose C4' are at `ends`, of a stem along `axis`.
    fn beyond(own: &Loop, [p, q]: [Vector3<f64>; 2], axis: Vector3<f64>) -> Circle {
        let is_stem = |part: &&Part| matches!(part, Part::Stem(..));
        let stems = own.parts.iter().filter(is_stem).count();
        let steps = own.parts.len() + 1;
        let wide = helix::width();
        // what is not the closing pair must be longer than it
        let needed = 1.05 * wide / steps as f64;
        let step = if stems == 0 {
            helix::step().max(needed)
        } else {
            helix::step()
        };
        let radius = radius(step, steps, wide, stems);
        let angle = |chord: f64| 2.0 * (chord / (2.0 * radius)).min(1.0).asin();
        let rest = steps as f64 * angle(step) + stems as f64 * angle(wide);
        let closing = std::f64::consts::TAU - rest;
        let away = base(q - p, axis).column(1).into_owned();
        let centre = (p + q) / 2.0 + radius * (closing / 2.0).cos() * away;
        let normal = away.cross(&(q - p).normalize());
        let first = (p - centre).normalize();
        Circle {
            centre,
            radius,
            first,
            second: normal.cross(&first),
            step: angle(step),
            pair: angle(wide),
        }
    }
}

/// Radius of the circle on which `steps` chords of length `step` and `stems` + 1 of length `wide`
/// close, by bisection. The centre may lie beyond the closing chord, whose arc is then the rest.
fn radius(step: f64, steps: usize, wide: f64, stems: usize) -> f64 {
    let rest = |radius: f64| {
        let angle = |chord: f64| 2.0 * (chord / (2.0 * radius)).min(1.0).asin();
        steps as f64 * angle(step) + stems as f64 * angle(wide)
    };
    let own = |radius: f64| 2.0 * (wide / (2.0 * radius)).min(1.0).asin();
    let least = step.max(wide) / 2.0;
    let is_inside = rest(least) >= std::f64::consts::PI;
    // too small a circle: inside, the arcs are more than a turn; beyond, the rest is less than the
    // closing chord's
    let is_small = |radius: f64| {
        if is_inside {
            rest(radius) + own(radius) > std::f64::consts::TAU
        } else {
            rest(radius) < own(radius)
        }
    };
    let mut range = [least, least];
    while is_small(range[1]) {
        range[1] *= 2.0;
    }
    for _ in 0..200 {
        let middle = (range[0] + range[1]) / 2.0;
        range[usize::from(!is_small(middle))] = middle;
    }
    range[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRUCTURES: [&str; 5] = [
        "....",
        "((((...))))",
        ".....((((((.......)))).)).((.....((..((((((....))))))..)).....))....",
        ".((((.((.....((((.(((.....)))..((((......))))..)))).....)).)))).",
        "((.((..(((((....)))))(((....)))..)).))..((((...(((...)))...))))..",
    ];

    /// C4' that follow each other are as far apart as in a stem, those of a pair as far as there.
    #[test]
    fn loops_close() {
        for structure in STRUCTURES {
            let fold = Fold::parse(structure).unwrap();
            let placed = place(&fold);
            let c4: Vec<Vector3<f64>> = placed.iter().map(|atoms| atoms[1]).collect();
            for (at, two) in c4.windows(2).enumerate() {
                let found = (two[1] - two[0]).norm();
                assert!(
                    (found - helix::step()).abs() <= 1e-6,
                    "{structure} {at}: {found}"
                );
            }
            for (at, other) in fold.partner.iter().enumerate() {
                if let Some(other) = *other {
                    let found = (c4[at] - c4[other]).norm();
                    assert!((found - helix::width()).abs() <= 1e-6, "{structure} {at}");
                }
            }
        }
    }

    /// Every nucleotide has the shape that it has in a stem, and its handedness.
    #[test]
    fn nucleotides_and_stems_keep_their_shape() {
        let volume = |a: &Nucleotide, b: &Nucleotide| {
            (a[0] - a[1]).cross(&(a[2] - a[1])).dot(&(b[0] - a[1]))
        };
        let expected = volume(&pair(0)[0], &pair(1)[0]);
        for structure in STRUCTURES {
            let fold = Fold::parse(structure).unwrap();
            let placed = place(&fold);
            for atoms in &placed {
                let found = (atoms[0] - atoms[2]).norm();
                let own = pair(0)[0];
                assert!((found - (own[0] - own[2]).norm()).abs() <= 1e-9);
            }
            for at in 1..placed.len() {
                let stacks = fold.partner[at].zip(fold.partner[at - 1]);
                if stacks.is_some_and(|(now, before)| now + 1 == before) {
                    let found = volume(&placed[at - 1], &placed[at]);
                    assert!((found / expected - 1.0).abs() <= 1e-6, "{structure} {at}");
                }
            }
        }
    }

    /// A hairpin of one nucleotide cannot close with steps as long as in a stem.
    #[test]
    fn a_loop_too_short_for_its_pair_has_longer_steps() {
        let fold = Fold::parse("((.))").unwrap();
        let placed = place(&fold);
        let steps = [1, 2].map(|at| (placed[at + 1][1] - placed[at][1]).norm());
        for step in steps {
            assert!((step - 1.05 * helix::width() / 2.0).abs() <= 1e-6, "{step}");
        }
    }
}
