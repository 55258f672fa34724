//! A batch on the device: one buffer of words, whose first ones say where the others begin
//! (shaders/shared/common.wgsl).

use std::collections::BTreeMap;

use super::fourier::Routes;
use super::values::{Named, Value};
use crate::ops::{Batch, Centre, RELATIONS};

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
    /// Whether there are systems whose convolutions are double sums.
    pub direct: bool,
}

/// Most tokens that a batch may have.
pub(super) const MOST_TOKENS: usize = 1 << SENDER_BITS;

/// Words of a centre: its four tokens, height, area.
const CENTRE_WORDS: usize = 6;

/// The first words, by their names in the shaders: the numbers of tokens and systems, then where
/// each of the parts begins.
const HEADER: [&str; 13] = [
    "TOKENS",
    "SYSTEMS",
    "FIRST_TOKENS",
    "SYSTEMS_OF_TOKENS",
    "KINDS",
    "FIRST_EDGES",
    "SENDERS",
    "TEMPLATES",
    "FIRST_SENT",
    "SENT",
    "FIRST_MEMBERSHIPS",
    "MEMBERSHIPS",
    "CENTRES",
];

/// What the shaders must know of the layout.
pub(super) fn constants() -> impl Iterator<Item = Named> {
    let header = HEADER
        .into_iter()
        .enumerate()
        .map(|(word, name)| (name, Value::count(word)));
    header.chain([
        ("SENDER_BITS", Value::Count(SENDER_BITS)),
        ("CENTRE_WORDS", Value::count(CENTRE_WORDS)),
    ])
}

/// Writes the parts one after another and where each begins into the header.
struct Layout {
    words: Vec<u32>,
}

impl Layout {
    fn place(name: &str) -> usize {
        HEADER
            .iter()
            .position(|&word| word == name)
            .expect("a word of the header")
    }

    fn set(&mut self, name: &str, value: usize) {
        self.words[Layout::place(name)] = value as u32;
    }

    fn part(&mut self, name: &str, part: impl IntoIterator<Item = u32>) {
        self.set(name, self.words.len());
        self.words.extend(part);
    }
}

impl Layout {
    /// Edges by receiver, and the same by sender.
    fn edges(&mut self, batch: &Batch) {
        let edges = &batch.edges;
        // a batch without edges may leave out the starts
        let starts = match edges.start.is_empty() {
            true => vec![0; batch.tokens() + 1],
            false => edges.start.clone(),
        };
        let receivers: Vec<u32> = starts
            .windows(2)
            .zip(0..)
            .flat_map(|(ends, token)| (ends[0]..ends[1]).map(move |_| token))
            .collect();
        self.part("FIRST_EDGES", starts);
        let senders = edges.sender.iter().zip(&edges.relation);
        let senders = senders.map(|(&s, &r)| s | u32::from(r) << SENDER_BITS);
        self.part("SENDERS", senders);
        let templates = edges.template.iter().map(|length| length.to_bits());
        self.part("TEMPLATES", templates);
        let senders = edges.sender.iter().map(|&sender| sender as usize);
        let (starts, order) = grouped(batch.tokens(), senders);
        self.part("FIRST_SENT", starts);
        let sent = order
            .iter()
            .flat_map(|&edge| [edge, receivers[edge as usize]]);
        self.part("SENT", sent);
    }

    /// Three-neighbour centres, and where in them each token is.
    fn centres(&mut self, batch: &Batch) {
        let seats = batch.centres.iter().flat_map(|centre| centre.tokens);
        let (starts, order) = grouped(batch.tokens(), seats.map(|token| token as usize));
        self.part("FIRST_MEMBERSHIPS", starts);
        self.part("MEMBERSHIPS", order);
        let centre = |centre: &Centre| -> [u32; CENTRE_WORDS] {
            let [a, b, c, d] = centre.tokens;
            [a, b, c, d, centre.height.to_bits(), centre.area.to_bits()]
        };
        self.part("CENTRES", batch.centres.iter().flat_map(centre));
    }
}

impl Words {
    /// Lays out a batch of less than [`MOST_TOKENS`] tokens.
    pub fn new(batch: &Batch, routes: Routes) -> Words {
        const {
            assert!(
                RELATIONS <= 1 << (32 - SENDER_BITS),
                "a relation class has the upper bits"
            );
        };
        let mut layout = Layout {
            words: vec![0; HEADER.len()],
        };
        layout.set("TOKENS", batch.tokens());
        layout.set("SYSTEMS", batch.systems());
        let first_tokens = batch.offsets.iter().map(|&first| first as u32);
        layout.part("FIRST_TOKENS", first_tokens);
        let systems = batch.system_of_tokens().map(|system| system as u32);
        layout.part("SYSTEMS_OF_TOKENS", systems);
        let kinds = batch.kinds.iter().flatten().map(|&kind| kind.into());
        layout.part("KINDS", kinds);
        layout.edges(batch);
        layout.centres(batch);
        let mut words = layout.words;
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
        let lengths = (0..batch.systems()).map(|system| batch.range(system).len());
        let direct = lengths.into_iter().any(|tokens| tokens <= routes.direct);
        Words {
            words,
            classes,
            direct,
        }
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
