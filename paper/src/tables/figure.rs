//! The figure of `paper speed`: time over tokens, both on logarithmic axes.

use plotters::prelude::*;

/// A curve: its name, and points (tokens, seconds) from left to right.
pub struct Curve {
    /// Name in the legend.
    pub name: String,
    /// (tokens, seconds).
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

/// Curves as SVG; nothing where there is no point.
pub fn svg(title: &str, curves: &[Curve]) -> Option<String> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    points().next()?;
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let low = points().map(of).fold(f64::INFINITY, f64::min);
        let high = points().map(of).fold(0.0, f64::max);
        low / 1.3..high * 1.3
    };
    let mut text = String::new();
    draw(&mut text, title, curves, [ends(|p| p.0), ends(|p| p.1)])
        .expect("drawing into memory cannot fail");
    Some(text)
}

fn draw(
    text: &mut String,
    title: &str,
    curves: &[Curve],
    [x, y]: [std::ops::Range<f64>; 2],
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(text, (860, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(46)
        .y_label_area_size(70)
        .build_cartesian_2d(x.log_scale(), y.log_scale())?;
    chart
        .configure_mesh()
        .x_desc("tokens")
        .y_desc("seconds")
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 16))
        .light_line_style(WHITE)
        .draw()?;
    for (curve, color) in curves.iter().zip(COLORS.into_iter().cycle()) {
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
    drop(chart);
    root.present()?;
    drop(root);
    Ok(())
}
