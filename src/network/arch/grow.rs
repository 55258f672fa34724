//! How weights of one network become those of a larger one that gives the same answers.

use serde_json::Value;

use super::Architecture;
use crate::network::program::{Interface, Program};
use crate::network::vocabulary::Vocabulary;
use crate::ops::ParamShape;

/// The only key that may differ: finer splines are a refinement of coarser ones.
const RADIAL: &str = "radial";

impl Architecture {
    /// The first key in which this differs from `old` such that weights cannot be taken over, and
    /// what `old` has there.
    pub fn contradiction(&self, old: &Architecture) -> Option<(String, Value)> {
        let [new, old] = [self, old].map(|architecture| serde_json::to_value(architecture).ok());
        let new = new?;
        let old = old?;
        let differs = |(key, value): &(&String, &Value)| {
            let other = &old[key.as_str()];
            let finer = || halvings(other.as_u64()? as usize, value.as_u64()? as usize);
            other != *value && !(key.as_str() == RADIAL && finer().is_some())
        };
        let (key, _) = new.as_object()?.iter().find(differs)?;
        Some((key.clone(), old[key.as_str()].clone()))
    }

    /// The weights of `old`, a network of the same architecture, for this one: with them it gives
    /// the answers that the old one gives. What it is told beyond the old one (lag times, a fold)
    /// has no weight to begin with; where its radial splines are finer, they sum up to the same
    /// functions.
    ///
    /// # Panics
    /// Where [`Architecture::contradiction`] finds one.
    pub fn grow(
        &self,
        interface: &Interface,
        vocabulary: &Vocabulary,
        old: &Program,
        values: &[f64],
    ) -> Vec<f64> {
        let mut rest = values;
        let old: Vec<(&str, [usize; 2], &[f64])> = old
            .params
            .iter()
            .map(|(name, shape)| {
                let (own, others) = rest.split_at(shape.size[0] * shape.size[1]);
                rest = others;
                (name.as_str(), shape.size, own)
            })
            .collect();
        let mut grown = Vec::new();
        for (name, shape) in &self.build(interface, vocabulary).params {
            let known = old.iter().find(|(other, ..)| other == name);
            grown.extend(parameter(
                name,
                shape,
                known.map(|&(_, size, own)| (size, own)),
            ));
        }
        grown
    }
}

/// The new values of one parameter.
fn parameter(name: &str, shape: &ParamShape, old: Option<([usize; 2], &[f64])>) -> Vec<f64> {
    let [rows, width] = shape.size;
    let Some(([old_rows, old_width], own)) = old else {
        // a further input that the old network did not have
        return vec![0.0; rows * width];
    };
    assert_eq!(old_width, width, "{name}: columns");
    let is_radial = name.ends_with(".radial") || name.ends_with(".radial_condition");
    let mut values = own.to_vec();
    if is_radial {
        let times = halvings(old_rows, rows);
        for _ in 0..times.unwrap_or_else(|| panic!("{name}: {old_rows} splines to {rows}")) {
            values = refined(&values, width);
        }
    }
    assert!(values.len() <= rows * width, "{name}: rows");
    values.resize(rows * width, 0.0);
    values
}

/// How often the spacing of `from` radial splines is halved to give `to`; none where that does not
/// give it.
fn halvings(from: usize, to: usize) -> Option<u32> {
    (0..8).find(|&times| from.checked_sub(1).map(|spaces| spaces << times) == to.checked_sub(1))
}

/// The coefficients of a function of cubic B-splines on a grid of half the spacing (two-scale
/// relation: B is the sum of five B-splines of half the width, (1, 4, 6, 4, 1)/8). Rows of `width`,
/// a row a spline; the last stands for all further ones (see `ops::message`).
fn refined(rows: &[f64], width: usize) -> Vec<f64> {
    const SHARES: [f64; 5] = [0.125, 0.5, 0.75, 0.5, 0.125];
    let count = rows.len() / width;
    let row = |spline: usize| &rows[spline.min(count - 1) * width..][..width];
    let mut fine = vec![0.0; (2 * count - 1) * width];
    for (index, to) in fine.chunks_exact_mut(width).enumerate() {
        // spline k is made of the fine ones 2k − 3 … 2k + 1
        for (i, share) in SHARES.iter().enumerate() {
            let Some(k) = (index + 3).checked_sub(i).filter(|k| k % 2 == 0) else {
                continue;
            };
            for (to, from) in to.iter_mut().zip(row(k / 2)) {
                *to += share * from;
            }
        }
    }
    fine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finer_splines_differ_without_contradiction() {
        assert_eq!(
            [(14, 14), (14, 53), (14, 28), (27, 14), (0, 0)].map(|(from, to)| halvings(from, to)),
            [Some(0), Some(2), None, None, Some(0)]
        );
        let with = |text: &str| -> Architecture { serde_json::from_str(text).unwrap() };
        let old = with("{}");
        assert_eq!(with(r#"{"radial": 27}"#).contradiction(&old), None);
        let found = with(r#"{"radial": 28}"#).contradiction(&old);
        assert_eq!(found, Some(("radial".into(), 14.into())));
        let found = with(r#"{"architecture": "egnn"}"#).contradiction(&old);
        assert_eq!(found, Some(("architecture".into(), "g-hyena".into())));
    }
}
