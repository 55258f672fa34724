//! What a run leaves: where it comes from, how much its atoms move, frames as text, mmCIF.

use mdsurrogate::structure::Frame;
use mdsurrogate::trajectory::Reader;

use crate::bench::Bench;

#[test]
fn the_topology_says_where_it_comes_from_and_how_much_atoms_move() {
    let bench = Bench::new();
    let line =
        "run akle.pdb -m m.safetensors --guard warn --relax 0 --equilibrate 0ps --replicas 2";
    let words = bench.says(&format!("{line} --steps 6 -o long"), 0);
    assert!(words.contains("mdsurrogate analyze long"), "{words}");
    let text = std::fs::read_to_string(bench.path("long.pdb")).unwrap();
    let summary = bench.json("long.summary.json");
    let hash = summary["settings"]["model (hash of weights)"]
        .as_str()
        .unwrap();
    let remarks: String = text
        .lines()
        .filter(|line| line.starts_with("REMARK   6 "))
        .map(|line| &line[11..])
        .collect();
    for part in [
        env!("CARGO_PKG_VERSION"),
        hash,
        "seed 1",
        "ff14SB",
        "--replicas 2",
    ] {
        assert!(remarks.contains(part), "{part}: {remarks}");
    }
    // 8π²/3·RMSF² of each heavy atom over both replicas, superposed on frame 0
    let topology = mdsurrogate::structure::read(
        &bench.path("long.pdb"),
        &mdsurrogate::structure::ReadOptions::default(),
    );
    let heavy = topology.unwrap().topology.heavy_atoms();
    let mut frames = Vec::new();
    for replica in 0..2 {
        let file = bench.path(&format!("long_r{replica}.xtc"));
        let mut reader = Reader::open(file, None).unwrap();
        let mut frame = Frame::default();
        while reader.read(&mut frame).unwrap() {
            frames.push(mdsurrogate::geometry::superpose::pick(
                &frame.positions,
                &heavy,
            ));
        }
    }
    let mut start = Frame::default();
    Reader::open(bench.path("long.pdb"), None)
        .unwrap()
        .read_at(0, &mut start)
        .unwrap();
    let start = mdsurrogate::geometry::superpose::pick(&start.positions, &heavy);
    for frame in &mut frames {
        mdsurrogate::geometry::superpose::superpose(frame, &start).apply_all(frame);
    }
    let count = frames.len() as f64;
    let atoms: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("ATOM"))
        .collect();
    for (place, &atom) in heavy.iter().enumerate() {
        let mean = frames
            .iter()
            .map(|frame| frame[place])
            .sum::<nalgebra::Vector3<f64>>()
            / count;
        let squares = frames
            .iter()
            .map(|frame| (frame[place] - mean).norm_squared());
        let square = squares.sum::<f64>() / count;
        let exact = 8.0 * std::f64::consts::PI.powi(2) / 3.0 * square;
        let written: f64 = atoms[atom][60..66].trim().parse().unwrap();
        let off = (written - exact.min(999.99)).abs();
        assert!(off <= 0.006 && written > 0.0, "{written} {exact}");
    }

    // a run that is made longer ends as one of that length, but for the command that began it
    bench.says(&format!("{line} --steps 3 -o short"), 0);
    bench.says(&format!("{line} --steps 6 -o short"), 0);
    let atoms = |name: &str| {
        let text = std::fs::read_to_string(bench.path(name)).unwrap();
        let atoms = text.lines().filter(|line| line.starts_with("ATOM"));
        atoms.map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(atoms("short.pdb"), atoms("long.pdb"));
}

#[test]
fn frames_as_text_are_those_of_the_other_formats_and_go_on_to_the_byte() {
    let bench = Bench::new();
    let line = "run akle.pdb -m m.safetensors --guard warn --relax 0 --equilibrate 0ps";
    bench.says(&format!("{line} --steps 4 -o x"), 0);
    bench.says(&format!("{line} --steps 4 --traj-format pdb -o p"), 0);
    let read = |name: &str| {
        let mut reader = Reader::open(bench.path(name), None).unwrap();
        assert_eq!(
            (reader.len(), reader.time_step()),
            (5, Some(20.0)),
            "{name}"
        );
        let mut frame = Frame::default();
        reader.read_at(4, &mut frame).unwrap();
        frame.positions
    };
    let (text, packed) = (read("p_trajectory.pdb"), read("x.xtc"));
    let apart = text.iter().zip(&packed).map(|(a, b)| (a - b).amax());
    let apart = apart.fold(0.0, f64::max);
    assert!(apart <= 0.006, "XTC has 0.01 Å: {apart}");
    // cut in two
    bench.says(
        &format!("{line} --steps 4 --traj-format pdb -o q --maxh 0"),
        75,
    );
    assert!(
        bench.path("q_trajectory.pdb").exists() || bench.path("q_trajectory.part.pdb").exists()
    );
    bench.says(&format!("{line} --steps 4 --traj-format pdb -o q"), 0);
    let bytes = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert_eq!(bytes("q_trajectory.pdb"), bytes("p_trajectory.pdb"));
    // and `analyze` finds frames of the built-in model, which are molecules, by their prefix
    let line = "run akle.pdb --lag 20ps --relax 0 --equilibrate 0ps --guard warn";
    bench.says(&format!("{line} --steps 4 --traj-format pdb -o z"), 0);
    let words = bench.output("analyze z --json -q");
    assert!(
        words.status.success(),
        "{}",
        String::from_utf8_lossy(&words.stderr)
    );
    let found: serde_json::Value = serde_json::from_slice(&words.stdout).unwrap();
    assert_eq!(found["metrics"]["sampling"]["frames"], 5);
}

#[test]
fn mmcif_is_written_where_it_is_asked_for() {
    let bench = Bench::new();
    let line = "run akle.pdb -m m.safetensors --guard warn --relax 0 --equilibrate 0ps --steps 3";
    bench.says(&format!("{line} -o plain"), 0);
    assert!(!bench.path("plain.cif").exists());
    bench.says(&format!("{line} --cif -o c"), 0);
    let options = mdsurrogate::structure::ReadOptions::default();
    let [cif, pdb] = ["c.cif", "c.pdb"]
        .map(|name| mdsurrogate::structure::read(&bench.path(name), &options).unwrap());
    assert_eq!(cif.topology.bonds, pdb.topology.bonds);
    assert_eq!(cif.frame.positions, pdb.frame.positions);
    let factors = |name: &str, of: fn(&str) -> &str| -> Vec<f64> {
        let text = std::fs::read_to_string(bench.path(name)).unwrap();
        let atoms = text.lines().filter(|line| line.starts_with("ATOM "));
        atoms.map(|line| of(line).trim().parse().unwrap()).collect()
    };
    let in_cif = factors("c.cif", |line| line.rsplit(' ').next().unwrap());
    let in_pdb = factors("c.pdb", |line| &line[60..66]);
    assert_eq!(in_cif, in_pdb);
    assert!(in_pdb.iter().any(|&factor| factor > 0.0));
}
