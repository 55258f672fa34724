//! Times of frames: which a file has, where they go back, which frames a restart wrote twice.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::ops::Range;

use nalgebra::Vector3;

/// A time step (ps) that has come through f32: what it says beyond six digits is rounding.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Times that are all the same, or no numbers, were never set: such a file has none.
pub(super) fn known(times: Vec<f64>) -> Option<Vec<f64>> {
    let set = times.len() < 2 || times.iter().any(|&time| time != times[0]);
    (set && times.iter().all(|time| time.is_finite())).then_some(times)
}

/// The time from frame to frame, ps, where it is the same throughout (to the rounding of f32).
pub(super) fn step(times: &[f64]) -> Option<f64> {
    let (first, last) = (*times.first()?, *times.last()?);
    let step = (last - first) / times.len().checked_sub(1).filter(|&count| count > 0)? as f64;
    let slack = 1e-3 * step + rounding(times);
    let uniform = step > 0.0
        && times
            .windows(2)
            .all(|pair| (pair[1] - pair[0] - step).abs() <= slack);
    uniform.then(|| rounded(step))
}

/// What two neighbouring times may differ by for want of digits of f32.
fn rounding(times: &[f64]) -> f64 {
    let largest = times
        .iter()
        .fold(0.0, |most: f64, time| most.max(time.abs()));
    4.0 * f64::from(f32::EPSILON) * largest
}

/// The frames of a file in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InOrder {
    /// The frames that are kept, ascending.
    pub kept: Vec<usize>,
    /// What a user should know, where something is out of order.
    pub note: Option<String>,
}

/// Leaves out the frames that a restart wrote again.
///
/// A run that stopped goes on from its checkpoint, which is older than its last frame: the file
/// then holds some times twice. The later frames are kept, as they are the ones that the
/// trajectory goes on from (`gmx trjcat` keeps the same). Times that start over at the first
/// frame's or before it are no restart but another trajectory, and a file whose times go back
/// often has none that could be trusted: nothing is left out then.
pub(super) fn in_order(times: &[f64]) -> InOrder {
    let all = |note: Option<String>| InOrder {
        kept: (0..times.len()).collect(),
        note,
    };
    let slack = rounding(times);
    // equal times are a frame written twice, unless they have no digits left to differ by
    let goes_back = |before: f64, now: f64| now < before - slack || now == before;
    let typical = times.len() > 1 && {
        let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        steps[steps.len() / 2] > slack
    };
    let back: Vec<usize> = (1..times.len())
        .filter(|&frame| goes_back(times[frame - 1], times[frame]))
        .collect();
    let Some(&first) = back.first().filter(|_| typical) else {
        let decreasing = times.windows(2).any(|pair| pair[1] < pair[0] - slack);
        return all(decreasing.then(|| "times decrease from frame to frame".to_owned()));
    };
    let (from, to) = (times[first - 1], times[first]);
    let often = back.len() > (times.len() / 10).max(1);
    let stopped = back.windows(2).any(|pair| pair[1] == pair[0] + 1);
    if often || stopped || back.iter().any(|&frame| times[frame] <= times[0]) {
        let count = match back.len() {
            1 => String::new(),
            count => format!(" and {} times more", count - 1),
        };
        return all(Some(format!(
            "times do not grow at frame {first}, {to} ps after {from} ps{count}: no restart, or \
             more than one trajectory in the file; nothing is left out"
        )));
    }
    let mut kept: Vec<usize> = Vec::new();
    for (frame, &time) in times.iter().enumerate() {
        while kept
            .last()
            .is_some_and(|&last| goes_back(times[last], time))
        {
            kept.pop();
        }
        kept.push(frame);
    }
    let present: HashSet<usize> = kept.iter().copied().collect();
    let dropped: Vec<usize> = (0..times.len())
        .filter(|frame| !present.contains(frame))
        .collect();
    let note = format!(
        "times go back at frame {first}, from {from} to {to} ps: a restart wrote {} frames again, \
         and the earlier copies are left out, frames {}",
        dropped.len(),
        super::damage::ranges(&dropped)
    );
    InOrder {
        kept,
        note: Some(note),
    }
}

/// A number that tells frames apart: equal for equal positions.
pub fn mark(positions: &[Vector3<f64>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for position in positions {
        position.iter().for_each(|x| x.to_bits().hash(&mut hasher));
    }
    hasher.finish()
}

/// Says which stretches were taken once; nothing for none.
pub fn repeats_note(stretches: &[Range<usize>]) -> Option<String> {
    let first = stretches.first()?;
    let count: usize = stretches.iter().map(|stretch| stretch.len()).sum();
    Some(format!(
        "frames {}–{} stand in it again right behind, as a restart writes them: {count} frames are \
         taken once",
        first.start,
        first.end - 1
    ))
}

/// Stretches of frames that are repeated, to the last bit, by the frames right behind them, as a
/// restart does that writes the same frames again. Each stretch holds two frames or more, and no
/// frame that stands in the file more than twice, as every frame of a frozen molecule does.
///
/// `marks` are those of the frames, of [`mark`].
pub fn repeated(marks: &[u64]) -> Vec<Range<usize>> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (frame, &mark) in marks.iter().enumerate() {
        places.entry(mark).or_default().push(frame);
    }
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    while start < marks.len() {
        let again = match places[&marks[start]][..] {
            [first, second] if first == start => Some(second),
            _ => None,
        };
        let whole = again.filter(|&second| {
            let length = second - start;
            length > 1
                && second + length <= marks.len()
                && (0..length).all(|k| places[&marks[start + k]][..] == [start + k, second + k])
        });
        match whole {
            Some(second) => {
                stretches.push(start..second);
                start = second + (second - start);
            }
            None => start += 1,
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(range: Range<i32>, step: f64) -> Vec<f64> {
        range.map(|frame| f64::from(frame) * step).collect()
    }

    #[test]
    fn the_later_copies_of_a_restart_are_kept() {
        let times = [even(0..61, 160.0), even(50..121, 160.0)].concat();
        let InOrder { kept, note } = in_order(&times);
        let expected: Vec<usize> = (0..50).chain(61..132).collect();
        assert_eq!(kept, expected);
        let note = note.unwrap();
        assert!(
            note.contains("at frame 61, from 9600 to 8000 ps") && note.contains("50–60"),
            "{note}"
        );
        let kept: Vec<f64> = kept.into_iter().map(|frame| times[frame]).collect();
        assert_eq!(step(&kept), Some(160.0));
        // the restart's first frame is the last one again
        let times = [even(0..11, 2.0), even(10..40, 2.0)].concat();
        assert_eq!(in_order(&times).kept.len(), 40);
    }

    #[test]
    fn what_is_no_restart_is_left_as_it_is() {
        for (times, word) in [
            (even(0..100, 0.5), None),
            (vec![5.0], None),
            (even(0..30, -1.0), Some("decrease")),
            (
                [even(0..60, 1.0), even(0..60, 1.0)].concat(),
                Some("frame 60"),
            ),
            (
                (0..40).map(|frame| f64::from(frame % 4)).collect(),
                Some("times more"),
            ),
            // clocks that stopped
            ([even(0..10, 1.0), vec![9.0; 50]].concat(), None),
            ([even(0..90, 1.0), vec![89.0; 3]].concat(), Some("frame 90")),
            // f32 has no digits left for steps of 1 ps
            (
                (0..50)
                    .map(|frame| f64::from((3e7 + f64::from(frame)) as f32))
                    .collect(),
                None,
            ),
        ] {
            let found = in_order(&times);
            assert_eq!(found.kept.len(), times.len(), "{found:?}");
            match word {
                Some(word) => assert!(found.note.as_ref().unwrap().contains(word), "{found:?}"),
                None => assert_eq!(found.note, None),
            }
        }
    }

    #[test]
    fn stretches_that_stand_twice_are_found_and_a_frozen_file_is_not() {
        let marks: Vec<u64> = (0..61).chain(50..80).collect();
        assert_eq!(repeated(&marks), [(50, 61)].map(|(start, end)| start..end));
        let twice: Vec<u64> = (0..10).chain(0..10).collect();
        assert_eq!(repeated(&twice), [(0, 10)].map(|(start, end)| start..end));
        let pairs: Vec<u64> = (0..20).map(|frame| frame / 2).collect();
        assert_eq!(repeated(&pairs), []);
        assert_eq!(repeated(&[7; 50]), []);
        let apart: Vec<u64> = (0..30).chain([40, 41]).chain(3..9).collect();
        assert_eq!(repeated(&apart), []);
    }

    #[test]
    fn times_that_were_never_set_are_none() {
        assert_eq!(known(vec![0.0; 5]), None);
        assert_eq!(known(vec![0.0, f64::NAN, 2.0]), None);
        assert_eq!(known(vec![0.0]), Some(vec![0.0]));
        assert_eq!(step(&[0.0, 1.0, 3.0]), None);
        assert_eq!(step(&[2.0]), None);
    }
}
