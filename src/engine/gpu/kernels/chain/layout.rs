//! Where the rows of a chain lie: in shared memory while they are needed, in the scratch that
//! backward keeps.

use crate::engine::gpu::buffers;
use crate::ops::Op;
use crate::ops::chain::Chain;

/// Places of a chain's rows, in words of a token: a tile of T tokens begins a row at T times its
/// place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Of each row that a later step reads.
    pub forward: Vec<Option<usize>>,
    /// Of the gradient of each row that a step writes.
    pub backward: Vec<Option<usize>>,
    /// Words of a token in shared memory, at most.
    pub words: usize,
    /// Of each row that the adjoints read.
    pub scratch: Vec<Option<usize>>,
    /// Of the gradient of each step's product, where it is a linear map.
    pub d_pre: Vec<Option<usize>>,
    /// Numbers of a token in the scratch.
    pub scratch_words: usize,
    /// Where each parameter begins in the partial sums, and the length of all.
    pub params: (Vec<usize>, usize),
}

/// Words from one line to the next: odd, so that lanes of different lines do not meet in one bank.
pub(super) fn pitch(width: usize) -> usize {
    width | 1
}

/// A row in shared memory from one step to another, both included.
struct Stay {
    row: usize,
    from: usize,
    to: usize,
    words: usize,
}

/// First fit by the order of their beginnings: a place for each row that stays, and the end of all.
fn placed(rows: usize, mut stays: Vec<Stay>) -> (Vec<Option<usize>>, usize) {
    stays.sort_by_key(|stay| (stay.from, std::cmp::Reverse(stay.words)));
    let mut places = vec![None; rows];
    let mut taken: Vec<(usize, usize, usize)> = Vec::new(); // place, end, last step
    let mut most = 0;
    for stay in stays {
        taken.retain(|&(_, _, to)| to >= stay.from);
        taken.sort_unstable();
        let mut place = 0;
        for &(begin, end, _) in &taken {
            if begin >= place + stay.words {
                break;
            }
            place = place.max(end);
        }
        taken.push((place, place + stay.words, stay.to));
        places[stay.row] = Some(place);
        most = most.max(place + stay.words);
    }
    (places, most)
}

/// Rows that the step writes for others: not what a linear map keeps for its own backward.
pub(super) fn written(op: &Op, outputs: &[usize]) -> usize {
    match op {
        Op::Linear(_) => 1,
        _ => outputs.len(),
    }
}

/// Where each parameter begins where all lie in one buffer, and the length of all.
fn of_params(chain: &Chain) -> (Vec<usize>, usize) {
    let params = chain.params();
    let lens: Vec<usize> = params.iter().map(|p| p.size[0] * p.size[1]).collect();
    buffers::layout(&lens)
}

impl Layout {
    pub fn new(chain: &Chain) -> Layout {
        let rows = chain.rows.len();
        let steps = &chain.steps;
        let words = |row: usize| chain.rows[row].components * pitch(chain.rows[row].width);
        let readers = |row: usize| {
            let reads = move |&at: &usize| steps[at].inputs.contains(&row);
            (0..steps.len()).filter(reads)
        };
        let (mut forth, mut back) = (Vec::new(), Vec::new());
        let mut scratch = vec![None; rows];
        let mut d_pre = vec![None; steps.len()];
        let mut scratch_words = 0;
        for (at, step) in steps.iter().enumerate() {
            for &row in &step.outputs[..written(&step.op, &step.outputs)] {
                let last = readers(row).next_back();
                let reversed = |step: usize| steps.len() - 1 - step;
                if let Some(to) = last {
                    let words = words(row);
                    forth.push(Stay {
                        row,
                        from: at,
                        to,
                        words,
                    });
                    scratch[row] = Some(scratch_words);
                    scratch_words += chain.rows[row].row();
                }
                // a linear map works on its gradient in place; others take it as it is handed in
                if last.is_some() || matches!(step.op, Op::Linear(_)) {
                    back.push(Stay {
                        row,
                        from: reversed(last.unwrap_or(at)),
                        to: reversed(at),
                        words: words(row),
                    });
                }
            }
            if let Op::Linear(linear) = &step.op {
                let numbers = linear.components * linear.outputs;
                d_pre[at] = Some(scratch_words);
                scratch_words += numbers;
                if linear.silu {
                    scratch[step.outputs[1]] = Some(scratch_words);
                    scratch_words += numbers;
                }
            }
        }
        let (forward, most) = placed(rows, forth);
        let (backward, d_most) = placed(rows, back);
        Layout {
            forward,
            backward,
            words: most.max(d_most),
            scratch,
            d_pre,
            scratch_words,
            params: of_params(chain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Kernel;

    /// No two rows that are needed at once share a word.
    #[test]
    fn rows_that_are_needed_do_not_meet() {
        for chain in Chain::examples() {
            let layout = Layout::new(&chain);
            let span = |row: usize| {
                let shape = chain.rows[row];
                let place = layout.forward[row]?;
                let written = chain.steps.iter().position(|s| s.outputs.contains(&row))?;
                let read = chain.steps.iter().rposition(|s| s.inputs.contains(&row))?;
                Some((
                    place,
                    place + shape.components * pitch(shape.width),
                    written,
                    read,
                ))
            };
            let spans: Vec<_> = (0..chain.rows.len()).filter_map(span).collect();
            for (k, a) in spans.iter().enumerate() {
                assert!(a.1 <= layout.words);
                for b in &spans[k + 1..] {
                    let apart = a.1 <= b.0 || b.1 <= a.0 || a.3 < b.2 || b.3 < a.2;
                    assert!(apart, "{a:?} {b:?}");
                }
            }
        }
    }
}
