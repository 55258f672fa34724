//! Next-frame predictions: frames of the run that correspond to frames of the reference.

use nalgebra::Vector3;

use super::floor::{Better, Definition, Measure};
use super::source::Source;
use super::verdict::Verdict;
use crate::geometry::superpose::pick;
use crate::structure::{Frame, Topology};
use crate::trajectory::{Judge, Reader};
use crate::{Error, Result};

const NEXT_FRAME: Definition = Definition {
    name: "next_frame_mse",
    label: "Next frame, mean squared error",
    unit: "Å²",
    source: "mean squared difference of coordinates between a frame of the run and the frame of \
             the reference that it predicts, heavy atoms, not superposed; the floor is the copy \
             baseline: the reference's frame before; run and reference: root mean square distance \
             of atoms, Å, predicted and copied",
    better: Better::Lower,
    tolerance: 0.0,
};

/// Mean squared error of predicted frames beside that of copying the frame before. A frame of the
/// run predicts the frame of the reference that has its time; where files know no times, frame i
/// predicts frame i, or i + 1 where the run has one frame less.
///
/// # Errors
/// [`Error::Usage`] where the files or frames do not correspond; what reading reports.
pub fn next_frame(run: &[Source], reference: &[Source], topology: &Topology) -> Result<Measure> {
    let judge = Judge::new(topology);
    if run.len() != reference.len() {
        let what = format!(
            "{} trajectories of the run do not pair with {} of the reference",
            run.len(),
            reference.len()
        );
        return Err(Error::usage(
            what,
            "--paired wants a reference trajectory for each predicted one, in the same order",
        ));
    }
    let (mut squares, mut copies, mut coordinates) = (0.0, 0.0, 0.0);
    for (predicted, truth) in run.iter().zip(reference) {
        let mut readers = [
            Reader::open(&predicted.path, None)?,
            Reader::open(&truth.path, None)?,
        ];
        let pairs = pairs(&readers[0], &readers[1])?;
        // nothing for a frame that is no molecule
        let mut read = |which: usize, index: usize| -> Result<Option<Vec<Vector3<f64>>>> {
            let mut frame = Frame::default();
            readers[which].read_at(index, &mut frame)?;
            let picks = [&predicted.picks, &truth.picks][which];
            let positions = pick(&frame.positions, picks);
            let damage = judge.damage(&positions, frame.cell.as_ref());
            Ok(damage.is_none().then_some(positions))
        };
        for (guess, now) in pairs {
            let (Some(guess), Some(before), Some(now)) =
                (read(0, guess)?, read(1, now - 1)?, read(1, now)?)
            else {
                continue;
            };
            squares += square_distance(&guess, &now);
            copies += square_distance(&before, &now);
            coordinates += 3.0 * now.len() as f64;
        }
    }
    if coordinates == 0.0 {
        return Err(Error::usage(
            "no frame of the run predicts one of the reference: one of the two is no molecule",
            "--paired wants whole frames; what is wrong with them is said above",
        ));
    }
    let error = squares / coordinates;
    let copy = copies / coordinates;
    let mut measure = Measure::bare(&NEXT_FRAME, error);
    measure.floor = Some(copy);
    measure.verdict = Some(match error / copy {
        ratio if ratio <= 1.0 => Verdict::Within,
        ratio if ratio <= 2.0 => Verdict::Near,
        _ => Verdict::Outside,
    });
    (measure.run, measure.reference) = (Some((3.0 * error).sqrt()), Some((3.0 * copy).sqrt()));
    Ok(measure)
}

/// Frames of the run with the frames of the reference that they predict, which have one before
/// them.
fn pairs(run: &Reader, reference: &Reader) -> Result<Vec<(usize, usize)>> {
    let (ours, theirs) = (run.len(), reference.len());
    let by_index = |shift: usize| (1..theirs).map(|index| (index - shift, index)).collect();
    let pairs: Vec<(usize, usize)> =
        match (run.times(), reference.times(), theirs.checked_sub(ours)) {
            (Some(guesses), Some(truths), _) => by_time(guesses, truths),
            (_, _, Some(shift @ (0 | 1))) => by_index(shift),
            _ => Vec::new(),
        };
    if pairs.is_empty() {
        let what = format!(
            "no frame of {} ({ours}) predicts one of {} ({theirs})",
            run.path().display(),
            reference.path().display()
        );
        return Err(Error::usage(
            what,
            "--paired wants predicted frames at the times of reference frames, or as many frames \
             without times",
        ));
    }
    Ok(pairs)
}

/// Both lists ascend.
fn by_time(guesses: &[f64], truths: &[f64]) -> Vec<(usize, usize)> {
    let at = |time: f64| {
        let place = truths.partition_point(|&truth| truth < time);
        let near = |&index: &usize| {
            truths
                .get(index)
                .is_some_and(|truth| (truth - time).abs() <= 1e-5 * time.abs().max(1.0))
        };
        [place, place.saturating_sub(1)]
            .into_iter()
            .find(near)
            .filter(|&index| index > 0)
    };
    guesses
        .iter()
        .enumerate()
        .filter_map(|(index, &time)| Some((index, at(time)?)))
        .collect()
}

fn square_distance(left: &[Vector3<f64>], right: &[Vector3<f64>]) -> f64 {
    left.iter()
        .zip(right)
        .map(|(a, b)| (a - b).norm_squared())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::by_time;

    #[test]
    fn frames_pair_by_their_times() {
        assert_eq!(
            by_time(
                &[0.0, 20.000_001, 40.0, 55.0],
                &[0.0, 10.0, 20.0, 30.0, 40.0]
            ),
            [(1, 2), (2, 4)]
        );
        assert_eq!(by_time(&[70.0], &[0.0, 10.0]), []);
    }
}
