//! Model files: what is written comes back, old ones are read, damage is found.

use std::path::Path;

use mdsurrogate::engine::Cpu;
use mdsurrogate::network::{Architecture, Egnn, GHyena, Network, Provenance, SHIPPED};
use mdsurrogate::task::{Jump, Task, from_bytes, load, save};

const TASK: Task = Task::Jump(Jump {
    lag_time: 20.0,
    sigma_data: 1.25,
    lag_range: Some([20.0, 640.0]),
    fold: true,
});

fn small() -> Architecture {
    Architecture::GHyena(GHyena {
        scalars: 8,
        vectors: 4,
        pair: 8,
        layers: 1,
        ..GHyena::default()
    })
}

fn provenance() -> Provenance {
    Provenance {
        summary: "nothing".into(),
        updates: 3,
        temperature: Some(310.0),
        ..Provenance::default()
    }
}

/// A small network's file, and the network.
fn written(path: &Path) -> (Vec<u8>, Network<Cpu<f32>>) {
    let network = TASK.initial(&small(), Cpu::<f32>::new(), 5).unwrap();
    save(path, &network, &small(), &TASK, &provenance()).unwrap();
    (std::fs::read(path).unwrap(), network)
}

/// What refuses these bytes.
fn refusal(bytes: &[u8]) -> Option<String> {
    let path = Path::new("model.safetensors");
    let error = from_bytes(bytes, path, Cpu::<f32>::new()).err()?;
    assert_eq!(error.exit_code(), 2, "{error}");
    assert!(!error.hint().is_empty(), "{error}");
    let text = error.to_string();
    assert!(text.contains("model.safetensors"), "{text}");
    Some(text)
}

#[test]
fn a_model_file_comes_back_whole_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (whole, saved) = written(&path);
    let loaded = load(&path, Cpu::<f32>::new()).unwrap();
    assert_eq!(
        loaded.network.parameters().unwrap(),
        saved.parameters().unwrap()
    );
    assert_eq!(loaded.task, TASK);
    assert_eq!(loaded.header.architecture, small());
    assert_eq!(loaded.header.provenance, provenance());
    assert_eq!(loaded.header.vocabulary.name, "protein");
    for cut in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        let text = refusal(&whole[..cut]).unwrap();
        assert!(text.contains("not whole"), "{text}");
    }
}

/// A training that was killed and went on ends with the file of one that was not: the same weights
/// and header are the same bytes every time. A map in the order of its hashes passes this once in
/// 2¹⁵.
#[test]
fn the_same_model_is_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (first, _) = written(&path);
    for _ in 0..15 {
        assert!(written(&path).0 == first);
    }
}

/// Every byte of the file, header and weights, replaced by another digit or letter: none passes as
/// sound but what changes nothing, the blanks that fill the header up.
#[test]
fn no_changed_byte_passes_as_sound() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, _) = written(&folder.path().join("model.safetensors"));
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let (mut tried, mut passed) = (0, Vec::new());
    for at in (0..header).chain((header..whole.len()).step_by(97)) {
        let mut changed = whole.clone();
        changed[at] = match whole[at] {
            b'9' => b'0',
            digit if digit.is_ascii_digit() => digit + 1,
            b'a' => b'b',
            other if other.is_ascii_lowercase() => other - 1,
            other => other ^ 1,
        };
        tried += 1;
        if refusal(&changed).is_none() {
            passed.push((at, whole[at] as char));
        }
    }
    assert!(tried > 1000, "{tried}");
    assert_eq!(passed, []);
}

#[test]
fn another_schema_or_vocabulary_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, _) = written(&folder.path().join("model.safetensors"));
    let with = |old: &str, new: &str| -> Vec<u8> {
        let at = whole
            .windows(old.len())
            .position(|window| window == old.as_bytes())
            .unwrap();
        let mut other = whole.clone();
        other[at..at + new.len()].copy_from_slice(new.as_bytes());
        other
    };
    let text = refusal(&with(r#"schema\":2,"#, r#"schema\":9,"#)).unwrap();
    assert!(text.contains("schema 9"), "{text}");
    let text = refusal(b"not a model at all").unwrap();
    assert!(text.contains("not a model file"), "{text}");
}

#[test]
fn a_file_of_schema_1_is_a_g_hyena_network_of_its_regime() {
    let loaded = from_bytes(SHIPPED, Path::new("built in"), Cpu::<f32>::new()).unwrap();
    assert_eq!(loaded.header.schema, 1);
    let Task::Jump(jump) = loaded.task else {
        panic!("{}", loaded.task)
    };
    assert_eq!(
        (jump.lag_time, jump.lag_range, jump.fold),
        (20.0, Some([20.0, 640.0]), true)
    );
    let expected = GHyena {
        radial: 53,
        ..GHyena::default()
    };
    assert_eq!(
        loaded.header.architecture,
        Architecture::GHyena(expected.clone())
    );

    // written again it is a file of schema 2 of the same network
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (header, network) = (&loaded.header, &loaded.network);
    save(
        &path,
        network,
        &header.architecture,
        &loaded.task,
        &header.provenance,
    )
    .unwrap();
    let again = load(&path, Cpu::<f32>::new()).unwrap();
    assert_eq!(again.header.schema, 2);
    assert_eq!(
        (again.task, &again.header.architecture),
        (loaded.task, &header.architecture)
    );
    assert_eq!(
        again.network.parameters().unwrap(),
        network.parameters().unwrap()
    );
}

#[test]
fn an_architecture_says_what_it_cannot_take() {
    let egnn = Architecture::Egnn(Egnn::default());
    let error = TASK.program(&egnn).unwrap_err();
    let text = format!("{error} {}", error.hint());
    assert!(text.contains("fold"), "{text}");
    let wide = Architecture::Egnn(Egnn {
        pair: 9,
        ..Egnn::default()
    });
    let jump = Task::Jump(Jump {
        lag_time: 1.0,
        sigma_data: 1.0,
        lag_range: None,
        fold: false,
    });
    let error = jump.program(&wide).unwrap_err().to_string();
    assert!(error.contains("`pair`"), "{error}");
}
