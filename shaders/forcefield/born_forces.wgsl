// Third sweep: the forces that Born radii transmit.

@group(0) @binding(11) var<storage, read> kinds: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read> screens: array<vec2<f32>>;
@group(0) @binding(13) var<storage, read> slopes: array<f32>;
@group(0) @binding(14) var<storage, read_write> forces: array<vec4<f32>>;

// Place and radius; screened radius and ∂E/∂I.
var<workgroup> others: array<vec4<f32>, LANES>;
var<workgroup> traits_of: array<vec2<f32>, LANES>;
var<private> here: vec4<f32>;
var<private> traits: vec2<f32>;
var<private> sum: vec3<f32>;

fn take(at: u32, kind: u32) {
    here = vec4<f32>(places[at].xyz, kinds[kind].w);
    traits = vec2<f32>(screens[kind].x, slopes[at]);
    sum = vec3<f32>();
}

fn hold(lane: u32, at: u32, kind: u32) {
    others[lane] = vec4<f32>(places[at].xyz, kinds[kind].w);
    traits_of[lane] = vec2<f32>(screens[kind].x, slopes[at]);
}

fn feel(k: u32, is_own: bool, is_full: bool) {
    let delta = here.xyz - others[k].xyz;
    let r2 = select(squared(delta), NOWHERE, is_own);
    let inverse_r = inverseSqrt(r2);
    let inverse_r2 = inverse_r * inverse_r;
    let other = traits_of[k];
    var slope = traits.y * slope_far(inverse_r2, other.x)
        + other.y * slope_far(inverse_r2, traits.x);
    let near = max(reach(here.w, other.x), reach(others[k].w, traits.x));
    if (r2 < near * near) {
        slope = traits.y * slope_near(r2, here.w, other.x)
            + other.y * slope_near(r2, others[k].w, traits.x);
    }
    if (CUT) { slope = select(0.0, slope, r2 < sizes.end); }
    sum -= slope * delta;
}

fn finish(lane: u32, is_there: bool, at: u32, kind: u32) {
    let all = sum_of_split(lane, vec4<f32>(sum, 0.0)).xyz;
    if (is_there) { forces[at] = vec4<f32>(forces[at].xyz + all, 0.0); }
}
