//! Processes that share a training, here as threads of one.

use std::sync::{Arc, Barrier, Mutex};

use mdsurrogate::ranks::{Ranks, add};
use mdsurrogate::train::trainer::{Update, Validation};

use super::trainer;

/// What ranks have put on the table.
struct Table {
    own: Mutex<Vec<Vec<Vec<f64>>>>,
    all_there: Barrier,
}

struct Thread {
    rank: usize,
    count: usize,
    table: Arc<Table>,
}

impl Ranks for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn local(&self) -> usize {
        self.rank
    }

    fn sum(&self, len: usize, own: &[Vec<f64>]) -> Vec<f64> {
        self.table.own.lock().unwrap()[self.rank] = own.to_vec();
        self.table.all_there.wait();
        let mut sum = vec![0.0; len];
        let all = self.table.own.lock().unwrap().concat();
        add(&mut sum, all.iter().map(Vec::as_slice), false);
        self.table.all_there.wait();
        sum
    }

    fn gather(&self, _: &str) -> Option<Vec<String>> {
        None
    }
}

/// Updates, the validation behind them, and the parameters.
type Course = (Vec<Update>, Option<Validation>, Vec<f64>);

fn course(ranks: Option<Thread>) -> Course {
    let training = "[training]\nupdates = 4\nbatch = 8\nmicro_batch_tokens = 12\n\
                    validation_samples = 5\n[split]\nvalidation_share = 0.2";
    let mut trainer = trainer(40, "[jump]\nlag = \"1ps\"", training);
    if let Some(ranks) = ranks {
        trainer = trainer.among(Arc::new(ranks));
    }
    let updates = (0..4).map(|_| trainer.update().unwrap()).collect();
    let validation = trainer.validate().unwrap();
    (updates, validation, trainer.parameters().to_vec())
}

#[test]
fn the_number_of_processes_changes_no_bit() {
    let alone = course(None);
    assert!(alone.0[3].loss.is_finite() && alone.1.is_some());
    // eight samples of six atoms are four micro-batches: of five processes one has none
    for count in [2, 3, 5] {
        let table = Arc::new(Table {
            own: Mutex::new(vec![Vec::new(); count]),
            all_there: Barrier::new(count),
        });
        let thread = |rank| {
            let table = table.clone();
            let ranks = Thread { rank, count, table };
            std::thread::spawn(move || course(Some(ranks)))
        };
        let threads: Vec<_> = (0..count).map(thread).collect();
        for (rank, thread) in threads.into_iter().enumerate() {
            let found = thread.join().unwrap();
            assert_eq!(found, alone, "process {rank} of {count}");
        }
    }
}
