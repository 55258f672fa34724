//! The plan of the house, held true: which rooms (folders of `src/`) use which, and no file that
//! uses itself by way of others.
//!
//! - Arrows run down: a room uses rooms of the floors below it alone.
//! - No file circle: among the files of a room there is no way from one back to it. A file and
//!   those of the folder below it are one piece (`mod.rs` declares and re-exports what is below it,
//!   and what is below says `super::`), so arrows between a file and what contains it do not
//!   count. An arrow to a re-exported name goes to the file that has it.
//!
//! Read from the source by `syn`: every path that begins with `crate`, `self`, `super` or a module
//! beside it, in `use`, in code and in macros; what is under `#[cfg(test)]` is left out. `cargo
//! test --test architecture -- --nocapture` prints the arrows.

mod sizes;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use source::Arrow;

/// Every arrow between files.
fn arrows() -> &'static BTreeSet<Arrow> {
    static ARROWS: LazyLock<BTreeSet<Arrow>> = LazyLock::new(source::arrows);
    &ARROWS
}

/// From the ground up.
const FLOORS: [&str; 22] = [
    "error",
    "units",
    "version",
    "files",
    "ranks",
    "foreign",
    "numeric",
    "fft",
    "ops",
    "engine",
    "structure",
    "trajectory",
    "forcefield",
    "geometry",
    "network",
    "task",
    "observe",
    "simulate",
    "train",
    "compare",
    "session",
    "cli",
];

/// Arrows between rooms that run up for now, and why.
const UP: [(&str, &str, &str); 0] = [];

/// Rooms that have files on circles for now, and where to cut.
const KNOTS: [(&str, &str); 0] = [];

fn floor(room: &str) -> usize {
    let floor = FLOORS.iter().position(|&floor| floor == room);
    floor.unwrap_or_else(|| panic!("src/{room} is on no floor: say which in FLOORS"))
}

/// Arrows between rooms, each with the files that it goes from and to.
fn between_rooms(arrows: &BTreeSet<Arrow>) -> BTreeMap<(String, String), Vec<String>> {
    let mut all: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for arrow in arrows {
        if let (Some(start), Some(end)) = (arrow.from.first(), arrow.to.first())
            && start != end
        {
            let rooms = (start.clone(), end.clone());
            all.entry(rooms).or_default().push(arrow.files());
        }
    }
    all
}

#[test]
fn arrows_run_down() {
    let rooms = between_rooms(arrows());
    for room in FLOORS.iter().rev() {
        let below: Vec<&str> = rooms
            .keys()
            .filter(|(from, _)| from == room)
            .map(|(_, to)| to.as_str())
            .collect();
        println!("{room:<11} → {}", below.join(", "));
    }
    let runs_up = |(from, to): &(String, String)| floor(from) <= floor(to);
    let wrong: Vec<String> = rooms
        .iter()
        .filter(|(rooms, _)| runs_up(rooms))
        .filter(|((from, to), _)| !UP.iter().any(|&(a, b, _)| (a, b) == (from, to)))
        .map(|(_, files)| files.join(", "))
        .collect();
    assert!(
        wrong.is_empty(),
        "arrows that run up:\n{}",
        wrong.join("\n")
    );
    for (from, to, reason) in UP {
        let there = rooms.contains_key(&(from.into(), to.into()));
        assert!(
            there,
            "{from} → {to} is gone ({reason}): take it off the list"
        );
    }
}

/// Arrows between files of one room whose end leads back to where they begin.
fn circles(arrows: &BTreeSet<Arrow>) -> Vec<&Arrow> {
    let counted: Vec<&Arrow> = arrows
        .iter()
        .filter(|Arrow { from, to }| from.first() == to.first())
        .filter(|Arrow { from, to }| !from.starts_with(to) && !to.starts_with(from))
        .collect();
    let leads_back = |arrow: &Arrow| {
        let mut reached = BTreeSet::from([&arrow.to]);
        let mut ahead = vec![&arrow.to];
        while let Some(at) = ahead.pop() {
            let next = counted.iter().filter(|other| other.from == *at);
            ahead.extend(next.map(|other| &other.to).filter(|to| reached.insert(to)));
        }
        reached.contains(&arrow.from)
    };
    counted
        .iter()
        .copied()
        .filter(|arrow| leads_back(arrow))
        .collect()
}

#[test]
fn no_file_uses_itself_by_way_of_others() {
    let circles = circles(arrows());
    let (known, wrong): (Vec<&Arrow>, Vec<&Arrow>) = circles
        .iter()
        .partition(|arrow| KNOTS.iter().any(|(room, _)| arrow.from[0] == *room));
    for arrow in &known {
        println!("known: {}", arrow.files());
    }
    let wrong: Vec<String> = wrong.iter().map(|arrow| arrow.files()).collect();
    assert!(wrong.is_empty(), "circles of files:\n{}", wrong.join("\n"));
    for (room, where_to_cut) in KNOTS {
        let there = known.iter().any(|arrow| arrow.from[0] == room);
        assert!(
            there,
            "{room} has no circle any more ({where_to_cut}): take it off the list"
        );
    }
}

/// That the reading sees what it should.
#[test]
fn known_arrows_are_found() {
    let found = |from: &str, to: &str| {
        let module = |path: &str| path.split('/').map(String::from).collect();
        arrows().contains(&Arrow {
            from: module(from),
            to: module(to),
        })
    };
    // by a re-export, by `super`, by a glob or in a macro, to what the root re-exports
    assert!(found("engine/cpu", "numeric/real"));
    assert!(found("ops/gate", "ops/pieces"));
    assert!(found("fft/piece", "fft/lanes"));
    assert!(found("engine", "error"));
    // its tests say so, and they do not count
    assert!(!found("engine/gpu/tests", "engine/cpu"));
}

#[test]
fn a_circle_is_noticed() {
    let arrow = |from: &str, to: &str| {
        let module = |path: &str| path.split('/').map(String::from).collect();
        Arrow {
            from: module(from),
            to: module(to),
        }
    };
    let tree = [arrow("a", "a/b"), arrow("a/b", "a"), arrow("a/b", "a/c")];
    assert!(circles(&tree.iter().cloned().collect()).is_empty());
    let ring = [arrow("a/c", "a/d/e"), arrow("a/d/e", "a/b")];
    let all = [&tree[..], &ring].concat();
    assert_eq!(circles(&all.into_iter().collect()).len(), 3);
}
