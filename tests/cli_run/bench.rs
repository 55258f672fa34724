//! A folder to run in.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mdsurrogate::engine::Cpu;
use mdsurrogate::network::{Architecture, GHyena, Provenance};
use mdsurrogate::task::{Jump, Task, save};
use serde_json::Value;

/// A folder with AKLE and a small untrained model, whose jumps break every molecule.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let task = Task::Jump(Jump {
            lag_time: 20.0,
            sigma_data: 1.0,
            lag_range: None,
            fold: false,
        });
        let architecture = Architecture::GHyena(GHyena {
            scalars: 16,
            vectors: 8,
            pair: 8,
            layers: 1,
            ..GHyena::default()
        });
        let network = task.initial(&architecture, Cpu::<f32>::new(), 3).unwrap();
        let provenance = Provenance {
            summary: "nothing".into(),
            temperature: Some(310.0),
            ..Provenance::default()
        };
        let file = folder.path().join("m.safetensors");
        save(&file, &network, &architecture, &task, &provenance).unwrap();
        std::fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("data/structures/akle.pdb"),
            folder.path().join("akle.pdb"),
        )
        .unwrap();
        Bench { folder }
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsurrogate"));
        command
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        // Mesa's Vulkan drivers complain on stderr where it is not set, as in a container
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }
    pub fn output(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }
    /// What stderr says; the command must end with this code.
    pub fn says(&self, words: &str, code: i32) -> String {
        let output = self.output(words);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words}\n{text}");
        text
    }
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|name| name != "akle.pdb" && name != "m.safetensors");
        names.sort();
        names
    }
}
