use std::io::Write;

use super::*;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Sums and counts by other programs: `zcat … | python3 -c 'json.loads(…)'`.
#[test]
fn open_vaccine_is_read_as_it_is_written() {
    let path = folder().join("openvaccine_small.jsonl.gz");
    let data = Data::load(&path, None).unwrap();
    assert_eq!(data.all.len(), 20); // 21 lines, one of too weak a signal
    assert_eq!(data.of_folds(|fold| fold == 3).len(), 4);
    let first = &data.all[0];
    assert_eq!((first.name.as_str(), first.fold), ("id_001f94081", 1));
    assert_eq!(first.targets[1][0], 1.5693);
    let sum: f64 = first.targets[..68].iter().map(|row| row[2]).sum();
    assert!((sum - 36.6207).abs() <= 1e-9, "{sum}");
    assert!(first.targets[68].iter().all(|x| x.is_nan()) && first.targets.len() == 107);
    assert_eq!(
        first.letters[..6],
        [[2, 6], [2, 6], [0, 6], [0, 6], [0, 6], [0, 0]]
    );
    assert_eq!((first.backbone.len(), first.positions.len()), (321, 321));
}

/// The loops of every structure of the file are those that bpRNA found for it.
#[test]
fn loops_are_those_of_the_file() {
    #[derive(Deserialize)]
    struct Loops {
        structure: String,
        predicted_loop_type: String,
    }
    let (text, _) = text(&folder().join("openvaccine_small.jsonl.gz")).unwrap();
    for line in text.lines() {
        let line: Loops = serde_json::from_str(line).unwrap();
        let kinds = Fold::parse(&line.structure).unwrap().kinds();
        for (&kind, theirs) in kinds.iter().zip(line.predicted_loop_type.chars()) {
            let own = KINDS[usize::from(kind)];
            // see KINDS
            let is_same = own.starts_with(theirs) || (own, theirs) == ("X", 'M');
            assert!(is_same, "{}: {own} {theirs}", line.structure);
        }
    }
}

fn written(name: &str, text: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("paper-rna-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    path
}

#[test]
fn ribonanza_is_read_two_experiments_a_sequence() {
    let structures = folder().join("ribonanza_structures.csv");
    let data = Data::load(&folder().join("ribonanza_small.csv"), Some(&structures)).unwrap();
    assert_eq!(data.columns, ["2A3_MaP", "DMS_MaP"]);
    let names: Vec<&str> = data.all.iter().map(|rna| rna.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]); // the third has SN_filter 0
    let one = &data.all[0].targets;
    assert_eq!((one[2][0], one[2][1]), (0.5, 0.25));
    assert!(one[0].iter().all(|x| x.is_nan()));
    let two = &data.all[1].targets;
    assert!(two[3][0].is_nan() && two[3][1] == -0.125);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    let structures = folder().join("ribonanza_structures.csv");
    let head = "sequence_id,sequence,experiment_type,SN_filter,reactivity_0001\n";
    for (number, (rows, words)) in [
        ("a,ACGU,NMR,1,0.1\n", "unknown experiment, NMR"),
        ("a,ACGU,2A3_MaP,1\n", "holds 4 values, not 5"),
        ("a,ACGU,2A3_MaP,1,much\n", "has no structure"),
        ("a,GGGAAACCC,2A3_MaP,1,much\n", "much is no number"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = written(&format!("{number}.csv"), &format!("{head}{rows}"));
        let error = Data::load(&path, Some(&structures)).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains(words) && message.contains(":2"),
            "{message}"
        );
        assert_eq!(error.exit_code(), 2);
    }
    let path = written("none.jsonl", "{\"seq_id\": 1}\n");
    let message = Data::load(&path, None).unwrap_err().to_string();
    assert!(message.contains("no line of OpenVaccine's"), "{message}");
}
