//! The program among other programs: pipes that close, full disks, no terminal, a second run of the
//! same name, fewer threads than asked for.
#![cfg(unix)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod program;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::repository;

/// A folder with AKLE in it.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let akle = repository("data/structures/akle.pdb");
        std::fs::copy(akle, folder.path().join("akle.pdb")).unwrap();
        Desk { folder }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// A line of the shell, in which `$P` is the program.
    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .args(["-o", "pipefail", "-c", line])
            .env("P", env!("CARGO_BIN_EXE_mdsurrogate"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }
    fn run(&self, line: &str) -> Output {
        self.shell(line).output().unwrap()
    }
    /// What stderr says; the line must end with this code.
    fn says(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}\n{said}");
        said
    }
    fn start(&self, line: &str) -> Child {
        let mut command = self.shell(&format!("exec {line}"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }
}

fn wait_for(file: &Path) {
    let started = Instant::now();
    while !file.exists() {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{}",
            file.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    let line = format!("kill -{name} {}", child.id());
    let kill = Command::new("sh").args(["-c", &line]).status().unwrap();
    assert!(kill.success());
}

/// A short run of the bare built-in network.
const RUN: &str =
    "$P run akle.pdb --backend cpu --relax 0 --equilibrate 0ps --overwrite --fresh --guard warn";

#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let desk = Desk::new();
    for line in [
        "$P check akle.pdb | true",
        "$P energy akle.pdb | head -c 1 >first",
        "$P man | true",
        "$P completions bash | true",
        "$P model info | true",
    ] {
        let said = desk.says(line, 0);
        assert!(!said.contains("panicked"), "{line}: {said}");
    }
    // a run goes on without those who read its words
    for redirection in [
        "2>&1 | true",
        "2>/dev/full",
        "2>&-",
        ">&- 2>&-",
        "--json | true",
    ] {
        desk.says(&format!("{RUN} --steps 3 -o r {redirection}"), 0);
        let log = std::fs::read_to_string(desk.path("r.log")).unwrap();
        assert!(log.contains("done: 3 steps"), "{redirection}: {log}");
        std::fs::remove_file(desk.path("r.log")).unwrap();
    }
}

#[test]
fn a_full_stdout_is_an_error_and_no_panic() {
    let desk = Desk::new();
    for line in ["check akle.pdb", "energy akle.pdb", "model info", "man"] {
        let said = desk.says(&format!("$P {line} >/dev/full"), 2);
        assert!(
            said.contains("stdout: cannot be written") && said.contains("try:"),
            "{line}: {said}"
        );
    }
}

#[test]
fn a_prefix_that_ends_in_a_slash_is_a_folder() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("out")).unwrap();
    let said = desk.says(&format!("{RUN} --steps 2 -o out/"), 0);
    assert!(said.contains("vmd out/akle.pdb out/akle.xtc"), "{said}");
    assert!(desk.path("out/akle.xtc").is_file());
    assert!(!desk.path("out/.xtc").exists());
    let said = desk.says(&format!("{RUN} --steps 2 -o no/such/"), 2);
    assert!(said.contains("there is no folder no/such"), "{said}");
    for line in [
        "minimize akle.pdb -o nodir/x.pdb",
        "energy akle.pdb --forces nodir/f.csv",
    ] {
        let said = desk.says(&format!("$P {line}"), 2);
        assert!(said.contains("there is no folder nodir"), "{line}: {said}");
    }
    let said = desk.says("$P check out", 2);
    assert!(said.contains("is a folder"), "{said}");
}

#[test]
fn a_prefix_has_one_run_at_a_time() {
    let desk = Desk::new();
    let mut first = desk.start(&format!("{RUN} --steps 1000000 -o r -q"));
    wait_for(&desk.path("r.ckpt"));
    let said = desk.says(&format!("{RUN} --steps 2 --seed 2 -o r"), 2);
    assert!(
        said.contains("another run or training is writing files of this prefix"),
        "{said}"
    );
    // what kills the first frees the prefix
    signal(&first, "KILL");
    first.wait().unwrap();
    desk.says(&format!("{RUN} --steps 2 --seed 2 -o r"), 0);
    assert!(!desk.path("r.lock").exists());
}

#[test]
fn a_run_and_a_training_leave_each_others_checkpoints_alone() {
    let desk = Desk::new();
    let data = repository("tests/data/compare");
    let configuration = format!(
        "[data]\nfolder = {:?}\n[[data.systems]]\ntopology = {:?}\ntrajectories = \
         [\"akle_a.xtc\"]\n\
         [jump]\nlag = \"50ps\"\n[model]\nscalars = 16\nvectors = 8\npair = 8\nlayers = 1\n\
         [training]\nupdates = 2\nbatch = 2\nvalidation_samples = 2\n",
        data.to_str().unwrap(),
        repository("data/structures/akle.pdb").to_str().unwrap()
    );
    std::fs::write(desk.path("t.toml"), configuration).unwrap();

    desk.says("$P train t.toml --backend cpu -o both -q", 0);
    let trained = std::fs::read(desk.path("both.ckpt")).unwrap();
    for flags in ["", "--fresh --overwrite"] {
        let line = format!(
            "$P run akle.pdb --backend cpu --relax 0 --equilibrate 0ps --steps 2 -o both {flags}"
        );
        let said = desk.says(&line, 2);
        assert!(
            said.contains("both.ckpt: is the checkpoint of a training"),
            "{said}"
        );
        assert!(!said.contains("--fresh to start over"), "{said}");
    }
    assert_eq!(std::fs::read(desk.path("both.ckpt")).unwrap(), trained);

    desk.says(&format!("{RUN} --steps 2 -o run"), 0);
    let ran = std::fs::read(desk.path("run.ckpt")).unwrap();
    for flags in ["", "--fresh --overwrite"] {
        let said = desk.says(&format!("$P train t.toml -o run {flags}"), 2);
        assert!(
            said.contains("run.ckpt: is the checkpoint of a run"),
            "{said}"
        );
    }
    assert_eq!(std::fs::read(desk.path("run.ckpt")).unwrap(), ran);
}

#[test]
fn threads_that_cannot_be_started_are_an_error_with_code_4() {
    let desk = Desk::new();
    for line in [
        "RAYON_NUM_THREADS=100000 $P energy akle.pdb",
        "RAYON_NUM_THREADS=100000 $P run akle.pdb --steps 2",
        "RAYON_NUM_THREADS=100000 timeout 60 $P compare akle.pdb --reference akle.pdb",
        // each thread's stack is 2 MiB of addresses
        "ulimit -v 4000000; RAYON_NUM_THREADS=4000 timeout 60 $P energy akle.pdb",
        "ulimit -v 4000000; timeout 60 $P run akle.pdb --threads 4000 --steps 2",
    ] {
        let said = desk.says(line, 4);
        assert!(said.contains("threads cannot be started"), "{line}: {said}");
    }
}

/// A run of replicas, in a corner of the desk where nothing of an earlier one is in its way.
const MANY: &str =
    "$P run akle.pdb --backend cpu --threads 1 --relax 0 --equilibrate 0ps --steps 2 --guard warn";

/// Addresses that a process has needed at most until it ended, KiB.
fn most_addresses(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmPeak:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    most
}

#[test]
fn memory_that_is_not_there_is_an_error_with_code_4() {
    let desk = Desk::new();
    let most = most_addresses(desk.start(&format!("{MANY} --replicas 1 -o one")));
    assert!(most > 0 && desk.path("one_final.pdb").exists());
    // positions of 65,536 replicas of 69 atoms alone are 100 MiB beside what one needs
    let limit = most + 50 * 1024;
    let started = Instant::now();
    let line = format!("ulimit -v {limit}; {MANY} --replicas 65536 -o m");
    let said = desk.says(&line, 4);
    assert!(
        said.contains("out of memory") && !said.contains("panicked"),
        "{said}"
    );
    // nothing before it grows with the square of the replicas
    assert!(started.elapsed() < Duration::from_secs(60));
    // the same limit is enough for one
    desk.says(&format!("ulimit -v {limit}; {MANY} --replicas 1 -o two"), 0);
}

#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let desk = Desk::new();
    let line = "--steps 400 -o r -q";
    let mut kept = desk.start(&format!("nohup {RUN} {line}"));
    wait_for(&desk.path("r.ckpt"));
    signal(&kept, "HUP");
    assert_eq!(kept.wait().unwrap().code(), Some(0), "SIGHUP is ignored");
    // without nohup it stops in good order
    let mut ended = desk.start(&format!("{RUN} --steps 1000000 -o s -q"));
    wait_for(&desk.path("s.ckpt"));
    signal(&ended, "HUP");
    assert_eq!(ended.wait().unwrap().code(), Some(75));
    // what a batch system sends ahead of its time limit, and sends again
    let mut batch = desk.start(&format!("{RUN} --steps 1000000 -o b -q"));
    wait_for(&desk.path("b.ckpt"));
    signal(&batch, "USR1");
    signal(&batch, "USR1");
    assert_eq!(batch.wait().unwrap().code(), Some(75));
}

#[test]
fn libraries_say_nothing_on_stderr() {
    let desk = Desk::new();
    for line in [
        "$P run akle.pdb --relax 0 --equilibrate 0ps --steps 2 -q --guard warn -o a",
        "$P run akle.pdb --relax 0 --equilibrate 0ps --steps 2 -q --guard warn --backend cpu -o b",
        "$P run --list-devices",
    ] {
        let said = desk.says(&format!("unset XDG_RUNTIME_DIR; {line}"), 0);
        assert!(said.is_empty(), "{line}: {said}");
    }
}

#[test]
fn a_run_says_how_long_it_will_take() {
    let desk = Desk::new();
    for line in [
        "$P run akle.pdb --backend cpu --relax 20 --steps 500 --dry-run",
        "$P reference akle.pdb --time 10ps --dry-run",
    ] {
        let said = desk.says(line, 0);
        let plan = said
            .lines()
            .find(|line| line.contains(" steps of "))
            .unwrap();
        assert!(
            plan.contains(", about ") && plan.contains(" a step)"),
            "{plan}"
        );
    }
    // what is announced is what it takes, within what a busy machine makes of it
    let announced = desk.says(&format!("{RUN} --steps 100 -o r"), 0);
    let seconds = |text: &str| -> f64 {
        let (number, unit) = text.trim().split_once(' ').unwrap();
        let number: f64 = number.parse().unwrap();
        match unit {
            "ms" => 1e-3 * number,
            "s" => number,
            "min" => 60.0 * number,
            other => panic!("{other}"),
        }
    };
    let about = announced.split(", about ").nth(1).unwrap();
    let about = seconds(about.split(" (").next().unwrap());
    let took = announced.split("16 ns in ").nth(1).unwrap();
    let took = seconds(&took.split(" s").next().map(|s| format!("{s} s")).unwrap());
    assert!(
        about <= 10.0 * took && took <= 10.0 * about,
        "{about} s announced, {took} s taken"
    );
}

#[test]
fn a_run_says_what_the_model_knows_of_the_protein() {
    let desk = Desk::new();
    let trpcage = repository("data/structures/trpcage.pdb");
    let trpcage = trpcage.display();
    for (line, parts) in [
        (
            "akle.pdb".to_owned(),
            &[
                "at 300 K (akle: 310 K)",
                "this protein is one that it was trained on (akle)",
            ][..],
        ),
        (
            format!(
                "{} --fix",
                repository("data/structures/1ubi.pdb.gz").display()
            ),
            &["this protein is new to it"],
        ),
        (
            format!("{trpcage} --lag 640ps"),
            &[
                "one that it was trained on (trpcage)",
                "warning: jumps of 640 ps of 20 residues are beyond what it was validated for",
            ],
        ),
    ] {
        let said = desk.says(
            &format!("$P run {line} --backend cpu --relax 0 --dry-run --steps 1"),
            0,
        );
        for part in parts {
            assert!(said.contains(part), "{line}: {part}\n{said}");
        }
    }
    let said = desk.says(
        &format!("$P run {trpcage} --lag 160ps --backend cpu --relax 0 --dry-run --steps 1"),
        0,
    );
    assert!(!said.contains("beyond what it was validated for"), "{said}");
}

#[test]
fn the_built_in_model_is_told_about_on_one_screen() {
    let desk = Desk::new();
    let info = |flags: &str| {
        let output = desk.run(&format!("$P model info {flags}"));
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let short = info("");
    assert!(short.lines().count() <= 24, "{short}");
    for part in [
        "(built in)",
        "300 K (akle: 310 K)",
        "20 ps up to 76 residues",
        "--hashes lists them",
    ] {
        assert!(short.contains(part), "{part}\n{short}");
    }
    assert!(info("--hashes").lines().count() > 300);
    let json: serde_json::Value = serde_json::from_str(&info("--json")).unwrap();
    assert_eq!(json["parameters"], 249_016);
}

#[test]
fn every_command_that_runs_a_network_takes_a_backend() {
    let desk = Desk::new();
    for command in ["run", "predict", "train", "validate", "finetune"] {
        let output = desk.run(&format!("$P {command} --help"));
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("--backend"), "{command}");
    }
}
