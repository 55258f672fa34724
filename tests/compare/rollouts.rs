//! A model whose rollouts are known: the reference itself.

use mdsurrogate::Result;
use mdsurrogate::compare::rollout::{judge, roll_out};
use mdsurrogate::simulate::{Clock, Motion, Stepper};
use mdsurrogate::structure::Frame;

use crate::data::{Compared, Input, Positions, Trajectory, compare, structure, write};

/// Time between its frames, ps.
const STEP: f64 = 50.0;

/// Steps from frame to frame of a trajectory that is there already, and at its end to its first;
/// counts how often it was asked to draw again.
struct Replay(Vec<Positions>, u64);

impl Stepper for Replay {
    fn step(&mut self, replicas: &mut [Frame]) -> Result<()> {
        for frame in replicas {
            frame.step += 1;
            frame.time += STEP;
            frame
                .positions
                .clone_from(&self.0[frame.step as usize % self.0.len()]);
        }
        Ok(())
    }
    fn redraw(&mut self, _: usize, draw: u64, frame: &mut Frame) -> Result<()> {
        self.1 += 1;
        self.step(std::slice::from_mut(frame))?;
        // a draw is told by its time
        frame.time = draw as f64;
        Ok(())
    }
    fn clock(&self) -> Clock {
        Clock::Jumps(STEP)
    }
    fn motion(&self) -> Option<Motion> {
        None
    }
    fn identity(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::Map::new()
    }
    fn describe(&self) -> String {
        "a replay".into()
    }
    fn reseed(&mut self, _: u64) {}
}

#[test]
fn jumps_to_what_is_not_sound_are_drawn_again_until_it_is_or_ten_were_in_vain() {
    let positions = Trajectory::read("akle_a.xtc").into_frames()[0].clone();
    let file: Input = (crate::data::data("akle_a.xtc"), structure("akle"));
    let Compared { looker, sides, .. } = compare(&file, &file).unwrap();
    let picks = &sides.run[0].picks;
    let starts = || vec![Frame::at_rest(positions.clone()); 2];
    // the third jump of the second rollout is right at the third draw
    let mut stepper = Replay(vec![positions.clone()], 0);
    let mut third =
        |rollout: usize, frame: &Frame| rollout == 0 || frame.step != 3 || frame.time == 3.0;
    let rollouts = roll_out(&mut stepper, &looker, picks, starts(), 5, &mut third).unwrap();
    assert_eq!((stepper.1, rollouts.redrawn, rollouts.lost), (3, 3, 0));
    assert_eq!(rollouts.valid_by_fifth, [1.0; 5]);
    // one that is never right goes on after ten draws, and is not tried again
    let mut stepper = Replay(vec![positions.clone()], 0);
    let mut never = |rollout: usize, _: &Frame| rollout == 0;
    let rollouts = roll_out(&mut stepper, &looker, picks, starts(), 5, &mut never).unwrap();
    assert_eq!((stepper.1, rollouts.redrawn, rollouts.lost), (10, 10, 0));
}

#[test]
fn a_model_that_replays_its_reference_is_judged_perfect() {
    let folder = tempfile::tempdir().unwrap();
    // as DCD stores them: the same bits on both sides
    let stored = |x: f64| f64::from(x as f32);
    let frames: Vec<Positions> = Trajectory::read("akle_a.xtc")
        .into_frames()
        .iter()
        .map(|frame| frame.iter().map(|x| x.map(stored)).collect())
        .collect();
    let file: Input = (folder.path().join("same.dcd"), structure("akle"));
    write(&file.0, &frames, STEP, None);
    let Compared {
        looker,
        reference,
        sides,
        ..
    } = compare(&file, &file).unwrap();
    // the second half of the rollout is compared: all frames in order, from the first
    let start = Frame {
        step: frames.len() as u64 - 1,
        ..Frame::at_rest(frames[0].clone())
    };
    let jumps = 2 * frames.len();
    let rollouts = roll_out(
        &mut Replay(frames.clone(), 0),
        &looker,
        &sides.run[0].picks,
        vec![start],
        jumps,
        &mut |_, _| true,
    )
    .unwrap();
    let outcome = judge(&rollouts, &reference, &looker, [1, jumps]);
    assert_eq!(
        (outcome.lost, outcome.valid_by_fifth, outcome.lag_time),
        (0, [1.0; 5], STEP)
    );
    for measure in &outcome.measures {
        let higher = ["rmsf_r", "weak_contacts_j", "exposed_j"].contains(&measure.name.as_str());
        // surfaces are those of some frames
        if !["exposed_j", "side_chain_area"].contains(&measure.name.as_str()) {
            let value = measure.value.unwrap();
            let distance = if higher { 1.0 - value } else { value };
            assert!(distance.abs() <= 1e-12, "{}: {distance}", measure.name);
        }
    }
    // one that goes on with the first half alone is not
    let half = frames.len() / 2;
    let start = Frame {
        step: half as u64 - 1,
        ..Frame::at_rest(frames[0].clone())
    };
    let rollouts = roll_out(
        &mut Replay(frames[..half].to_vec(), 0),
        &looker,
        &sides.run[0].picks,
        vec![start],
        2 * half,
        &mut |_, _| true,
    )
    .unwrap();
    let outcome = judge(&rollouts, &reference, &looker, [1, 2 * half]);
    let divergence = outcome
        .measures
        .iter()
        .find(|measure| measure.name == "torsion_jsd")
        .unwrap();
    assert!(divergence.value.unwrap() > 1e-3, "{divergence:?}");
}
