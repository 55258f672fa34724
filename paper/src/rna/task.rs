//! `rna` as a problem: numbers of every nucleotide out of an idealised structure, or out of the
//! sequence alone.

use clap::ValueEnum;
use mdsurrogate::network::{Answer, Given, Inputs, Interface, PLACE, TOLD, Tokens, Vocabulary};
use mdsurrogate::train::random::{Purpose, generator};
use mdsurrogate::{Error, Result};
use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::data::{Data, FOLDS, Measured, RNA};
use crate::training::{HeldOut, Judged, Problem};

/// What of an RNA a network sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// P, C4' and N of every nucleotide, where they are in the idealised structure
    Backbone,
    /// A token a nucleotide, no coordinates: base and kind of loop alone
    Sequence,
}

/// Numbers of every nucleotide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rna {
    /// Hash of the data.
    pub data: String,
    /// What was measured.
    pub columns: Vec<String>,
    /// The fold that is tested on; the next one is validated on, and the others are trained on.
    pub fold: usize,
    /// What the network sees.
    pub view: View,
}

/// An RNA by its number, and how it is turned.
pub struct Turned {
    number: usize,
    turn: UnitQuaternion<f64>,
}

impl Turned {
    /// One of these, turned at random.
    fn new(number: usize, rng: &mut ChaCha8Rng) -> Turned {
        // uniform: a quaternion of four normal numbers, each by Box and Muller's formula
        let mut normal = || {
            let (a, b): (f64, f64) = (rng.random(), rng.random());
            (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
        };
        let numbers: [f64; 4] = std::array::from_fn(|_| normal());
        let turn = UnitQuaternion::from_quaternion(Quaternion::from(numbers));
        Turned { number, turn }
    }
}

impl Rna {
    /// What fold it trains on, validates on, tests on.
    pub fn is_trained_on(&self, fold: usize) -> bool {
        fold != self.fold && fold != self.validated_on()
    }

    /// The fold that weights are chosen by.
    pub fn validated_on(&self) -> usize {
        (self.fold + 1) % FOLDS
    }

    fn tokens_of<'a>(&self, measured: &'a Measured) -> &'a Tokens {
        match self.view {
            View::Backbone => &measured.backbone,
            View::Sequence => &measured.sequence,
        }
    }

    /// Tokens of a nucleotide.
    fn width(&self) -> usize {
        match self.view {
            View::Backbone => 3,
            View::Sequence => 1,
        }
    }
}

impl Problem for Rna {
    const NAME: &'static str = "rna";
    type Data = Data;
    type Sample = Turned;

    fn check(&self) -> Result<()> {
        if self.fold < FOLDS {
            return Ok(());
        }
        Err(Error::usage(
            format!("there is no fold {}", self.fold),
            format!("use folds from 0 to {}", FOLDS - 1),
        ))
    }

    fn describe(&self) -> String {
        format!("{}, fold {}", self.kind(), self.fold)
    }

    fn kind(&self) -> String {
        match self.view {
            View::Backbone => "backbone".to_owned(),
            View::Sequence => "sequence alone".to_owned(),
        }
    }

    fn interface(&self) -> Interface {
        Interface::of_moving_tokens(TOLD, Answer::Scalars(self.columns.len()))
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &RNA
    }

    fn tokens(&self, data: &Data) -> usize {
        self.tokens_of(&data.all[0]).len()
    }

    fn epoch(&self, data: &Data) -> u64 {
        data.of_folds(|fold| self.is_trained_on(fold)).len().max(1) as u64
    }

    fn sample(&self, data: &Data, seed: u64, update: u64, number: u64) -> Turned {
        let all = data.of_folds(|fold| self.is_trained_on(fold));
        let mut rng = generator(seed, Purpose::Training, update, number);
        Turned::new(all[rng.random_range(0..all.len())], &mut rng)
    }

    fn held_out(&self, data: &Data, seed: u64, set: HeldOut) -> Vec<Turned> {
        let wanted = match set {
            HeldOut::Validation => self.validated_on(),
            HeldOut::Test => self.fold,
        };
        let turned = |number| {
            let mut rng = generator(seed, Purpose::Validation, set as u64, number as u64);
            Turned::new(number, &mut rng)
        };
        let all = data.of_folds(|fold| fold == wanted).into_iter();
        all.map(turned).collect()
    }

    fn inputs(&self, data: &Data, neighbours: usize, samples: &[Turned]) -> Inputs {
        let nowhere: Vec<Vec<Vector3<f64>>> = samples
            .iter()
            .map(|sample| vec![Vector3::zeros(); data.all[sample.number].letters.len()])
            .collect();
        let systems = samples.iter().zip(&nowhere).map(|(sample, nowhere)| {
            let measured = &data.all[sample.number];
            let positions = match self.view {
                View::Backbone => &measured.positions,
                View::Sequence => nowhere,
            };
            (self.tokens_of(measured), positions.as_slice())
        });
        // neighbours are those before the turn: in structures that are all symmetry many are
        // equally near, and rounding would choose among them anew
        let mut inputs = Inputs::at(&self.interface(), neighbours, systems);
        // RNA of a hundred nucleotides is some times as large as what PLACE was chosen for
        let units = [
            (Given::Candidate, 1.0),
            (Given::Condition, 1.0),
            (Given::Place, PLACE / SIZE),
        ];
        for (given, unit) in units {
            for (system, sample) in samples.iter().enumerate() {
                let range = inputs.batch.range(system);
                let rows = inputs[given][3 * range.start..3 * range.end].chunks_exact_mut(3);
                for row in rows {
                    let turned = sample.turn * (unit * Vector3::from_column_slice(row));
                    row.copy_from_slice(turned.as_slice());
                }
            }
        }
        inputs
    }

    fn judge(&self, data: &Data, _: &Inputs, samples: &[Turned], answer: &[f64]) -> Judged {
        let (columns, width) = (self.columns.len(), self.width());
        let mut squares = Vec::with_capacity(samples.len());
        let mut gradient = Vec::with_capacity(answer.len());
        let mut rows = answer.chunks_exact(columns * width);
        for sample in samples {
            let targets = &data.all[sample.number].targets;
            let mut own = vec![[0.0, 0.0]; columns];
            let first = gradient.len();
            for target in targets {
                // a nucleotide's answer is the mean over its tokens
                let row = rows.next().unwrap_or_default();
                let mut d = vec![0.0; columns];
                for (column, &wanted) in target.iter().enumerate() {
                    if wanted.is_finite() {
                        let each = row.iter().skip(column).step_by(columns);
                        let error = each.sum::<f64>() / width as f64 - wanted;
                        own[column][0] += error * error;
                        own[column][1] += 1.0;
                        d[column] = 2.0 * error / width as f64;
                    }
                }
                (0..width).for_each(|_| gradient.extend_from_slice(&d));
            }
            let count = own.iter().map(|column| column[1]).sum::<f64>().max(1.0);
            gradient[first..].iter_mut().for_each(|d| *d /= count);
            squares.push(own);
        }
        Judged { squares, gradient }
    }
}

/// Unit of what networks see as the first vectors, Å.
const SIZE: f64 = 40.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Model;
    use mdsurrogate::engine::Cpu;
    use mdsurrogate::network::Network;
    use std::path::Path;

    fn small() -> Data {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        Data::load(&folder.join("openvaccine_small.jsonl.gz"), None).unwrap()
    }

    fn rna(data: &Data, view: View) -> Rna {
        Rna {
            data: data.hash.clone(),
            columns: data.columns.clone(),
            fold: 2,
            view,
        }
    }

    #[test]
    fn folds_share_nothing() {
        let data = small();
        let task = rna(&data, View::Sequence);
        let numbers = |set| -> Vec<usize> {
            let all = task.held_out(&data, 1, set).into_iter();
            all.map(|sample| sample.number).collect()
        };
        let [test, validation] = [HeldOut::Test, HeldOut::Validation].map(numbers);
        assert_eq!(
            (test.len(), validation.len(), task.epoch(&data)),
            (4, 4, 12)
        );
        for number in 0..200 {
            let drawn = task.sample(&data, 1, 0, number).number;
            assert!(!test.contains(&drawn) && !validation.contains(&drawn));
        }
        assert!(test.iter().all(|number| !validation.contains(number)));
    }

    /// The gradient of the loss is that of the squares, through the mean over a nucleotide's
    /// tokens and where nothing was measured.
    #[test]
    fn errors_have_their_gradient() {
        let data = small();
        let task = rna(&data, View::Backbone);
        let samples = [task.sample(&data, 1, 0, 0), task.sample(&data, 1, 0, 1)];
        let inputs = task.inputs(&data, 8, &samples);
        let answer: Vec<f64> = (0..3 * 642).map(|k| (k as f64).sin()).collect();
        let loss = |answer: &[f64]| -> f64 {
            let judged = task.judge(&data, &inputs, &samples, answer);
            let means = judged.squares.iter().map(|own| {
                let sum = |of: usize| own.iter().map(|column| column[of]).sum::<f64>();
                assert_eq!(sum(1), 3.0 * 68.0);
                sum(0) / sum(1)
            });
            means.sum()
        };
        let judged = task.judge(&data, &inputs, &samples, &answer);
        let direction: Vec<f64> = (0..answer.len()).map(|k| (0.7 * k as f64).cos()).collect();
        let moved = |h: f64| -> Vec<f64> {
            let pairs = answer.iter().zip(&direction);
            pairs.map(|(a, d)| a + h * d).collect()
        };
        let numeric = (loss(&moved(1e-3)) - loss(&moved(-1e-3))) / 2e-3;
        let pairs = judged.gradient.iter().zip(&direction);
        let analytic: f64 = pairs.map(|(g, d)| g * d).sum();
        assert!((numeric - analytic).abs() <= 1e-9, "{numeric} {analytic}");
    }

    /// What turning an RNA does to the answers about it.
    #[test]
    fn equivariant_networks_do_not_see_how_an_rna_is_turned() {
        let data = small();
        let task = rna(&data, View::Backbone);
        let like = crate::rna::g_hyena();
        for model in Model::ARCHITECTURES {
            let interface = task.interface();
            let architecture = model.for_molecules(&like, &interface, &RNA).unwrap();
            let program = architecture.build(&interface, &RNA);
            let neighbours = program.neighbours;
            let network = Network::initial(program, Cpu::<f64>::new(), 1).unwrap();
            let answer = |draw| {
                let mut rng = generator(1, Purpose::Training, 0, draw);
                let turned = Turned::new(3, &mut rng);
                network
                    .answer(&task.inputs(&data, neighbours, &[turned]))
                    .unwrap()
            };
            let [one, other] = [1, 2].map(answer);
            let change = one.iter().zip(&other).map(|(a, b)| (a - b).abs());
            let change = change.fold(0.0, f64::max);
            println!("{}: {change:.1e}", model.title());
            let is_plain = matches!(model, Model::Transformer | Model::Hyena);
            assert_eq!(change <= 1e-9, !is_plain, "{}: {change:e}", model.title());
        }
    }
}
