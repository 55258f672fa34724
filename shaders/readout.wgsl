// Δ = Σ w V over all channels of all vector inputs, y' = y + s (Δ − mean of Δ over the system); see
// src/ops/readout.rs.

struct Sizes { width0: u32, width1: u32, width2: u32, width3: u32, parts: u32 }
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> w: array<f32>;
@group(0) @binding(5) var<storage, read> v0: array<f32>;
@group(0) @binding(6) var<storage, read> v1: array<f32>;
@group(0) @binding(7) var<storage, read> v2: array<f32>;
@group(0) @binding(8) var<storage, read> v3: array<f32>;
@group(0) @binding(9) var<storage, read_write> out: array<f32>;
@group(0) @binding(10) var<storage, read> rows: array<f32>;
@group(0) @binding(11) var<storage, read_write> mean: array<f32>;
@group(0) @binding(12) var<storage, read> d_out: array<f32>;
@group(0) @binding(13) var<storage, read_write> d_y: array<f32>;
@group(0) @binding(14) var<storage, read_write> d_w: array<f32>;
@group(0) @binding(15) var<storage, read_write> d_v0: array<f32>;
@group(0) @binding(16) var<storage, read_write> d_v1: array<f32>;
@group(0) @binding(17) var<storage, read_write> d_v2: array<f32>;
@group(0) @binding(18) var<storage, read_write> d_v3: array<f32>;

fn weights() -> u32 {
    return sizes.width0 + sizes.width1 + sizes.width2 + sizes.width3;
}

// Component h of channel k of all vector inputs, one after the other.
fn vector(token: u32, h: u32, k: u32) -> f32 {
    let row = token * 3u + h;
    var at = k;
    if (at < sizes.width0) { return v0[row * sizes.width0 + at]; }
    at -= sizes.width0;
    if (at < sizes.width1) { return v1[row * sizes.width1 + at]; }
    at -= sizes.width1;
    if (at < sizes.width2) { return v2[row * sizes.width2 + at]; }
    return v3[row * sizes.width3 + at - sizes.width2];
}

fn add_vector(token: u32, h: u32, k: u32, d: f32) {
    let row = token * 3u + h;
    var at = k;
    if (at < sizes.width0) { d_v0[row * sizes.width0 + at] += d; return; }
    at -= sizes.width0;
    if (at < sizes.width1) { d_v1[row * sizes.width1 + at] += d; return; }
    at -= sizes.width1;
    if (at < sizes.width2) { d_v2[row * sizes.width2 + at] += d; return; }
    d_v3[row * sizes.width3 + at - sizes.width2] += d;
}

// Δ, one group a token; `centre` finishes it.
@compute @workgroup_size(LANES)
fn forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let token = place(group, groups);
    if (token >= token_count()) { return; }
    var own = vec3<f32>(0.0);
    for (var k = lane; k < weights(); k += LANES) {
        let v = vec3<f32>(vector(token, 0u, k), vector(token, 1u, k), vector(token, 2u, k));
        own += w[token * weights() + k] * v;
    }
    for (var h = 0u; h < 3u; h += 1u) {
        let all = sum_of_lanes(lane, own[h]);
        if (lane == 0u) {
            out[3u * token + h] = all;
        }
    }
}

// A part of the mean of the rows of three over a system, one group a system, part and component.
@compute @workgroup_size(LANES)
fn average(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups);
    if (at >= 3u * sizes.parts * system_count()) { return; }
    let system = at / (3u * sizes.parts);
    let start = first_token(system);
    let count = first_token(system + 1u) - start;
    let of_part = (count + sizes.parts - 1u) / sizes.parts;
    let first = min(at / 3u % sizes.parts * of_part, count);
    let end = min(first + of_part, count);
    var own = 0.0;
    for (var token = first + lane; token < end; token += LANES) {
        own += rows[3u * (start + token) + at % 3u];
    }
    let all = sum_of_lanes(lane, own);
    if (lane == 0u) {
        mean[at] = all / f32(max(count, 1u));
    }
}

// Component of the mean of a system from its parts, in their order.
fn joint(at: u32) -> f32 {
    var all = 0.0;
    for (var part = 0u; part < sizes.parts; part += 1u) {
        all += rows[(at / 3u * sizes.parts + part) * 3u + at % 3u];
    }
    return all;
}

// The means from their parts, one lane each.
@compute @workgroup_size(LANES)
fn join(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    if (at >= 3u * system_count()) { return; }
    mean[at] = joint(at);
}

@compute @workgroup_size(LANES)
fn centre(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    if (at >= 3u * token_count()) { return; }
    let system = system_of(at / 3u);
    out[at] = y[at] + scales[system] * (out[at] - mean[3u * system + at % 3u]);
}

// Mean and what follows from it, one group a system.
@compute @workgroup_size(LANES)
fn settle(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let system = place(group, groups);
    if (system >= system_count()) { return; }
    let first = first_token(system);
    let end = first_token(system + 1u);
    var own = vec3<f32>(0.0);
    for (var token = first + lane; token < end; token += LANES) {
        own += vec3<f32>(out[3u * token], out[3u * token + 1u], out[3u * token + 2u]);
    }
    var means: vec3<f32>;
    for (var h = 0u; h < 3u; h += 1u) {
        means[h] = sum_of_lanes(lane, own[h]) / f32(max(end - first, 1u));
    }
    for (var at = 3u * first + lane; at < 3u * end; at += LANES) {
        out[at] = y[at] + scales[system] * (out[at] - means[at % 3u]);
    }
}

// One lane a token and channel; taking out the mean is its own adjoint.
@compute @workgroup_size(LANES)
fn backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = place(group, groups) * LANES + lane;
    if (at >= token_count() * weights()) { return; }
    let token = at / weights();
    let k = at % weights();
    let system = system_of(token);
    var d_weight = 0.0;
    for (var h = 0u; h < 3u; h += 1u) {
        let d = scales[system] * (d_out[3u * token + h] - mean[3u * system + h]);
        d_weight += d * vector(token, h, k);
        add_vector(token, h, k, d * w[at]);
        if (k == 0u) {
            d_y[3u * token + h] += d_out[3u * token + h];
        }
    }
    d_w[at] += d_weight;
}
