//! An observer of one's own: how far apart the ends of a chain are, step by step, while the
//! built-in model moves it:
//!
//!     cargo run --release --example own_observer -- data/structures/akle.pdb 20

use std::path::PathBuf;

use mdsurrogate::Error;
use mdsurrogate::observe::{Journal, Observer, Record};
use mdsurrogate::session::{Options, Session};
use mdsurrogate::simulate::Stop;
use mdsurrogate::structure::{Frame, Topology};

/// Distance between the Cα of the first residue and that of the last, Å.
struct EndToEnd {
    ends: [usize; 2],
    distances: Vec<f64>,
}

impl EndToEnd {
    /// For a topology of at least one residue with a Cα at each end.
    fn new(topology: &Topology) -> Option<Self> {
        let ends = [0, topology.residues.len().checked_sub(1)?];
        let [first, last] = ends.map(|residue| topology.atom_named(residue, "CA"));
        Some(EndToEnd {
            ends: [first?, last?],
            distances: Vec::new(),
        })
    }
}

impl Observer for EndToEnd {
    fn observe(&mut self, frame: &Frame, record: &mut Record) -> mdsurrogate::Result<()> {
        let [first, last] = self.ends.map(|atom| frame.positions[atom]);
        let distance = (last - first).norm();
        // an observer may stop the run: this one where the chain is longer than a chain can be
        if distance > 3.8 * frame.positions.len() as f64 {
            return Err(Error::Guard {
                step: frame.step,
                what: format!("the ends are {distance:.1} Å apart"),
                hint: "another start".into(),
            });
        }
        record.put("End to end (A)", Some(distance));
        self.distances.push(distance);
        println!("{:>6} ps: {distance:.2} Å from end to end", frame.time);
        Ok(())
    }

    fn finish(&mut self) -> mdsurrogate::Result<()> {
        let mean = self.distances.iter().sum::<f64>() / self.distances.len() as f64;
        println!("mean of {} frames: {mean:.2} Å", self.distances.len());
        Ok(())
    }
}

fn main() -> mdsurrogate::Result<()> {
    let mut typed = std::env::args().skip(1);
    let protein = typed.next().unwrap_or("data/structures/akle.pdb".into());
    let steps = typed.next().and_then(|steps| steps.parse().ok());

    let session = Session::open(&PathBuf::from(protein), &Options::default())?;
    let observer = EndToEnd::new(&session.structure().topology).ok_or(Error::usage(
        "the ends of this chain have no CA atoms",
        "a protein whose first and last residue are whole",
    ))?;
    let mut simulation = session.in_memory(None, &Journal::silent(), &Stop::never())?;
    simulation.watch(0, 1, Box::new(observer));
    simulation.run_to(steps.unwrap_or(10))
}
