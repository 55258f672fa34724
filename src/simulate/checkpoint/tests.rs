use super::*;
use serde_json::json;

fn checkpoint(step: u64) -> Checkpoint {
    let positions = vec![
        Vector3::new(0.1, 1.0 / 3.0, -1e-300),
        Vector3::new(f64::MIN_POSITIVE, 2e10, -0.0),
    ];
    let velocities = Some(vec![Vector3::new(1e-17, 5.0, 3.0); 2]);
    let cell = Some(Cell {
        lengths: [10.1, 20.0, 1.0 / 3.0],
        angles: [90.0, 80.1, 70.0],
    });
    let frame = Frame {
        step,
        time: 0.1 + 0.2,
        heat: 1.0 / 7.0,
        potential: None,
        kinetic: None,
        positions,
        velocities,
        cell,
        mean: Some(vec![Vector3::new(-0.0, 1.0 / 7.0, 3.0)]),
    };
    let other = Frame {
        velocities: None,
        cell: None,
        mean: None,
        ..frame.clone()
    };
    let observers = vec![
        vec![json!({"frames": 3, "bytes": 12345}), json!(0.1 + 0.2)],
        vec![Value::Null],
    ];
    Checkpoint {
        settings: json!({"seed": 5, "temperature": 300.0}),
        attempt: 2,
        frames: vec![frame, other],
        observers,
        tallies: vec![
            Tally::default(),
            Tally {
                redrawn: 3,
                short: 1,
                corrected: 7,
                correction: 912,
            },
        ],
        start: Some(vec![Vector3::new(1.0 / 3.0, -0.0, 1e-300); 2]),
    }
}

#[test]
fn every_bit_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("run");
    assert_eq!(Checkpoint::load(&prefix).unwrap(), None);
    checkpoint(7).save(&prefix).unwrap();
    checkpoint(8).save(&prefix).unwrap();
    let (loaded, note) = Checkpoint::load(&prefix).unwrap().unwrap();
    assert_eq!((&loaded, note), (&checkpoint(8), None));
    assert!(loaded.frames[0].positions[1].z.is_sign_negative());
    assert_eq!(Checkpoint::read(&files(&prefix)[1]).unwrap(), checkpoint(7));
}

#[test]
fn a_broken_checkpoint_gives_way_to_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("run");
    checkpoint(7).save(&prefix).unwrap();
    checkpoint(8).save(&prefix).unwrap();
    let [now, before] = files(&prefix);
    let whole = std::fs::read(&now).unwrap();
    for place in (0..whole.len()).step_by(17) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&now, &bytes).unwrap();
        let (loaded, note) = Checkpoint::load(&prefix).unwrap().unwrap();
        assert!(
            note.is_some(),
            "a flipped bit in byte {place} went unnoticed"
        );
        assert_eq!(loaded, checkpoint(7));
    }
    std::fs::write(&now, &whole[..whole.len() / 2]).unwrap();
    let (loaded, note) = Checkpoint::load(&prefix).unwrap().unwrap();
    assert_eq!(loaded, checkpoint(7));
    assert!(note.unwrap().contains("going on from"));
    std::fs::write(&before, b"").unwrap();
    let error = Checkpoint::load(&prefix).unwrap_err();
    assert!(
        error.to_string().contains("run.ckpt") && error.hint().contains("--fresh"),
        "{error}"
    );
}

#[test]
fn other_settings_are_named() {
    let made = checkpoint(1);
    made.require_settings(&json!({"seed": 5, "temperature": 300.0}), Path::new("run"))
        .unwrap();
    let error = made
        .require_settings(&json!({"seed": 5, "temperature": 310.0}), Path::new("run"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "run.ckpt was made with temperature 300.0, this command says 310.0"
    );
}
