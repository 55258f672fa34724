//! `analyze` and `compare` as Python sees them: numbers as text and arrays, pages as files.

use std::path::{Path, PathBuf};

use mdsurrogate::compare::analysis;
use mdsurrogate::compare::report::{refuse_existing_analysis, refuse_existing_report};
use mdsurrogate::compare::source::Inputs;
use mdsurrogate::session::analyze::{self, AnalyzeOptions, Analyzed, Skip};
use mdsurrogate::session::compare::{self, CompareOptions};
use mdsurrogate::units::Dimension;
use mdsurrogate::{Error, Result};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::raise;
use crate::options::Quantity;

/// What the pages say that they were made by.
const COMMAND: &str = "Python";

/// A quantity above 0, as this argument.
fn above_zero(
    name: &str,
    quantity: Option<&Quantity>,
    dimension: Dimension,
) -> Result<Option<f64>> {
    let Some(quantity) = quantity else {
        return Ok(None);
    };
    let value = quantity.in_unit(dimension)?;
    if value <= 0.0 {
        let what = format!("{name}: {value} is none");
        return Err(Error::usage(what, "a value above 0, or leave it out"));
    }
    Ok(Some(value))
}

/// A stride as it may be.
fn at_least_one(stride: usize) -> Result<usize> {
    if stride == 0 {
        return Err(Error::usage("stride: 0 is no stride", "1 or more"));
    }
    Ok(stride)
}

/// Numbers of an analysis: `metrics` as JSON, an array a frame of each of `values`, and `files`.
#[pyfunction]
#[pyo3(signature = (
    run, top, skip, stride, time_step, lag, cutoff, report, overwrite, viewer,
))]
#[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
pub fn analyze_run<'py>(
    py: Python<'py>,
    run: Vec<PathBuf>,
    top: Option<PathBuf>,
    skip: &str,
    stride: usize,
    time_step: Option<Quantity>,
    lag: Option<Quantity>,
    cutoff: Option<Quantity>,
    report: Option<PathBuf>,
    overwrite: bool,
    viewer: Option<PathBuf>,
) -> PyResult<Bound<'py, PyDict>> {
    let typed = || {
        Ok(AnalyzeOptions {
            run,
            top,
            skip: Skip::parse(skip)?,
            stride: at_least_one(stride)?,
            time_step: above_zero("time_step", time_step.as_ref(), Dimension::Time)?,
            measures: analysis::Options {
                lag: above_zero("lag", lag.as_ref(), Dimension::Time)?,
                cutoff: above_zero("cutoff", cutoff.as_ref(), Dimension::Length)?,
            },
            viewer,
            ..AnalyzeOptions::default()
        })
    };
    let options = typed().map_err(|error| raise(py, error))?;
    let work = || {
        if let Some(folder) = &report {
            refuse_existing_analysis(folder, overwrite)?;
        }
        let run = options.open()?;
        let analyzed = analyze::analyze(&options, &run, &|_| ())?;
        let page = analyzed.report(COMMAND.to_owned());
        let files = match &report {
            Some(folder) => page.write(folder)?,
            None => Vec::new(),
        };
        let metrics = page.metrics().to_string();
        Ok((analyzed, metrics, files))
    };
    let (analyzed, metrics, files) = py.detach(work).map_err(|error| raise(py, error))?;
    let found = PyDict::new(py);
    found.set_item("metrics", metrics)?;
    found.set_item("values", values(py, &analyzed)?)?;
    found.set_item("files", files)?;
    Ok(found)
}

/// An array of every quantity, frame by frame, with trajectory (from 0), time and cluster.
fn values<'py>(py: Python<'py>, analyzed: &Analyzed) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(py);
    let analysis = &analyzed.analysis;
    for quantity in &analysis.quantities {
        let array = PyArray1::from_slice(py, &quantity.values);
        found.set_item(quantity.meaning.name, array)?;
    }
    let tracks = &analysis.tracks;
    let times: Vec<f64> = tracks
        .iter()
        .flat_map(|track| track.times.clone())
        .collect();
    let mut trajectories: Vec<i64> = Vec::new();
    for track in tracks {
        trajectories.extend(track.rows.iter().map(|_| track.trajectory as i64));
    }
    let cluster = |cluster: &Option<usize>| cluster.map_or(-1, |cluster| cluster as i64);
    let clusters: Vec<i64> = analysis.clusters.assigned.iter().map(cluster).collect();
    found.set_item("time", PyArray1::from_vec(py, times))?;
    found.set_item("trajectory", PyArray1::from_vec(py, trajectories))?;
    found.set_item("cluster", PyArray1::from_vec(py, clusters))?;
    Ok(found)
}

/// Measures of a comparison as JSON, and the files of its page.
#[pyfunction]
#[pyo3(signature = (
    run, reference, top, reference_top, time_step, reference_time_step, lag, report, overwrite,
    viewer,
))]
#[expect(clippy::too_many_arguments, reason = "Python's keyword arguments")]
pub fn compare_runs(
    py: Python<'_>,
    run: Vec<PathBuf>,
    reference: Vec<PathBuf>,
    top: Option<PathBuf>,
    reference_top: Option<PathBuf>,
    time_step: Option<Quantity>,
    reference_time_step: Option<Quantity>,
    lag: Option<Quantity>,
    report: Option<PathBuf>,
    overwrite: bool,
    viewer: Option<PathBuf>,
) -> PyResult<(String, Vec<PathBuf>)> {
    let typed = || {
        Ok(CompareOptions {
            inputs: Inputs {
                run,
                reference,
                run_top: top,
                reference_top,
                run_is_start: false,
            },
            time_step: above_zero("time_step", time_step.as_ref(), Dimension::Time)?,
            reference_time_step: above_zero(
                "reference_time_step",
                reference_time_step.as_ref(),
                Dimension::Time,
            )?,
            lag: above_zero("lag", lag.as_ref(), Dimension::Time)?,
            viewer,
            ..CompareOptions::default()
        })
    };
    let options = typed().map_err(|error| raise(py, error))?;
    let work = || measured(&options, report.as_deref(), overwrite);
    py.detach(work).map_err(|error| raise(py, error))
}

fn measured(
    options: &CompareOptions,
    report: Option<&Path>,
    overwrite: bool,
) -> Result<(String, Vec<PathBuf>)> {
    if let Some(folder) = report {
        refuse_existing_report(folder, overwrite)?;
    }
    let sides = options.open()?;
    let compared = compare::compare(options, &sides, &|_| ())?;
    let page = compared.report(COMMAND.to_owned());
    let files = match report {
        Some(folder) => page.write(folder)?,
        None => Vec::new(),
    };
    Ok((page.metrics().to_string(), files))
}
