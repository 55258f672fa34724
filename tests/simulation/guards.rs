//! What guards do about frames that are no molecules.

use std::path::Path;

use mdsurrogate::error::Error;
use mdsurrogate::observe::{Console, GeometryGuard, Journal, Observer, Record};
use mdsurrogate::simulate::OnGuard;
use mdsurrogate::structure::Frame;
use mdsurrogate::trajectory::Reader;
use nalgebra::Vector3;
use serde_json::{Value, json};

use super::case::{Case, csv, template};

#[test]
fn a_broken_bond_stops_the_run_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.break_at = Some((7, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let error = case.run().err().unwrap();
    assert_eq!(error.exit_code(), 3);
    let words = error.to_string();
    assert!(
        words.starts_with("stopped at step 7: bond ")
            && words.contains("ALA 1:N")
            && words.contains("limit 0.2 Å"),
        "{words}"
    );
    // the frames before it are there, that one is not
    let mut reader = Reader::open(case.file("run_r0.xtc"), Some(&case.topology)).unwrap();
    let mut frame = Frame::default();
    assert_eq!(reader.len(), 4);
    reader.read_at(3, &mut frame).unwrap();
    assert_eq!((frame.step, frame.time), (6, 3.0));
    assert_eq!(csv(&case.file("run_r0.csv")).len(), 4);
}

#[test]
fn a_position_that_is_no_number_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.break_at = Some((4, u64::MAX, Vector3::new(f64::NAN, 0.0, 0.0)));
    let error = case.run().err().unwrap();
    assert!(
        error.exit_code() == 3 && error.to_string().contains("is at no finite position"),
        "{error}"
    );
}

#[test]
fn a_rollback_takes_another_path_and_leaves_no_trace_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.rules.on_guard = OnGuard::Rollback;
    case.break_at = Some((13, 2, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    assert_eq!(simulation.rollbacks(), 2);
    let warnings = journal.warnings();
    assert_eq!(warnings["counts"]["rollback"], 2);
    assert!(
        warnings["first"][0]["what"]
            .as_str()
            .unwrap()
            .contains("back to step 10, attempt 1"),
        "{warnings}"
    );
    let mut reader = Reader::open(case.file("run_r0.xtc"), Some(&case.topology)).unwrap();
    assert_eq!((reader.len(), reader.time_step()), (11, Some(1.0)));
    let mut frame = Frame::default();
    while reader.read(&mut frame).unwrap() {
        assert!((frame.positions[0] - case.start.positions[0]).norm() <= 1.0);
    }
    let steps: Vec<String> = csv(&case.file("run_r0.csv"))
        .iter()
        .map(|row| row["Step"].clone())
        .collect();
    assert_eq!(
        steps,
        (0..=20)
            .step_by(2)
            .map(|step| step.to_string())
            .collect::<Vec<_>>()
    );

    // the same up to the checkpoint, another path behind it
    let other = tempfile::tempdir().unwrap();
    let plain = Case::new(other.path(), 20);
    plain.run().unwrap();
    let rmsd = |case: &Case, row: usize| csv(&case.file("run_r0.csv"))[row]["RMSD (A)"].clone();
    assert!(rmsd(&case, 5) == rmsd(&plain, 5) && rmsd(&case, 6) != rmsd(&plain, 6));
}

/// A run whose replica 1 breaks at step 13 in its first two draws.
fn redrawing(folder: &Path) -> Case {
    let mut case = Case::new(folder, 20);
    case.rules.on_guard = OnGuard::Redraw;
    case.break_at = Some((13, 3, Vector3::new(3.0, 0.0, 0.0)));
    case.replicas = 2;
    case
}

#[test]
fn a_bad_jump_is_drawn_again() {
    let folder = tempfile::tempdir().unwrap();
    let case = redrawing(folder.path());
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    assert_eq!((simulation.step(), simulation.rollbacks()), (20, 0));
    // the first draw of either and two more are bad
    assert_eq!(journal.warnings()["counts"]["redrawn"], 6);
    assert_eq!(simulation.results()["jumps_drawn_again"], json!([3, 3]));
    for (replica, ending) in [(0, "xtc"), (1, "dcd")] {
        let file = case.file(&format!("run_r{replica}.{ending}"));
        let mut reader = Reader::open(file, Some(&case.topology)).unwrap();
        assert_eq!(reader.len(), 11);
        let mut frame = Frame::default();
        while reader.read(&mut frame).unwrap() {
            assert!((frame.positions[0] - case.start.positions[0]).norm() <= 1.0);
        }
        let rows = csv(&case.file(&format!("run_r{replica}.csv")));
        let redrawn = |row: usize| rows[row]["Jumps drawn again"].clone();
        assert_eq!((redrawn(6), redrawn(7)), ("0".to_owned(), "3".to_owned()));
        // the move is that from the frame before, not from the one that was dropped
        assert!(rows[7]["Max |dx| (A)"].parse::<f64>().unwrap() <= 0.2);
    }
    let truth = case.outputs(&simulation);

    // stopped and gone on with around that step, and a crash behind it
    let stopped = tempfile::tempdir().unwrap();
    let mut case = redrawing(stopped.path());
    for steps in [12, 13, 14, 20] {
        case.rules.steps = steps;
        case.run().unwrap();
    }
    assert_eq!(case.outputs(&case.run().unwrap()), truth);

    // one replica alone has its bits and its rows
    let alone = tempfile::tempdir().unwrap();
    let mut case = redrawing(alone.path());
    (case.replicas, case.rules.first_replica) = (1, 1);
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    let words = journal.warnings()["first"][0]["what"].to_string();
    assert!(words.contains("replica 1: bond"), "{words}");
    let own = case.outputs(&simulation);
    assert_eq!(own["0"], truth["1"]);
    assert_eq!(own["0.csv"], truth["1.csv"]);
}

#[test]
fn jumps_that_stay_bad_end_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = redrawing(folder.path());
    case.break_at = Some((13, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    let error = simulation.run().unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(
        error
            .to_string()
            .contains("10 draws of one jump in a row were bad: bond"),
        "{error}"
    );
    assert_eq!(journal.warnings()["counts"]["redrawn"], 10);
}

#[test]
fn rollbacks_are_counted_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 20);
    case.rules.on_guard = OnGuard::Rollback;
    case.break_at = Some((13, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    let error = simulation.run().unwrap_err();
    assert_eq!((error.exit_code(), simulation.rollbacks()), (3, 3));
    assert_eq!(journal.warnings()["counts"]["rollback"], 3);
}

#[test]
fn warnings_let_the_run_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 10);
    case.rules.on_guard = OnGuard::Warn;
    case.break_at = Some((4, u64::MAX, Vector3::new(3.0, 0.0, 0.0)));
    let (mut simulation, journal) = case.simulation();
    simulation.run().unwrap();
    assert_eq!(simulation.step(), 10);
    // 3 Å off at step 4, 1.5, 0.75, … Å later: the bond's limit is 0.2 Å
    assert!((2..=5).contains(&journal.warnings()["counts"]["guard"].as_u64().unwrap()));
    let row = &csv(&case.file("run_r0.csv"))[2];
    assert!(
        row["Worst bond (A)"].parse::<f64>().unwrap() > 0.5
            && row["Max |dx| (A)"].parse::<f64>().unwrap() > 2.9,
        "{row:?}"
    );
    assert!(row["Worst bond atoms"].contains("ALA 1:N"));
}

#[test]
fn what_the_start_breaks_may_stay_until_it_has_healed_but_not_become_worse() {
    let folder = tempfile::tempdir().unwrap();
    let case = Case::new(folder.path(), 3);
    let mut template = template(&case.topology, &case.start.positions);
    // a bond that the start has 0.5 Å too short, and a centre that it has inverted
    let [(i, j, length), other] = [template.pairs[0], template.pairs[5]];
    assert!(case.topology.bonds.contains(&[i, j]), "N–CA of ALA 1");
    template.pairs[0].2 += 0.5;
    let (centre, height, area) = template.centres[0];
    template.centres[0] = (centre, -height, area);
    let journal = Journal::new(Console::Quiet, false, false);
    let log = case.file("input.log");
    journal.log_to(&log, false).unwrap();
    let mut guard = GeometryGuard::new(&case.topology, &template, &case.start.positions, journal);
    let words = std::fs::read_to_string(log).unwrap();
    for part in ["breaks 2 geometry limits", "bond ", "is inverted"] {
        assert!(words.contains(part), "{words}");
    }
    // atom `i` along its bond, so that it is `off` shorter than its template
    let with_bond = |off: f64| {
        let mut frame = case.start.clone();
        let along = (frame.positions[j] - frame.positions[i]) / length;
        frame.positions[i] = frame.positions[j] - along * (length + 0.5 - off);
        frame
    };
    let see = |guard: &mut GeometryGuard, frame: &Frame| {
        let mut record = Record::default();
        let seen = guard.observe(frame, &mut record);
        (seen, record)
    };
    let (seen, record) = see(&mut guard, &case.start);
    seen.unwrap();
    // also in the log: what is excused is not hidden
    assert!((record.get("Worst bond (A)").unwrap() - 0.5).abs() <= 1e-9);
    see(&mut guard, &with_bond(0.55)).0.unwrap();
    let error = see(&mut guard, &with_bond(0.65)).0.unwrap_err();
    assert!(
        error.to_string().contains("0.65 Å from its template"),
        "{error}"
    );
    // all the rest is held to its limits as ever
    let mut broken = case.start.clone();
    broken.positions[other.0] = broken.positions[other.1];
    assert!(see(&mut guard, &broken).0.is_err());
    // nearly right is not healed, right is; from then on its limit holds
    see(&mut guard, &with_bond(0.15)).0.unwrap();
    see(&mut guard, &with_bond(0.45)).0.unwrap();
    see(&mut guard, &with_bond(0.05)).0.unwrap();
    assert!(see(&mut guard, &with_bond(0.45)).0.is_err());
    // and a run that goes on knows
    let state = guard.state().unwrap();
    let journal = || Journal::new(Console::Quiet, false, false);
    let anew = || GeometryGuard::new(&case.topology, &template, &case.start.positions, journal());
    let mut resumed = anew();
    resumed.restore(&state, &case.start).unwrap();
    assert!(see(&mut resumed, &with_bond(0.45)).0.is_err());
    // a checkpoint of before excuses ended excuses all
    let mut old = anew();
    old.restore(&json!([7, 0]), &case.start).unwrap();
    see(&mut old, &with_bond(0.45)).0.unwrap();
}

#[test]
fn a_peptide_bond_turned_cis_is_a_fault_of_jumps_and_a_warning_of_dynamics() {
    let folder = tempfile::tempdir().unwrap();
    let case = Case::new(folder.path(), 3);
    let template = template(&case.topology, &case.start.positions);
    let topology = &case.topology;
    let last = topology.residues.len() - 1;
    let [carbon, nitrogen] = [(last - 1, "C"), (last, "N")]
        .map(|(residue, name)| topology.atom_named(residue, name).unwrap());
    // the last residue turned half a turn about the bond before it
    let mut cis = case.start.clone();
    let (foot, along) = (
        cis.positions[nitrogen],
        (cis.positions[nitrogen] - cis.positions[carbon]).normalize(),
    );
    for atom in topology.residues[last].atoms.clone() {
        let from = cis.positions[atom] - foot;
        cis.positions[atom] = foot - from + along * (2.0 * from.dot(&along));
    }
    let guard = |log: &str| {
        let journal = Journal::new(Console::Quiet, false, false);
        journal.log_to(&case.file(log), false).unwrap();
        GeometryGuard::new(topology, &template, &case.start.positions, journal)
    };
    let mut record = Record::default();
    guard("dynamics.log").observe(&cis, &mut record).unwrap();
    assert_eq!(record.get("Cis flips"), Some(1.0));
    let said = std::fs::read_to_string(case.file("dynamics.log")).unwrap();
    let words = "the peptide bond before A:GLU 4 has turned cis";
    assert!(said.contains(words), "{said}");
    let mut jumps = guard("jumps.log").of_jumps();
    jumps.observe(&case.start, &mut Record::default()).unwrap();
    let error = jumps.observe(&cis, &mut Record::default()).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    // one that the start has is no fault
    let journal = Journal::new(Console::Quiet, false, false);
    let mut kept = GeometryGuard::new(topology, &template, &cis.positions, journal).of_jumps();
    kept.observe(&cis, &mut Record::default()).unwrap();
}

#[test]
fn lost_symmetry_stops_the_run_and_names_the_op() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(folder.path(), 10);
    for (error, code) in [
        (2e-3, Some(3)),
        (f64::NAN, Some(3)),
        (5e-4, None),
        (1e-6, None),
    ] {
        case.equivariance = error;
        let (mut simulation, journal) = case.simulation();
        let outcome = simulation.run();
        assert_eq!(
            outcome.as_ref().err().map(Error::exit_code),
            code,
            "{error}"
        );
        if let Err(stopped) = outcome {
            assert!(stopped.to_string().contains("gate 3"), "{stopped}");
        } else {
            let warned = journal.warnings()["counts"]
                .get("equivariance")
                .and_then(Value::as_u64);
            assert_eq!(warned, (error > 1e-5).then_some(3), "steps 0, 4 and 8");
            assert_eq!(simulation.results()["equivariance"]["largest_error"], error);
        }
    }
}
