//! Charts as SVG text, drawn by plotters in colours that the page's style sheet replaces: one
//! drawing, light and dark. Every chart says what its marks are, and can be had as numbers.

mod marks;

use plotters::prelude::*;

pub use marks::{Bar, Cell, Mark, Shade};

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

/// A chart: two axes and what stands between them.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Across and upwards.
    pub axes: [Axis; 2],
    /// What is drawn, the last on top.
    pub marks: Vec<Mark>,
    /// What the marks of [`Tone::Run`] and of [`Tone::Reference`] are.
    pub names: [&'static str; 2],
    /// What the marks of [`Tone::Guide`] are.
    pub guide: &'static str,
    /// What colours mean, for a map.
    pub bar: Option<Bar>,
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
const SIZE: (u32, u32) = (760, 600);
const MARGIN: u32 = 12;
/// The legend stands in it, and half of the uppermost label.
const MARGIN_TOP: u32 = 62;
const MARGIN_RIGHT: u32 = 34;
const X_LABELS: u32 = 86;
/// Wide enough for ticks as long as −0.0005 beside the words.
const Y_LABELS: u32 = 146;
/// Width of the colour bar with its labels.
const BAR: u32 = 176;
/// Steps of a colour bar.
const BAR_STEPS: usize = 40;

/// Width over height of what lies between the axes: both axes of a drawing in space span lengths of
/// this ratio.
pub const ASPECT: f64 = (SIZE.0 - MARGIN - MARGIN_RIGHT - Y_LABELS) as f64
    / (SIZE.1 - MARGIN - MARGIN_TOP - X_LABELS) as f64;

impl Chart {
    /// Marks between two axes.
    pub fn new(axes: [Axis; 2], marks: Vec<Mark>) -> Self {
        Chart {
            axes,
            marks,
            names: ["run", "reference"],
            guide: "",
            bar: None,
        }
    }

    /// Says what the guides are.
    pub fn guided(self, guide: &'static str) -> Self {
        Chart { guide, ..self }
    }

    /// Says what the marks of the first two tones are.
    pub fn named(self, names: [&'static str; 2]) -> Self {
        Chart { names, ..self }
    }

    /// Says what colours mean.
    pub fn barred(self, bar: Bar) -> Self {
        Chart {
            bar: Some(bar),
            ..self
        }
    }

    /// As SVG. Nothing where no mark has a finite place.
    pub fn svg(&self) -> Option<String> {
        let places: Vec<(f64, f64)> = self
            .marks
            .iter()
            .flat_map(Mark::places)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .collect();
        if places.is_empty() {
            return None;
        }
        let [x, y] = &self.axes;
        let ends = [
            x.ends(places.iter().map(|place| place.0)),
            y.ends(places.iter().map(|place| place.1)),
        ];
        let mut text = String::new();
        self.draw(&mut text, ends)
            .expect("drawing into memory cannot fail");
        Some(text.replacen("<svg ", "<svg role=\"img\" ", 1))
    }

    /// As CSV: a line a point or a cell.
    pub fn csv(&self) -> String {
        let quoted = |words: &str| format!("\"{}\"", words.replace('"', "\"\""));
        let [x, y] = self.axes.each_ref().map(|axis| quoted(&axis.label));
        let value = self
            .bar
            .as_ref()
            .map_or("\"value\"".into(), |bar| quoted(&bar.label));
        let is_map = self
            .marks
            .iter()
            .any(|mark| matches!(mark, Mark::Cells(..)));
        let mut text = if is_map {
            format!("of,{x},{y},\"to x\",\"to y\",{value}\n")
        } else {
            format!("of,{x},{y},\"to\"\n")
        };
        for mark in &self.marks {
            let of = quoted(self.name(mark.tone()));
            let mut line = |numbers: &[f64]| {
                let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
                text += &format!("{of},{}\n", numbers.join(","));
            };
            match mark {
                Mark::Line(_, points) | Mark::Thread(_, points) | Mark::Dots(_, _, points) => {
                    points.iter().for_each(|&(x, y)| line(&[x, y]));
                }
                Mark::Band(_, points) => points.iter().for_each(|point| line(point)),
                Mark::Cells(_, cells) => cells.iter().for_each(|cell| {
                    let [x, y, to_x, to_y] = cell.corners;
                    line(&[x, y, to_x, to_y, cell.value]);
                }),
            }
        }
        text
    }

    fn name(&self, tone: Tone) -> &str {
        let difference = matches!(&self.bar, Some(bar) if bar.shade == Shade::Difference);
        match tone {
            Tone::Run if difference => "more in run",
            Tone::Reference if difference => "more in reference",
            Tone::Run => self.names[0],
            Tone::Reference => self.names[1],
            Tone::Guide => self.guide,
        }
    }

    fn draw(&self, text: &mut String, [across, up]: [(f64, f64); 2]) -> Drawn {
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let (area, beside) = match &self.bar {
            Some(_) => {
                let (left, right) = root.split_horizontally(SIZE.0 - BAR);
                (left, Some(right))
            }
            None => (root.clone(), None),
        };
        let mut chart = ChartBuilder::on(&area)
            .margin(MARGIN)
            .margin_top(MARGIN_TOP)
            .margin_right(MARGIN_RIGHT)
            .x_label_area_size(X_LABELS)
            .y_label_area_size(Y_LABELS)
            .build_cartesian_2d(across.0..across.1, up.0..up.1)?;
        let words = ("sans-serif", 34).into_font().color(&INK);
        let (x_tick, y_tick) = (tick(across.1 - across.0), tick(up.1 - up.0));
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(MESH.mix(0.6))
            .axis_style(INK)
            .x_labels(5)
            .y_labels(6)
            .x_desc(&self.axes[0].label)
            .y_desc(&self.axes[1].label)
            .label_style(words.clone())
            .axis_desc_style(words)
            .x_label_formatter(&|value| short(*value, x_tick))
            .y_label_formatter(&|value| short(*value, y_tick))
            .draw()?;
        self.marks
            .iter()
            .try_for_each(|mark| mark.draw(&mut chart))?;
        self.legend(&root)?;
        if let Some((bar, area)) = self.bar.as_ref().zip(beside) {
            bar.draw(&area)?;
        }
        root.present()
    }

    /// A swatch and a word for every tone, above the chart.
    fn legend(&self, root: &Area) -> Drawn {
        let mut left = (MARGIN + Y_LABELS) as i32;
        let words = ("sans-serif", 30).into_font().color(&INK);
        for tone in [Tone::Run, Tone::Reference, Tone::Guide] {
            let name = self.name(tone);
            if name.is_empty() || !self.marks.iter().any(|mark| mark.tone() == tone) {
                continue;
            }
            let style = tone.color().filled();
            root.draw(&Rectangle::new([(left, 22), (left + 26, 38)], style))?;
            root.draw(&Text::new(name.to_owned(), (left + 34, 16), words.clone()))?;
            left += 60 + 15 * name.chars().count() as i32;
        }
        Ok(())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Plane<'a> = ChartContext<
    'a,
    SVGBackend<'a>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

impl Axis {
    /// The given ends, or those of the values and a little more.
    fn ends(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let wide = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = self
            .range
            .unwrap_or_else(|| values.fold((f64::INFINITY, f64::NEG_INFINITY), wide));
        let margin = if self.range.is_some() {
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
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(x: &str, marks: Vec<Mark>) -> Chart {
        Chart::new([Axis::fitted(x), Axis::fitted("y")], marks)
    }

    #[test]
    fn charts_survive_data_that_are_no_data() {
        assert!(plain("x", Vec::new()).svg().is_none());
        let nothing = Mark::Line(Tone::Run, vec![(f64::NAN, 1.0), (1.0, f64::INFINITY)]);
        assert!(plain("x", vec![nothing]).svg().is_none());
        let flat = Mark::Line(Tone::Run, vec![(3.0, 0.0), (3.0, 0.0), (f64::NAN, 0.0)]);
        let svg = plain("<x>", vec![flat]).svg().unwrap();
        assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{svg}");
        assert!(svg.contains("&lt;x&gt;") && svg.contains("run"), "{svg}");
        assert!(!svg.contains("reference"));
    }

    #[test]
    fn numbers_of_a_chart_are_those_that_it_shows() {
        let cell = Cell {
            corners: [0.0, 1.0, 2.0, 3.0],
            opacity: 0.5,
            value: -4.5,
        };
        let bar = Bar {
            label: "difference".into(),
            range: (-9.0, 9.0),
            shade: Shade::Difference,
        };
        let marks = bar.cells([(cell.corners, cell.value), (cell.corners, f64::NAN)]);
        assert!(matches!(&marks[..], [Mark::Cells(Tone::Reference, cells)] if cells[..] == [cell]));
        let map = plain("x", marks).barred(bar);
        assert_eq!(
            map.csv(),
            "of,\"x\",\"y\",\"to x\",\"to y\",\"difference\"\n\"more in reference\",0,1,2,3,-4.5\n"
        );
        assert!(map.svg().unwrap().contains("difference"));
        let band = Mark::Band(Tone::Guide, vec![[1.0, 2.0, 3.0]]);
        let lines = plain("x", vec![band, Mark::Line(Tone::Run, vec![(1.0, 2.5)])]);
        let csv = lines.guided("MD as long").csv();
        assert!(
            csv.ends_with("\"MD as long\",1,2,3\n\"run\",1,2.5\n"),
            "{csv}"
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
