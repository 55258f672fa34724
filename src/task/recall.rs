//! `recall`: geometric associative recall (Moskalev et al., "SE(3)-Hyena operator for scalable
//! equivariant learning", GRaM workshop at ICML 2024, section 4), a test of long contexts, no task
//! of molecules: no stepper runs it and no file of weights holds it, so that it is no variant of
//! [`super::Task`].
//!
//! A *word* is a pair of vectors, key and value, of isotropic directions and of lengths drawn
//! evenly from 1 to V, the number of words of a vocabulary. A sequence of N tokens is made of words
//! drawn from the vocabulary, each its two vectors one behind the other; in the last word, whose
//! key occurred before, zero stands for the value. That value is asked for. It turns with the
//! sequence.
//!
//! Who answers zero has a mean squared error of (1 + V + V²)/9: 7/3 for V = 4.

use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal, UnitSphere};
use serde::{Deserialize, Serialize};

use crate::network::{Answer, Given, Inputs, Interface};
use crate::ops::Batch;
use crate::{Error, Result};

/// Key and value.
pub type Word = [Vector3<f64>; 2];

/// Sizes of the task `recall`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Tokens N of a sequence, an even number.
    pub tokens: usize,
    /// Words V of a vocabulary.
    pub words: usize,
    /// Whether all sequences are of one vocabulary, each turned at random; else each is of its own.
    pub fixed: bool,
}

/// A sequence and what is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The vectors of the tokens.
    pub sequence: Vec<Vector3<f64>>,
    /// The right answer.
    pub answer: Vector3<f64>,
}

impl Recall {
    /// Refuses numbers that cannot be.
    ///
    /// # Errors
    /// [`Error::Usage`] naming what is allowed.
    pub fn check(&self) -> Result<()> {
        if self.tokens >= 4 && self.tokens.is_multiple_of(2) && self.words >= 1 {
            return Ok(());
        }
        Err(Error::usage(
            format!(
                "recall: {} tokens and {} words cannot be",
                self.tokens, self.words
            ),
            "use an even number of tokens, 4 or more, and a word or more",
        ))
    }

    /// What it hands to a network and wants of it.
    pub fn interface() -> Interface {
        Interface {
            given: vec![
                Given::Candidate,
                Given::Condition,
                Given::Velocity,
                Given::Place,
            ],
            conditioning: 0,
            answer: Answer::Vector,
        }
    }

    /// The mean squared error of who answers zero.
    pub fn error_of_zero(&self) -> f64 {
        let v = self.words as f64;
        (1.0 + v + v * v) / 9.0
    }

    /// A vocabulary.
    pub fn vocabulary(&self, rng: &mut impl Rng) -> Vec<Word> {
        let mut vector = || {
            let direction: [f64; 3] = UnitSphere.sample(rng);
            let length = rng.random_range(1.0..=self.words.max(1) as f64);
            length * Vector3::from(direction)
        };
        (0..self.words).map(|_| [vector(), vector()]).collect()
    }

    /// A question of this vocabulary, turned at random where all share it.
    ///
    /// # Panics
    /// Where the vocabulary is empty.
    pub fn question(&self, vocabulary: &[Word], rng: &mut impl Rng) -> Question {
        let words = self.tokens / 2 - 1;
        let drawn: Vec<Word> = (0..words)
            .map(|_| vocabulary[rng.random_range(0..vocabulary.len())])
            .collect();
        let [key, value] = drawn[rng.random_range(0..words)];
        let mut sequence = drawn.concat();
        sequence.extend([key, Vector3::zeros()]);
        if !self.fixed {
            return Question {
                sequence,
                answer: value,
            };
        }
        let normals: [f64; 4] = std::array::from_fn(|_| rng.sample(StandardNormal));
        let turn = UnitQuaternion::from_quaternion(Quaternion::from(normals));
        Question {
            sequence: sequence.iter().map(|x| turn * x).collect(),
            answer: turn * value,
        }
    }

    /// One call of a network. A token's neighbours are those next to it in the sequence, half of
    /// `neighbours` to either side; vectors stand for positions too, from no centroid.
    pub fn inputs(neighbours: usize, questions: &[Question]) -> Inputs {
        let mut batch = Batch {
            offsets: vec![0],
            centre_offsets: vec![0; questions.len() + 1],
            scale: vec![1.0; questions.len()],
            ..Batch::default()
        };
        batch.edges.start.push(0);
        let mut vectors = Vec::new();
        for question in questions {
            add_chain(&mut batch, question.sequence.len(), neighbours / 2);
            let numbers = question.sequence.iter().flat_map(|v| [v.x, v.y, v.z]);
            vectors.extend(numbers);
        }
        let given = Recall::interface().given.into_iter();
        Inputs {
            batch,
            centroids: vec![Vector3::zeros(); questions.len()],
            given: given.map(|given| (given, vectors.clone())).collect(),
        }
    }

    /// The answers, one a system, out of the numbers of a network's answer.
    pub fn answers(batch: &Batch, answer: &[f64]) -> Vec<Vector3<f64>> {
        let of_system = |system| {
            let range = batch.range(system);
            let rows = answer[3 * range.start..3 * range.end].chunks_exact(3);
            rows.map(Vector3::from_column_slice).sum::<Vector3<f64>>() / range.len() as f64
        };
        (0..batch.systems()).map(of_system).collect()
    }

    /// The squared error of each answer, its mean over the coordinates, and the gradient of their
    /// sum by the numbers of the network's answer.
    pub fn losses(
        batch: &Batch,
        questions: &[Question],
        answers: &[Vector3<f64>],
    ) -> (Vec<f64>, Vec<f64>) {
        let mut losses = Vec::with_capacity(questions.len());
        let mut gradient = Vec::with_capacity(3 * batch.tokens());
        for (system, (question, answer)) in questions.iter().zip(answers).enumerate() {
            let error = answer - question.answer;
            losses.push(error.norm_squared() / 3.0);
            let tokens = batch.range(system).len();
            let share = 2.0 / 3.0 * error / tokens as f64;
            gradient.extend(std::iter::repeat_n(share.as_slice(), tokens).flatten());
        }
        (losses, gradient)
    }
}

/// Appends a system whose tokens receive from those up to `reach` before and behind them.
fn add_chain(batch: &mut Batch, tokens: usize, reach: usize) {
    let first = batch.tokens();
    for token in 0..tokens {
        batch.kinds.push([0; 3]);
        let seen = token.saturating_sub(reach)..tokens.min(token + reach + 1);
        for sender in seen.filter(|&sender| sender != token) {
            let offset = (sender as isize - token as isize).clamp(-2, 2);
            batch.edges.sender.push((first + sender) as u32);
            batch.edges.relation.push((offset + 2) as u8);
            batch.edges.template.push(0.0);
        }
        batch.edges.start.push(batch.edges.sender.len() as u32);
    }
    batch.offsets.push(first + tokens);
}
