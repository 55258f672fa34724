//! Marks of charts, and the colours of maps.

use plotters::prelude::*;

use super::{Area, BAR_STEPS, Drawn, INK, MARGIN, MARGIN_TOP, Plane, Tone, X_LABELS, short, tick};

/// One kind of mark of a chart.
#[derive(Debug, Clone)]
pub enum Mark {
    /// A line through points; it is interrupted where a value is no number.
    Line(Tone, Vec<(f64, f64)>),
    /// A thin, pale line.
    Thread(Tone, Vec<(f64, f64)>),
    /// What lies between a lower and an upper end, `[x, low, high]`.
    Band(Tone, Vec<[f64; 3]>),
    /// Dots, of this opacity.
    Dots(Tone, f64, Vec<(f64, f64)>),
    /// Rectangles.
    Cells(Tone, Vec<Cell>),
}

/// A rectangle of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// One corner and the other: x, y, x, y.
    pub corners: [f64; 4],
    /// How strong its colour is, 0 to 1.
    pub opacity: f64,
    /// The number that it shows.
    pub value: f64,
}

/// What the colours of a map mean.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The number that colours stand for.
    pub label: String,
    /// Its lowest and its highest value.
    pub range: (f64, f64),
    /// How values are coloured.
    pub shade: Shade,
}

/// How the values of a map are coloured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shade {
    /// The stronger, the more: this power of the share of the highest value.
    More(Tone, f64),
    /// The stronger, the less.
    Less(Tone),
    /// What the run has more in its tone, what it has less in the reference's.
    Difference,
}

impl Bar {
    /// Tone and opacity of a value.
    fn color(&self, value: f64) -> (Tone, f64) {
        let (low, high) = self.range;
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        match self.shade {
            Shade::More(tone, power) => (tone, share.powf(power)),
            // what is there at all can be seen
            Shade::Less(tone) => (tone, (1.0 - share).max(0.03)),
            Shade::Difference if value > 0.0 => (Tone::Run, (value / high).min(1.0)),
            Shade::Difference => (Tone::Reference, (value / low).min(1.0)),
        }
    }

    /// Cells of values, coloured so; those that are no number are left out.
    pub fn cells(&self, values: impl IntoIterator<Item = ([f64; 4], f64)>) -> Vec<Mark> {
        let mut cells: [(Tone, Vec<Cell>); 2] =
            [Tone::Run, Tone::Reference].map(|tone| (tone, Vec::new()));
        for (corners, value) in values.into_iter().filter(|(_, value)| value.is_finite()) {
            let (tone, opacity) = self.color(value);
            let place = usize::from(tone == Tone::Reference);
            cells[place].1.push(Cell {
                corners,
                opacity,
                value,
            });
        }
        let some = cells.into_iter().filter(|(_, cells)| !cells.is_empty());
        some.map(|(tone, cells)| Mark::Cells(tone, cells)).collect()
    }

    pub(super) fn draw(&self, area: &Area) -> Drawn {
        let (low, high) = self.range;
        let mut chart = ChartBuilder::on(area)
            .margin(MARGIN)
            .margin_top(MARGIN_TOP)
            .margin_bottom(MARGIN + X_LABELS)
            .y_label_area_size(122)
            .build_cartesian_2d(0.0..1.0, low..high)?;
        let words = ("sans-serif", 30).into_font().color(&INK);
        let digits = tick(high - low);
        chart
            .configure_mesh()
            .disable_mesh()
            .disable_x_axis()
            .axis_style(INK)
            .y_labels(5)
            .y_desc(&self.label)
            .label_style(words.clone())
            .axis_desc_style(words)
            .y_label_formatter(&|value| short(*value, digits))
            .draw()?;
        let edge = |step: usize| low + (high - low) * step as f64 / BAR_STEPS as f64;
        chart.draw_series((0..BAR_STEPS).map(|step| {
            let (tone, opacity) = self.color(0.5 * (edge(step) + edge(step + 1)));
            let style = tone.color().mix(opacity).filled();
            Rectangle::new([(0.0, edge(step)), (1.0, edge(step + 1))], style)
        }))?;
        Ok(())
    }
}

impl Mark {
    pub(super) fn tone(&self) -> Tone {
        match self {
            Mark::Line(tone, _)
            | Mark::Thread(tone, _)
            | Mark::Band(tone, _)
            | Mark::Dots(tone, ..)
            | Mark::Cells(tone, _) => *tone,
        }
    }

    pub(super) fn places(&self) -> Vec<(f64, f64)> {
        match self {
            Mark::Line(_, points) | Mark::Thread(_, points) | Mark::Dots(_, _, points) => {
                points.clone()
            }
            Mark::Band(_, points) => points
                .iter()
                .flat_map(|&[x, low, high]| [(x, low), (x, high)])
                .collect(),
            Mark::Cells(_, cells) => cells
                .iter()
                .flat_map(
                    |Cell {
                         corners: [x, y, to_x, to_y],
                         ..
                     }| [(*x, *y), (*to_x, *to_y)],
                )
                .collect(),
        }
    }

    pub(super) fn draw(&self, chart: &mut Plane) -> Drawn {
        match self {
            Mark::Line(tone, points) | Mark::Thread(tone, points) => {
                // The reference is drawn first, broad and pale, so that the run can be seen on it
                // where both are the same, in grey too.
                let (width, opacity) = match (self, tone) {
                    (Mark::Thread(..), _) => (2, 0.6),
                    (_, Tone::Guide) => (2, 1.0),
                    (_, Tone::Reference) => (9, 0.5),
                    (_, Tone::Run) => (3, 1.0),
                };
                let style = tone.color().mix(opacity).stroke_width(width);
                let pieces = points.split(|(x, y)| !x.is_finite() || !y.is_finite());
                for piece in pieces.filter(|piece| piece.len() > 1) {
                    chart.draw_series(LineSeries::new(piece.iter().copied(), style))?;
                }
            }
            Mark::Band(tone, points) => {
                let known: Vec<&[f64; 3]> = points
                    .iter()
                    .filter(|point| point.iter().all(|x| x.is_finite()))
                    .collect();
                let lower = known.iter().map(|point| (point[0], point[1]));
                let upper = known.iter().rev().map(|point| (point[0], point[2]));
                let style = tone.color().mix(0.25).filled();
                let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
                chart.draw_series(std::iter::once(Polygon::new(outline, style)))?;
            }
            Mark::Dots(tone, opacity, points) => {
                let style = tone.color().mix(*opacity).filled();
                let finite = points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite());
                chart.draw_series(finite.map(|&place| Circle::new(place, 5, style)))?;
            }
            Mark::Cells(tone, cells) => {
                let rectangle = |cell: &Cell| {
                    let [x, y, to_x, to_y] = cell.corners;
                    let style = tone.color().mix(cell.opacity).filled();
                    Rectangle::new([(x, y), (to_x, to_y)], style)
                };
                let seen = cells.iter().filter(|cell| cell.opacity > 0.004);
                chart.draw_series(seen.map(rectangle))?;
            }
        }
        Ok(())
    }
}
