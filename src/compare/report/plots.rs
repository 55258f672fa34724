//! Charts as SVG text, drawn by plotters in colours that the page's style sheet replaces: one
//! drawing, light and dark.

use plotters::prelude::*;

/// Who or what a mark stands for. The style sheet finds marks by the colour of their tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The run.
    Run,
    /// The reference.
    Reference,
    /// The floor, and guides for the eye.
    Guide,
}

impl Tone {
    /// The colour that stands for the tone until the style sheet replaces it.
    pub fn color(self) -> RGBColor {
        match self {
            Tone::Run => RGBColor(0xD0, 0x50, 0x01),
            Tone::Reference => RGBColor(0x01, 0x60, 0xB0),
            Tone::Guide => RGBColor(0x80, 0x80, 0x81),
        }
    }
}

/// Axes and text.
const INK: RGBColor = RGBColor(0x10, 0x10, 0x11);
/// Lines of the mesh.
const MESH: RGBColor = RGBColor(0xC0, 0xC0, 0xC1);

/// One kind of mark of a chart.
#[derive(Debug, Clone)]
pub enum Mark {
    /// A line through points; it is interrupted where a value is no number.
    Line(Tone, Vec<(f64, f64)>),
    /// A thin, pale line.
    Thread(Tone, Vec<(f64, f64)>),
    /// Dots, of this opacity.
    Dots(Tone, f64, Vec<(f64, f64)>),
    /// Rectangles from one corner to the other, each with its opacity.
    Cells(Tone, Vec<[f64; 5]>),
}

/// An axis: its words and its ends; by default the ends of what is drawn.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// Ends, where they are given.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// An axis that ends where the marks do.
    pub fn fitted(label: impl Into<String>) -> Self {
        Axis {
            label: label.into(),
            range: None,
        }
    }
    /// An axis with given ends.
    pub fn fixed(label: impl Into<String>, range: (f64, f64)) -> Self {
        Axis {
            label: label.into(),
            range: Some(range),
        }
    }
}

/// Drawn at twice the size that it is shown at, since plotters rounds places to whole pixels.
const SIZE: (u32, u32) = (760, 572);
const MARGIN: u32 = 12;
/// Half of the uppermost label stands in it.
const MARGIN_TOP: u32 = 24;
const MARGIN_RIGHT: u32 = 34;
const X_LABELS: u32 = 86;
const Y_LABELS: u32 = 122;

/// Width over height of what lies between the axes: both axes of a drawing in space span lengths of
/// this ratio.
pub const ASPECT: f64 = (SIZE.0 - MARGIN - MARGIN_RIGHT - Y_LABELS) as f64
    / (SIZE.1 - MARGIN - MARGIN_TOP - X_LABELS) as f64;

/// Draws marks between two axes. Nothing where no mark has a finite place.
pub fn chart(x: &Axis, y: &Axis, marks: &[Mark]) -> Option<String> {
    let places: Vec<(f64, f64)> = marks
        .iter()
        .flat_map(Mark::places)
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    if places.is_empty() {
        return None;
    }
    let ends = |axis: &Axis, values: &dyn Fn(&(f64, f64)) -> f64| {
        let (low, high) = axis.range.unwrap_or_else(|| {
            places
                .iter()
                .map(values)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                })
        });
        let margin = if axis.range.is_some() {
            0.0
        } else {
            0.04 * (high - low)
        };
        // an axis needs two different ends
        if high - low > 1e-12 * high.abs().max(1e-12) {
            (low - margin, high + margin)
        } else {
            (low - 0.5, high + 0.5)
        }
    };
    let mut text = String::new();
    let drawn = draw(
        &mut text,
        [x, y],
        [ends(x, &|place| place.0), ends(y, &|place| place.1)],
        marks,
    );
    drawn.expect("drawing into memory cannot fail");
    // Inside a page the namespace is known; the page names no address at all.
    Some(text.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", " role=\"img\"", 1))
}

impl Mark {
    fn places(&self) -> Vec<(f64, f64)> {
        match self {
            Mark::Line(_, points) | Mark::Thread(_, points) | Mark::Dots(_, _, points) => {
                points.clone()
            }
            Mark::Cells(_, cells) => cells
                .iter()
                .flat_map(|cell| [(cell[0], cell[1]), (cell[2], cell[3])])
                .collect(),
        }
    }
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

fn draw(
    text: &mut String,
    axes: [&Axis; 2],
    [(left, right), (low, high)]: [(f64, f64); 2],
    marks: &[Mark],
) -> Drawn {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(MARGIN)
        .margin_top(MARGIN_TOP)
        .margin_right(MARGIN_RIGHT)
        .x_label_area_size(X_LABELS)
        .y_label_area_size(Y_LABELS)
        .build_cartesian_2d(left..right, low..high)?;
    let words = ("sans-serif", 34).into_font().color(&INK);
    let (x_tick, y_tick) = (tick(right - left), tick(high - low));
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(MESH.mix(0.6))
        .axis_style(INK)
        .x_labels(5)
        .y_labels(6)
        .x_desc(&axes[0].label)
        .y_desc(&axes[1].label)
        .label_style(words.clone())
        .axis_desc_style(words)
        .x_label_formatter(&|value| short(*value, x_tick))
        .y_label_formatter(&|value| short(*value, y_tick))
        .draw()?;
    for mark in marks {
        match mark {
            Mark::Line(tone, points) | Mark::Thread(tone, points) => {
                // The reference is drawn first, broad and pale, so that the run can be seen on it
                // where both are the same, in grey too.
                let (width, opacity) = match (mark, tone) {
                    (Mark::Thread(..), _) => (2, 0.6),
                    (_, Tone::Guide) => (2, 1.0),
                    (_, Tone::Reference) => (9, 0.5),
                    (_, Tone::Run) => (3, 1.0),
                };
                let style = tone.color().mix(opacity).stroke_width(width);
                for piece in points
                    .split(|(x, y)| !x.is_finite() || !y.is_finite())
                    .filter(|piece| piece.len() > 1)
                {
                    chart.draw_series(LineSeries::new(piece.iter().copied(), style))?;
                }
            }
            Mark::Dots(tone, opacity, points) => {
                let finite = points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite());
                chart.draw_series(
                    finite.map(|&place| Circle::new(place, 5, tone.color().mix(*opacity).filled())),
                )?;
            }
            Mark::Cells(tone, cells) => {
                let cell = |&[x0, y0, x1, y1, opacity]: &[f64; 5]| {
                    Rectangle::new([(x0, y0), (x1, y1)], tone.color().mix(opacity).filled())
                };
                chart.draw_series(cells.iter().filter(|cell| cell[4] > 0.004).map(cell))?;
            }
        }
    }
    root.present()
}

/// Digits behind the point that tell six ticks of this span apart.
fn tick(span: f64) -> usize {
    (1.0 - (span / 6.0).log10().floor()).clamp(0.0, 6.0) as usize
}

fn short(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    if text == "-0" {
        "0".to_owned()
    } else {
        text.replace('-', "−")
    }
}

/// The cells of a map of counts over two axes (first slowest), as opaque as `opacity` says of the
/// share of the fullest cell.
pub fn cells(
    tone: Tone,
    counts: &[f64],
    ranges: [(f64, f64); 2],
    opacity: impl Fn(f64) -> f64,
) -> Mark {
    let bins = (counts.len() as f64).sqrt().round() as usize;
    let most = counts.iter().copied().fold(0.0, f64::max);
    let edge = |axis: usize, bin: usize| {
        ranges[axis].0 + (ranges[axis].1 - ranges[axis].0) * bin as f64 / bins as f64
    };
    let cell = |(index, &count): (usize, &f64)| {
        let (i, j) = (index / bins, index % bins);
        [
            edge(0, i),
            edge(1, j),
            edge(0, i + 1),
            edge(1, j + 1),
            opacity(count / most),
        ]
    };
    Mark::Cells(
        tone,
        counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0.0)
            .map(cell)
            .collect(),
    )
}

/// A density of values over a common range as a line, area 1.
pub fn density(tone: Tone, values: &[f64], range: (f64, f64), bins: usize) -> Mark {
    let histogram =
        crate::compare::histogram::Histogram::new(range, bins).fill(values.iter().copied());
    let scale = 1.0 / (values.len() as f64 * histogram.width());
    Mark::Line(
        tone,
        histogram
            .counts
            .iter()
            .enumerate()
            .map(|(bin, count)| (histogram.middle(bin), count * scale))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_survive_data_that_are_no_data() {
        assert!(chart(&Axis::fitted("x"), &Axis::fitted("y"), &[]).is_none());
        let nothing = Mark::Line(Tone::Run, vec![(f64::NAN, 1.0), (1.0, f64::INFINITY)]);
        assert!(chart(&Axis::fitted("x"), &Axis::fitted("y"), &[nothing]).is_none());
        let flat = Mark::Line(Tone::Run, vec![(3.0, 0.0), (3.0, 0.0), (f64::NAN, 0.0)]);
        let svg = chart(&Axis::fitted("<x>"), &Axis::fitted("y"), &[flat]).unwrap();
        assert!(
            svg.starts_with("<svg") && !svg.contains("NaN") && svg.contains("&lt;x&gt;"),
            "{svg}"
        );
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!(short(0.25, tick(1.0)), "0.25");
        assert_eq!(short(-180.0, tick(360.0)), "−180");
        assert_eq!(short(0.0, tick(0.01)), "0");
        assert_eq!(short(-1e-20, tick(1.0)), "0");
    }
}
