// What an atom of screened radius s adds to the Born integral of one of radius ρ̃ at distance r,
// and how that changes with r: src/forcefield/born.rs, whose polynomials these are.

// Distance from which the series hold.
fn reach(radius: f32, s: f32) -> f32 { return max(radius + s, 2.0 * s); }

fn integral_far(inverse_r2: f32, s: f32) -> f32 {
    let y = s * s * inverse_r2;
    var p = 2.48352773;
    p = p * y + 0.289061193;
    p = p * y + 1.02646619;
    p = p * y + 0.87813499;
    p = p * y + 0.857602885;
    p = p * y + 0.799992716;
    p = p * y + 0.666666685;
    return 0.5 * s * y * inverse_r2 * p;
}

fn slope_far(inverse_r2: f32, s: f32) -> f32 {
    let y = s * s * inverse_r2;
    var p = 45.1583398;
    p = p * y + 0.343773947;
    p = p * y + 13.2570074;
    p = p * y + 8.6727874;
    p = p * y + 6.8664115;
    p = p * y + 4.79985306;
    p = p * y + 2.66666704;
    return -0.5 * s * y * inverse_r2 * inverse_r2 * p;
}

struct Bounds { upper: f32, inverse_upper: f32, inverse_lower: f32, squares: f32, logarithm: f32 }

fn bounds(r: f32, radius: f32, s: f32) -> Bounds {
    let upper = r + s;
    let lower = max(abs(r - s), radius);
    let inverse_upper = 1.0 / upper;
    let inverse_lower = 1.0 / lower;
    let squares = (inverse_upper - inverse_lower) * (inverse_upper + inverse_lower);
    return Bounds(upper, inverse_upper, inverse_lower, squares, ln(lower * inverse_upper));
}

fn integral_near(r2: f32, radius: f32, s: f32) -> f32 {
    let r = sqrt(r2);
    let b = bounds(r, radius, s);
    let quarter = 0.25 * (r - s * s / r) * b.squares;
    let value = 0.5 * (b.inverse_lower - b.inverse_upper + quarter + 0.5 * b.logarithm / r);
    return select(0.0, value, radius < b.upper);
}

// The derivative over r.
fn slope_near(r2: f32, radius: f32, s: f32) -> f32 {
    let r = sqrt(r2);
    let inverse_r2 = 1.0 / r2;
    let b = bounds(r, radius, s);
    let quarter = 0.25 * (1.0 + s * s * inverse_r2) * b.squares;
    let inside = select(0.0, b.inverse_lower * b.inverse_lower, radius < s - r);
    let value = (0.5 * (quarter - 0.5 * b.logarithm * inverse_r2) + inside) / r;
    return select(0.0, value, radius < b.upper);
}
