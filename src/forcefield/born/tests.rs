use wide::f64x8;

use super::*;

fn value(form: fn(f64x8, f64x8, f64x8, f64x8) -> f64x8, r: f64, radius: f64, s: f64) -> f64 {
    form(
        Eight::all(r),
        Eight::all(1.0 / r),
        Eight::all(radius),
        Eight::all(s),
    )
    .values()[0]
}

#[test]
fn far_form_is_the_integral_and_the_slope_its_derivative() {
    for (radius, s) in [
        (1.61, 1.1592),
        (1.11, 0.9435),
        (1.71, 1.6416),
        (1.46, 1.1534),
    ] {
        for step in 0..400 {
            let r = 0.2 + 0.05 * f64::from(step) + 1e-3;
            let [exact, above, below] =
                [r, r + 1e-5, r - 1e-5].map(|r| value(integral::<f64>, r, radius, s));
            let slope = (above - below) / (2e-5 * r);
            let analytic = value(integral_slope::<f64>, r, radius, s);
            assert!(
                (analytic - slope).abs() <= 1e-8 * (1.0 + slope.abs()),
                "{r} {radius} {s}: {analytic} {slope}"
            );
            if r >= radius + s && r >= 2.0 * s {
                let far = integral_at(r, s);
                // the closed form cancels: its own error is about 1e-16/r
                assert!(
                    (far - exact).abs() <= 4e-8 * exact + 1e-15 / r,
                    "{r}: {far} {exact}"
                );
                let far =
                    integral_slope_far::<f64>(Eight::all(1.0 / (r * r)), Eight::all(s)).values()[0];
                assert!(
                    (far - analytic).abs() <= 2e-7 * analytic.abs() + 1e-15,
                    "{r}: {far} {analytic}"
                );
            }
        }
    }
}
