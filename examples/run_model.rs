//! Steps a protein with the built-in model, in memory, and prints how it moves:
//!
//!     cargo run --release --example run_model -- data/structures/trpcage.pdb 10

use std::path::PathBuf;

use mdsurrogate::geometry::superpose::{pick, rmsd};
use mdsurrogate::session::{Options, Session};

fn main() -> mdsurrogate::Result<()> {
    let mut typed = std::env::args().skip(1);
    let protein = typed
        .next()
        .unwrap_or("data/structures/akle.pdb".to_owned());
    let steps: usize = typed
        .next()
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(5);

    let mut session = Session::open(&PathBuf::from(protein), &Options::default())?;
    for line in session.words() {
        println!("{line}");
    }
    let heavy = session.structure().topology.heavy_atoms();
    let start = pick(&session.structure().frame.positions, &heavy);
    // a frame that is no molecule any more ends the iteration with an error that names its atoms
    for frame in session.frames().take(steps) {
        let frame = frame?;
        let moved = rmsd(&pick(&frame.positions, &heavy), &start);
        println!("{:>6} ps: {moved:.2} Å from the start", frame.time);
    }
    Ok(())
}
