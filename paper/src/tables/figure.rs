//! The figure of `paper speed`: time and memory over tokens, on logarithmic axes.

use plotters::prelude::*;

/// Curves over tokens in one frame.
pub struct Panel {
    /// Above it.
    pub title: String,
    /// Of the upright axis.
    pub unit: &'static str,
    /// What is in it.
    pub curves: Vec<Curve>,
}

/// A curve: its name, and points from left to right.
pub struct Curve {
    /// Name in the legend.
    pub name: String,
    /// (tokens, value).
    pub points: Vec<(f64, f64)>,
}

/// Colours that differ for those who see no red or green too (Okabe and Ito).
const COLORS: [RGBColor; 7] = [
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x00, 0x00, 0x00),
];

/// Panels beside each other as SVG; nothing where one has no point.
pub fn svg(panels: &[Panel]) -> Option<String> {
    let has_points = |panel: &Panel| panel.curves.iter().any(|curve| !curve.points.is_empty());
    if panels.is_empty() || !panels.iter().all(has_points) {
        return None;
    }
    let mut text = String::new();
    draw(&mut text, panels).expect("drawing into memory cannot fail");
    Some(text)
}

/// From below the least of some values to above the largest.
fn ends(panel: &Panel, of: fn(&(f64, f64)) -> f64) -> std::ops::Range<f64> {
    let values = || {
        panel
            .curves
            .iter()
            .flat_map(|curve| curve.points.iter().map(of))
    };
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(0.0, f64::max);
    low / 1.3..high * 1.3
}

fn draw(text: &mut String, panels: &[Panel]) -> Result<(), Box<dyn std::error::Error>> {
    const SIZE: (u32, u32) = (640, 540);
    let root = SVGBackend::with_string(text, (SIZE.0 * panels.len() as u32, SIZE.1));
    let root = root.into_drawing_area();
    root.fill(&WHITE)?;
    let areas = root.split_evenly((1, panels.len()));
    for (panel, area) in panels.iter().zip(&areas) {
        let (x, y) = (ends(panel, |p| p.0), ends(panel, |p| p.1));
        let mut chart = ChartBuilder::on(area)
            .caption(&panel.title, ("sans-serif", 18))
            .margin(14)
            .x_label_area_size(46)
            .y_label_area_size(70)
            .build_cartesian_2d(x.log_scale(), y.log_scale())?;
        chart
            .configure_mesh()
            .x_desc("tokens")
            .y_desc(panel.unit)
            .label_style(("sans-serif", 15))
            .axis_desc_style(("sans-serif", 16))
            .light_line_style(WHITE)
            .draw()?;
        for (curve, color) in panel.curves.iter().zip(COLORS.into_iter().cycle()) {
            let style = color.stroke_width(2);
            chart
                .draw_series(LineSeries::new(curve.points.iter().copied(), style).point_size(3))?
                .label(&curve.name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 15))
            .background_style(WHITE)
            .border_style(BLACK.mix(0.2))
            .draw()?;
    }
    root.present()?;
    Ok(())
}
