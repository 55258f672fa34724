//! The fold that a protein keeps to.

use super::*;

#[test]
fn a_fold_counts_by_its_backbone_wherever_it_lies() {
    let (structure, tokens) = molecule("trpcage.pdb");
    assert!(tokens.is_folded() && !molecule("akle.pdb").1.is_folded());
    let positions = positions(&structure, &tokens, 0.3, 1);
    let at = |fold: &[Vector3<f64>]| inputs_with_fold(&tokens, &positions, 0.3, Some(fold));
    // the condition itself with one Cα out of place, anywhere in space: a push of that atom along
    // the turned displacement
    let name = |token: usize| structure.topology.atoms[tokens.atoms[token]].name.as_str();
    let moved = (0..tokens.len())
        .filter(|&token| name(token) == "CA")
        .nth(9)
        .unwrap();
    let mut fold = positions[0].clone();
    fold[moved] += Vector3::new(0.0, 0.4, 0.3);
    let turn = Rotation3::new(Vector3::new(-1.0, 0.3, 2.0));
    let elsewhere: Vec<_> = fold
        .iter()
        .map(|x| turn * x + Vector3::new(3.0, 80.0, 1.0))
        .collect();
    let (here, there) = (at(&fold), at(&elsewhere));
    let way =
        |token: usize| Vector3::from_column_slice(&here[Given::Fold][3 * token..3 * token + 3]);
    // 0.5 Å, a little less for its bound and for what the superposition of a hundred atoms takes
    assert!(
        (way(moved) - Vector3::new(0.0, 0.4, 0.3)).norm() <= 0.02,
        "{}",
        way(moved)
    );
    for token in (0..tokens.len()).filter(|&token| token != moved) {
        let most = if ["N", "CA", "C", "O", "CB"].contains(&name(token)) {
            0.03
        } else {
            0.0
        };
        assert!(way(token).norm() <= most, "{} {}", name(token), way(token));
    }
    let error = here[Given::Fold]
        .iter()
        .zip(&there[Given::Fold])
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    assert!(error <= 1e-12, "{error:e}");
    // far away it has a bound, and it makes a difference
    let far: Vec<_> = positions[0].iter().map(|x| 4.0 * x).collect();
    assert!(
        at(&far)[Given::Fold]
            .chunks_exact(3)
            .all(|a| Vector3::from_column_slice(a).norm() < 3.0)
    );
    let model = model(Cpu::<f64>::new());
    let none = predict(&model, &inputs_with_fold(&tokens, &positions, 0.3, None));
    assert!(relative_error(&flat(&predict(&model, &here)), &flat(&none)) > 1e-6);
}

/// A fold that follows the frames is their running mean; it is in the frames alone, so that a
/// resumed run has it.
#[test]
fn a_fold_that_follows_is_the_mean_of_the_frames_before() {
    let (structure, tokens) = molecule("trpcage.pdb");
    let input = &structure.frame.positions;
    let jump = |memory: Option<f64>| {
        let (structure, tokens) = molecule("trpcage.pdb");
        let hydrogens = Hydrogens::new(&structure.topology, &structure.frame.positions);
        let network = Task::Jump(JUMP).initial(&sizes(), Cpu::<f32>::new(), 5);
        let sampler = Sampler {
            levels: 2,
            ..Sampler::default()
        };
        let jump = Jump::new(network.unwrap(), JUMP, tokens, hydrogens, sampler, 9, 0);
        let jump = jump.with_fold(input);
        match memory {
            Some(memory) => jump.with_memory(memory),
            None => jump,
        }
    };
    let walk = |memory: Option<f64>, restart: bool| -> Vec<Frame> {
        let mut stepper = jump(memory);
        let mut frames = vec![structure.frame.clone()];
        let mut seen = Vec::new();
        for _ in 0..3 {
            stepper.step(&mut frames).unwrap();
            seen.push(frames[0].clone());
            if restart {
                stepper = jump(memory);
            }
        }
        seen
    };
    let followed = walk(Some(40.0), false);
    assert_eq!(followed, walk(Some(40.0), true));

    // jumps of 20 ps: each takes 1 − exp(−1/2) of the way; the first frame is the start itself
    let share = 1.0 - (-0.5f64).exp();
    let mut expected = tokens.positions(input);
    let mut worst = 0.0f64;
    for (step, frame) in followed.iter().enumerate() {
        let mean = frame.mean.as_ref().unwrap();
        if step > 0 {
            let before = tokens.positions(&followed[step - 1].positions);
            tokens.draw_fold(&mut expected, &before, share);
        }
        let differences = mean.iter().zip(&expected).map(|(a, b)| (a - b).norm());
        worst = differences.fold(worst, f64::max);
    }
    assert!(worst <= 1e-9, "{worst} Å");

    // the fold of the first jump is the start: only then does it part from one that stays
    let kept = walk(None, false);
    assert!(kept.iter().all(|frame| frame.mean.is_none()));
    let apart = |a: &Frame, b: &Frame| -> f64 {
        let differences = a.positions.iter().zip(&b.positions);
        differences.map(|(a, b)| (a - b).norm()).fold(0.0, f64::max)
    };
    assert!(apart(&kept[0], &followed[0]) <= 1e-4);
    assert!(apart(&kept[1], &followed[1]) >= 1e-3);
}

/// One noise level gives D itself: with the fold D₁, without it D₀, at strength s D₀ + s (D₁ − D₀).
#[test]
fn the_strength_of_a_fold_extrapolates_from_what_is_answered_without_it() {
    let (structure, tokens) = molecule("trpcage.pdb");
    let input = &structure.frame.positions;
    let far: Vec<_> = input.iter().map(|x| 1.2 * x).collect();
    let denoised = |strength: Option<f64>| -> Vec<Vector3<f64>> {
        let (structure, tokens) = molecule("trpcage.pdb");
        let hydrogens = Hydrogens::new(&structure.topology, &structure.frame.positions);
        let network = Task::Jump(JUMP).initial(&sizes(), Cpu::<f64>::new(), 5);
        let sampler = Sampler {
            levels: 1,
            method: Method::Euler,
            ..Sampler::default()
        };
        let jump = Jump::new(network.unwrap(), JUMP, tokens, hydrogens, sampler, 9, 0);
        let mut jump = match strength {
            Some(strength) => jump.with_fold(&far).with_strength(strength),
            None => jump,
        };
        let mut frames = vec![structure.frame.clone()];
        jump.step(&mut frames).unwrap();
        frames.remove(0).positions
    };
    let [free, kept] = [denoised(None), denoised(Some(1.0))];
    let apart = |a: &[Vector3<f64>], b: &[Vector3<f64>]| -> f64 {
        let differences = tokens.atoms.iter().map(|&atom| (a[atom] - b[atom]).norm());
        differences.fold(0.0, f64::max)
    };
    assert!(apart(&free, &kept) >= 1e-3, "the fold makes a difference");
    for strength in [0.0, 0.5, 2.0] {
        let between = free.iter().zip(&kept);
        let expected: Vec<_> = between.map(|(d0, d1)| d0 + strength * (d1 - d0)).collect();
        let error = apart(&denoised(Some(strength)), &expected);
        assert!(error <= 1e-9, "{strength}: {error:e} Å");
    }
}

#[test]
fn a_fold_is_drawn_by_its_share_wherever_the_frame_lies() {
    let (structure, tokens) = molecule("trpcage.pdb");
    let start = tokens.positions(&structure.frame.positions);
    let turn = Rotation3::from_euler_angles(0.3, -1.0, 2.0);
    let moved: Vec<_> = swollen(&start)
        .iter()
        .map(|x| turn * x + Vector3::new(30.0, -5.0, 1.0))
        .collect();
    let drawn = |share: f64, positions: &[Vector3<f64>]| {
        let mut fold = start.clone();
        tokens.draw_fold(&mut fold, positions, share);
        fold
    };
    let differences = |a: &[Vector3<f64>], b: &[Vector3<f64>]| -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| (a - b).norm()).collect()
    };
    let largest = |values: &[f64]| values.iter().fold(0.0f64, |most, &value| most.max(value));
    let here = drawn(0.25, &swollen(&start));
    let error = largest(&differences(&here, &drawn(0.25, &moved)));
    assert!(error <= 1e-9, "{error} Å");
    // a quarter of the way is a quarter as far as the whole way
    let (quarter, whole) = (
        differences(&here, &start),
        differences(&drawn(1.0, &moved), &start),
    );
    let errors: Vec<f64> = quarter
        .iter()
        .zip(&whole)
        .map(|(q, w)| (q - w / 4.0).abs())
        .collect();
    assert!(largest(&errors) <= 1e-9 && largest(&whole) >= 0.1);
    // side chains, whose places a fold leaves open, stay
    assert!(whole.contains(&0.0));
}
