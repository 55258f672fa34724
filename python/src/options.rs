//! What Python hands over, as the session's typed options.

use mdsurrogate::forcefield::Histidine;
use mdsurrogate::session::{Backend, Completion, Cutoff, Dynamics, Replicas, Span};
use mdsurrogate::simulate::{Integrator, OnGuard};
use mdsurrogate::structure::ReadOptions;
use mdsurrogate::task::Method;
use mdsurrogate::units::{self, Dimension};
use mdsurrogate::{Error, Result};
use pyo3::prelude::*;

/// A quantity: text with its unit (`"160ps"`), or a number in the library's unit (ps, Å, K, 1/ps).
#[derive(FromPyObject)]
pub enum Quantity {
    Number(f64),
    Text(String),
}

impl Quantity {
    pub fn in_unit(&self, dimension: Dimension) -> Result<f64> {
        match self {
            Quantity::Number(number) if number.is_finite() && *number >= 0.0 => Ok(*number),
            Quantity::Number(number) => Err(Error::usage(
                format!("{number} is no such quantity"),
                "a number in the library's unit, or text with its unit",
            )),
            Quantity::Text(text) => units::parse(text, dimension),
        }
    }
}

/// A number of steps, or text with a time.
#[derive(FromPyObject)]
pub enum Stride {
    Steps(u64),
    Text(String),
}

impl Stride {
    pub fn span(&self, name: &str) -> Result<Span> {
        match self {
            Stride::Steps(steps) => Span::parse(name, &steps.to_string()),
            Stride::Text(text) => Span::parse(name, text),
        }
    }
}

/// The value of this name in a list of them.
pub fn named<T: Copy>(what: &str, name: &str, values: &[(&str, T)]) -> Result<T> {
    let found = values.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = values.iter().map(|(known, _)| *known).collect();
        Error::usage(format!("{what}: there is no `{name}`"), known.join(", "))
    })
}

pub fn completion(
    fix: bool,
    his: &str,
    chains: Option<Vec<String>>,
    model_number: Option<usize>,
) -> Result<Completion> {
    let forms = [
        ("hid", Histidine::Hid),
        ("hie", Histidine::Hie),
        ("hip", Histidine::Hip),
    ];
    Ok(Completion {
        read: ReadOptions {
            model_number,
            chains,
            ..ReadOptions::default()
        },
        fix,
        his: named("his", his, &forms)?,
    })
}

pub fn backend(name: &str) -> Result<Backend> {
    let all = [
        ("auto", Backend::Auto),
        ("gpu", Backend::Gpu),
        ("cpu", Backend::Cpu),
    ];
    named("backend", name, &all)
}

/// How far the corrector sees: a length, `"none"` for all pairs, or what suits the size.
pub fn cutoff(typed: Option<Quantity>) -> Result<Cutoff> {
    match typed {
        None => Ok(Cutoff::default()),
        Some(Quantity::Text(text)) if text == "none" => Ok(Cutoff::Off),
        Some(length) => Ok(Cutoff::At(length.in_unit(Dimension::Length)?)),
    }
}

pub fn method(name: Option<&str>) -> Result<Option<Method>> {
    let all = [
        ("euler", Method::Euler),
        ("heun", Method::Heun),
        ("multistep", Method::Multistep),
    ];
    name.map(|name| named("method", name, &all)).transpose()
}

/// How the forces of a model are integrated; none where nothing is said of it.
pub fn dynamics(
    ensemble: Option<&str>,
    temperature: Option<Quantity>,
    friction: Option<Quantity>,
    relaxation: Option<Quantity>,
    dt: Option<Quantity>,
) -> Result<Option<Dynamics>> {
    let quantities = [&temperature, &friction, &relaxation, &dt];
    if ensemble.is_none() && quantities.iter().all(|typed| typed.is_none()) {
        return Ok(None);
    }
    let or = |typed: Option<Quantity>, dimension, usual| {
        typed.map_or(Ok(usual), |quantity| quantity.in_unit(dimension))
    };
    let all = [
        (
            "langevin",
            Integrator::Langevin {
                friction: or(friction, Dimension::Rate, 1.0)?,
            },
        ),
        (
            "csvr",
            Integrator::Csvr {
                relaxation: or(relaxation, Dimension::Time, 1.0)?,
            },
        ),
        ("nve", Integrator::VelocityVerlet),
    ];
    let default = Dynamics::default();
    Ok(Some(Dynamics {
        integrator: named("ensemble", ensemble.unwrap_or("langevin"), &all)?,
        time_step: or(dt, Dimension::Time, default.time_step)?,
        temperature: or(temperature, Dimension::Temperature, default.temperature)?,
    }))
}

pub fn guard(name: Option<&str>) -> Result<Option<OnGuard>> {
    let all = [
        ("abort", OnGuard::Abort),
        ("rollback", OnGuard::Rollback),
        ("redraw", OnGuard::Redraw),
        ("warn", OnGuard::Warn),
    ];
    name.map(|name| named("guard", name, &all)).transpose()
}

pub fn replicas(count: u64, only: Option<u64>) -> Result<Replicas> {
    match only {
        Some(replica) => Ok(Replicas::Only(replica)),
        None if count == 0 => Err(Error::usage("replicas: none is no run", "1 or more")),
        None => Ok(Replicas::Together(count)),
    }
}
