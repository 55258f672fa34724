//! How runs end before their time, and go on.

use std::process::Command;

use mdsurrogate::trajectory::Reader;

use super::bench::Bench;

#[test]
fn a_guard_stops_the_run_with_exit_3() {
    let bench = Bench::new();
    let words = bench.says(
        "run akle.pdb -m m.safetensors --guard abort --equilibrate 0ps --steps 50 -o r",
        3,
    );
    assert!(
        words.contains("error: stopped at step 1:") && words.contains("try: --guard rollback"),
        "{words}"
    );
    assert_eq!(
        bench.json("r.summary.json")["outcome"],
        "stopped by a guard"
    );
    assert_eq!(Reader::open(bench.path("r.xtc"), None).unwrap().len(), 1);
    let words = bench.says(
        "run akle.pdb -m m.safetensors --equilibrate 0ps --steps 50 -o r --guard rollback \
         --max-rollbacks 2",
        3,
    );
    assert!(
        words.contains("back to step 0, attempt 2") && words.contains("--max-rollbacks reached"),
        "{words}"
    );
}

#[test]
fn interrupted_runs_go_on_to_the_same_bits() {
    let bench = Bench::new();
    // --maxh counts the equilibration too: a limit of no time would end the run in it
    let flags =
        "-m m.safetensors --steps 9 --guard warn --replicas 2 --traj-format dcd --equilibrate 0ps";
    bench.says(&format!("run akle.pdb {flags} -o whole"), 0);
    let words = bench.says(&format!("run akle.pdb {flags} -o cut --maxh 0"), 75);
    assert!(
        words.contains("interrupted at step 1; continue with the same command (cut.ckpt)"),
        "{words}"
    );
    assert_eq!(bench.json("cut.summary.json")["outcome"], "interrupted");
    bench.says(&format!("run akle.pdb {flags} -o cut --maxh 0"), 75);
    let words = bench.says(&format!("run akle.pdb {flags} -o cut --threads 1"), 0);
    assert!(words.contains("going on from step 2"), "{words}");
    for name in ["_r0.dcd", "_r1.dcd", "_r0_final.pdb", "_r1_final.pdb"] {
        let read = |prefix: &str| std::fs::read(bench.path(&format!("{prefix}{name}"))).unwrap();
        assert_eq!(read("whole"), read("cut"), "{name}");
    }
    // a replica by itself has the bits that it has among others
    bench.says(
        "run akle.pdb -m m.safetensors --steps 9 --guard warn --replica-index 1 \
                --traj-format dcd --equilibrate 0ps -o one",
        0,
    );
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert_eq!(read("one_r1.dcd"), read("whole_r1.dcd"));
    // other settings are refused
    let words = bench.says(
        &format!("run akle.pdb {flags} -o cut --seed 2 --steps 12"),
        2,
    );
    assert!(
        words.contains("cut.ckpt was made with seed 1, this command says 2"),
        "{words}"
    );
}

#[test]
fn a_signal_ends_the_run_in_good_order() {
    let bench = Bench::new();
    let mut child = bench
        .command("run akle.pdb -m m.safetensors --steps 1000000 --guard warn -o r -q")
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while !bench.path("r.ckpt").exists() && started.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // the shell's own kill: a bare Debian has no program of that name
    let kill = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    let steps = bench.json("r.summary.json")["results"]["steps"]
        .as_u64()
        .unwrap();
    assert_eq!(
        Reader::open(bench.path("r.xtc"), None).unwrap().len() as u64,
        steps + 1
    );
}

#[test]
fn a_full_disk_ends_the_run_with_exit_2() {
    for name in [
        "r.xtc",
        "r.csv",
        "r.log",
        "r.pdb",
        "r_final.pdb",
        "r.summary.json",
        "r.ckpt",
    ] {
        let bench = Bench::new();
        std::os::unix::fs::symlink("/dev/full", bench.path(name)).unwrap();
        let words = bench.says(
            "run akle.pdb -m m.safetensors --steps 2 --guard warn -o r",
            2,
        );
        assert!(
            words.contains(name) && words.contains("No space left"),
            "{name}: {words}"
        );
    }
}

/// The shell's limits on files: an error of what met them, and the same command then starts over.
#[test]
fn limits_on_files_are_errors_that_leave_nothing_in_the_way() {
    let run = "run akle.pdb -m m.safetensors --backend cpu --steps 2 --guard warn --as-is";
    let limited = |bench: &Bench, limit: &str, prefix: &str| {
        let program = env!("CARGO_BIN_EXE_mdsurrogate");
        let line = format!("ulimit {limit}; exec {program} {run} -o {prefix}");
        let output = Command::new("bash")
            .args(["-c", &line])
            .current_dir(bench.path("."))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    // a kilobyte a file: a signal, where it is not caught
    let bench = Bench::new();
    let (code, said) = limited(&bench, "-f 1", "size");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("File too large"), "{said}");
    bench.says(&format!("{run} -o size"), 0);
    let mut refused = 0;
    for open in 4..16 {
        let prefix = format!("open{open}");
        let (code, said) = limited(&bench, &format!("-n {open}"), &prefix);
        match code {
            Some(0) => continue,
            Some(2) => assert!(said.contains("Too many open files"), "{said}"),
            // threads and signals need some as well
            other => assert_eq!(other, Some(4), "{open}: {said}"),
        }
        refused += 1;
        bench.says(&format!("{run} -o {prefix}"), 0);
    }
    assert!(refused > 0);
}
