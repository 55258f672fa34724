//! A batch on the device: one buffer of words, whose first ones say where the others begin
//! (shaders/shared/common.wgsl).

use std::collections::BTreeMap;

use super::fourier::Routes;
use crate::ops::{Batch, RELATIONS};

/// Bits of a sender's number; the relation class has the rest of the word.
const SENDER_BITS: u32 = 27;

/// Systems that one transform length serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    /// Transform length: at least 2N − 1 of all its systems, see [`Routes::chain`].
    pub length: usize,
    /// N, where all its systems have as many tokens.
    pub tokens: Option<usize>,
    /// Whether VkFFT transforms it.
    pub vkfft: bool,
    /// Word of the graph where the numbers of the systems begin.
    pub list: usize,
    /// Number of systems.
    pub systems: usize,
}

/// The words of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub words: Vec<u32>,
    /// Systems whose convolutions are no double sums, by transform length.
    pub classes: Vec<Class>,
}

/// Most tokens that a batch may have.
pub(super) const MOST_TOKENS: usize = 1 << SENDER_BITS;

const HEADER: usize = 13;

impl Words {
    /// Lays out a batch of less than [`MOST_TOKENS`] tokens.
    pub fn new(batch: &Batch, routes: Routes) -> Words {
        const {
            assert!(
                RELATIONS <= 1 << (32 - SENDER_BITS),
                "a relation class has the upper bits"
            )
        };
        let mut words = vec![0; HEADER];
        (words[0], words[1]) = (batch.tokens() as u32, batch.systems() as u32);
        let mut at = 2;
        let mut add = |words: &mut Vec<u32>, part: Vec<u32>| {
            words[at] = words.len() as u32;
            words.extend(part);
            at += 1;
        };
        add(
            &mut words,
            batch.offsets.iter().map(|&first| first as u32).collect(),
        );
        add(
            &mut words,
            batch
                .system_of_tokens()
                .map(|system| system as u32)
                .collect(),
        );
        add(
            &mut words,
            batch
                .kinds
                .iter()
                .flatten()
                .map(|&kind| kind.into())
                .collect(),
        );
        let edges = &batch.edges;
        // a batch without edges may leave out the starts
        let starts = if edges.start.is_empty() {
            vec![0; batch.tokens() + 1]
        } else {
            edges.start.clone()
        };
        let receivers: Vec<u32> = starts
            .windows(2)
            .zip(0..)
            .flat_map(|(ends, token)| (ends[0]..ends[1]).map(move |_| token))
            .collect();
        add(&mut words, starts);
        add(
            &mut words,
            edges
                .sender
                .iter()
                .zip(&edges.relation)
                .map(|(&s, &r)| s | u32::from(r) << SENDER_BITS)
                .collect(),
        );
        add(
            &mut words,
            edges
                .template
                .iter()
                .map(|length| length.to_bits())
                .collect(),
        );
        let (starts, order) = grouped(
            batch.tokens(),
            edges.sender.iter().map(|&sender| sender as usize),
        );
        add(&mut words, starts);
        add(
            &mut words,
            order
                .iter()
                .flat_map(|&edge| [edge, receivers[edge as usize]])
                .collect(),
        );
        let seats = batch
            .centres
            .iter()
            .flat_map(|centre| centre.tokens)
            .map(|token| token as usize);
        let (starts, order) = grouped(batch.tokens(), seats);
        add(&mut words, starts);
        add(&mut words, order);
        let centre = |c: &crate::ops::Centre| {
            [
                c.tokens[0],
                c.tokens[1],
                c.tokens[2],
                c.tokens[3],
                c.height.to_bits(),
                c.area.to_bits(),
            ]
        };
        add(&mut words, batch.centres.iter().flat_map(centre).collect());
        let mut classes: BTreeMap<(usize, bool), Vec<u32>> = BTreeMap::new();
        for system in 0..batch.systems() {
            let tokens = batch.range(system).len();
            if tokens > routes.direct {
                let vkfft = tokens >= routes.vkfft;
                classes
                    .entry((Routes::chain(tokens, vkfft), vkfft))
                    .or_default()
                    .push(system as u32);
            }
        }
        let mut add_class = |((length, vkfft), systems): ((usize, bool), Vec<u32>)| {
            let tokens = batch.range(systems[0] as usize).len();
            let alike = systems
                .iter()
                .all(|&system| batch.range(system as usize).len() == tokens);
            let class = Class {
                length,
                tokens: alike.then_some(tokens),
                vkfft,
                list: words.len(),
                systems: systems.len(),
            };
            words.extend(systems);
            class
        };
        let classes = classes.into_iter().map(&mut add_class).collect();
        Words { words, classes }
    }
}

/// Items by the token that each belongs to: where each token's items begin, and the items,
/// ascending within a token.
fn grouped(tokens: usize, of_items: impl Iterator<Item = usize> + Clone) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; tokens + 1];
    of_items.clone().for_each(|token| starts[token + 1] += 1);
    (0..tokens).for_each(|token| starts[token + 1] += starts[token]);
    let mut next = starts.clone();
    let mut items = vec![0; starts[tokens] as usize];
    for (item, token) in of_items.enumerate() {
        items[next[token] as usize] = item as u32;
        next[token] += 1;
    }
    (starts, items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_grouped_in_their_order() {
        assert_eq!(
            grouped(4, [2, 0, 2, 1, 0].into_iter()),
            (vec![0, 2, 3, 5, 5], vec![1, 4, 3, 0, 2])
        );
        assert_eq!(grouped(0, std::iter::empty()), (vec![0], vec![]));
    }

    #[test]
    fn long_systems_are_listed_by_transform_length() {
        let sizes = [300, 5, 257, 600, 256, 700];
        let offsets: Vec<usize> = std::iter::once(0)
            .chain(sizes.iter().scan(0, |sum, n| (*sum += n, Some(*sum)).1))
            .collect();
        let batch = Batch {
            kinds: vec![[0; 3]; offsets[6]],
            offsets,
            scale: vec![1.0; 6],
            ..Batch::default()
        };
        let words = Words::new(
            &batch,
            Routes {
                direct: 256,
                vkfft: 650,
            },
        );
        let list = |class: &Class| words.words[class.list..class.list + class.systems].to_vec();
        let lists: Vec<_> = words
            .classes
            .iter()
            .map(|class| (class.length, class.tokens, class.vkfft, list(class)))
            .collect();
        // 2·700 − 1 = 1399 has 1400 = 2³·5²·7 next
        assert_eq!(
            lists,
            [
                (1024, None, false, vec![0, 2]),
                (1400, Some(700), true, vec![5]),
                (2048, Some(600), false, vec![3])
            ]
        );
    }
}
