//! `compare`: its measures against independent programs, known answers, awkward input, the report.

mod analysis;
mod analysis_page;
mod data;
mod faults;
mod inputs;
mod known_answers;
mod measures;
mod motions;
mod pipeline;
mod prefix;
mod report;
mod rollouts;
mod study;
