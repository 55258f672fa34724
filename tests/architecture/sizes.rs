//! How long lines, functions and files are, and how densely they are written.

use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Expr, Local, Pat};

/// Columns of a line of code.
const COLUMNS: usize = 100;
/// Lines of a file.
const FILE: usize = 400;
/// Lines of a function.
const FUNCTION: usize = 60;

/// Files that are longer for now. What is on no list may not be; what has become shorter comes off.
const LONG_FILES: [&str; 2] = ["tests/cli_energy.rs", "tests/crash.rs"];
/// Functions that are longer for now, tests left out, each as `file: function`.
const LONG_FUNCTIONS: [&str; 20] = [
    "src/cli/config.rs: with_file",
    "src/compare/measures/angles.rs: judge",
    "src/compare/measures/landscape.rs: judge",
    "src/compare/measures/mod.rs: measure",
    "src/compare/measures/quality.rs: judge",
    "src/engine/gpu/buffers.rs: take",
    "src/engine/gpu/device.rs: open",
    "src/fft/product.rs: backward",
    "src/fft/vkfft/mod.rs: new",
    "src/forcefield/place.rs: ideal",
    "src/session/jumps.rs: stepper",
    "src/session/reference.rs: reference",
    "src/session/run.rs: carry_out",
    "src/session/run.rs: simulation",
    "src/simulate/checkpoint.rs: read",
    "src/structure/cif/atoms.rs: add",
    "src/train/checkpoint.rs: read",
    "src/train/load.rs: load_segment",
    "src/trajectory/dcd.rs: open",
    "src/trajectory/netcdf.rs: open",
];

/// Parts of the names of files in `src/` that are compiled for tests alone.
const TESTS: [&str; 3] = ["tests", "testing.rs", "forcefield/structures.rs"];

/// Where code is, of people and for machines.
const FOLDERS: [&str; 7] = [
    "src", "tests", "examples", "benches", "shaders", "scripts", "fuzz",
];

/// The root of the repository, or that of another state of it which is to be counted.
fn root() -> PathBuf {
    let other = std::env::var_os("MDSURROGATE_COUNTED");
    other.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// Files below `folders` with one of these endings: path from the root, and text.
fn files(folders: &[&str], endings: &[&str]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in folders {
        list(&root().join(folder), endings, &mut all);
    }
    all.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    all.into_iter().map(read).collect()
}

fn list(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // what cargo builds of the fuzz targets is nobody's code
            if !path.ends_with("fuzz/target") {
                list(&path, endings, files);
            }
        } else if endings
            .iter()
            .any(|ending| path.extension().is_some_and(|own| own == *ending))
        {
            files.push(path);
        }
    }
}

/// Fails for what is too long and on no list, and for what is on the list and not too long.
fn hold(found: &[String], known: &[&str], what: &str) {
    let new: Vec<&String> = found
        .iter()
        .filter(|found| !known.contains(&found.as_str()))
        .collect();
    assert!(new.is_empty(), "{what}: {new:#?}");
    let gone: Vec<&&str> = known
        .iter()
        .filter(|known| !found.iter().any(|found| found == **known))
        .collect();
    assert!(gone.is_empty(), "take off the list: {gone:#?}");
}

#[test]
fn lines_fit_the_page() {
    let mut long = Vec::new();
    for (name, text) in files(&FOLDERS, &["rs", "wgsl", "py", "sh"]) {
        let lines = text.lines().enumerate();
        let over = lines.filter(|(_, line)| line.chars().count() > COLUMNS);
        long.extend(over.map(|(line, _)| format!("{name}:{}", line + 1)));
    }
    assert!(long.is_empty(), "over {COLUMNS} columns: {long:#?}");
}

#[test]
fn files_are_short() {
    let long: Vec<String> = files(&["src", "tests", "benches"], &["rs"])
        .into_iter()
        .filter(|(_, text)| text.lines().count() > FILE)
        .map(|(name, _)| name)
        .collect();
    hold(&long, &LONG_FILES, "files of more than 400 lines");
}

/// Name and lines of every function: as rustfmt writes them, one ends at the next `}` that stands
/// as far in as it began.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some((before, after)) = code.split_once("fn ") else {
            continue;
        };
        let qualifiers = ["pub", "const", "unsafe", "async", "extern"];
        let is_function = before
            .split_whitespace()
            .all(|word| qualifiers.iter().any(|known| word.starts_with(known)));
        if !is_function || code.ends_with(['}', ';']) {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let is_end = |line: &&&str| line.strip_prefix(indent) == Some("}");
        let length = lines[at..].iter().take_while(|line| !is_end(line)).count() + 1;
        let name = after.split(['(', '<']).next().unwrap_or_default();
        // shaders that are put together have functions without a name of their own
        if !name.contains('$') {
            all.push((name, length));
        }
    }
    all
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    let of_tests = |name: &str| TESTS.iter().any(|part| name.contains(part));
    for (name, text) in files(&["src"], &["rs"]) {
        if of_tests(&name) {
            continue;
        }
        let code = text.split("\n#[cfg(test)]\nmod tests {").next();
        let over = functions(code.unwrap_or_default())
            .into_iter()
            .filter(|(_, lines)| *lines > FUNCTION);
        long.extend(over.map(|(function, _)| format!("{name}: {function}")));
    }
    hold(&long, &LONG_FUNCTIONS, "functions of more than 60 lines");
}

#[test]
fn functions_are_measured() {
    let text = "fn one() {}
    pub const fn two(
        a: u8,
    ) -> u8 {
        a
    }
// fn three() {
";
    assert_eq!(functions(text), [("two", 5)]);
}

/// Local closures and pairs that are taken apart where they are put together.
#[derive(Default)]
struct Dense {
    closures: usize,
    tuples: usize,
}

impl<'ast> Visit<'ast> for Dense {
    fn visit_local(&mut self, local: &'ast Local) {
        let value = local.init.as_ref().map(|init| init.expr.as_ref());
        self.closures += usize::from(matches!(value, Some(Expr::Closure(_))));
        let apart = matches!(local.pat, Pat::Tuple(_));
        self.tuples += usize::from(apart && matches!(value, Some(Expr::Tuple(_))));
        visit::visit_local(self, local);
    }
}

/// Most local closures and tuple-`let`s (`let (a, b) = (x, y)`) a thousand lines of code of `src/`,
/// comments and empty lines left out. At d4d4fa9, when lines were longer, there were 20.0 and 11.1.
const MOST: [f64; 2] = [15.0, 5.0];

#[test]
fn code_is_not_dense() {
    let mut all = Dense::default();
    let mut lines = 0;
    let mut worst = Vec::new();
    for (name, text) in files(&["src"], &["rs"]) {
        let mut dense = Dense::default();
        dense.visit_file(&syn::parse_file(&text).unwrap());
        let code = text.lines().map(str::trim_start);
        lines += code
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        all.closures += dense.closures;
        all.tuples += dense.tuples;
        worst.push((dense.closures, dense.tuples, name));
    }
    worst.sort_by_key(|(closures, tuples, _)| std::cmp::Reverse(closures + tuples));
    for (closures, tuples, name) in worst.iter().take(10) {
        println!("{closures:3} closures {tuples:3} tuple-lets  {name}");
    }
    let each = [all.closures, all.tuples].map(|count| 1000.0 * count as f64 / lines as f64);
    println!(
        "{lines} lines of code: {} local closures, {} tuple-lets; {:.1} and {:.1} a thousand",
        all.closures, all.tuples, each[0], each[1]
    );
    assert!(each[0] <= MOST[0] && each[1] <= MOST[1], "{each:?}");
}
