// Geometry of the pair of tokens that an edge joins, and the functions that its features are made
// of; see src/ops/message/features.rs. For shaders/message.wgsl, which declares what is read here.

fn vector_y(token: u32) -> vec3<f32> {
    return vec3<f32>(y[3u * token], y[3u * token + 1u], y[3u * token + 2u]);
}
fn vector_x(token: u32) -> vec3<f32> {
    return vec3<f32>(x[3u * token], x[3u * token + 1u], x[3u * token + 2u]);
}
fn vector_n(token: u32) -> vec3<f32> {
    return vec3<f32>(n[3u * token], n[3u * token + 1u], n[3u * token + 2u]);
}

// s/(w² + s²) for the three thermal widths w: of stiff and of softer template pairs, and of any
// pair.
fn gains(scale: f32) -> vec3<f32> {
    let widths = vec3<f32>(WIDTH_STIFF, WIDTH_LOOSE, WIDTH_ANY);
    return scale / (widths * widths + scale * scale);
}

// z/√(1 + (z/4)²) and its derivative.
fn soft_clip(z: f32) -> vec2<f32> {
    let q = inverseSqrt(1.0 + z * z / 16.0);
    return vec2<f32>(z * q, q * q * q);
}

// First of the four splines at a distance, and the way from the knot below to the knot above.
fn knot(r: f32) -> vec2<f32> {
    let last = f32(sizes.splines - 1u);
    let s = min(r * last / sizes.reach, last);
    return vec2<f32>(floor(s), s - floor(s));
}

fn spline_values(f: f32) -> vec4<f32> {
    let g = 1.0 - f;
    return vec4<f32>(
        g * g * g / 6.0,
        f * f * (f / 2.0 - 1.0) + 2.0 / 3.0,
        g * g * (g / 2.0 - 1.0) + 2.0 / 3.0,
        f * f * f / 6.0,
    );
}

// Their derivatives by the distance.
fn spline_slopes(f: f32) -> vec4<f32> {
    let g = 1.0 - f;
    let density = f32(sizes.splines - 1u) / sizes.reach;
    return density
        * vec4<f32>(-g * g / 2.0, f * (1.5 * f - 2.0), -g * (1.5 * g - 2.0), f * f / 2.0);
}

// Row of spline `first + k`: the last row stands for all further ones.
fn spline_row(first: u32, k: u32) -> u32 {
    return min(first + k, sizes.splines - 1u);
}

fn distance_of(d: vec3<f32>) -> f32 {
    return sqrt(dot(d, d) + SOFT);
}

struct Pair {
    // receiver − sender: of the candidate, of the condition, of the noisy displacement
    d: vec3<f32>, d_condition: vec3<f32>, w: vec3<f32>,
    r: f32, rc: f32,
    gain: vec3<f32>,
    // template distance (0: none), whether there is one, the deviation from it
    d0: f32, mask: f32, t: f32,
    change: f32,
}

fn pair_of(edge: u32, receiver: u32, sending: u32) -> Pair {
    let d = vector_y(receiver) - vector_y(sending);
    let d_condition = vector_x(receiver) - vector_x(sending);
    let w = vector_n(receiver) - vector_n(sending);
    let r = distance_of(d);
    let rc = distance_of(d_condition);
    let d0 = template_of(edge);
    let mask = select(0.0, 1.0, d0 > 0.0);
    let gain = gains(scales[system_of(receiver)]);
    return Pair(d, d_condition, w, r, rc, gain, d0, mask, mask * (r - d0), r - rc);
}
