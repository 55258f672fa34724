// First sweep: the Born integral of every atom, and its Born radius.

// Charge, half of σ, 2√ε, ρ̃; screened radius s·ρ̃, what it adds to an integral at the cutoff.
@group(0) @binding(11) var<storage, read> kinds: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read> screens: array<vec2<f32>>;
// Born radius B, 1/B, ∂B/∂I.
@group(0) @binding(13) var<storage, read_write> radii: array<vec4<f32>>;

// Place and screened radius.
var<workgroup> others: array<vec4<f32>, LANES>;
var<workgroup> edges: array<f32, LANES>;
var<private> here: vec3<f32>;
var<private> radius: f32;
var<private> sum: f32;

fn take(at: u32, kind: u32) {
    here = places[at].xyz;
    radius = kinds[kind].w;
    sum = 0.0;
}

fn hold(lane: u32, at: u32, kind: u32) {
    others[lane] = vec4<f32>(places[at].xyz, screens[kind].x);
    if (CUT) { edges[lane] = screens[kind].y; }
}

fn feel(k: u32, is_own: bool, is_full: bool) {
    let s = others[k].w;
    let r2 = select(squared(here - others[k].xyz), NOWHERE, is_own);
    let inverse_r = inverseSqrt(r2);
    var value = integral_far(inverse_r * inverse_r, s);
    let near = reach(radius, s);
    if (r2 < near * near) { value = integral_near(r2, radius, s); }
    if (CUT) { value = select(0.0, value - edges[k], r2 < sizes.end); }
    sum += value;
}

fn finish(lane: u32, is_there: bool, at: u32, kind: u32) {
    let integral = sum_of_split(lane, vec4<f32>(sum)).x;
    if (!is_there) { return; }
    let whole = radius + OFFSET;
    let psi = integral * radius;
    let tangent = bounded(psi * (1.0 - psi * (0.8 - 4.85 * psi)));
    let born = 1.0 / (1.0 / radius - tangent / whole);
    let slope = 1.0 - psi * (1.6 - 14.55 * psi);
    let d_born = born * born * (1.0 - tangent * tangent) * slope * radius / whole;
    radii[at] = vec4<f32>(born, 1.0 / born, d_born, 0.0);
}
