//! What is refused, and what is only tried, before anything is written.

use super::bench::Bench;

#[test]
fn a_dry_run_writes_nothing() {
    let bench = Bench::new();
    let words = bench.says("run akle.pdb -m m.safetensors --dry-run -v", 0);
    assert!(
        words.contains("1000 steps of 20 ps: 20 ns")
            && words.contains("would write akle_run.xtc")
            && words.contains("nothing was written")
    );
    assert!(bench.names().is_empty());
}

#[test]
fn flags_may_stand_in_a_file() {
    let bench = Bench::new();
    let config = "protein = \"akle.pdb\"\nmodel = \"m.safetensors\"\nsteps = 5\nguard = \"warn\"\n\
                  overwrite = true\nfresh = false\nchains = [\"A\"]\n";
    std::fs::write(bench.path("c.toml"), config).unwrap();
    let words = bench.says("run --config c.toml --time 40ps -o c", 0);
    assert!(words.contains("2 steps of 20 ps: 40 ps"), "{words}");
    for (text, part) in [
        ("stepz = 5", "c.toml: `stepz` is no flag of run"),
        (
            "steps = \"many\"",
            "c.toml: invalid value 'many' for '--steps <N>'",
        ),
        ("steps = ", "c.toml:1: "),
    ] {
        std::fs::write(bench.path("c.toml"), text).unwrap();
        let words = bench.says("run akle.pdb --config c.toml", 2);
        assert!(words.contains(part), "{words}");
    }
}

#[test]
fn wrong_input_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    std::fs::write(
        bench.path("cut.safetensors"),
        &std::fs::read(bench.path("m.safetensors")).unwrap()[..2000],
    )
    .unwrap();
    std::fs::write(bench.path("text.pdb"), "this is no structure\n").unwrap();
    for (words, part) in [
        ("run", "required arguments were not provided"),
        (
            "run missing.pdb -m m.safetensors",
            "missing.pdb: cannot be read",
        ),
        ("run text.pdb -m m.safetensors", "text.pdb"),
        (
            "run akle.pdb -m missing.safetensors",
            "missing.safetensors: cannot be read",
        ),
        ("run akle.pdb -m cut.safetensors", "cut.safetensors"),
        ("run akle.pdb -m akle.pdb", "akle.pdb"),
        (
            "run akle.pdb -m m.safetensors --time 300",
            "`300` has no unit",
        ),
        (
            "run akle.pdb -m m.safetensors --time 30ps",
            "no whole number of steps",
        ),
        (
            "run akle.pdb -m m.safetensors --steps 5 --time 1ns",
            "cannot be used with",
        ),
        (
            "run akle.pdb -m m.safetensors --maxh never",
            "invalid value 'never'",
        ),
        (
            "run akle.pdb -m m.safetensors --guard maybe",
            "[possible values: abort, redraw, rollback, warn]",
        ),
        (
            "run akle.pdb -m m.safetensors -o no/such/folder/x",
            "there is no folder no/such/folder",
        ),
        (
            "run akle.pdb -m m.safetensors -o akle",
            "would replace the input",
        ),
        ("run akle.pdb -m m.safetensors --chains Z", "Z"),
        (
            "run akle.pdb -m m.safetensors --check-equivariance-every often",
            "--check-equivariance-every",
        ),
    ] {
        let said = bench.says(words, 2);
        assert!(said.contains(part), "{words}: {said}");
    }
    let names = bench.names();
    assert!(names == ["cut.safetensors", "text.pdb"], "{names:?}");
}
